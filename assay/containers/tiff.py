"""TIFF 6.0 and BigTIFF: image file directories, read one value at a time.

EXIF and the index of a multi-picture JPEG are the same structure. Pillow copies every value of a directory on opening;
a hostile directory of a few kilobytes can name the same large stretch thousands of times, so here nothing is copied
until it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from assay.containers.model import TOO_MANY, Block, Container, Kind

_ORDERS: Mapping[bytes, tuple[Literal["little", "big"], str]] = {b"II": ("little", "<"), b"MM": ("big", ">")}
_CLASSIC, _BIG = 42, 43
# Type to struct code (TIFF 6.0, section 2). BigTIFF adds 16 to 18, EXIF 3.0 adds 129 for UTF-8; text is bytes.
_CODES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I"}
_CODES |= {16: "Q", 17: "q", 18: "Q", 129: "B"}
_SIZES = {type_: struct.calcsize("=" + code) for type_, code in _CODES.items()}
_RATIONALS = (5, 10)
_FLOATS = (11, 12)

HEADERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PREFIX = b"Exif\0\0"
_ALIGNMENT = 16
_MAX_DIRECTORIES = 400
_MAX_CHILDREN = 100
_MAX_NUMBERS = 500_000
_OFFSETS_AND_SIZES = ((273, 279), (324, 325), (513, 514))
"""Strips, tiles, and an old-style JPEG."""
_DIRECTORIES = (330, 34665, 34853, 40965)
"""SubIFDs, Exif, GPS, interoperability."""
_BLOCKS = ((700, Kind.XMP), (33723, Kind.IIM), (34377, Kind.PHOTOSHOP))


class _TooManyError(Exception):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One tag of a directory: where it stands, and where its value lies."""

    at: int
    type: int
    count: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One image file directory."""

    entries: Mapping[int, Entry]
    end: int
    following: int
    """Offset of the next directory of the chain; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiff:
    """A TIFF structure: bytes, byte order, and where the first directory is."""

    data: bytes
    order: Literal["little", "big"]
    first: int
    is_big: bool

    @classmethod
    def parse(cls, data: bytes) -> Tiff | None:
        """Read the header; None where there is none."""
        if data[:2] not in _ORDERS:
            return None
        order, _ = _ORDERS[data[:2]]
        version = int.from_bytes(data[2:4], order)
        if version == _CLASSIC:
            return cls(data=data, order=order, first=int.from_bytes(data[4:8], order), is_big=False)
        if version == _BIG:
            return cls(data=data, order=order, first=int.from_bytes(data[8:16], order), is_big=True)
        return None

    def read(self, offset: int) -> Directory:
        """The directory at an offset, as far as it goes.

        The first of two entries with one tag wins. Entries of an unknown type are left out.
        """
        head, size, wide = (8, 20, 8) if self.is_big else (2, 12, 4)
        count = int.from_bytes(self.data[offset : offset + head], self.order)
        at = offset + head
        if offset <= 0 or at > len(self.data):
            return Directory(entries={}, end=0, following=0)
        whole = min(count, (len(self.data) - at) // size)
        entries: dict[int, Entry] = {}
        for start in range(at, at + whole * size, size):
            tag, type_ = self._number(start, 2), self._number(start + 2, 2)
            if type_ in _SIZES:
                entries.setdefault(tag, self._entry(start, type_, wide))
        end = at + count * size
        return Directory(entries=entries, end=end + wide, following=self._number(end, wide))

    def _entry(self, start: int, type_: int, wide: int) -> Entry:
        count = self._number(start + 4, wide)
        value, size = start + 4 + wide, count * _SIZES[type_]
        if size > wide:
            value = self._number(value, wide)
        return Entry(at=start, type=type_, count=count, start=value, stop=value + size)

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self.data[at : at + width], self.order)

    def raw(self, entry: Entry, limit: int) -> bytes:
        """The first `limit` bytes of a value, fewer where the file ends before."""
        return self.data[entry.start : min(entry.stop, entry.start + limit)]

    def numbers(self, entry: Entry, limit: int) -> tuple[int | float | Fraction, ...]:
        """The first `limit` numbers of a value that lies wholly inside the file; none otherwise.

        A rational with denominator 0 is left out.
        """
        if entry.stop > len(self.data):
            return ()
        count = min(entry.count, limit)
        code = _ORDERS[b"II" if self.order == "little" else b"MM"][1] + _CODES[entry.type] * count
        values = struct.unpack_from(code, self.data, entry.start)
        if entry.type not in _RATIONALS:
            return values
        return tuple(Fraction(a, b) for a, b in zip(values[::2], values[1::2], strict=True) if b)

    def integers(self, entry: Entry, limit: int) -> tuple[int, ...]:
        """Like `numbers`, but nothing for values that are no integers."""
        if entry.type in _RATIONALS or entry.type in _FLOATS:
            return ()
        return tuple(int(value) for value in self.numbers(entry, limit))


def tiff_in(payload: bytes) -> bytes:
    """Return an EXIF payload from its TIFF header on, whatever its writer put before it.

    Containers differ in what belongs there: nothing (PNG, WebP), `Exif` and two zero bytes (JPEG), or the distance to
    the header in 4 bytes (HEIF, JPEG XL); writers mix them up. A payload without a header is returned as it is.
    """
    stated = 4 + int.from_bytes(payload[:4], "big")
    for start in (0, len(_PREFIX), 4, 4 + len(_PREFIX), stated, stated + len(_PREFIX)):
        if payload.startswith(HEADERS, start):
            return payload[start:]
    return payload


def walk_tiff(data: bytes) -> Container:
    """The end is the largest offset that any directory refers to, for TIFF has no end marker."""
    tiff = Tiff.parse(data)
    if tiff is None:
        return Container(end=None, truncated=False, damaged=("does not start like a TIFF",))
    blocks = (Block(kind=Kind.EXIF, payload=data), *_blocks(tiff))
    try:
        end = max((stop for directory in _directories(tiff) for stop in directory), default=0)
    except _TooManyError:
        return Container(end=None, truncated=False, damaged=(TOO_MANY,), blocks=blocks)
    if end == 0:
        return Container(end=None, truncated=True, damaged=("no directory",), blocks=blocks)
    truncated = end > len(data)
    while end % _ALIGNMENT and data[end : end + 1] == b"\0":
        end += 1  # writers align the next directory, and there may be none
    return Container(end=min(end, len(data)), truncated=truncated, blocks=blocks)


def _blocks(tiff: Tiff) -> Iterator[Block]:
    entries = tiff.read(tiff.first).entries
    for tag, kind in _BLOCKS:
        if tag in entries:
            yield Block(kind=kind, payload=tiff.raw(entries[tag], len(tiff.data)))


def picture_extents(tiff: Tiff) -> list[tuple[int, int]]:
    """Return start and stop of the strips, tiles and old-style JPEGs of every directory that can be reached.

    A file with too many of them is one extent as a whole.
    """
    found: list[tuple[int, int]] = []
    try:
        for directory in _reached(tiff):
            for offsets, sizes in _OFFSETS_AND_SIZES:
                if offsets in directory.entries and sizes in directory.entries:
                    starts = tiff.integers(directory.entries[offsets], _MAX_NUMBERS)
                    lengths = tiff.integers(directory.entries[sizes], _MAX_NUMBERS)
                    found += [(start, start + length) for start, length in zip(starts, lengths, strict=False)]
    except _TooManyError:
        return [(0, len(tiff.data))]
    return found


def _directories(tiff: Tiff) -> Iterator[Iterator[int]]:
    """For every directory that can be reached, the offsets at which something of it ends."""
    return (_ends(tiff, directory) for directory in _reached(tiff))


def _reached(tiff: Tiff) -> Iterator[Directory]:
    """Every directory with entries that can be reached.

    Raises:
        _TooManyError: There are more than can be followed.
    """
    waiting, seen, budget = [tiff.first], set[int](), _MAX_NUMBERS
    while waiting:
        offset = waiting.pop()
        if offset in seen:
            continue
        seen.add(offset)
        directory = tiff.read(offset)
        entries = directory.entries
        budget -= len(entries) + sum(
            entries[tag].count for pair in _OFFSETS_AND_SIZES for tag in pair if tag in entries
        )
        if budget < 0 or len(seen) > _MAX_DIRECTORIES:
            raise _TooManyError
        children = [entries[tag] for tag in _DIRECTORIES if tag in entries]
        waiting += [value for entry in children for value in tiff.integers(entry, _MAX_CHILDREN)]
        waiting += [directory.following] if directory.following else []
        if entries:
            yield directory


def _ends(tiff: Tiff, directory: Directory) -> Iterator[int]:
    entries = directory.entries
    yield directory.end
    yield from (entry.stop for entry in entries.values())
    for offsets, sizes in _OFFSETS_AND_SIZES:
        if offsets in entries and sizes in entries:
            starts = tiff.integers(entries[offsets], _MAX_NUMBERS)
            yield from map(sum, zip(starts, tiff.integers(entries[sizes], _MAX_NUMBERS), strict=False))
