"""What a video says of where and with what it was filmed (ISO/IEC 14496-12; QuickTime file format, "Metadata")."""

from __future__ import annotations

from collections.abc import Iterator

from assay.containers.box import Box, boxes_in
from assay.containers.model import Block, Kind

_HEADER = 8
"""Bytes of size and namespace before the name of a key, and of type and language before a value."""
_MAX_BOXES = 20_000
_MAX_KEYS = 1_000
_MAX_VALUE = 4_096
_MAX_FOUND = 50
_WRAPPERS = frozenset({b"trak", b"udta"})
_NAMED = frozenset({b"\xa9xyz", b"loci", b"slno", b"SNum", b"CAME", b"LENS"})
"""Entries of the user data: coordinates, a place (3GPP TS 26.244, section 8.10), serial numbers and their hash."""


def find_video(data: bytes, start: int, stop: int) -> Iterator[Block]:
    """Find the videos that begin in a stretch of a file, and yield their user data.

    A video begins with a box `ftyp`. Random bytes that spell it are followed by nothing that reads as a video.
    """
    at = start
    for _ in range(_MAX_FOUND):
        at = data.find(b"ftyp", at, stop)
        if at < 0:
            return
        for count, box in enumerate(boxes_in(data, max(0, at - 4), stop)):
            if box.type == b"moov":
                yield from video_blocks(data, box.start, min(box.stop, stop))
                at = max(at, min(box.stop, stop) - 4)
            if count >= _MAX_KEYS or not box.type.isalnum():
                break
        at += 4


def video_blocks(data: bytes, start: int, stop: int) -> Iterator[Block]:
    """Yield the entries about place and serial numbers of a `moov` box, given where its payload lies."""
    waiting, steps, found = [(start, stop)], 0, 0
    while waiting:
        for box in boxes_in(data, *waiting.pop()):
            steps += 1
            if steps > _MAX_BOXES or found >= _MAX_FOUND:
                return
            end = min(box.stop, stop)
            if box.type in _WRAPPERS:
                waiting.append((box.start, end))
            elif box.type == b"meta":
                for key, value in _metadata(data, box.start, end):
                    found += 1
                    yield _block(key, value)
            elif box.type in _NAMED:
                found += 1
                yield _block(box.type, data[box.start : min(end, box.start + _MAX_VALUE)])


def _block(key: bytes, value: bytes) -> Block:
    return Block(kind=Kind.VIDEO, payload=key + b"\0" + value)


def _metadata(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a `meta` box, which in QuickTime has no version before its first child."""
    first = start if data[start + 4 : start + 8] == b"hdlr" else start + 4
    children = {box.type: box for _, box in zip(range(_MAX_KEYS), boxes_in(data, first, stop), strict=False)}
    keys = dict(enumerate(_keys(data, children[b"keys"], stop), start=1)) if b"keys" in children else {}
    if (entries := children.get(b"ilst")) is None:
        return
    for _, entry in zip(range(_MAX_KEYS), boxes_in(data, entries.start, min(entries.stop, stop)), strict=False):
        key = keys.get(int.from_bytes(entry.type, "big"), entry.type)
        if entry.type != b"\xa9xyz" and b"location" not in key and b"serial" not in key.lower():
            continue
        for value in boxes_in(data, entry.start, min(entry.stop, stop)):
            if value.type == b"data":
                yield key, data[value.start + _HEADER : min(value.stop, stop, value.start + _MAX_VALUE)]
                break


def _keys(data: bytes, box: Box, stop: int) -> Iterator[bytes]:
    """The names of a `keys` box: a count, then each with its size and namespace."""
    at = box.start + 8
    for _ in range(min(int.from_bytes(data[box.start + 4 : at], "big"), _MAX_KEYS)):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < _HEADER or at + size > min(box.stop, stop):
            return
        yield data[at + _HEADER : at + min(size, _MAX_VALUE)]
        at += size
