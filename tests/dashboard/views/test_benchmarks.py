from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assay.jobs.robustness.kept import read
from assay.jobs.robustness.pixels import PixelResults
from tests.dashboard import session

MEASURED = sorted((session.APP.parents[1] / "docs" / "pixels").glob("*.json"))


def test_the_cards_of_what_ships_are_shown_without_their_links_to_pictures() -> None:
    page = session.opened("benchmarks")
    text = session.words(page)
    assert "![" not in text
    assert [each.label for each in page.expander][:2] == [
        "Detectors of pictures that models made",
        "Pocket, the diffusion model that ships",
    ]
    assert all(not line.startswith("# ") for element in page.markdown for line in element.value.splitlines())


@pytest.mark.parametrize("path", MEASURED, ids=[path.stem for path in MEASURED])
def test_every_curve_has_its_numbers_with_n_and_interval(path: Path) -> None:
    page = session.opened("benchmarks")
    session.sound(page.selectbox[0].set_value(path).run())
    results = read(path, PixelResults)
    tables = [table.value for table in page.table]
    assert len(tables) == len(page.get("vega_lite_chart"))
    assert ("there is no curve" in session.words(page)) == (not tables)
    for table in tables:
        assert (table["n"].astype(int) > 0).all()
        for share, interval in zip(table["share read"].astype(float), table["interval"], strict=True):
            low, high = map(float, interval.split(" to "))
            assert low - 5e-4 <= share <= high + 5e-4
        assert set(table["method"]) == {each.method for each in results.qualities}
    assert str(results.setup.count) in session.words(page)


def test_an_installation_without_the_documents_says_so(tmp_path: Path, repo_root: Path) -> None:
    shutil.copytree(session.APP.parent, tmp_path / "dashboard", ignore=shutil.ignore_patterns("__pycache__"))
    for place in ("detection/weights", "generation/weights/pocket"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(repo_root / place / "README.md", tmp_path / place)
    page = AppTest.from_file(tmp_path / "dashboard" / "app.py", default_timeout=session.SECONDS).run()
    session.sound(page.switch_page("views/benchmarks.py").run())
    assert "which this installation does not have" in session.words(page)
