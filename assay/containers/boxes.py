"""AVIF, HEIF, JPEG XL and MP4: boxes (ISO/IEC 14496-12; items in ISO/IEC 23008-12; ISO/IEC 18181-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind

_MAX_ITEMS = 10_000
_MAX_ITEM_BYTES = 16 * 2**20
_IN_FILE, _IN_IDAT = 0, 1
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_TYPE = b"application/rdf+xml"
_NAMED = {b"mpvd": "the video of a motion photo (MP4)", b"sefd": "a Samsung trailer"}
_TOP_LEVEL = frozenset(
    b"ftyp,styp,meta,mdat,moov,moof,mfra,free,skip,wide,uuid,idat,jumb,mpvd,sefd,sidx,emsg,pdin,udta,"
    b"JXL ,jxlc,jxlp,jxll,jxli,jbrd,jhgm,Exif,xml ,brob".split(b",")
)


class _Box(NamedTuple):
    type: bytes
    start: int
    """Of the payload."""
    stop: int
    """May lie beyond the bytes at hand."""


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    """Boxes side by side from `at`, until one would be shorter than its own header."""
    while at + 8 <= end:
        size, header = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = end - at
        if size < header:
            return
        yield _Box(data[at + 4 : at + 8], at + header, at + size)
        at += size


def has_joined_stores(data: bytes) -> bool:
    """Whether a C2PA box (C2PA 2.2, section A.5.1) holds a second manifest store behind the first.

    A file has one store (section 15.5.2.1). Readers take the first, and what follows in the box is left out of the
    hash, so a second one could stand there unnoticed.
    """
    for box in islice(_boxes(data, 0, len(data)), MAX_STEPS):
        if box.type == b"uuid" and data[box.start : box.start + 16] == _C2PA:
            purpose_end = data.find(b"\0", box.start + 20, box.stop)
            stores = list(islice(_boxes(data, purpose_end + 9, min(box.stop, len(data))), 2))
            return purpose_end >= 0 and [store.type for store in stores] == [b"jumb", b"jumb"]
    return False


def end_of_boxes(data: bytes, at: int) -> int:
    """The end of the known boxes that lie side by side from an offset on."""
    for count, box in enumerate(_boxes(data, at, len(data))):
        if not _is_top_level(box, data) or count >= MAX_STEPS:
            break
        at = min(box.stop, len(data))
    return at


def _is_top_level(box: _Box, data: bytes) -> bool:
    """A known type, or one that is spelt like a type and fits: anything else is no box but what follows the last."""
    return box.type in _TOP_LEVEL or (box.stop <= len(data) and box.type.isalnum())


def _jxl_blocks(data: bytes, box: _Box) -> Iterator[Block]:
    """Metadata boxes; those compressed with Brotli (`brob`) are left alone."""
    if box.type == b"Exif":
        yield from _exif(data[box.start : box.stop])
    elif box.type == b"xml ":
        yield Block(kind=Kind.XMP, payload=data[box.start : box.stop])


def _item_blocks(data: bytes, box: _Box) -> Iterator[Block]:
    """The EXIF and XMP items that a `meta` box lists (ISO/IEC 23008-12, annex A)."""
    if box.type != b"meta":
        return
    children = _children(data, box.start + 4, box.stop)
    if not {b"iinf", b"iloc"} <= children.keys():
        return
    idat = children.get(b"idat", _Box(b"idat", 0, 0))
    kinds = dict(_item_kinds(data, children[b"iinf"]))
    left = _MAX_ITEM_BYTES
    for item, payload in _items(data, children[b"iloc"], idat, frozenset(kinds)):
        left -= len(payload)
        if left < 0:
            return
        yield from _exif(payload) if kinds[item] is Kind.EXIF else (Block(kind=Kind.XMP, payload=payload),)


def _exif(payload: bytes) -> Iterator[Block]:
    """An EXIF item starts with the distance to its TIFF header."""
    start = 4 + int.from_bytes(payload[:4], "big")
    if start < len(payload):
        yield Block(kind=Kind.EXIF, payload=payload[start:])


def _children(data: bytes, start: int, stop: int) -> dict[bytes, _Box]:
    found: dict[bytes, _Box] = {}
    for _, box in zip(range(_MAX_ITEMS), _boxes(data, start, min(stop, len(data))), strict=False):
        found.setdefault(box.type, box)
    return found


def _item_kinds(data: bytes, iinf: _Box) -> Iterator[tuple[int, Kind]]:
    """Identifiers of the items that hold metadata (ISO/IEC 14496-12, section 8.11.6)."""
    first = iinf.start + (6 if data[iinf.start : iinf.start + 1] == b"\0" else 8)
    entries = _boxes(data, first, min(iinf.stop, len(data)))
    for _, box in zip(range(_MAX_ITEMS), entries, strict=False):
        body = data[box.start : min(box.stop, box.start + 256)]
        width = 4 if body[:1] == b"\3" else 2
        item, kind, rest = int.from_bytes(body[4 : 4 + width], "big"), body[6 + width : 10 + width], body[10 + width :]
        if kind == b"Exif":
            yield item, Kind.EXIF
        elif kind == b"mime" and _XMP_TYPE in rest.split(b"\0")[1:2]:
            yield item, Kind.XMP


class _Cursor:
    """Reads numbers one behind the other; behind the end there are only zeros."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def take(self, width: int) -> int:
        self.at += width
        return int.from_bytes(self.data[self.at - width : self.at], "big")


def _items(data: bytes, iloc: _Box, idat: _Box, wanted: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """The bytes of the wanted items (ISO/IEC 14496-12, section 8.11.3)."""
    cursor = _Cursor(data, iloc.start)
    version = cursor.take(4) >> 24
    widths = cursor.take(2)
    offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version else 0
    wide = 4 if version > 1 else 2
    left = _MAX_ITEMS
    for _ in range(min(cursor.take(wide), _MAX_ITEMS)):
        item = cursor.take(wide)
        method = cursor.take(2) & 15 if version else _IN_FILE
        cursor.take(2)
        base = cursor.take(base_width)
        extents = cursor.take(2)
        left -= 1 + extents  # an extent may take no bytes at all, so their number is bounded by itself
        if left < 0 or cursor.at > min(iloc.stop, len(data)):
            return
        pieces = []
        for _ in range(extents):
            cursor.take(index_width)
            pieces.append((base + cursor.take(offset_width), cursor.take(length_width)))
        if item in wanted and method in (_IN_FILE, _IN_IDAT):
            shift = idat.start if method == _IN_IDAT else 0
            yield item, _gather(data, shift, pieces)


def _gather(data: bytes, shift: int, pieces: list[tuple[int, int]]) -> bytes:
    """An extent of length 0 is the whole source, which no metadata is: it is left out, as is what exceeds the bound."""
    gathered = bytearray()
    for offset, length in pieces:
        gathered += data[shift + offset : shift + offset + min(length, _MAX_ITEM_BYTES)]
        if len(gathered) > _MAX_ITEM_BYTES:
            return b""
    return bytes(gathered)


def walk_boxes(data: bytes) -> Container:
    """Follow the boxes of an AVIF or HEIF, and read where its metadata items lie."""
    if data[4:8] != b"ftyp":
        return Container(end=None, truncated=False, damaged=("does not start like an ISO media file",))
    return _walk(data, _item_blocks)


def walk_jxl(data: bytes) -> Container:
    """Follow the boxes of a JPEG XL; a bare codestream does not tell where it ends without decoding it."""
    if data[:2] == b"\xff\x0a":
        return Container(end=None, truncated=False)
    if data[4:8] != b"JXL ":
        return Container(end=None, truncated=False, damaged=("does not start like a JPEG XL",))
    return _walk(data, _jxl_blocks)


def _walk(data: bytes, read: Callable[[bytes, _Box], Iterator[Block]]) -> Container:
    end, truncated = 0, False
    belongings: dict[str, None] = {}
    blocks: list[Block] = []
    for count, box in enumerate(_boxes(data, 0, len(data))):
        if count >= MAX_STEPS:
            return Container(end=None, truncated=False, damaged=(TOO_MANY,), blocks=tuple(blocks))
        if not _is_top_level(box, data):
            break
        truncated = box.stop > len(data)
        end = min(box.stop, len(data))
        if box.type in _NAMED:
            belongings[_NAMED[box.type]] = None
        blocks.extend(read(data, box))
    return Container(end=end, truncated=truncated, belongings=tuple(belongings), blocks=tuple(blocks))
