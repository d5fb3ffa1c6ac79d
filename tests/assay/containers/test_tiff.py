from __future__ import annotations

import struct
from fractions import Fraction
from typing import Literal

import pytest
from PIL import Image

from assay.containers import Kind, walk
from assay.containers.tiff import Entry, Tiff
from tests.forensics.metadata_files import iim, packet, photoshop, save

Order = Literal["little", "big"]


def _tiff(entries: dict[int, tuple[int, int, bytes]], order: Order = "big", *, following: int = 0) -> bytes:
    """One directory; the value of each tag is type, count and bytes."""
    sign = ">" if order == "big" else "<"
    head = struct.pack(sign + "2sHI", b"MM" if order == "big" else b"II", 42, 8)
    at, directory, values = 8 + 2 + 12 * len(entries) + 4, struct.pack(sign + "H", len(entries)), b""
    for tag, (kind, count, value) in entries.items():
        if len(value) <= 4:
            place = value.ljust(4, b"\0")
        else:
            place, values = struct.pack(sign + "I", at + len(values)), values + value
        directory += struct.pack(sign + "HHI", tag, kind, count) + place
    return head + directory + struct.pack(sign + "I", following) + values


def _value(data: bytes, tag: int) -> tuple[Tiff, Entry]:
    tiff = Tiff.parse(data)
    assert tiff is not None
    return tiff, tiff.read(tiff.first).entries[tag]


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize(
    ("kind", "code", "numbers", "expected"),
    [
        (1, "B", (1, 2, 3), (1, 2, 3)),
        (3, "H", (65535,), (65535,)),
        (4, "I", (7, 8), (7, 8)),
        (9, "i", (-1,), (-1,)),
        (12, "d", (0.5,), (0.5,)),
        (5, "II", (1, 125), (Fraction(1, 125),)),
        (10, "ii", (-1, 2), (Fraction(-1, 2),)),
        (5, "II", (1, 0), ()),
        (16, "Q", (2**40,), (2**40,)),
    ],
)
def test_numbers_of_every_type_are_read(
    order: Order, kind: int, code: str, numbers: tuple[float, ...], expected: tuple[object, ...]
) -> None:
    raw = struct.pack((">" if order == "big" else "<") + (code if len(code) == 2 else code * len(numbers)), *numbers)
    tiff, entry = _value(_tiff({1: (kind, 1 if len(code) == 2 else len(numbers), raw)}, order), 1)
    assert tiff.numbers(entry, 10) == expected
    assert tiff.integers(entry, 1) == (expected[:1] if kind not in (5, 10, 12) else ())


def test_values_are_read_as_far_as_is_asked_and_there() -> None:
    tiff, entry = _value(_tiff({1: (7, 6, b"abcdef"), 2: (3, 500, struct.pack(">I", 10))}), 1)
    assert tiff.raw(entry, 4) == b"abcd"
    beyond = tiff.read(tiff.first).entries[2]
    assert tiff.numbers(beyond, 10) == ()


def test_the_first_of_two_entries_wins_and_unknown_types_are_left_out() -> None:
    first = struct.pack(">HHII", 1, 4, 1, 11) + struct.pack(">HHII", 1, 4, 1, 22) + struct.pack(">HHII", 2, 99, 1, 33)
    tiff = Tiff.parse(struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">H", 3) + first + bytes(4))
    assert tiff is not None
    entries = tiff.read(8).entries
    assert list(entries) == [1]
    assert tiff.integers(entries[1], 1) == (11,)


@pytest.mark.parametrize("data", [b"", b"MM", b"MM\0\x2b", b"MM\0\x01\0\0\0\x08", b"XX\0*\0\0\0\x08"])
def test_other_bytes_have_no_header_or_no_directory(data: bytes) -> None:
    tiff = Tiff.parse(data)
    assert tiff is None or dict(tiff.read(tiff.first).entries) == {}


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}, {"big_tiff": True}])
def test_the_end_is_the_largest_offset_that_is_referred_to(options: dict[str, object]) -> None:
    data = save("TIFF", **options)
    for trailer in (b"", b"PK\x03\x04 a trailer"):
        container = walk(data + trailer, "TIFF")
        assert (container.end, container.truncated) == (len(data), False)


def test_all_pages_count() -> None:
    data = save("TIFF", save_all=True, append_images=[Image.new("RGB", (40, 40)), Image.new("L", (9, 9))])
    assert walk(data + b"x", "TIFF").end == len(data)


def test_strips_beyond_the_file_mean_that_it_is_truncated() -> None:
    data = save("TIFF")
    strips = save("TIFF", Image.new("RGB", (64, 64)), strip_size=512)
    for whole in (data, strips):
        assert walk(whole[: len(whole) // 2], "TIFF").truncated


def test_metadata_is_unwrapped_and_the_file_itself_is_the_exif() -> None:
    record = iim((2, 80, b"Jane"))
    data = save("TIFF", tiffinfo={700: packet(), 33723: record, 34377: photoshop((0x0404, record))})
    found = {block.kind: block.payload for block in walk(data, "TIFF").blocks}
    assert found == {
        Kind.EXIF: data,
        Kind.XMP: packet(),
        Kind.IIM: record,
        Kind.PHOTOSHOP: photoshop((0x0404, record)),
    }


def test_directories_that_lead_in_circles_end() -> None:
    data = _tiff({1: (4, 1, bytes(4)), 330: (4, 2, struct.pack(">II", 8, 8))}, following=8)
    assert walk(data, "TIFF").end == len(data)


@pytest.mark.parametrize(
    "data",
    [
        _tiff({1: (4, 1, bytes(4)), 273: (4, 600_000, bytes(8)), 279: (4, 600_000, bytes(8))}),
        _tiff({1: (4, 1, bytes(4)), 330: (4, 100, struct.pack(">100I", *range(600, 1000, 4)))})
        + struct.pack(">HHHI", 1, 330, 4, 100) * 2_000,
    ],
    ids=["many strips", "many directories"],
)
def test_what_takes_too_long_is_given_up(data: bytes) -> None:
    container = walk(data, "TIFF")
    assert container.end is None or container.end <= len(data)


def test_no_directory_at_all_is_damage() -> None:
    container = walk(struct.pack(">2sHI", b"MM", 42, 10**6), "TIFF")
    assert (container.end, container.truncated, container.damaged) == (None, True, ("no directory",))
