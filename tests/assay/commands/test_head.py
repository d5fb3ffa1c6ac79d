from __future__ import annotations

import csv
from pathlib import Path

import pytest

from assay import cli
from detection.head import read
from tests.detection import known


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return known.cache(tmp_path_factory.mktemp("features") / "cache").folder


def test_a_head_is_left_with_its_card(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "head"
    assert cli.main(["head", str(cache), "-o", str(out), "--blocks", "1,3", "--kinds", "whole"]) == 0
    assert {path.name for path in out.iterdir()} == {"head.safetensors", "panel.json", "README.md", "told.csv"}
    head = read(out / "head.safetensors")
    assert (head.recipe.blocks, head.recipe.kinds) == ((1, 3), ("whole",))
    said = capsys.readouterr().out
    card = (out / "README.md").read_text()
    assert "| owner/source-2 | 0 | 6 | 6 |" in said
    assert all(line in card for line in said.splitlines() if line.startswith("|"))
    assert "72 pictures (36 that models made) of 6 sources" in card
    rows = list(csv.DictReader((out / "told.csv").read_text().splitlines()))
    assert len(rows) == 2 * 72


def test_recipes_are_compared_and_nothing_is_written(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(cache.rglob("*"))
    assert cli.main(["head", str(cache), "--compare", "--kinds", "crop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(set(lines)) == 6
    assert all(0.5 < float(line.rpartition(": ")[2]) <= 1 for line in lines)
    assert sorted(cache.rglob("*")) == before


def test_what_cannot_be_done_is_said(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        ([str(cache)], "either --compare or --output"),
        ([str(tmp_path), "--compare"], "no cache of features"),
        ([str(cache), "--compare", "--kinds", "grid"], "no views of the kind"),
        ([str(cache), "-o", str(tmp_path / "head"), "--blocks", "7"], "no features of block 7"),
    ):
        assert cli.main(["head", *arguments]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "head").exists()
    with pytest.raises(SystemExit):
        cli.main(["head", str(cache), "--compare", "--kinds", "whole,sideways"])
