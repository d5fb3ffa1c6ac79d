from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.fields import Source
from forensics.iim import read_iim, read_photoshop
from tests.forensics.metadata_files import iim, photoshop


def _pairs(data: bytes) -> list[tuple[str, str]]:
    return [(field.name, field.value) for field in read_iim(data)]


def test_known_datasets_are_read_in_order() -> None:
    data = iim((2, 80, b"Jane"), (2, 80, b"Joe"), (2, 110, b"Desk"), (2, 116, b"(c) 2026"), (2, 25, b"keyword"))
    assert _pairs(data) == [
        ("By-line", "Jane"),
        ("By-line", "Joe"),
        ("Credit", "Desk"),
        ("Copyright Notice", "(c) 2026"),
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (iim((1, 90, b"\x1b%G"), (2, 80, "Zoë".encode())), "Zoë"),
        (iim((2, 80, "Zoë".encode())), "Zoë"),
        (iim((2, 80, "Zoë – “x”".encode("cp1252"))), "Zoë – “x”"),
        (iim((1, 90, b"\x1b.A"), (2, 80, "Zoë".encode("latin-1"))), "Zoë"),
        (b"\0\0" + iim((2, 80, b"Jane")), "Jane"),
        (struct.pack(">BBBHI", 0x1C, 2, 80, 0x8004, 4) + b"Jane", "Jane"),
        (iim((2, 80, b"Jane")) + b"\0\0\0", "Jane"),
    ],
    ids=["utf-8 marked", "utf-8", "windows", "latin marked", "padded", "extended", "padded behind"],
)
def test_text_is_decoded_as_the_record_says_or_as_it_fits(data: bytes, text: str) -> None:
    assert _pairs(data) == [("By-line", text)]


@pytest.mark.parametrize("data", [b"", b"\x1c", b"\x1c\x02\x50\xff\xff", iim((2, 80, b"Jane"))[:-2], b"\x1d" * 9])
def test_what_stops_early_is_read_as_far_as_it_goes(data: bytes) -> None:
    assert all(value == "Ja" for _, value in _pairs(data))


def test_the_record_is_found_among_the_image_resources() -> None:
    data = photoshop((0x03ED, b"odd"), (0x0404, iim((2, 80, b"Jane"))), (0x040C, b""))
    assert [(field.source, field.value) for field in read_photoshop(data)] == [(Source.IIM, "Jane")]


def test_a_resource_with_a_name_is_skipped_whole() -> None:
    named = b"8BIM" + struct.pack(">H", 0x0BB7) + b"\x04path\0" + struct.pack(">I", 2) + b"xy"
    assert [field.value for field in read_photoshop(named + photoshop((0x0404, iim((2, 80, b"Jane")))))] == ["Jane"]


@given(st.binary(max_size=80))
def test_no_bytes_raise(data: bytes) -> None:
    list(read_iim(b"\x1c" + data))
    list(read_photoshop(b"8BIM" + data))
