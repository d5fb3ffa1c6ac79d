from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.fingerprint import dhash, thumbnail
from assay.jobs.inversions import MOST_LAID, MOST_WHOLE, THOROUGH_LAID, in_words, worth
from assay.jobs.registry import Registry
from assay.ledger import Ledger, open_ledger
from assay.ledger.reading import Kind
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from tests.assay.ledger.entries import entry_for
from tests.pictures import photograph

KEY = "0" * 16
SIDES = (128, 160, 192, 224, 256, 288)
Known = tuple[Registry, Ledger]


def _deliver(ledger: Ledger, folder: Path, pixels: Pixels, *, model: str = "pocket", side: int = 128) -> None:
    data = f"{model} {side} {dhash(Image.fromarray(pixels))}".encode()
    entry = entry_for(data, model=model, key_id=KEY, latent_shape=(4, side // 4, side // 4), width=side, height=side)
    own = replace(entry, thumbnail=thumbnail(pixels), perceptual_hash=dhash(Image.fromarray(pixels)))
    ledger.deliver(own, folder / f"{entry.image_id}.png", data)


def _sketch(seed: int) -> Pixels:
    """Coarse colours of its own, unlike those of any photograph."""
    colours = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(colours).resize((128, 128), Image.Resampling.BICUBIC))


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    """A ledger of six sizes."""
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        for number, side in enumerate(SIDES):
            _deliver(ledger, tmp_path, _sketch(number), side=side)
        yield Registry(ledger, {KEY: bytes(32)}, tmp_path), ledger


def _sides(kinds: tuple[Kind, ...]) -> list[int]:
    return [kind.height for kind in kinds]


def test_a_strangers_picture_is_read_at_no_kind(known: Known) -> None:
    found = worth(*known, photograph(0), photograph(0).shape[:2], thorough=False)
    assert found.whole == ()


def test_thorough_means_everything(known: Known) -> None:
    found = worth(*known, photograph(0), photograph(0).shape[:2], thorough=True)
    assert _sides(found.whole) == sorted(SIDES)
    assert len(found.laid) == min(len(SIDES), THOROUGH_LAID)


def test_a_picture_of_just_the_size_is_read_at_it(known: Known) -> None:
    square = np.asarray(Image.fromarray(photograph(0)).resize((192, 192)))
    assert _sides(worth(*known, square, (192, 192), thorough=False).whole) == [192]


def test_a_copy_is_read_at_the_kind_of_its_row_whatever_its_size(known: Known) -> None:
    copy = perturbation("scale-3+jpeg-40+brightness-1.3").apply(_sketch(4))
    assert _sides(worth(*known, copy, copy.shape[:2], thorough=False).whole) == [256]


@pytest.mark.parametrize("edit", ["rotate-20", "turn-90", "flip-horizontal", "crop-75"])
def test_a_turned_or_cropped_copy_is_laid_over_its_row(known: Known, edit: str) -> None:
    copy = perturbation(edit).apply(_sketch(2))
    assert [row.height for row in worth(*known, copy, (1000, 1000), thorough=False).laid] == [192]


def test_what_is_tried_does_not_grow_with_the_ledger(known: Known, tmp_path: Path) -> None:
    _, ledger = known
    for number in range(8):
        _deliver(ledger, tmp_path, _sketch(1), model=f"model {number}", side=128)
    more = Registry(ledger, {KEY: bytes(32)}, tmp_path)
    found = worth(more, ledger, _sketch(1), (128, 128), thorough=False)
    assert len(more.kinds) == len(SIDES) + 8
    assert (len(found.whole), len(found.laid)) == (MOST_WHOLE, MOST_LAID)


def test_a_flat_picture_is_no_copy_of_another_flat_one(known: Known, tmp_path: Path) -> None:
    _, ledger = known
    flat = np.full((64, 64, 3), 90, np.uint8)
    _deliver(ledger, tmp_path, flat, side=320)
    again = Registry(ledger, {KEY: bytes(32)}, tmp_path)
    assert worth(again, ledger, flat, (64, 64), thorough=False).whole == ()


def test_what_was_left_out_is_named_and_so_is_the_remedy() -> None:
    kinds = [Kind("pocket", (4, side // 4, side // 4), side, side) for side in SIDES]
    text = in_words(kinds)
    assert "pocket at 128 x 128, pocket at 160 x 160, pocket at 192 x 192 and 3 others" in text
    assert "--thorough" in text
    assert "others" not in in_words(kinds[:3])
