"""Where the items of an AVIF or HEIF lie in the file (ISO/IEC 14496-12, section 8.11), and which boxes hold them.

Content Credentials name boxes that the hash leaves out. This says which of them hold pictures.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from assay.containers.box import boxes_in
from assay.containers.boxes import C2PA_UUID, IN_FILE, IN_IDAT, children, item_kinds, locations
from assay.containers.model import MAX_STEPS


class Placed(NamedTuple):
    """A box, with the place of its header."""

    type: bytes
    at: int
    """Where its header begins."""
    start: int
    """Of the payload."""
    stop: int


class Extent(NamedTuple):
    """A stretch of an item's data."""

    start: int
    stop: int
    what: str | None
    """The kind of metadata that the item is; None for a picture, or a part of one."""


def boxes_between(data: bytes, start: int, stop: int) -> tuple[Placed, ...]:
    """Return the boxes that lie side by side between two offsets: those of a file, or of another box."""
    found, at = [], start
    for box in islice(boxes_in(data, start, min(stop, len(data))), MAX_STEPS):
        found.append(Placed(box.type, at, box.start, min(box.stop, len(data))))
        at = box.stop
    return tuple(found)


def is_manifest(data: bytes, box: Placed) -> bool:
    """Return whether a box holds a C2PA manifest store (C2PA 2.2, section A.5.1)."""
    return box.type == b"uuid" and data.startswith(C2PA_UUID, box.start)


def item_extents(data: bytes) -> tuple[Extent, ...]:
    """Return where the data of all items lies, and the chunks of all tracks (section 8.7.5), in no order."""
    found: list[Extent] = []
    for box in boxes_between(data, 0, len(data)):
        if box.type == b"meta":
            found += _item_extents(data, box)
        elif box.type == b"moov":
            found += _chunk_extents(data, box)
    return tuple(found[:MAX_STEPS])


def _item_extents(data: bytes, meta: Placed) -> Iterator[Extent]:
    inside = children(data, meta.start + 4, meta.stop)
    if b"iloc" not in inside:
        return
    kinds = dict(item_kinds(data, inside[b"iinf"])) if b"iinf" in inside else {}
    idat = inside[b"idat"].start if b"idat" in inside else 0
    for item, method, pieces in locations(data, inside[b"iloc"]):
        if method not in (IN_FILE, IN_IDAT):
            continue  # made of other items, which are listed themselves
        shift = idat if method == IN_IDAT else 0
        for offset, length in pieces:
            stop = shift + offset + length if length else len(data)
            yield Extent(shift + offset, stop, kinds[item].value if item in kinds else None)


def _chunk_extents(data: bytes, moov: Placed) -> Iterator[Extent]:
    """From the beginning of each chunk of a track to the end of the box that it lies in, for it may reach so far."""
    around = boxes_between(data, 0, len(data))
    starts = [box.at for box in around]
    for offset in _chunks(data, moov.start, moov.stop):
        box = around[max(0, bisect_right(starts, offset) - 1)]
        yield Extent(offset, box.stop if offset < box.stop else len(data), None)


def _chunks(data: bytes, start: int, stop: int) -> Iterator[int]:
    """Offsets in the chunk tables of all tracks, however deep; the tables lie in boxes that hold nothing but boxes."""
    waiting = [(start, stop)]
    while waiting:
        for box in islice(boxes_in(data, *waiting.pop()), MAX_STEPS):
            if box.type in (b"trak", b"mdia", b"minf", b"stbl"):
                waiting.append((box.start, min(box.stop, len(data))))
            elif box.type in (b"stco", b"co64"):
                width = 8 if box.type == b"co64" else 4
                count = int.from_bytes(data[box.start + 4 : box.start + 8], "big")
                first, end = box.start + 8, min(box.stop, len(data))
                for at in range(first, min(first + count * width, end - width + 1), width):
                    yield int.from_bytes(data[at : at + width], "big")
