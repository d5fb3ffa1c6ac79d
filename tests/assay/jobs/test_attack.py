from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from assay.commands import attack as command
from assay.errors import ConfigurationError, UnreadableError
from assay.jobs import attack as job
from assay.jobs.attack import GEOMETRIC, SUITES, Attacked, attack
from assay.jobs.mark import mark
from assay.perturb import BATTERY
from assay.vocabulary import Settings
from tests.assay.jobs.studio import furnish, pixels_of
from tests.pictures import photograph


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path, Path]:
    """Settings, a marked photograph, and another one."""
    folder = tmp_path_factory.mktemp("lab")
    settings = furnish(folder / "home")
    for number in range(2):
        Image.fromarray(photograph(number)).save(folder / f"{number}.png")
    list(mark([(folder / "0.png", folder / "marked.png")], settings=settings))
    return settings, folder / "marked.png", folder / "1.png"


def only(monkeypatch: pytest.MonkeyPatch, suite: str, names: Sequence[str]) -> None:
    monkeypatch.setattr(job, "SUITES", {**SUITES, suite: tuple(names)})


def test_suites_share_the_one_list() -> None:
    assert {*SUITES["standard"], *GEOMETRIC} == set(BATTERY)
    assert not {*SUITES["standard"]} & {*GEOMETRIC}
    assert set(command.SUITES) == {*SUITES, "all"}
    assert {"rotate-5", "crop-75+jpeg-50", "screenshot", "scale-2"} <= set(GEOMETRIC)


def test_attacked_files_are_written_and_read(
    bench: tuple[Settings, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, marked, _ = bench
    only(monkeypatch, "standard", ("jpeg-50", "scale-0.7"))
    edited, smaller = attack([marked], tmp_path, suite="standard", settings=settings)
    assert edited.path == tmp_path / "marked.png.jpeg-50.png"
    assert edited.read == {"watermark": "nothing", "pixel-watermark": "Ours, edited"}
    assert edited.psnr is not None
    assert edited.psnr > 25
    assert smaller.psnr is None
    assert pixels_of(smaller.path).shape[0] == round(0.7 * 340)


def test_a_copied_mark_is_called_transplanted(bench: tuple[Settings, Path, Path], tmp_path: Path) -> None:
    settings, marked, cover = bench
    found: list[Attacked] = list(attack([marked], tmp_path, suite="forgery", settings=settings, cover=cover))
    assert [one.attack for one in found] == ["copy", "average"]
    assert found[0].read["pixel-watermark"] in {"Transplanted", "nothing"}
    assert all(one.psnr is None for one in found)


def test_the_model_takes_pictures_of_any_size(
    bench: tuple[Settings, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _, _ = bench
    small = tmp_path / "small.png"
    Image.fromarray(photograph(0)[:67, :75]).save(small)
    only(monkeypatch, "regeneration", ("vae", "regenerate-0.1"))
    done = list(attack([small], tmp_path, suite="regeneration", settings=settings))
    assert [pixels_of(one.path).shape for one in done] == [(67, 75, 3)] * 2
    assert all(one.psnr is not None and one.psnr < 60 for one in done)


def test_what_cannot_be_attacked_is_refused(bench: tuple[Settings, Path, Path], tmp_path: Path) -> None:
    settings, marked, _ = bench
    with pytest.raises(ConfigurationError, match="forgeries need"):
        list(attack([marked], tmp_path, suite="forgery", settings=settings))
    with pytest.raises(ConfigurationError, match="no such folder"):
        list(attack([marked], tmp_path / "nowhere", suite="standard", settings=settings))
    with pytest.raises(ConfigurationError, match="one name"):
        list(attack([marked, marked], tmp_path, suite="standard", settings=settings))
    with pytest.raises(UnreadableError, match="missing"):
        list(attack([tmp_path / "missing.png"], tmp_path, suite="standard", settings=settings))
