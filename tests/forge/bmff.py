"""Boxes of AVIF and HEIC files (ISO 14496-12), by their path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_BODIES = {b"meta": 12}
"""Boxes that hold boxes -> where the first of them begins. No hash looks deeper into `meta` than one level."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """One box."""

    path: str
    """Such as `/meta/iloc`."""
    extent: slice
    """In the file, header included."""


def boxes(data: bytes) -> list[Box]:
    """Return all boxes of a file, each before what it holds."""
    return list(_within(data, "", 0, len(data)))


def top_boxes(data: bytes) -> list[Box]:
    """Return the boxes that lie in no other."""
    return [box for box in boxes(data) if box.path.count("/") == 1]


def find(data: bytes, path: str) -> Box:
    """Return the first box with a path."""
    return next(box for box in boxes(data) if box.path == path)


def _within(data: bytes, parent: str, at: int, end: int) -> Iterator[Box]:
    while at < end:
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        box = Box(path=f"{parent}/{kind.decode('latin-1')}", extent=slice(at, at + size))
        yield box
        if kind in _BODIES:
            yield from _within(data, box.path, at + _BODIES[kind], at + size)
        at += size
