from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from assay.pixels import upright_rgb

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def test_rgb_is_untouched() -> None:
    values = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    pixels, notes = upright_rgb(Image.fromarray(values))
    assert np.array_equal(pixels, values)
    assert notes == ()


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_becomes_three_equal_channels(mode: str) -> None:
    image = Image.fromarray(RAMP).convert(mode)
    pixels, notes = upright_rgb(image)
    assert np.array_equal(pixels[..., 0], np.asarray(image.convert("L")))
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    assert notes == ()


def test_sixteen_bit_grey_is_scaled_and_not_cut_off() -> None:
    values = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    pixels, notes = upright_rgb(Image.fromarray(values))
    assert np.array_equal(pixels[..., 0], RAMP)
    assert notes == ("16-bit grey scaled to 8 bits",)


@pytest.mark.parametrize(
    ("values", "expected", "words"),
    [
        ([[0.0, 0.5, 1.0]], [0, 128, 255], "[0, 1]"),
        ([[0.0, 51.0, 255.0]], [0, 51, 255], "[0, 255]"),
        ([[0.0, 257.0, 65535.0]], [0, 1, 255], "[0, 65535]"),
        ([[-10.0, 30.0, 245.0]], [0, 40, 255], "its own range"),
        ([[0.0, 1e6, 5e6]], [0, 51, 255], "its own range"),
        ([[np.nan, np.inf, 1.0]], [0, 0, 255], "[0, 1]"),
        ([[0.0, 0.0, 0.0]], [0, 0, 0], "[0, 1]"),
    ],
)
def test_wide_grey_takes_the_smallest_usual_range(values: object, expected: list[int], words: str) -> None:
    pixels, notes = upright_rgb(Image.fromarray(np.array(values, dtype=np.float32)))
    assert pixels[0, :, 1].tolist() == expected
    assert words in notes[0]


def test_thirty_two_bit_integers() -> None:
    pixels, _ = upright_rgb(Image.fromarray(np.array([[0, 100, 255]], dtype=np.int32)))
    assert pixels[0, :, 0].tolist() == [0, 100, 255]


def test_transparency_lies_over_white() -> None:
    pixels, notes = upright_rgb(Image.new("RGBA", (2, 2), (200, 0, 0, 0)))
    assert (pixels == 255).all()
    half, _ = upright_rgb(Image.new("LA", (2, 2), (0, 128)))
    assert abs(int(half[0, 0, 0]) - 127) <= 1
    assert notes == ("transparency laid over white",)


def test_palette_with_and_without_transparency() -> None:
    plain = Image.new("P", (2, 2), 1)
    plain.putpalette([0, 0, 0, 10, 20, 30])
    pixels, notes = upright_rgb(plain)
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert notes == ("P converted to RGB",)
    plain.info["transparency"] = 1
    assert upright_rgb(plain)[0][0, 0].tolist() == [255, 255, 255]


def test_cmyk_is_converted_and_said() -> None:
    pixels, notes = upright_rgb(Image.new("CMYK", (2, 2), (255, 0, 0, 0)))
    assert pixels[0, 0].tolist() == [0, 255, 255]
    assert notes == ("CMYK converted to RGB",)


def test_lab_against_the_definition() -> None:
    """CIE L* = 53.59 is sRGB grey 128 (IEC 61966-2-1); 8-bit LAB stores L* x 2.55 and a neutral a* as 128."""
    pixels, notes = upright_rgb(Image.new("LAB", (2, 2), (round(53.585 * 2.55), 128, 128)))
    assert np.abs(pixels.astype(int) - 128).max() <= 2
    assert notes == ("CIELAB converted to sRGB",)


def _tag(values: NDArray[np.uint8], orientation: int) -> Image.Image:
    stream = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(values).save(stream, "PNG", exif=exif)
    return Image.open(BytesIO(stream.getvalue()))


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a.swapaxes(0, 1), 2)),
        (8, lambda a: np.rot90(a, 1)),
    ],
)
def test_orientation_is_applied_once(orientation: int, turn: object) -> None:
    """The eight orientations of TIFF 6.0, tag 274, spelt out with NumPy."""
    values = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    pixels, notes = upright_rgb(_tag(values, orientation))
    assert np.array_equal(pixels, turn(values))  # type: ignore[operator]
    assert notes == ("turned upright by its orientation tag",)


@pytest.mark.parametrize("orientation", [0, 1, 9, 4711])
def test_no_turn_for_upright_or_senseless_tags(orientation: int) -> None:
    values = np.zeros((4, 6, 3), dtype=np.uint8)
    assert upright_rgb(_tag(values, orientation))[1] == ()


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_damaged_exif_keeps_no_picture_from_being_looked_at(format_name: str) -> None:
    stream = BytesIO()
    values = np.full((8, 8, 3), 90, dtype=np.uint8)
    Image.fromarray(values).save(stream, format_name, exif=b"Exif\0\0no TIFF header", lossless=True)
    pixels, notes = upright_rgb(Image.open(stream))
    assert np.array_equal(pixels, values)
    assert notes == ()


def test_first_of_several_frames() -> None:
    stream = BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(stream, "PNG", save_all=True, append_images=frames[1:])
    image = Image.open(BytesIO(stream.getvalue()))
    image.seek(1)
    pixels, notes = upright_rgb(image)
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert notes == ("first of several frames",)
