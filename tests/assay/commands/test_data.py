from __future__ import annotations

from pathlib import Path

import pytest

from assay import cli
from detection import clip
from detection.featured import load
from tests.detection.small_vit import NAME, WIDTH, checkpoint
from tests.pictures import labelled


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(tmp_path_factory.mktemp("pictures"))


def test_features_of_a_folder_are_made_and_not_made_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["--backbone", NAME, "--checkpoint", str(checkpoint(tmp_path)), "--taps", "0,5", "--device", "cpu"]
    command = ["data", "features", "--folder", str(folder), "-o", str(tmp_path / "cache"), "--rounds", "1", *network]
    assert cli.main([*command, "--most", "3"]) == 0
    assert "12 pictures, 1 rounds" in capsys.readouterr().out
    assert load(tmp_path / "cache").of(0, "whole")[1].shape == (12, 2, 2, WIDTH)
    assert cli.main(command) == 0
    assert len(load(tmp_path / "cache").of(0, "whole")[0]) == 24


def test_without_clip_its_command_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "features", "--folder", str(folder), "-o", str(tmp_path / "cache")]) == 2
    assert clip.COMMAND in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backbone", NAME], "--backbone and --checkpoint go together"),
        (["--copies", "."], "name either --copies or --folder"),
    ],
)
def test_what_does_not_go_together_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    command = ["data", "features", "--folder", str(folder), "-o", str(tmp_path / "cache"), *arguments]
    assert cli.main(command) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("taps", ["", "1,", "-1", "a"])
def test_blocks_are_whole_numbers(tmp_path: Path, taps: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["data", "features", "--folder", ".", "-o", str(tmp_path), "--taps", taps])
