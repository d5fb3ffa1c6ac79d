"""What stands behind the picture and says something of its own: further pictures, videos, a phone's trailer.

Software that strips metadata mostly cleans the first picture only. What is looked for here is found by its own mark,
not by an index, for the index of a multi-picture file is the first thing that software breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from assay.containers.model import Block, Kind
from assay.containers.tiff import tiff_in
from assay.containers.video import find_video

MAX_FURTHER = 100
"""Blocks of one file. Real files have a handful."""
_MAX_CANDIDATES = 1_000
_SEGMENT = 4
"""Bytes of marker and length before the payload of a JPEG's segment."""
_SEGMENTS = ((b"Exif\0\0", Kind.EXIF), (b"http://ns.adobe.com/xap/1.0/\0", Kind.XMP))
_MOBILE_COUNTRY_CODE = re.compile(rb"MCC_Data(\d{3})")


def further_blocks(data: bytes, start: int, stop: int) -> Iterator[Block]:
    """Yield the metadata in a stretch of a file in which other pictures and videos may lie.

    Args:
        data: The whole file.
        start: Offset of the first byte to look at, mostly the end of the picture.
        stop: Offset one past the last. Time is linear in the distance.
    """
    if stop - start < _SEGMENT:
        return
    for prefix, kind in _SEGMENTS:
        yield from islice(_segments(data, start, stop, prefix, kind), MAX_FURTHER // 4)
    yield from find_video(data, start, stop)
    for match in islice(_MOBILE_COUNTRY_CODE.finditer(data, start, stop), 1):
        yield Block(kind=Kind.SAMSUNG, payload=b"MobileCountryCode\0" + match[1])


def _segments(data: bytes, start: int, stop: int, prefix: bytes, kind: Kind) -> Iterator[Block]:
    """The segments of further JPEGs that hold EXIF or XMP."""
    at = start
    for _ in range(_MAX_CANDIDATES):
        at = data.find(prefix, at, stop)
        if at < 0:
            return
        if data[at - _SEGMENT : at - 2] == b"\xff\xe1":
            end = min(stop, at - 2 + int.from_bytes(data[at - 2 : at], "big"))
            payload = data[at + len(prefix) : max(end, at + len(prefix))]
            yield Block(kind=kind, payload=tiff_in(payload) if kind is Kind.EXIF else payload)
        at += len(prefix)
