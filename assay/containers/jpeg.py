"""JPEG (ITU-T T.81, annex B), and what cameras and phones put behind the first picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.containers.boxes import end_of_boxes
from assay.containers.further import further_blocks
from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind
from assay.containers.tiff import HEADERS, Tiff, tiff_in

_SOI, _EOI, _SOS, _APP1, _APP2, _APP6, _APP13, _COM = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xE6, 0xED, 0xFE
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_IN_HEADER = re.compile(rb"\xff[^\x00\xff]")
# Between the scans of a picture only these occur; in coded data 0xFF is followed by 0x00 or a restart marker.
_IN_SCAN = re.compile(rb"\xff[\xc4\xd9-\xdd\xe0-\xef\xfe]")

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_KNOWN = {
    _APP1: ((b"Exif\0", Kind.EXIF), (_XMP, Kind.XMP), (b"http://ns.adobe.com/xmp/extension/\0", Kind.XMP_EXTENSION)),
    _APP6: ((b"GoPro\0", Kind.GOPRO),),
    _APP13: ((b"Photoshop 3.0\0", Kind.PHOTOSHOP),),
    _COM: ((b"", Kind.COMMENT),),
}
_MP_ENTRIES = 0xB002
_VIDEO_DECLARED = re.compile(rb"MotionPhoto|MicroVideo")
_GAIN_MAP_DECLARED = re.compile(rb"GainMap|hdrgm:")


def walk_jpeg(data: bytes) -> Container:
    """Follow the markers to the end of the first picture, then take in what belongs to it."""
    if data[:2] != b"\xff\xd8":
        return Container(end=None, truncated=False, damaged=("does not start like a JPEG",))
    segments: list[tuple[int, int, int]] = []
    end = None
    for count, (marker, start, stop) in enumerate(markers(data)):
        if marker == _EOI:
            end = stop
        elif count >= MAX_STEPS:
            return Container(end=None, truncated=False, damaged=(TOO_MANY,))
        elif marker in (_APP1, _APP2, _APP6, _APP13, _COM):
            segments.append((marker, start, stop))
    blocks = tuple(_blocks(data, segments))
    if end is None:
        return Container(end=len(data), truncated=True, blocks=blocks, is_front_whole=_is_front_whole(data))
    further = tuple(further_blocks(data, end, len(data)))
    end, belongings = _take_in(data, end, segments, blocks)
    return Container(end=end, truncated=False, belongings=belongings, blocks=blocks, further=further)


def markers(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every segment as marker, start and stop of its payload, up to and with the first end of image."""
    at, pattern = 2, _IN_HEADER
    while (found := pattern.search(data, at)) is not None:
        marker, at = data[found.end() - 1], found.end()
        if marker == _EOI:
            yield marker, at, at
            return
        stop = at + int.from_bytes(data[at : at + 2], "big")
        if marker in _STANDALONE or stop < at + 2 or stop > len(data):
            yield marker, at, at
            continue  # a length that does not fit is noise: a reader looks for the next marker too
        yield marker, at + 2, stop
        at = stop
        if marker == _SOS:
            pattern = _IN_SCAN


def _is_front_whole(data: bytes) -> bool:
    """Whether segments lie side by side up to the first scan: one that is cut may hold what looks like a scan."""
    for count, (marker, start, stop) in enumerate(markers(data)):
        is_empty = start == stop and marker not in _STANDALONE
        if marker == _SOS or is_empty or count >= MAX_STEPS:
            return marker == _SOS and not is_empty
    return False


def _blocks(data: bytes, segments: list[tuple[int, int, int]]) -> Iterator[Block]:
    exif: list[bytearray] = []
    for marker, start, stop in segments:
        for prefix, kind in _KNOWN.get(marker, ()):
            if not data.startswith(prefix, start, stop):
                continue
            if kind is not Kind.EXIF:
                yield Block(kind=kind, payload=data[start + len(prefix) : stop])
            elif exif and not data.startswith(HEADERS, start + 6):
                exif[-1] += data[start + 6 : stop]  # a block longer than one segment goes on in the next
            else:
                exif.append(bytearray(data[start + 6 : stop]))
    yield from (Block(kind=Kind.EXIF, payload=tiff_in(bytes(block))) for block in exif)


def _take_in(
    data: bytes, end: int, segments: list[tuple[int, int, int]], blocks: tuple[Block, ...]
) -> tuple[int, tuple[str, ...]]:
    """The end of everything that the file declares to be part of it, and what that is."""
    belongings: list[str] = []
    packets = b"".join(block.payload for block in blocks if block.kind is Kind.XMP)
    last, pictures = _indexed_pictures(data, segments)
    if last > end:
        end = last
        belongings.append(f"{pictures} further picture{'s' if pictures > 1 else ''} (multi-picture format)")
    if data.startswith(b"\xff\xd8\xff", end) and _GAIN_MAP_DECLARED.search(packets):
        end = next((stop for marker, _, stop in _markers_from(data, end) if marker == _EOI), end)
        belongings.append("a gain map")
    if data[end + 4 : end + 8] == b"ftyp" and _VIDEO_DECLARED.search(packets):
        end = end_of_boxes(data, end)
        belongings.append("the video of a motion photo (MP4)")
    return end, tuple(belongings)


def _markers_from(data: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    for marker, first, stop in markers(data[start:]):
        yield marker, start + first, start + stop


def _indexed_pictures(data: bytes, segments: list[tuple[int, int, int]]) -> tuple[int, int]:
    """The end of the last picture in the index and how many there are besides the first (CIPA DC-007, section 5.2.3).

    An index is often kept by software that drops the pictures, so an entry counts only where a picture lies.
    """
    last, pictures = 0, 0
    for marker, start, stop in segments:
        if marker != _APP2 or not data.startswith(b"MPF\0", start, stop):
            continue
        base = start + 4
        index = Tiff.parse(data[base:stop])
        if index is None or (entry := index.read(index.first).entries.get(_MP_ENTRIES)) is None:
            continue
        table = index.data[entry.start : entry.stop]
        for at in range(16, len(table) - 15, 16):
            size = int.from_bytes(table[at + 4 : at + 8], index.order)
            offset = base + int.from_bytes(table[at + 8 : at + 12], index.order)
            if data.startswith(b"\xff\xd8\xff", offset):
                pictures += 1
                last = max(last, min(offset + size, len(data)))
    return last, pictures
