from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.errors import ConfigurationError
from detection.folders import items_of
from detection.manifest import Label
from detection.prepare import PER_ITEM, SIDE, Prepared, load, prepare


def test_every_picture_gives_squares_and_facts(prepared: Prepared) -> None:
    assert prepared.crops.shape == (24, PER_ITEM, SIDE, SIDE, 3)
    assert prepared.labels.sum() == 12
    assert {item.source for item in prepared.items} == {
        "real/camera-0",
        "real/camera-1",
        "ai/decoder-0",
        "ai/decoder-1",
    }
    assert {(fact.width, fact.height, fact.format) for fact in prepared.facts} == {(400, 340, "PNG")}
    assert {fact.quantisation for fact in prepared.facts} == {0}


def test_squares_are_native_pixels_or_of_a_smaller_copy(folder: Path, prepared: Prepared) -> None:
    native = 0
    for item, squares in zip(prepared.items, prepared.crops, strict=True):
        pixels = np.asarray(Image.open(folder / item.path))
        for square in squares:
            views = np.lib.stride_tricks.sliding_window_view(pixels, (SIDE, SIDE, 3))[:, :, 0]
            native += bool((views[:, :, 0, 0, :] == square[0, 0]).all(-1).any() and _is_cut(pixels, square))
    assert 0 < native < 24 * PER_ITEM


def _is_cut(pixels: np.ndarray, square: np.ndarray) -> bool:
    places = np.argwhere((pixels[: 340 - SIDE + 1, : 400 - SIDE + 1] == square[0, 0]).all(-1))
    return any(np.array_equal(pixels[top : top + SIDE, left : left + SIDE], square) for top, left in places)


def test_a_set_is_the_same_whenever_it_is_made(folder: Path, prepared: Prepared, tmp_path: Path) -> None:
    again = prepare(items_of(folder)[::-1], folder, tmp_path, workers=1)
    assert again.items == prepared.items
    assert np.array_equal(again.crops, prepared.crops)
    assert np.array_equal(load(tmp_path).crops, prepared.crops)


def test_files_that_are_not_there_or_not_what_was_listed_are_left_out(folder: Path, tmp_path: Path) -> None:
    first, second, *_ = items_of(folder)
    items = (first, replace(second, sha256="0" * 64), replace(second, path="gone.png", sha256="1" * 64))
    assert prepare(items, folder, tmp_path / "set", workers=1).items == (first,)
    with pytest.raises(ConfigurationError, match="not one of 1 files"):
        prepare(items[1:2], folder, tmp_path / "none", workers=1)


def test_no_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no prepared set"):
        load(tmp_path)


def test_files_come_out_of_git_copies_by_their_blob(folder: Path, tmp_path: Path) -> None:
    (item, *_) = items_of(folder)
    copy = tmp_path / "copies" / "owner+name"
    subprocess.run(["git", "init", "-q", "--bare", str(copy)], check=True)
    git = ["git", "-C", str(copy), "hash-object", "-w", str(folder / item.path)]
    blob = subprocess.run(git, capture_output=True, check=True, text=True).stdout.strip()
    listed = replace(item, repository="owner/name", blob=blob, quarter="3")
    found = prepare([listed], tmp_path / "copies", tmp_path / "set", workers=1)
    assert (found.facts[0].width, found.facts[0].height) == (200, 170)
    assert found.items[0].label is Label.REAL
