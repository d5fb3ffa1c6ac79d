from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assay.errors import ConfigurationError, UnreadableError
from assay.repaint import FORMATS, repainted
from assay.vocabulary import Pixels
from tests.pictures import photograph


def brighter(pixels: Pixels) -> Pixels:
    return np.clip(pixels.astype(int) + 2, 0, 255).astype(np.uint8)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def again(data: bytes, suffix: str) -> Image.Image:
    return Image.open(BytesIO(repainted(data, "in", suffix, brighter).data))


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_change_is_what_changes(suffix: str) -> None:
    image = again(saved(Image.fromarray(photograph(0)), "PNG"), suffix)
    difference = np.asarray(image.convert("RGB")).astype(int) - photograph(0)
    assert image.size == (400, 340)
    assert np.median(difference) == 2


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK"])
def test_modes_stay(mode: str) -> None:
    image = Image.fromarray(photograph(0)).convert(mode)
    if mode in {"LA", "RGBA"}:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    after = again(saved(image, "TIFF"), ".tif")
    assert after.mode == mode
    if mode in {"LA", "RGBA"}:
        assert np.array_equal(np.asarray(after)[..., -1], np.asarray(image)[..., -1])
    if mode == "CMYK":
        assert np.array_equal(np.asarray(after)[..., 3], np.asarray(image)[..., 3])
        assert np.median(np.asarray(after)[..., 0].astype(int) - np.asarray(image)[..., 0]) == -2


def test_sixteen_bits_of_grey_stay() -> None:
    deep = (photograph(0)[..., 0].astype(np.uint16) * 257 + 3).clip(0, 60_000).astype(np.uint16)
    after = again(saved(Image.fromarray(deep), "PNG"), ".png")
    assert after.mode == "I;16"
    assert np.array_equal(np.asarray(after).astype(int) - deep, np.full(deep.shape, 2 * 257))


def test_a_palette_and_its_transparency_become_colours() -> None:
    image = Image.fromarray(photograph(0)).quantize(64)
    assert again(saved(image, "PNG"), ".png").mode == "RGB"
    assert again(saved(image, "PNG", transparency=3), ".png").mode == "RGBA"


def test_what_the_file_says_stays() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    data = saved(Image.fromarray(photograph(0)), "JPEG", exif=exif.tobytes(), icc_profile=b"profile", quality=61)
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        after = again(data, suffix)
        assert after.getexif()[0x0112] == 6
        assert after.getexif()[0x010F] == "Maker"
        assert after.info["icc_profile"] == b"profile"
        assert after.size == ((340, 400) if suffix == ".tif" else (400, 340))  # Pillow turns a TIFF as it opens it


def test_a_jpeg_keeps_its_quantisation() -> None:
    data = saved(Image.fromarray(photograph(0)), "JPEG", quality=61)
    before, after = Image.open(BytesIO(data)), again(data, ".jpg")
    assert after.quantization == before.quantization  # type: ignore[attr-defined]


def test_what_would_be_lost_is_refused() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableError, match="several frames"):
        repainted(moving, "in", ".png", brighter)
    transparent = saved(Image.new("RGBA", (20, 20)), "PNG")
    with pytest.raises(ConfigurationError, match="cannot hold it") as caught:
        repainted(transparent, "in", ".jpg", brighter)
    assert ".png" in caught.value.hint
    with pytest.raises(UnreadableError, match="no picture"):
        repainted(b"no picture at all", "in", ".png", brighter)


def test_sixteen_bit_colour_is_refused() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    row = zlib.compress(bytes(1 + 2 * 6))
    deep = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableError, match="16-bit colour"):
        repainted(deep, "in", ".png", brighter)
