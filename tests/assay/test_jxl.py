from io import BytesIO

import pillow_jxl  # noqa: F401 - registers the reader and writer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assay.errors import DamagedImage
from assay.jxl import jxl_size


@pytest.mark.parametrize(
    "size", [(8, 8), (64, 64), (100, 75), (1, 300), (256, 256), (160, 90), (640, 480), (333, 1000), (1200, 1000)]
)
def test_size_equals_what_the_decoder_finds(size: tuple[int, int]) -> None:
    stream = BytesIO()
    Image.new("RGB", size).save(stream, "JXL", effort=1)
    assert jxl_size(stream.getvalue(), "x.jxl") == size


def _box(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


@pytest.mark.parametrize("kind", [b"jxlc", b"jxlp"])
def test_codestream_inside_boxes(kind: bytes) -> None:
    stream = BytesIO()
    Image.new("RGB", (40, 24)).save(stream, "JXL", effort=1)
    codestream = stream.getvalue()
    index = b"" if kind == b"jxlc" else b"\0\0\0\0"
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + _box(b"ftyp", b"jxl \0\0\0\0jxl ") + _box(b"Exif", b"\0" * 20)
    assert jxl_size(head + _box(kind, index + codestream), "x.jxl") == (40, 24)
    long_box = b"\0\0\0\1" + kind + (16 + len(index + codestream)).to_bytes(8, "big") + index + codestream
    assert jxl_size(head + long_box, "x.jxl") == (40, 24)


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x03JXL ", b"\xff\xd8\xff"])
def test_without_a_codestream_it_is_damaged(data: bytes) -> None:
    with pytest.raises(DamagedImage, match=r"x\.jxl: "):
        jxl_size(data, "x.jxl")


@given(st.binary(max_size=200))
def test_any_header_has_a_size_or_is_damaged(data: bytes) -> None:
    width, height = jxl_size(b"\xff\x0a" + data, "x.jxl")
    assert height >= 1
    assert width >= 0
