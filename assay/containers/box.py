"""Boxes, the building blocks of AVIF, HEIF, JPEG XL and MP4 (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Box(NamedTuple):
    """One box: its type, and where its payload lies."""

    type: bytes
    start: int
    """Of the payload."""
    stop: int
    """May lie beyond the bytes at hand."""


def boxes_in(data: bytes, at: int, end: int) -> Iterator[Box]:
    """Boxes side by side from `at`, until one would be shorter than its own header."""
    while at + 8 <= end:
        size, header = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = end - at
        if size < header:
            return
        yield Box(data[at + 4 : at + 8], at + header, at + size)
        at += size
