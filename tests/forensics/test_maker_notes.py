"""Notes are built here by the layouts that ExifTool documents; `test_exiftool.py` compares real ones with ExifTool."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.containers.tiff import Entry, Tiff
from forensics.fields import Source
from forensics.maker_notes import MAKER_NOTE, read_maker_note
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import observations, values

BEFORE = 64
"""Bytes of the block in front of the note."""


def _directory(base: int, order: str, *entries: tuple[int, int, bytes]) -> bytes:
    """A directory of tags, types and values, whose offsets count from `base` bytes before it."""
    sizes = {2: 1, 4: 4, 7: 1, 13: 4}
    end = base + 2 + 12 * len(entries) + 4
    head, tail = struct.pack(order + "H", len(entries)), b""
    for tag, kind, value in entries:
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", end + len(tail))
        head += struct.pack(order + "HHI", tag, kind, len(value) // sizes[kind]) + place
        tail += value if len(value) > 4 else b""
    return head + bytes(4) + tail


def _read(note: bytes, make: str = "", order: str = ">") -> dict[str, str]:
    header = b"MM\0*" if order == ">" else b"II*\0"
    data = header.ljust(BEFORE, b"\0") + note
    tiff = Tiff.parse(data)
    assert tiff is not None
    entry = Entry(at=0, type=7, count=len(note), start=BEFORE, stop=len(data))
    fields = list(read_maker_note(tiff, entry, make))
    assert all(field.source is Source.MAKER for field in fields)
    return {field.name: field.value for field in fields}


TEXT = b"SN-1234567\0"


def _prefixed(prefix: bytes, tag: int, *, from_note: bool = False, order: str = ">") -> bytes:
    base = len(prefix) if from_note else BEFORE + len(prefix)
    return prefix + _directory(base, order, (tag, 2, TEXT))


@pytest.mark.parametrize(
    ("note", "make", "order", "name"),
    [
        (_prefixed(b"", 0x0096), "Canon", ">", "InternalSerialNumber"),
        (_prefixed(b"Nikon\0\1\0", 0x001D), "NIKON", ">", "SerialNumber"),
        (_prefixed(b"", 0x001D), "NIKON CORPORATION", ">", "SerialNumber"),
        (b"Nikon\0\2\x10\0\0MM\0*\0\0\0\x08" + _directory(8, ">", (0x00A0, 2, TEXT)), "", "<", "SerialNumber"),
        (_prefixed(b"SONY DSC \0\0\0", 0x2031), "", ">", "SerialNumber"),
        (_prefixed(b"FUJIFILM\x0c\0\0\0", 0x0010, from_note=True, order="<"), "", ">", "InternalSerialNumber"),
        (_prefixed(b"Panasonic\0\0\0", 0x0052), "", ">", "LensSerialNumber"),
        (_prefixed(b"Panasonic\0\0\0", 0x006F), "", ">", "GPSLandmark"),
        (_prefixed(b"LEICA\0\0\0", 0x0500), "", ">", "InternalSerialNumber"),
        (_prefixed(b"OLYMP\0\1\0", 0x0404), "", ">", "SerialNumber"),
        (_prefixed(b"AOC\0MM", 0x0229), "", "<", "SerialNumber"),
        (_prefixed(b"PENTAX \0II", 0x0229, from_note=True, order="<"), "", ">", "SerialNumber"),
        (_prefixed(b"SIGMA\0\0\0\1\0", 0x0002), "", ">", "SerialNumber"),
        (_prefixed(b"MOT\0\0\0\0\0", 0x5501, from_note=True), "", ">", "SerialNumber"),
        (_prefixed(b"", 0xA005, from_note=True), "samsung", "<", "LensSerialNumber"),
        (_prefixed(b"", 0xA002, order="<"), "samsung", ">", "SerialNumber"),
        (_prefixed(b"", 0x0031, from_note=True, order="<"), "SAMSUNG", ">", "GPSLocationName"),
    ],
)
def test_the_text_of_every_maker_is_read(note: bytes, make: str, order: str, name: str) -> None:
    if order == "<" and note.startswith(b"AOC"):
        note = note[:6] + _directory(BEFORE + 6, ">", (0x0229, 2, TEXT))  # the note's own byte order counts
    assert _read(note, make, order) == {name: "SN-1234567"}


def test_what_is_a_number_or_a_code_is_written_as_one() -> None:
    canon = _directory(
        BEFORE, ">", (0x000C, 4, struct.pack(">I", 123456)), (0x4019, 7, bytes.fromhex("0a0b0c0d0e") * 6)
    )
    assert _read(canon, "Canon EOS") == {"SerialNumber": "123456", "LensSerialNumber": "0a0b0c0d0e"}
    pentax = b"AOC\0MM" + _directory(BEFORE + 6, ">", (0x0215, 4, struct.pack(">5I", 1, 2, 3, 4, 987654)))
    assert _read(pentax) == {"InternalSerialNumber": "987654"}


def test_the_serial_number_of_a_trail_camera_is_read() -> None:
    note = b"\x01\xf1".ljust(42, b"\0") + "H500EE06130468".encode("utf-16-le") + bytes(20)
    assert _read(note, "RECONYX") == {"SerialNumber": "H500EE06130468"}
    assert _read(note[:42], "RECONYX") == {}


@pytest.mark.parametrize("kind", [7, 13])
def test_the_equipment_of_olympus_is_opened(kind: int) -> None:
    """As a value of its own in older cameras, behind a pointer in newer ones."""
    start = 12 + 2 + 12 + 4
    inner = _directory(start, "<", (0x0101, 2, TEXT), (0x0202, 2, b"LENS-12345\0"))
    if kind == 7:
        note = b"OLYMPUS\0II\3\0" + _directory(12, "<", (0x2010, 7, inner))
    else:
        note = b"OLYMPUS\0II\3\0" + _directory(12, "<", (0x2010, 13, struct.pack("<I", start))) + inner
    assert _read(note) == {"SerialNumber": "SN-1234567", "LensSerialNumber": "LENS-12345"}


@pytest.mark.parametrize(
    "note",
    [b"", b"Canon", b"Nikon\0\2\x10\0\0no TIFF", b"FUJIFILM", b"Apple iOS\0\0\1MM\0\1", bytes(100), b"\xff" * 100],
)
def test_unknown_and_damaged_notes_say_nothing(note: bytes) -> None:
    assert _read(note, "Canon") == {}


@pytest.mark.parametrize("value", [b"\xff\xfe\xfd\xfc\xfb\0", b"\1\2\3\4\5\6\0", b"000000000\0", b"ab\0\0\0\0\0"])
def test_what_is_no_readable_text_is_left_out(value: bytes) -> None:
    """As in notes that some software has moved without minding their offsets."""
    assert _read(_directory(BEFORE, ">", (0x0096, 2, value)), "Canon") == {}


def test_a_note_is_read_from_the_file_and_is_private() -> None:
    note = b"PENTAX \0II" + _directory(10, "<", (0x0229, 2, TEXT))
    data = files.save("JPEG", exif=files.exif({files.MAKE: "PENTAX"}, exif={MAKER_NOTE: note}))
    found = observations(data)["serial-numbers"]
    assert values(found) == {"Body serial number": "SN-1234567"}
    assert all(each.private for each in found.details)


@settings(max_examples=150)
@given(
    st.sampled_from([b"", b"Nikon\0\1\0", b"Nikon\0\2\x10\0\0MM\0*", b"OLYMPUS\0II\3\0", b"FUJIFILM", b"AOC\0MM"]),
    st.binary(max_size=200),
    st.sampled_from(["Canon", "samsung", "Nintendo", ""]),
)
def test_no_note_raises(prefix: bytes, rest: bytes, make: str) -> None:
    _read(prefix + rest, make)
