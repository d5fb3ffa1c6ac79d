"""TIFF: the tags of the first directory that say nothing of how the picture is stored (TIFF 6.0, section 8)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from assay.containers import Block, Kind
from assay.containers.tiff import Tiff
from assay.luggage.pieces import Luggage

STRUCTURAL = frozenset(
    {
        *(254, 255),  # which kind of picture
        *(256, 257, 258, 259, 262, 263, 264, 265, 266),  # size, bits, compression, meaning of values
        *(273, 277, 278, 279, 280, 281, 284, 288, 289, 292, 293),  # strips, planes, range of values, fax
        *(317, 320, 322, 323, 324, 325, 330),  # predictor, palette, tiles, further directories
        *(338, 339, 340, 341, 342, 347),  # extra samples, format and range of values, JPEG tables
        *range(512, 522),  # old-style JPEG, and EXIF's thumbnail
        *(529, 530, 531, 532),  # how YCbCr is stored
        52545,  # the manifest store
    }
)
"""Tags that are not carried over: they describe the old encoding."""
_XMP, _IIM, _PHOTOSHOP, _ICC, _DESCRIPTION = 700, 33723, 34377, 34675, 270
_DENSITY = (282, 283, 296)
_BLOCKS = {_XMP, _IIM, _PHOTOSHOP, _ICC}
_EXIF_ONLY_DIRECTORIES = (34665, 34853, 40965)
_BYTE, _ASCII, _LONG, _UNDEFINED = 1, 2, 4, 7
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 129: 1}
"""Bytes that change places together, by type."""
_DEPTH = 4
_EMPTY = b"II*\0" + bytes(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """One entry: its bytes in little-endian order, or the directory that it points to."""

    type: int
    count: int
    raw: bytes = b""
    inner: Mapping[int, _Value] | None = None


_Directory = dict[int, _Value]


def carry(source: bytes, picture: bytes) -> bytes:
    """The picture's file, with every tag of the source that is not in `STRUCTURAL`."""
    return _with_directory(picture, {**_carried(source), **_picture_tags(picture)})


def pack(picture: bytes, luggage: Luggage) -> tuple[bytes, list[str]]:
    """A TIFF with the luggage in tags, and the names of what has no place."""
    tags: _Directory = {}
    homeless: list[str] = []
    for block in luggage.blocks:
        length = len(block.payload)
        match block.kind:
            case Kind.EXIF:
                tags = {**_carried(block.payload), **tags}
            case Kind.XMP if _XMP not in tags:
                tags[_XMP] = _Value(type=_BYTE, count=length, raw=block.payload)
            case Kind.IIM if _IIM not in tags:
                tags[_IIM] = _Value(type=_UNDEFINED, count=length, raw=block.payload)
            case Kind.PHOTOSHOP if _PHOTOSHOP not in tags:
                tags[_PHOTOSHOP] = _Value(type=_BYTE, count=length, raw=block.payload)
            case Kind.COMMENT if _DESCRIPTION not in tags:
                tags[_DESCRIPTION] = _Value(type=_ASCII, count=length + 1, raw=block.payload + b"\0")
            case _:
                homeless.append(block.kind.value)
    if luggage.icc:
        tags[_ICC] = _Value(type=_UNDEFINED, count=len(luggage.icc), raw=luggage.icc)
    density = {tag: value for tag, value in _directory(picture).items() if tag in _DENSITY}
    return _with_directory(picture, {**density, **tags, **_picture_tags(picture)}), homeless


def as_exif(block: Block) -> Block:
    """The tags of a TIFF as EXIF: a structure without a picture, and without what has a block of its own."""
    tags = {tag: value for tag, value in _carried(block.payload).items() if tag not in _BLOCKS}
    return Block(kind=Kind.EXIF, payload=_with_directory(_EMPTY, tags))


def exif_without(payload: bytes, is_left_out: Callable[[int, bytes], bool]) -> tuple[bytes, tuple[int, ...]] | None:
    """EXIF written anew without some tags, so that nothing stays behind in gaps, and the tags that were left out.

    Args:
        payload: From the byte-order mark on.
        is_left_out: Told a tag, and its bytes with numbers in little-endian order; those of a directory are empty.

    Returns:
        None where there is no directory that can be read.
    """
    tags = {tag: value for tag, value in _carried(payload).items() if tag not in _BLOCKS}
    if not tags:
        return None
    left_out: list[int] = []

    def kept(directory: Mapping[int, _Value]) -> _Directory:
        found: _Directory = {}
        for tag, value in directory.items():
            if is_left_out(tag, value.raw):
                left_out.append(tag)
            else:
                found[tag] = value if value.inner is None else replace(value, inner=kept(value.inner))
        return found

    return _with_directory(_EMPTY, kept(tags)), tuple(left_out)


def upright(data: bytes) -> tuple[bytes, int]:
    """The same file without its orientation, which Pillow would apply as it decodes, and what it was, 1 to 8."""
    tiff = Tiff.parse(data)
    entry = None if tiff is None else tiff.read(tiff.first).entries.get(274)
    if tiff is None or entry is None or tiff.integers(entry, 1) in ((), (1,)):
        return data, 1
    (orientation,) = tiff.integers(entry, 1)
    patched = bytearray(data)
    patched[entry.start : entry.start + 2] = (1).to_bytes(2, tiff.order)
    return bytes(patched), orientation


def _picture_tags(picture: bytes) -> _Directory:
    """What the writer of the pixels says of how they are stored."""
    return {tag: value for tag, value in _directory(picture).items() if tag in STRUCTURAL}


def _carried(data: bytes) -> _Directory:
    return {tag: value for tag, value in _directory(data).items() if tag not in STRUCTURAL}


def _directory(data: bytes) -> _Directory:
    tiff = Tiff.parse(data)
    return {} if tiff is None or tiff.is_big else _read(tiff, tiff.first, _DEPTH)


def _read(tiff: Tiff, offset: int, depth: int) -> _Directory:
    found: _Directory = {}
    for tag, entry in tiff.read(offset).entries.items():
        if tag in _EXIF_ONLY_DIRECTORIES:
            (at, *_) = (*tiff.integers(entry, 1), 0)
            if at and depth:
                found[tag] = _Value(type=_LONG, count=1, inner=_read(tiff, at, depth - 1))
        elif entry.stop <= len(tiff.data) and entry.type in _WIDTHS:
            raw = tiff.data[entry.start : entry.stop]
            if tiff.order == "big":
                raw = _swapped(raw, _WIDTHS[entry.type])
            found[tag] = _Value(type=entry.type, count=entry.count, raw=raw)
    return found


def _swapped(raw: bytes, width: int) -> bytes:
    return b"".join(raw[at : at + width][::-1] for at in range(0, len(raw), width))


def _with_directory(data: bytes, tags: Mapping[int, _Value]) -> bytes:
    """A little-endian TIFF whose one directory stands at the end; the one it had is no longer referred to."""
    out = bytearray(data)
    out[4:8] = _write(out, tags).to_bytes(4, "little")
    return bytes(out)


def _write(out: bytearray, tags: Mapping[int, _Value]) -> int:
    """Append a directory and everything it points to; where it stands."""
    entries = []
    for tag in sorted(tags):
        value = tags[tag]
        raw = value.raw if value.inner is None else _write(out, value.inner).to_bytes(4, "little")
        if len(raw) > 4:  # noqa: PLR2004 - what an entry holds itself
            out += bytes(len(out) & 1)
            place = len(out).to_bytes(4, "little")
            out += raw
        else:
            place = raw.ljust(4, b"\0")
        entries.append(struct.pack("<HHI4s", tag, value.type, value.count, place))
    out += bytes(len(out) & 1)
    start = len(out)
    out += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return start
