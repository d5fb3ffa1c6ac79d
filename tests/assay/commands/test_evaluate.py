from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.commands import evaluate as command
from assay.errors import ConfigurationError
from assay.jobs.robustness import hidden
from assay.jobs.robustness.kept import read
from assay.jobs.robustness.results import Results
from assay.options import Parser


def run(folder: Path, *arguments: str) -> int:
    parser = Parser()
    command.add(parser.add_subparsers())
    own = ("--out", str(folder / "results.json"), "--work", str(folder / "work"), "--count", "2", "--steps", "4")
    return command.run(parser.parse_args(["evaluate", "--suite", "robustness", *own, *arguments]))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (160, 150, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_everything_that_is_measured_is_kept(
    tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden, "JUDGED", 20)
    monkeypatch.setattr(hidden, "LOOKED_AT", 20)
    monkeypatch.setattr(hidden, "ATTACKED", (("gaussian-shading", "fresh"),))
    monkeypatch.setattr(hidden, "RESAMPLES", 5)
    monkeypatch.setattr(hidden, "lite2_features", lambda pictures: pictures.mean((1, 2)).astype(np.float32))
    rows = ("--methods", "sealed-seed", "--rows", "clean")
    null = ("--null", "500", "--null-images", "2", "--photographs", str(photographs))
    assert run(tmp_path, *rows, *null, "--latents", "10", "--pairs", "2") == 0

    results = read(tmp_path / "results.json", Results)
    assert [(row.method, row.name, len(row.log10_p)) for row in results.rows] == [("sealed-seed", "clean", 2)]
    assert [(each.count, each.draws) for each in results.nulls] == [(2, 500), (2, 500)]
    assert [(one.method, one.train) for one in results.told_apart] == [("gaussian-shading", 10)]
    assert [(one.method, one.count) for one in results.pairs] == [("sealed-seed", 2)]
    assert "clean" in capsys.readouterr().out

    run(tmp_path, *rows, "--latents", "10")  # nothing is left to measure
    assert read(tmp_path / "results.json", Results) == results
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("option", ["--pairs", "--null-search"])
def test_what_needs_photographs_says_so(tmp_path: Path, option: str) -> None:
    with pytest.raises(ConfigurationError, match="photographs") as raised:
        run(tmp_path, "--rows", "-", "--null-images", "2", option, "2")
    assert "--photographs" in (raised.value.hint or "")
