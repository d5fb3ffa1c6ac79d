"""What every pixel watermark in the catalog owes, whoever wrote it. A new line is covered from that moment."""

from __future__ import annotations

import inspect
import re
from hashlib import sha256

import numpy as np
import pytest

from assay import catalog
from assay.vocabulary import Pixels, PixelWatermark
from tests.pictures import photograph

NAMES = list(catalog.PIXEL_WATERMARKS)
LEAST_PSNR = 40.0

pytestmark = pytest.mark.parametrize("name", NAMES)

AWKWARD: dict[str, Pixels] = {
    "flat": np.full((200, 300, 3), 128, np.uint8),
    "black": np.zeros((300, 200, 3), np.uint8),
    "white": np.full((256, 256, 3), 255, np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (260, 310, 3), dtype=np.uint8),
    "stripes": np.broadcast_to(np.where(np.arange(256) // 8 % 2, 255, 0).astype(np.uint8)[:, None], (300, 256, 3)),
}


def key(number: int = 0) -> bytes:
    return sha256(number.to_bytes(8, "big")).digest()


def payload_for(watermark: PixelWatermark, pixels: Pixels) -> int:
    return 0x123456789ABCDEF0 >> 64 - watermark.bits((pixels.shape[0], pixels.shape[1]))


def test_it_is_what_the_catalog_says(name: str) -> None:
    watermark = catalog.pixel_watermark(name)
    assert watermark.id == name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert inspect.getdoc(type(watermark))


def test_what_was_put_in_is_read(name: str) -> None:
    watermark, pixels = catalog.pixel_watermark(name), photograph(0)
    before = pixels.copy()
    marked = watermark.mark(pixels, key(), payload_for(watermark, pixels))
    assert np.array_equal(pixels, before)
    assert (marked.dtype, marked.shape) == (np.uint8, pixels.shape)
    found = watermark.read(marked, [key(1), key(), key(2)])
    assert found is not None
    assert (found.key, found.payload) == (1, payload_for(watermark, pixels))
    assert found.bits == watermark.bits((pixels.shape[0], pixels.shape[1]))
    assert found.log10_p <= -6


def test_it_cannot_be_seen(name: str) -> None:
    watermark = catalog.pixel_watermark(name)
    for number in range(4):
        pixels = photograph(number)
        marked = watermark.mark(pixels, key(number), payload_for(watermark, pixels))
        error = ((marked.astype(float) - pixels) ** 2).mean()
        assert 10 * np.log10(255**2 / error) >= LEAST_PSNR


@pytest.mark.parametrize("awkward", AWKWARD)
def test_awkward_pictures_are_marked_and_read_without_trouble(name: str, awkward: str) -> None:
    watermark, pixels = catalog.pixel_watermark(name), AWKWARD[awkward]
    assert watermark.read(pixels, [key()]) is None
    marked = watermark.mark(pixels, key(), payload_for(watermark, pixels))
    found = watermark.read(marked, [key()])
    assert found is None or found.payload == payload_for(watermark, pixels)


def test_another_key_reads_nothing(name: str) -> None:
    watermark, pixels = catalog.pixel_watermark(name), photograph(1)
    marked = watermark.mark(pixels, key(), payload_for(watermark, pixels))
    assert watermark.read(marked, [key(number) for number in range(1, 8)]) is None


def test_a_grey_picture_stays_grey(name: str) -> None:
    watermark = catalog.pixel_watermark(name)
    grey = np.repeat(photograph(0)[..., :1], 3, axis=2)
    marked = watermark.mark(grey, key(), 1)
    assert (marked == marked[..., :1]).all()


def test_pictures_that_are_too_small_are_refused(name: str) -> None:
    watermark = catalog.pixel_watermark(name)
    tiny = np.zeros((16, 16, 3), np.uint8)
    assert watermark.bits((16, 16)) == 0
    with pytest.raises(ValueError, match="too small"):
        watermark.mark(tiny, key(), 0)
    assert watermark.read(tiny, [key()]) is None


def test_a_payload_that_does_not_fit_is_refused(name: str) -> None:
    watermark, pixels = catalog.pixel_watermark(name), photograph(0)
    with pytest.raises(ValueError, match="bits of payload"):
        watermark.mark(pixels, key(), 1 << watermark.bits((pixels.shape[0], pixels.shape[1])))
    with pytest.raises(ValueError, match="bits of payload"):
        watermark.mark(pixels, key(), -1)
