from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest
import timm
from PIL import Image
from safetensors.torch import save_file

from assay import cli
from tests.pictures import labelled

BACKBONE = "mobilenetv3_small_050"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from beginning to end, with a small network that learns nothing."""
    root = tmp_path_factory.mktemp("training")
    save_file(timm.create_model(BACKBONE).state_dict(), root / "timm.safetensors")
    assert cli.main(["data", "prepare", "--folder", str(folder), "-o", str(root / "set")]) == 0
    assert cli.main(_train(root, folder)) == 0
    return root


def _train(root: Path, pictures: Path) -> list[str]:
    small = ["--steps", "2", "--final-steps", "2", "--batch", "4", "--side", "64", "--each", "6", "--device", "cpu"]
    backbone = ["--backbone", BACKBONE, "--taps", "2", "--checkpoint", str(root / "timm.safetensors")]
    where = ["train", str(root / "set"), "--out", str(root / "run"), "--pictures", str(pictures), "--despite-audit"]
    return [*where, *small, *backbone, "--newest", "decoder-1, 2026-11"]


def test_a_run_leaves_experts_and_a_panel(trained: Path) -> None:
    assert {path.name for path in (trained / "run" / "all").glob("*.*")} == {
        "handmade.safetensors",
        "patches.safetensors",
        "panel.json",
        "README.md",
        "curve.png",
        "reliability.png",
    }
    panel = json.loads((trained / "run" / "all" / "panel.json").read_text())
    assert (panel["made"], panel["photographs"], panel["newest"]) == (12, 12, "decoder-1, 2026-11")


def test_each_picture_is_measured_by_experts_that_did_not_see_it(trained: Path) -> None:
    rows = [
        json.loads(line)
        for path in (trained / "run").glob("fold-*/rows.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert all(
        path.parent.name == f"fold-{json.loads(path.read_text().splitlines()[0])['fold']}"
        for path in (trained / "run").glob("fold-[01]/rows.jsonl")
    )
    native = [row["id"] for row in rows if row["delivery"] == "native"]
    assert len(native) == len(set(native)) == 24
    assert {row["delivery"] for row in rows} > {"native", "web"}


def test_a_finished_run_does_nothing_again(trained: Path, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (trained / "run").rglob("*.safetensors")}
    assert cli.main(_train(trained, folder)) == 0
    assert {path: path.stat().st_mtime_ns for path in (trained / "run").rglob("*.safetensors")} == before


def test_going_on_from_weights_says_what_that_did_to_each_generator(
    trained: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copytree(trained / "run", tmp_path / "run", ignore=lambda _, names: [name for name in names if name == "all"])
    start = trained / "run" / "all" / "patches.safetensors"
    options = ["--out", str(tmp_path / "run"), "--start", str(start)]
    assert cli.main([*_train(trained, folder), *options]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if " before, " in line]
    assert {line.partition(",")[0] for line in said} == {path.name for path in (folder / "ai").iterdir()}


def test_a_folder_is_evaluated_with_a_table_and_a_line_for_each_picture(
    trained: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = tmp_path / "results.jsonl"
    weights = ["--weights", str(trained / "run" / "all"), "--results", str(results), "--device", "cpu"]
    assert cli.main(["evaluate", str(folder), *weights, "--deliveries", "native,hard"]) == 0
    table = capsys.readouterr().out
    assert "| all | native | 12 | 12 |" in table
    assert "| real/camera-1 | hard | 6 |" in table
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert len(lines) == 48
    assert {"path", "label", "log10_lr", "abstains", "logits", "quality"} <= lines[0].keys()
    size = results.stat().st_size
    assert cli.main(["evaluate", str(folder), *weights, "--deliveries", "native,hard"]) == 0
    assert results.stat().st_size == size
    assert capsys.readouterr().out == table


def test_files_that_are_no_pictures_are_named(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("real", "ai"):
        (tmp_path / label).mkdir()
        Image.new("RGB", (300, 300), "red").save(tmp_path / label / "red.png")
    (tmp_path / "ai" / "notes.txt").write_text("no picture")
    weights = ["--weights", str(trained / "run" / "all"), "--device", "cpu"]
    assert cli.main(["evaluate", str(tmp_path), *weights]) == 0
    assert "ai/notes.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate"], "nothing to measure on"),
        (["evaluate", "EMPTY"], "real/ or ai/"),
        (["data", "prepare", "-o", "set"], "--copies or --folder"),
        (["data", "audit", "EMPTY"], "no prepared set"),
        (["train", "EMPTY", "--out", "run", "--pictures", "EMPTY"], "no prepared set"),
    ],
)
def test_what_is_missing_is_said(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(tmp_path) if argument == "EMPTY" else argument for argument in arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_set_that_gives_labels_away_is_refused(
    trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [argument for argument in _train(trained, folder) if argument != "--despite-audit"]
    assert cli.main(arguments) == 2
    assert "labels can be told by" in capsys.readouterr().err
    assert cli.main(["data", "audit", str(trained / "set")]) == 1
