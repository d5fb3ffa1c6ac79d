from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, TiffImagePlugin

from forensics.exif import decode_user_comment, read_exif
from forensics.fields import Source
from tests.forensics import metadata_files as files


def _read(block: bytes) -> dict[str, str]:
    return {field.name: field.value for field in read_exif(block.removeprefix(b"Exif\0\0"))[0]}


def _rational(value: Fraction) -> TiffImagePlugin.IFDRational:
    return TiffImagePlugin.IFDRational(value.numerator, value.denominator)


def test_fields_of_all_three_directories_are_read() -> None:
    block = files.exif(
        {files.MAKE: "Nikon", files.MODEL: "D90", files.ORIENTATION: 6, files.COPYRIGHT: "Jane\0Desk"},
        exif={
            files.DATE_TIME_ORIGINAL: "2026:05:04 18:39:11",
            ExifTags.Base.ExposureTime: _rational(Fraction(1, 125)),
            ExifTags.Base.ISOSpeedRatings: 200,
        },
        gps={ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (48.0, 51.0, 29.5)},
    )
    assert _read(block) == {
        "Make": "Nikon",
        "Model": "D90",
        "Orientation": "6",
        "Copyright": "Jane; Desk",
        "DateTimeOriginal": "2026:05:04 18:39:11",
        "ExposureTime": "1/125",
        "ISO": "200",
        "GPSLatitudeRef": "N",
        "GPSLatitude": "48 51 59/2",
    }


def test_fields_of_windows_are_utf_16() -> None:
    block = files.exif({ExifTags.Base.XPComment: "写真".encode("utf-16-le") + b"\0\0"})
    assert _read(block) == {"XPComment": "写真"}


@pytest.mark.parametrize(
    ("raw", "order", "text"),
    [
        (b"UNICODE\0" + "Steps: 20".encode("utf-16-be"), "little", "Steps: 20"),
        (b"UNICODE\0" + "Steps: 20".encode("utf-16-le"), "big", "Steps: 20"),
        (b"ASCII\0\0\0Steps: 20\0\0", "big", "Steps: 20"),
        (b"ASCII\0\0\0" + "Zürich".encode(), "big", "Zürich"),
        (b"JIS\0\0\0\0\0" + "写真".encode("iso2022_jp"), "big", "写真"),
        (b"\0" * 8 + b"Steps: 20", "big", "Steps: 20"),
        (b"Steps: 20, Sampler: x", "big", "Steps: 20, Sampler: x"),
        (b"\0" * 300, "big", ""),
        (b"", "big", ""),
    ],
)
def test_user_comments_are_decoded_by_their_prefix(raw: bytes, order: str, text: str) -> None:
    assert decode_user_comment(raw, order) == text


def test_the_thumbnail_is_returned_as_stored() -> None:
    thumbnail = files.save("JPEG")
    data = files.with_thumbnail(files.save("JPEG"), thumbnail)
    block = data[data.index(b"MM\0*") :]
    assert read_exif(block)[1] == thumbnail
    assert read_exif(files.exif({files.MAKE: "Nikon"})[6:])[1] is None


def test_what_is_no_exif_has_no_fields() -> None:
    assert read_exif(b"") == ([], None)
    assert read_exif(b"not a TIFF") == ([], None)


def test_one_large_stretch_named_many_times_costs_little() -> None:
    """A directory that names the same two megabytes 5,000 times would be ten gigabytes if every value were copied."""
    entries = b"".join(struct.pack(">HHII", tag, 7, 2**21, 8) for tag in range(5_000))
    block = struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">H", 5_000) + entries + bytes(2**21)
    assert len(read_exif(block)[0]) <= 10


def test_directories_that_lead_in_circles_end() -> None:
    circle = struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">HHHIII", 1, files.EXIF_IFD, 4, 1, 8, 8)
    assert read_exif(circle) == ([], None)


@settings(max_examples=150)
@given(st.data())
def test_damaged_blocks_never_raise(data: st.DataObject) -> None:
    block = bytearray(
        files.exif(
            {files.MAKE: "Nikon", files.COPYRIGHT: "someone"},
            exif={files.USER_COMMENT: b"UNICODE\0" + "text".encode("utf-16-be")},
            gps={ExifTags.GPS.GPSLatitude: (1.0, 2.0, 3.0)},
        )[6:]
    )
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    for field in read_exif(bytes(block))[0]:
        assert field.source in (Source.EXIF, Source.GPS)
