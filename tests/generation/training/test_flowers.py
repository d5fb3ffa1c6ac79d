from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.errors import ConfigurationError
from generation.training import flowers
from generation.training.captions import KINDS


def _rows() -> list[dict[str, str]]:
    with flowers.MANIFEST.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_no_photograph_is_in_both_splits() -> None:
    rows = _rows()
    assert len({row["blob"] for row in rows}) == len(rows) == 4311
    assert [sum(row["split"] == split for row in rows) for split in ("train", "test")] == [3886, 425]
    assert {row["kind"] for row in rows} == set(KINDS)


def test_photographs_are_read_by_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (128, 128), (200, 20, 30)).save(stream, "PNG")
    subprocess.run(["git", "init", "-q", str(tmp_path / "copy")], check=True)
    git = ["git", "-C", str(tmp_path / "copy"), "hash-object", "-w", "--stdin"]
    blob = subprocess.run(git, input=stream.getvalue(), capture_output=True, check=True).stdout.decode().strip()
    manifest = tmp_path / "flowers.csv"
    manifest.write_text(f"kind,path,blob,split,caption\nrose,a.png,{blob},train,a red rose\n")
    monkeypatch.setattr(flowers, "MANIFEST", manifest)
    found = flowers.load(tmp_path / "copy", "train")
    assert found.captions == ("a red rose",)
    assert np.array_equal(found.pixels[0, 0, 0], (200, 20, 30))
    assert KINDS[found.kinds[0]] == "rose"


def test_another_repository_is_no_copy(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(ConfigurationError, match="has no blob"):
        flowers.load(tmp_path, "test")
