from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, TiffImagePlugin

from forensics.exif import Exif, decode_user_comment, read_exif
from forensics.fields import Source
from tests.forensics import metadata_files as files


def _read(block: bytes) -> dict[str, str]:
    return {field.name: field.value for field in read_exif(block.removeprefix(b"Exif\0\0")).fields}


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


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be", "utf-16", "utf-8"])
def test_descriptions_are_read_in_codes_that_the_standard_does_not_have(code: str) -> None:
    text = "a lighthouse, Steps: 20"
    raw = text.encode(code) + b"\0\0"
    entry = struct.pack("<HHII", files.DESCRIPTION, 1, len(raw), 26)
    block = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 1) + entry + bytes(4) + raw
    assert _read(block) == {"ImageDescription": text}


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
        (b"Unicode\0" + "Steps: 20".encode("utf-16-be"), "little", "Steps: 20"),
        (b"UNICODE\0" + "Zürich, Steps: 20, Sampler: x".encode(), "big", "Zürich, Steps: 20, Sampler: x"),
        (b"ASCII\0\0\0" + "Steps: 20".encode("utf-16-le"), "big", "Steps: 20"),
        (b"\0" * 8 + "Steps: 20".encode("utf-16-be"), "little", "Steps: 20"),
        ("Steps: 20, Sampler: x".encode("utf-16-le"), "big", "Steps: 20, Sampler: x"),
        ("Steps: 20, Sampler: x".encode("utf-16"), "big", "Steps: 20, Sampler: x"),
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
    assert read_exif(block).thumbnail == thumbnail
    assert read_exif(files.exif({files.MAKE: "Nikon"})[6:]).thumbnail is None


def test_what_is_no_exif_has_no_fields() -> None:
    for nothing in (b"", bytes(20), b"MM\0*" + bytes(4)):
        assert read_exif(nothing) == Exif()
    assert read_exif(b"not a TIFF") == Exif(problems=("the EXIF has no TIFF header",))


def _block(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """A directory of tags, types, counts and values or offsets."""
    body = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return struct.pack(">2sHIH", b"MM", 42, 8, len(entries)) + body + struct.pack(">I", following)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (struct.pack(">2sHI", b"MM", 42, 9_999) + bytes(9) + b"x", "a directory lies outside of the EXIF"),
        (_block((files.GPS_IFD, 4, 1, 9_999)), "a directory lies outside of the EXIF"),
        (_block((files.EXIF_IFD, 4, 1, 9_999)), "a directory lies outside of the EXIF"),
        (_block((files.BODY_SERIAL, 2, 9, 9_999)), "a value lies outside of the EXIF"),
        (_block((ExifTags.Base.FNumber, 5, 1, 9_999)), "a value lies outside of the EXIF"),
    ],
)
def test_what_lies_outside_of_the_block_is_a_problem(block: bytes, problem: str) -> None:
    assert read_exif(block).problems == (problem,)


@pytest.mark.parametrize(
    "block",
    [
        _block((files.GPS_IFD, 4, 1, 0)),
        _block((files.ORIENTATION, 3, 1, 1 << 16), following=9_999),
        _block((0x9999, 2, 9, 9_999)),
    ],
    ids=["no GPS directory", "a thumbnail that was cut off", "an unknown tag"],
)
def test_what_ordinary_software_leaves_behind_is_no_problem(block: bytes) -> None:
    assert read_exif(block).problems == ()


def test_every_other_directory_is_read_apart() -> None:
    """Of the thumbnail, and of a further page, each with a place of its own."""
    page = _block((files.GPS_IFD, 4, 1, 100))[8:]
    gps = struct.pack(">HHHI4sI", 1, 1, 2, 2, b"S\0\0\0", 0)
    block = bytearray(_block((files.MAKE, 2, 3, int.from_bytes(b"XY\0\0", "big")), following=60)) + bytes(100)
    block[60 : 60 + len(page)] = page
    block[100 : 100 + len(gps)] = gps
    found = read_exif(bytes(block))
    assert [(field.name, field.value) for field in found.fields] == [("Make", "XY")]
    assert [[(field.source, field.value) for field in group] for group in found.further] == [[(Source.GPS, "S")]]


def test_a_gps_directory_is_found_where_some_writers_put_it() -> None:
    gps = struct.pack(">HHHI4sI", 1, 1, 2, 2, b"S\0\0\0", 0)
    block = bytearray(_block((files.EXIF_IFD, 4, 1, 40))) + bytes(80)
    block[40:58] = _block((files.GPS_IFD, 4, 1, 70))[8:]
    block[70 : 70 + len(gps)] = gps
    assert [(field.name, field.value) for field in read_exif(bytes(block)).fields] == [("GPSLatitudeRef", "S")]


def test_many_directories_that_name_one_large_stretch_are_bounded() -> None:
    """Three hundred directories of eight tags, each of which names the same two megabytes."""
    tags = (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x8298, 0x9286, 0xA431)
    start, size = 8, 2 + 12 * len(tags) + 4
    block = bytearray(struct.pack(">2sHI", b"MM", 42, start))
    for _ in range(300):
        start += size
        block += struct.pack(">H", len(tags))
        block += b"".join(struct.pack(">HHII", tag, 7, 2**21, 8) for tag in tags) + struct.pack(">I", start)
    found = read_exif(bytes(block) + b"x" * 2**21)
    assert sum(len(field.value) for group in (found.fields, *found.further) for field in group) <= 64 * 2**20
    assert found.problems == ("the values of the EXIF are longer than 67,108,864 bytes",)


def test_one_large_stretch_named_many_times_costs_little() -> None:
    """A directory that names the same two megabytes 5,000 times would be ten gigabytes if every value were copied."""
    entries = b"".join(struct.pack(">HHII", tag, 7, 2**21, 8) for tag in range(5_000))
    block = struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">H", 5_000) + entries + bytes(2**21)
    assert len(read_exif(block).fields) <= 10


def test_directories_that_lead_in_circles_end() -> None:
    circle = struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">HHHIII", 1, files.EXIF_IFD, 4, 1, 8, 8)
    assert read_exif(circle) == Exif()


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
    found = read_exif(bytes(block))
    for field in found.fields:
        assert field.source in (Source.EXIF, Source.GPS)
