"""AVIF, HEIF, JPEG XL and MP4: boxes (ISO/IEC 14496-12; items in ISO/IEC 23008-12; ISO/IEC 18181-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from assay.containers.box import Box, boxes_in
from assay.containers.further import MAX_FURTHER, further_blocks
from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind
from assay.containers.tiff import tiff_in
from assay.containers.video import video_blocks

_MAX_ITEMS = 10_000
_MAX_ITEM_BYTES = 16 * 2**20
IN_FILE, IN_IDAT = 0, 1
"""How an item may be stored; any other is made of other items."""
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_TYPE = b"application/rdf+xml"
_NAMED = {b"mpvd": "the video of a motion photo (MP4)", b"sefd": "a Samsung trailer"}
_TOP_LEVEL = frozenset(
    b"ftyp,styp,meta,mdat,moov,moof,mfra,free,skip,wide,uuid,idat,jumb,mpvd,sefd,sidx,emsg,pdin,udta,"
    b"JXL ,jxlc,jxlp,jxll,jxli,jbrd,jhgm,Exif,xml ,brob".split(b",")
)


_NO_BOX = Box(b"", 0, 0)
_JXL_METADATA = frozenset({b"Exif", b"xml "})
_PACKED = {b"Exif": "the EXIF", b"xml ": "the XMP", b"jumb": "the JUMBF box, in which credentials stand,"}


def has_joined_stores(data: bytes) -> bool:
    """Whether a C2PA box (C2PA 2.2, section A.5.1) holds a second manifest store behind the first.

    A file has one store (section 15.5.2.1). Readers take the first, and what follows in the box is left out of the
    hash, so a second one could stand there unnoticed.
    """
    for box in islice(boxes_in(data, 0, len(data)), MAX_STEPS):
        if box.type == b"uuid" and data[box.start : box.start + 16] == C2PA_UUID:
            purpose_end = data.find(b"\0", box.start + 20, box.stop)
            stores = list(islice(boxes_in(data, purpose_end + 9, min(box.stop, len(data))), 2))
            return purpose_end >= 0 and [store.type for store in stores] == [b"jumb", b"jumb"]
    return False


def largest_item(data: bytes) -> tuple[int, int] | None:
    """Return width and height of the largest item that an AVIF or HEIF describes (ISO/IEC 23008-12, section 6.5.3).

    Encoders may pad a picture to even sizes, and to 64 pixels at least, and have it cropped when it is shown.

    Returns:
        None where no item has a size.
    """
    for box in islice(boxes_in(data, 0, len(data)), MAX_STEPS):
        if box.type == b"meta":
            properties = children(data, box.start + 4, box.stop).get(b"iprp", _NO_BOX)
            items = children(data, properties.start, properties.stop).get(b"ipco", _NO_BOX)
            extents = islice(boxes_in(data, items.start, min(items.stop, len(data))), _MAX_ITEMS)
            sizes = (data[each.start + 4 : each.start + 12] for each in extents if each.type == b"ispe")
            found = ((int.from_bytes(size[:4], "big"), int.from_bytes(size[4:], "big")) for size in sizes)
            return max(found, key=lambda size: size[0] * size[1], default=None)
    return None


def end_of_boxes(data: bytes, at: int) -> int:
    """The end of the known boxes that lie side by side from an offset on."""
    for count, box in enumerate(boxes_in(data, at, len(data))):
        if not _is_top_level(box, data) or count >= MAX_STEPS:
            break
        at = min(box.stop, len(data))
    return at


def _is_top_level(box: Box, data: bytes) -> bool:
    """A known type, or one that is spelt like a type and fits: anything else is no box but what follows the last."""
    return box.type in _TOP_LEVEL or (box.stop <= len(data) and box.type.isalnum())


def _jxl_blocks(data: bytes, box: Box) -> Iterator[Block]:
    """Metadata boxes; of those compressed with Brotli (`brob`) only that they are there (ISO/IEC 18181-2, annex B)."""
    payload = data[box.start : box.stop] if box.type in _JXL_METADATA else b""
    if box.type == b"Exif":
        yield Block(kind=Kind.EXIF, payload=tiff_in(payload))
    elif box.type == b"xml ":
        yield Block(kind=Kind.XMP, payload=payload)
    elif box.type == b"brob" and data[box.start : box.start + 4] in _PACKED:
        name = _PACKED[data[box.start : box.start + 4]]
        yield Block(kind=Kind.UNREAD, payload=f"{name} is compressed with Brotli".encode())


def _item_blocks(data: bytes, box: Box) -> Iterator[Block]:
    """The EXIF and XMP items that a `meta` box lists (ISO/IEC 23008-12, annex A)."""
    if box.type != b"meta":
        return
    inside = children(data, box.start + 4, box.stop)
    if not {b"iinf", b"iloc"} <= inside.keys():
        return
    idat = inside.get(b"idat", Box(b"idat", 0, 0))
    kinds = dict(item_kinds(data, inside[b"iinf"]))
    left = _MAX_ITEM_BYTES
    unread = dict(kinds)
    for item, payload in _items(data, inside[b"iloc"], idat, frozenset(kinds)):
        left -= len(payload)
        if left < 0:
            break
        if payload and unread.pop(item, None) is not None:
            is_exif = kinds[item] is Kind.EXIF
            yield Block(kind=kinds[item], payload=tiff_in(payload) if is_exif else payload)
    for name in sorted({kind.value for kind in unread.values()}):
        yield Block(kind=Kind.UNREAD, payload=f"an {name} item is not where the file says".encode())


def children(data: bytes, start: int, stop: int) -> dict[bytes, Box]:
    """Return the boxes between two offsets by their types, the first of each."""
    found: dict[bytes, Box] = {}
    for _, box in zip(range(_MAX_ITEMS), boxes_in(data, start, min(stop, len(data))), strict=False):
        found.setdefault(box.type, box)
    return found


def item_kinds(data: bytes, iinf: Box) -> Iterator[tuple[int, Kind]]:
    """Yield the numbers of the items that hold metadata, and what they hold (ISO/IEC 14496-12, section 8.11.6)."""
    first = iinf.start + (6 if data[iinf.start : iinf.start + 1] == b"\0" else 8)
    entries = boxes_in(data, first, min(iinf.stop, len(data)))
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


def _items(data: bytes, iloc: Box, idat: Box, wanted: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """The bytes of the wanted items (ISO/IEC 14496-12, section 8.11.3)."""
    for item, method, pieces in locations(data, iloc):
        if item in wanted and method in (IN_FILE, IN_IDAT):
            shift = idat.start if method == IN_IDAT else 0
            yield item, _gather(data, shift, pieces)


def locations(data: bytes, iloc: Box) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield for every item its number, how it is stored, and offset and length of each piece (section 8.11.3)."""
    cursor = _Cursor(data, iloc.start)
    version = cursor.take(4) >> 24
    widths = cursor.take(2)
    offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version else 0
    wide = 4 if version > 1 else 2
    left = _MAX_ITEMS
    for _ in range(min(cursor.take(wide), _MAX_ITEMS)):
        item = cursor.take(wide)
        method = cursor.take(2) & 15 if version else IN_FILE
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
        yield item, method, pieces


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


def _walk(data: bytes, read: Callable[[bytes, Box], Iterator[Block]]) -> Container:
    end, truncated = 0, False
    belongings: dict[str, None] = {}
    blocks: list[Block] = []
    further: list[Block] = []
    for count, box in enumerate(boxes_in(data, 0, len(data))):
        if count >= MAX_STEPS:
            return Container(end=None, truncated=False, damaged=(TOO_MANY,), blocks=tuple(blocks))
        if not _is_top_level(box, data):
            break
        truncated = box.stop > len(data)
        end = min(box.stop, len(data))
        if box.type in _NAMED:
            belongings[_NAMED[box.type]] = None
        blocks.extend(read(data, box))
        if box.type in _NAMED:
            further.extend(further_blocks(data, box.start, end))
        elif box.type == b"moov":
            further.extend(video_blocks(data, box.start, end))
    further.extend(further_blocks(data, end, len(data)))
    return Container(
        end=end,
        truncated=truncated,
        belongings=tuple(belongings),
        blocks=tuple(blocks),
        further=tuple(further[:MAX_FURTHER]),
    )
