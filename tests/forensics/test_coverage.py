"""What the tamper matrix does not show: bounds, and the words for each piece."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.box_coverage import _overlaps
from forensics.coverage import coverage
from forensics.covered import merged
from tests.carriers import JPEG, PNG, Carrier
from tests.forge.gaps import described, pieces

DATA, BMFF, NAMES = "c2pa.hash.data", "c2pa.hash.bmff.v3", "c2pa.hash.boxes"


def excluding(*ranges: slice) -> dict[str, Any]:
    return {"exclusions": [{"start": each.start, "length": each.stop - each.start} for each in ranges]}


@pytest.mark.parametrize(
    ("carrier", "kind", "start", "named"),
    [
        (JPEG, b"\xe1", b"Exif", "EXIF"),
        (JPEG, b"\xe1", b"http", "XMP"),
        (JPEG, b"\xe2", b"ICC_PROFILE", "the colour profile"),
        (PNG, b"eXIf", b"", "EXIF"),
        (PNG, b"iTXt", b"XML:com.adobe.xmp", "XMP"),
        (PNG, b"iCCP", b"", "the colour profile"),
    ],
)
def test_what_is_left_out_is_named(carrier: Carrier, kind: bytes, start: bytes, named: str) -> None:
    data = described(carrier)
    found = coverage(data, carrier.name, DATA, excluding(*pieces(carrier, kind, start)(data)))
    assert found.outside[0] == named
    assert found.reaches_picture is None
    assert ("the orientation (in EXIF)" in found.outside) is (named == "EXIF")


@pytest.mark.parametrize(("carrier", "kind"), [(JPEG, b"\xe1"), (PNG, b"eXIf")])
def test_a_byte_more_reaches_the_picture(carrier: Carrier, kind: bytes) -> None:
    data = described(carrier)
    extent = pieces(carrier, kind)(data)[0]
    assert coverage(data, carrier.name, DATA, excluding(extent)).reaches_picture is None
    longer = slice(extent.start, extent.stop + 1)
    assert coverage(data, carrier.name, DATA, excluding(longer)).reaches_picture == "the picture data"


def test_nothing_left_out_is_nothing_outside() -> None:
    for body in ({}, {"exclusions": []}, {"exclusions": [{"start": 5, "length": 0}]}, {"exclusions": "x"}):
        assert coverage(described(JPEG), "JPEG", DATA, body).named == ()


@pytest.mark.parametrize("name", [DATA, BMFF])
def test_more_exclusions_than_are_followed_are_taken_for_the_worst(name: str) -> None:
    many = {"exclusions": [{"xpath": "/free", "start": 2, "length": 1}] * 33}
    assert coverage(described(JPEG), "JPEG", name, many).reaches_picture == "more than 32 pieces of the file"


def test_names_have_to_reach_the_end() -> None:
    listed = {"boxes": [{"names": ["SOI", "C2PA", "APP1"]}, {"names": ["EOI"]}]}
    assert coverage(b"", "JPEG", NAMES, listed).named == ()
    listed["boxes"].pop()
    assert coverage(b"", "JPEG", NAMES, listed).reaches_picture is not None
    left_out = {"boxes": [{"names": ["APP1"], "excluded": True}, {"names": ["EOI"]}]}
    assert coverage(b"", "JPEG", NAMES, left_out).outside == ("EXIF or XMP",)
    left_out["boxes"][0]["names"] = ["SOS"]
    assert coverage(b"", "JPEG", NAMES, left_out).reaches_picture is not None


RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


@given(RANGES, st.integers(0, 30), st.integers(0, 30))
def test_overlaps_are_those_of_the_bytes(ranges: list[tuple[int, int]], start: int, stop: int) -> None:
    left_out = {at for first, end in ranges for at in range(first, end)}
    assert _overlaps(merged(ranges), start, stop) is bool(left_out & set(range(start, stop)))
