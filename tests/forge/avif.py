"""Writes AVIF files whose picture data lies where one wants it: in `mdat`, in `meta`, in boxes of padding.

Built of pictures that Pillow encodes (ISO 23008-12; ISO 14496-12 for the boxes).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from tests.carriers import bmff_box
from tests.forge.bmff import boxes, find

_ESSENTIAL = frozenset({b"av1C", b"irot", b"imir"})
_OFFSET_AND_LENGTH_OF_FOUR_BYTES = b"\x44\x00"
_IN_FILE, _IN_IDAT = 0, 1
_PADDING_OBU = 0x7A
"""Head of a unit of AV1 that decoders skip, with its size after it (AV1, section 5.3)."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A picture, or another piece, that `meta` describes."""

    payload: bytes
    properties: tuple[bytes, ...]
    """Property boxes, such as `ispe` for the size."""
    kind: bytes = b"av01"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A box in `iref`: from one item to others, by their numbers from 1."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


def frame(image: Image.Image, *, quality: int = 75) -> Item:
    """Return an item with a picture."""
    stream = BytesIO()
    image.convert("RGB").save(stream, "AVIF", quality=quality, speed=8)
    data = stream.getvalue()
    return Item(payload=data[find(data, "/mdat").extent][8:], properties=tuple(_properties(data)))


def grid(rows: int, columns: int, tile: tuple[int, int], tiles: Item) -> Item:
    """Return an item that puts tiles together (ISO 23008-12, section 6.6.2.3); it needs a `dimg` reference to them."""
    width, height = columns * tile[0], rows * tile[1]
    size = bmff_box(b"ispe", struct.pack(">III", 0, width, height))
    shared = tuple(each for each in tiles.properties if each[4:8] in (b"pixi", b"colr"))
    payload = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(payload=payload, properties=(size, *shared), kind=b"grid")


def write(items: Sequence[Item], *, place: bytes = b"mdat", references: Sequence[Reference] = ()) -> bytes:
    """Return a file; the first item is the one that is shown.

    Args:
        items: Numbered from 1.
        place: Type of the box, after `meta`, that holds the payloads; `idat` for a box inside `meta`.
        references: Of items to each other.
    """
    ftyp = bmff_box(b"ftyp", b"avif" + bytes(4) + b"avifmif1miaf")
    payloads = b"".join(item.payload for item in items)
    rough = _meta(items, place, references, 0)
    at = 0 if place == b"idat" else len(ftyp) + len(rough) + 8
    meta = _meta(items, place, references, at)
    return ftyp + meta + (b"" if place == b"idat" else bmff_box(place, payloads))


def _meta(items: Sequence[Item], place: bytes, references: Sequence[Reference], at: int) -> bytes:
    parts = [
        _full(b"hdlr", 0, bytes(4) + b"pict" + bytes(13)),
        _full(b"pitm", 0, struct.pack(">H", 1)),
        _locations(items, _IN_IDAT if place == b"idat" else _IN_FILE, at),
        _full(b"iinf", 0, struct.pack(">H", len(items)) + b"".join(map(_entry, range(1, len(items) + 1), items))),
    ]
    if references:
        parts.append(_full(b"iref", 0, b"".join(map(_reference, references))))
    parts.append(_item_properties(items))
    if place == b"idat":
        parts.append(bmff_box(b"idat", b"".join(item.payload for item in items)))
    return _full(b"meta", 0, b"".join(parts))


def _locations(items: Sequence[Item], method: int, at: int) -> bytes:
    """`iloc` of version 1: one extent an item."""
    body = _OFFSET_AND_LENGTH_OF_FOUR_BYTES + struct.pack(">H", len(items))
    for number, item in enumerate(items, 1):
        body += struct.pack(">HHHHII", number, method, 0, 1, at, len(item.payload))
        at += len(item.payload)
    return _full(b"iloc", 1, body)


def _entry(number: int, item: Item) -> bytes:
    return _full(b"infe", 2, struct.pack(">HH", number, 0) + item.kind + b"\0")


def _reference(each: Reference) -> bytes:
    numbers = (each.source, len(each.targets), *each.targets)
    return bmff_box(each.kind, struct.pack(f">{len(numbers)}H", *numbers))


def _item_properties(items: Sequence[Item]) -> bytes:
    """`iprp`: every item has properties of its own."""
    listed = [each for item in items for each in item.properties]
    associations, first = struct.pack(">I", len(items)), 1
    for number, item in enumerate(items, 1):
        associations += struct.pack(">HB", number, len(item.properties))
        for place, each in enumerate(item.properties, first):
            associations += bytes([place | (0x80 if each[4:8] in _ESSENTIAL else 0)])
        first += len(item.properties)
    return bmff_box(b"iprp", bmff_box(b"ipco", b"".join(listed)) + _full(b"ipma", 0, associations))


def _full(kind: bytes, version: int, body: bytes) -> bytes:
    return bmff_box(kind, bytes([version, 0, 0, 0]) + body)


def _properties(data: bytes) -> list[bytes]:
    iprp = data[find(data, "/meta/iprp").extent]
    inner = iprp[16 : 8 + int.from_bytes(iprp[8:12])]
    return [inner[box.extent] for box in boxes(inner)]


# --- what can be done without a key -----------------------------------------------------------------------------------


def filled(payload: bytes, size: int) -> bytes:
    """Return a picture's payload brought to a size with a unit that decoders skip."""
    room = size - len(payload) - 3
    assert room >= 0, "the other picture is too large"
    return payload + bytes([_PADDING_OBU, room & 0x7F | 0x80, room >> 7]) + bytes(room)


def exchanged(data: bytes, old: Item, new: Item) -> bytes:
    """Put another picture into the place of one, wherever that lies, and whatever the signature says of it."""
    at = data.index(old.payload)
    return data[:at] + filled(new.payload, len(old.payload)) + data[at + len(old.payload) :]


def pointed_at(data: bytes, old: Item, new: Item, kind: bytes) -> bytes:
    """Append a box with another picture, and let the item locations point there."""
    iloc = find(data, "/meta/iloc").extent
    before = struct.pack(">II", data.index(old.payload), len(old.payload))
    after = struct.pack(">II", len(data) + 8, len(new.payload))
    assert data[iloc].count(before) == 1
    return data[: iloc.start] + data[iloc].replace(before, after) + data[iloc.stop :] + bmff_box(kind, new.payload)


def overgrown(data: bytes, old: Item, new: Item) -> bytes:
    """Let the box of the file type, which comes first, grow to the place of a picture, and hold another there."""
    place, ftyp = data.index(old.payload), find(data, "/ftyp").extent
    body = data[8 : ftyp.stop] + bytes(place - ftyp.stop) + filled(new.payload, len(old.payload))
    return bmff_box(b"ftyp", body + bytes(-len(body) % 4)) + data[ftyp.stop :]


def replaced(data: bytes, path: str, old: bytes, new: bytes) -> bytes:
    """Replace bytes, which stand in a box once, by as many others."""
    extent = find(data, path).extent
    assert data[extent].count(old) == 1
    assert len(old) == len(new)
    return data[: extent.start] + data[extent].replace(old, new) + data[extent.stop :]
