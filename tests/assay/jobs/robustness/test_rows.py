from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from assay.jobs.robustness import rows as robustness
from assay.jobs.robustness.bench import Bench
from assay.jobs.robustness.kept import read
from assay.jobs.robustness.results import Results, is_forgery
from assay.jobs.robustness.rows import METHODS, ROWS, measure
from generation import attacks

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning:diffusers")


def test_marks_are_found_with_the_key_and_not_with_another(bench: Bench, tmp_path: Path) -> None:
    rows = [row for row, _ in measure(bench, tmp_path / "r.json", ["sealed-seed"], ["clean", "wrong-key"])]

    assert [row.name for row in rows] == ["clean", "wrong-key"]
    assert all(value < -12 for value in rows[0].log10_p)
    assert all(value > -4 for value in rows[1].log10_p)
    assert rows[0].payload == (True, True)
    assert rows[1].payload is None
    assert rows[0].same == (True, True)


def test_an_interrupted_run_goes_on(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, methods, names = tmp_path / "r.json", ["sealed-seed", "tree-ring"], ["clean", "jpeg-50"]
    first = list(islice(measure(bench, path, methods, names), 3))
    kept = path.read_bytes()
    assert len(read(path, Results).rows) == 3

    drawn: list[str] = []
    monkeypatch.setattr(Bench, "draw", lambda *_: drawn.append("again"))
    rest = list(measure(bench, path, methods, names))

    assert [(row.method, row.name) for row, _ in rest] == [("tree-ring", "jpeg-50")]
    assert drawn == []  # the images of the first run were kept
    assert read(path, Results).rows[:3] == tuple(row for row, _ in first)
    assert len(path.read_bytes()) > len(kept)
    assert list(measure(bench, path, methods, names)) == []


def test_measuring_again_gives_the_same(bench: Bench, tmp_path: Path) -> None:
    once, again = ([row for row, _ in measure(bench, tmp_path / name, ["tree-ring"], ["noise-0.05"])] for name in "ab")

    assert once == again


KINDS = ("registered:scale-0.5", "vae", "regenerate-0.2", "average-1", "forge-average-1", "reprompt", "imprint")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_row_can_be_measured(bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "imprint", partial(attacks.imprint, iterations=1, steps=1))
    row = robustness.measured(replace(bench, setup=replace(bench.setup, count=1)), "sealed-seed", name)

    assert len(row.log10_p) == len(row.same) == 1
    assert all(value <= 0 for value in row.log10_p)
    assert (row.payload is None) == is_forgery(name)


def test_a_blind_row_searches(bench: Bench, tmp_path: Path) -> None:
    one = replace(bench, setup=replace(bench.setup, count=1))
    rows = [row for row, _ in measure(one, tmp_path / "r.json", ["sealed-seed", "tree-ring"], ["blind:turn-90"])]

    assert rows[0].log10_p[0] < -6
    assert len(rows[1].log10_p) == 1


def test_every_row_has_a_meaning() -> None:
    robustness._require_known(METHODS, ROWS)


def test_a_nonce_used_twice_is_found_on_other_content(bench: Bench) -> None:
    row = robustness.measured(bench, "sealed-seed", "nonce-reuse")

    assert all(value < -6 for value in row.log10_p)


def test_an_average_draws_as_many_images_as_it_needs(bench: Bench, tmp_path: Path) -> None:
    fresh = replace(bench, work=tmp_path, setup=replace(bench.setup, count=1))
    row = robustness.measured(fresh, "sealed-seed", "average-3")

    assert len(row.log10_p) == 1
    assert len(list(fresh.folder.glob("sealed-seed-*"))) == len(list(fresh.folder.glob("none-*"))) == 1
    assert len(fresh.images("sealed-seed", 3)) == 3


def test_methods_and_rows_have_to_exist(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such watermark"):
        list(measure(bench, tmp_path / "r.json", ["rot13"], ["clean"]))
    with pytest.raises(ConfigurationError, match="no such perturbation"):
        list(measure(bench, tmp_path / "r.json", ["sealed-seed"], ["clean", "wash-3"]))
