"""Maker notes: the serial numbers, owners and place names that cameras write in formats of their own.

Makers document none of this. Tags and layouts are those that ExifTool's tag tables name (exiftool.org/TagNames). Only
what is listed here is read, and a value that is no readable text is left out, so a note of an unknown layout says
nothing rather than something wrong. Not read: what Sony enciphers, and notes that are no directories, such as Kodak's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from assay.containers.tiff import Directory, Entry, Tiff
from forensics.fields import Field, Source

MAKER_NOTE = 0x927C
_MAX_NOTE = 2 * 2**20
_MAX_TEXT = 200
_MIN_TEXT = 3
_TEXT_TYPES = (1, 2, 7, 129)
_POINTER_TYPES = (4, 13)
_BODY, _INSIDE, _LENS = "SerialNumber", "InternalSerialNumber", "LensSerialNumber"
_OWNER, _PLACE = "OwnerName", "GPSLocationName"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """What the directory of one maker holds."""

    texts: Mapping[int, str] = field(default_factory=dict)
    """Tags whose value is a text or one number."""
    numbers: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    """Tags whose value is a list of numbers, and which of them counts."""
    codes: Mapping[int, tuple[int, int, str]] = field(default_factory=dict)
    """Tags whose value holds a code in binary, as offset and length; it is written in hexadecimal."""
    inner: Mapping[int, _Maker] = field(default_factory=dict)
    """Tags that lead to a directory inside."""


_CANON = _Maker(texts={0x0009: _OWNER, 0x000C: _BODY, 0x0096: _INSIDE}, codes={0x4019: (0, 5, _LENS)})
_NIKON = _Maker(texts={0x001D: _BODY, 0x00A0: _BODY})
_SONY = _Maker(texts={0x2031: _BODY})
_FUJIFILM = _Maker(texts={0x0010: _INSIDE})
_PANASONIC = _Maker(
    texts={0x0025: _INSIDE, 0x0052: _LENS, 0x0054: "AccessorySerialNumber", 0x0067: _PLACE}
    | {0x0069: "GPSCountry", 0x006B: "GPSState", 0x006D: "GPSCity", 0x006F: "GPSLandmark"}
)
_OLYMPUS = _Maker(
    texts={0x0404: _BODY, 0x101A: _BODY},
    inner={
        0x2010: _Maker(
            texts={0x0101: _BODY, 0x0102: _INSIDE, 0x0202: _LENS}
            | {0x0302: "ExtenderSerialNumber", 0x1003: "FlashSerialNumber"}
        )
    },
)
_PENTAX = _Maker(texts={0x0229: _BODY}, numbers={0x0215: (4, _INSIDE)})
_SAMSUNG = _Maker(texts={0xA002: _BODY, 0xA005: _LENS, 0x0030: _PLACE, 0x0031: _PLACE})
_LEICA = _Maker(texts={0x0303: _BODY, 0x0305: _BODY, 0x0500: _INSIDE})
_SIGMA = _Maker(texts={0x0002: _BODY})
_RICOH = _Maker(texts={0x0005: _BODY})
_MOTOROLA = _Maker(texts={0x5501: _BODY})
_NINTENDO = _Maker(codes={0x1101: (0x18, 4, _INSIDE)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the directory of a note begins, and from where its offsets count."""

    maker: _Maker
    skip: int = 0
    counts_from_note: bool = False
    is_unsure: bool = False
    """Whether some models count from the EXIF and others from the note, in either byte order."""


_BY_PREFIX = {
    b"Nikon\0\1": _Layout(maker=_NIKON, skip=8),
    b"OLYMPUS\0": _Layout(maker=_OLYMPUS, skip=12, counts_from_note=True),
    b"OM SYSTEM\0": _Layout(maker=_OLYMPUS, skip=16, counts_from_note=True),
    b"OLYMP\0": _Layout(maker=_OLYMPUS, skip=8),
    b"Panasonic\0": _Layout(maker=_PANASONIC, skip=12),
    b"LEICA\0": _Layout(maker=_LEICA, skip=8),
    b"SONY": _Layout(maker=_SONY, skip=12),
    b"AOC\0": _Layout(maker=_PENTAX, skip=6),
    b"PENTAX \0": _Layout(maker=_PENTAX, skip=10, counts_from_note=True),
    b"SIGMA\0": _Layout(maker=_SIGMA, skip=10),
    b"FOVEON\0": _Layout(maker=_SIGMA, skip=10),
    b"Ricoh\0": _Layout(maker=_RICOH, skip=8),
    b"RICOH\0": _Layout(maker=_RICOH, skip=8),
    b"MOT\0": _Layout(maker=_MOTOROLA, skip=8, counts_from_note=True),
}
_BY_MAKE = {
    "canon": _Layout(maker=_CANON),
    "nikon": _Layout(maker=_NIKON),
    "nintendo": _Layout(maker=_NINTENDO),
    "samsung": _Layout(maker=_SAMSUNG, is_unsure=True),
    "sony": _Layout(maker=_SONY),
    "pentax": _Layout(maker=_PENTAX),
    "asahi": _Layout(maker=_PENTAX),
}
_RECONYX, _RECONYX_SERIAL = b"\x01\xf1", slice(42, 72)
"""Trail cameras write a structure without a directory: how it begins, and where its serial number stands."""
_ORDERS: Mapping[bytes, Literal["little", "big"]] = {b"II": "little", b"MM": "big"}
_INLINE = 4
"""Bytes that fit into an entry itself."""


def read_maker_note(tiff: Tiff, entry: Entry, make: str) -> Iterator[Field]:
    """Yield the serial numbers, owners and place names of a maker note.

    Args:
        tiff: The EXIF in which the note stands.
        entry: Where it stands.
        make: The value of the field `Make`, for notes that do not begin with a name.
    """
    note = tiff.raw(entry, _MAX_NOTE)
    if note.startswith(_RECONYX):
        yield from _field(_BODY, note[_RECONYX_SERIAL].decode("utf-16-le", "replace").partition("\0")[0])
    elif (found := _open(tiff, entry, note, make)) is not None:
        inner, maker, shift = found
        yield from _values(inner, inner.read(inner.first), maker, shift)


def _open(tiff: Tiff, entry: Entry, note: bytes, make: str) -> tuple[Tiff, _Maker, int] | None:
    """The note as a directory of its own: bytes, byte order, where it begins, and how far its values may be off."""
    if note.startswith(b"Nikon\0\2"):  # a TIFF of its own stands inside
        inner = Tiff.parse(note[10:])
        return None if inner is None else (inner, _NIKON, 0)
    if note.startswith(b"FUJIFILM"):
        return replace(tiff, data=note, order="little", first=int.from_bytes(note[8:12], "little")), _FUJIFILM, 0
    layout = next((each for prefix, each in _BY_PREFIX.items() if note.startswith(prefix)), None)
    layout = layout or _BY_MAKE.get(make.lower().partition(" ")[0])
    if layout is None:
        return None
    if layout.is_unsure:  # fewer than 256 entries, so the first byte of their number tells the order
        order: Literal["little", "big"] = "big" if note.startswith(b"\0") else "little"
        return replace(tiff, order=order, first=entry.start), layout.maker, entry.start
    stated = note[max(0, layout.skip - 4) : layout.skip]
    marks = [mark for mark in _ORDERS if mark in (stated[:2], stated[2:])]
    order = _ORDERS[marks[0]] if marks else tiff.order
    if layout.counts_from_note:
        return replace(tiff, data=note, order=order, first=layout.skip), layout.maker, 0
    return replace(tiff, order=order, first=entry.start + layout.skip), layout.maker, 0


def _values(note: Tiff, directory: Directory, maker: _Maker, shift: int = 0) -> Iterator[Field]:
    for tag, entry in directory.entries.items():
        if tag in maker.texts:
            is_apart = shift and entry.stop - entry.start > _INLINE
            moved = replace(entry, start=entry.start + shift, stop=entry.stop + shift)
            yield from _field(maker.texts[tag], _text(note, entry) or (_text(note, moved) if is_apart else ""))
        if tag in maker.numbers:
            at, name = maker.numbers[tag]
            yield from _field(name, "".join(map(str, note.integers(entry, at + 1)[at:])))
        if tag in maker.codes:
            at, length, name = maker.codes[tag]
            yield from _field(name, note.raw(entry, at + length)[at:].hex())
        if tag in maker.inner:  # one level only: what is inside has nothing inside
            pointers = note.integers(entry, 1) if entry.type in _POINTER_TYPES else (entry.start,)
            yield from _values(note, note.read(pointers[0] if pointers else 0), maker.inner[tag])


def _field(name: str, value: str) -> Iterator[Field]:
    if value.strip("0 "):
        yield Field(source=Source.MAKER, name=name, value=value)


def _text(note: Tiff, entry: Entry) -> str:
    """The value; empty where it is no text, as in a note whose offsets some software has broken."""
    if entry.type not in _TEXT_TYPES:
        return "".join(map(str, note.integers(entry, 1)))
    raw = note.raw(entry, _MAX_TEXT).strip(b"\0 ").partition(b"\0")[0]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ""
    return text.strip() if text.isprintable() and len(text) >= _MIN_TEXT else ""
