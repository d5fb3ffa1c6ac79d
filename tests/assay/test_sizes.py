"""Against what the readers say of files that they wrote themselves."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assay.errors import DamagedImage
from assay.formats import FORMATS
from assay.sizes import stated_size


def _encode(format_name: str, size: tuple[int, int], mode: str = "RGB", **options: object) -> bytes:
    FORMATS[format_name].register("x")
    stream = BytesIO()
    Image.new(mode, size, 77 if mode == "L" else None).save(stream, format_name, **options)
    return stream.getvalue()


@pytest.mark.parametrize("size", [(64, 64), (300, 140), (66, 1026)])
@pytest.mark.parametrize(
    ("format_name", "mode", "options"),
    [
        ("GIF", "L", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
        ("AVIF", "RGB", {"speed": 10}),
        ("AVIF", "RGBA", {"speed": 10}),
        ("HEIF", "RGB", {}),
        ("JXL", "RGB", {"effort": 1}),
    ],
)
def test_size_equals_what_the_reader_finds(
    format_name: str, mode: str, options: dict[str, object], size: tuple[int, int]
) -> None:
    assert stated_size(_encode(format_name, size, mode, **options), format_name, "x") == size


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "BMP"])
def test_readers_that_open_any_size_are_asked_themselves(format_name: str) -> None:
    assert stated_size(_encode(format_name, (8, 8)), format_name, "x") is None


@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=200))
def test_any_bytes_have_a_size_or_none(format_name: str, data: bytes) -> None:
    try:
        size = stated_size(data, format_name, "x")
    except DamagedImage:
        assert format_name == "JXL"
    else:
        assert size is None or min(size) >= 0
