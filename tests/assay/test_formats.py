import sys
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assay.errors import UnsupportedFormat
from assay.formats import FORMATS, sniff


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_writes_is_recognised(name: str) -> None:
    family = FORMATS[name]
    family.register("x")
    stream = BytesIO()
    Image.new("RGB", (16, 16)).save(stream, name)
    assert sniff(stream.getvalue()[:64]) is family
    with Image.open(BytesIO(stream.getvalue()), formats=family.readers) as image:
        assert image.format == name


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", None),
        (b"\x89PNG", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"RIFF\0\0\0\0WEBP", "WEBP"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x14ftypisom\0\0\0\0isom", None),
        (b"\0\0\0\x10ftypisom\0\0\0\0avif", None),
        (b"MM\0+\0\x08\0\0", "TIFF"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
    ],
)
def test_edges_of_the_magic_numbers(head: bytes, expected: str | None) -> None:
    family = sniff(head)
    assert (family.name if family else None) == expected


@given(st.binary(max_size=64))
def test_any_bytes_are_answered(head: bytes) -> None:
    family = sniff(head)
    assert family is None or family.name in FORMATS


def test_missing_reader_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedFormat, match=r"photo\.heic: HEIF") as caught:
        FORMATS["HEIF"].register("photo.heic")
    assert "assay[formats]" in caught.value.hint


def test_extensions_belong_to_one_format() -> None:
    extensions = [extension for family in FORMATS.values() for extension in family.extensions]
    assert len(extensions) == len(set(extensions))
