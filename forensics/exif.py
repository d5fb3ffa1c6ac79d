"""EXIF (CIPA DC-008): the fields that Assay knows, decoded one by one and only as far as they are bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.containers.tiff import Directory, Entry, Tiff
from forensics.fields import Field, Source
from forensics.maker_notes import MAKER_NOTE, read_maker_note
from forensics.text import decode, decode_unicode, looks_like_utf16

MAX_VALUE_BYTES = 2 * 2**20
_MAX_NUMBERS = 16
_MAX_BYTES = 64 * 2**20
"""Of all values of one block together, for many directories may name the same stretch."""
_MAX_DIRECTORIES = 2_000
"""Of one block: a scanned book has one for each page."""
_HEADER = 8
_EXIF, _GPS, _SUB_DIRECTORIES = 0x8769, 0x8825, 0x014A
_NO_DIRECTORY = Directory(entries={}, end=0, following=0)
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_ASCII, _UNDEFINED, _UTF8 = 2, 7, 129

_NAMES = {
    0x000B: "ProcessingSoftware",
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8827: "ISO",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9011: "OffsetTimeOriginal",
    0x9012: "OffsetTimeDigitized",
    0x920A: "FocalLength",
    0x9213: "ImageHistory",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
    0xA430: "CameraOwnerName",
    0xA431: "BodySerialNumber",
    0xA433: "LensMake",
    0xA434: "LensModel",
    0xA435: "LensSerialNumber",
    0xA437: "Photographer",
    0xA43B: "ImageEditingSoftware",
    0xC62F: "CameraSerialNumber",
    0xFDE8: "OwnerName",
    0xFDE9: "SerialNumber",
}
_GPS_NAMES = {
    0x01: "GPSLatitudeRef",
    0x02: "GPSLatitude",
    0x03: "GPSLongitudeRef",
    0x04: "GPSLongitude",
    0x05: "GPSAltitudeRef",
    0x06: "GPSAltitude",
    0x07: "GPSTimeStamp",
    0x13: "GPSDestLatitudeRef",
    0x14: "GPSDestLatitude",
    0x15: "GPSDestLongitudeRef",
    0x16: "GPSDestLongitude",
    0x1C: "GPSAreaInformation",
    0x1D: "GPSDateStamp",
}
_UTF16 = frozenset({0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F})
_DESCRIPTION, _USER_COMMENT, _AREA, _COPYRIGHT = 0x010E, 0x9286, 0x1C, 0x8298


@dataclass(frozen=True, slots=True, kw_only=True)
class Exif:
    """What one EXIF block says."""

    fields: tuple[Field, ...] = ()
    """Of the main, the Exif and the GPS directory, and of the maker note."""
    further: tuple[tuple[Field, ...], ...] = ()
    """Of every other directory, such as that of the thumbnail or of a further page."""
    thumbnail: bytes | None = None
    """The picture of reduced size, as stored."""
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""


def read_exif(payload: bytes) -> Exif:
    """Read every known field, and say what could not be read; never raises."""
    tiff = Tiff.parse(payload)
    if tiff is None:
        return Exif(problems=("the EXIF has no TIFF header",) if payload.strip(b"\0") else ())
    reading = _Reading(tiff)
    main = tiff.read(tiff.first)
    if not main.end and payload[_HEADER:].strip(b"\0"):
        reading.problems["a directory lies outside of the EXIF"] = None
    fields = reading.group(main)
    further = tuple(filter(None, reading.rest()))
    return Exif(
        fields=fields,
        further=further,
        thumbnail=_thumbnail(tiff, tiff.read(main.following)),
        problems=tuple(reading.problems),
    )


class _Reading:
    """The directories of one block, each of which is read once."""

    def __init__(self, tiff: Tiff) -> None:
        self._tiff = tiff
        self._waiting: list[int] = []
        self._seen = {tiff.first}
        self._left = _MAX_BYTES
        self.problems: dict[str, None] = {}

    def group(self, directory: Directory) -> tuple[Field, ...]:
        """The fields of a directory, of its Exif and its GPS directory, and of the maker note."""
        found = [*self._fields(directory, _NAMES, Source.EXIF)]
        make = next((each.value for each in found if each.name == "Make"), "")
        if directory.following:
            self._waiting.append(directory.following)
        if (pages := directory.entries.get(_SUB_DIRECTORIES)) is not None:
            self._waiting += self._tiff.integers(pages, _MAX_DIRECTORIES)
        children = [(Source.GPS, directory), (Source.EXIF, directory)]
        while children:
            kind, parent = children.pop()
            child = self._child(parent, _GPS if kind is Source.GPS else _EXIF)
            found += self._fields(child, _GPS_NAMES if kind is Source.GPS else _NAMES, kind)
            if kind is Source.EXIF and parent is directory:
                children += [(Source.GPS, child)]  # where some writers put it
                if (note := child.entries.get(MAKER_NOTE)) is not None:
                    found += read_maker_note(self._tiff, note, make)
        return tuple(found)

    def rest(self) -> Iterator[tuple[Field, ...]]:
        """The fields of the directories that the others led to, group by group."""
        while self._waiting:
            offset = self._waiting.pop()
            if len(self._seen) > _MAX_DIRECTORIES:
                self.problems[f"the EXIF has more than {_MAX_DIRECTORIES} directories"] = None
                return
            if offset not in self._seen:
                self._seen.add(offset)
                yield self.group(self._tiff.read(offset))

    def _child(self, directory: Directory, tag: int) -> Directory:
        entry = directory.entries.get(tag)
        offset = next(iter(self._tiff.integers(entry, 1)), 0) if entry is not None else 0
        if offset in self._seen:
            return _NO_DIRECTORY
        child = self._tiff.read(offset)
        if offset > 0:
            self._seen.add(offset)
            if not child.end:
                self.problems["a directory lies outside of the EXIF"] = None
        return child

    def _fields(self, directory: Directory, names: Mapping[int, str], source: Source) -> Iterator[Field]:
        for tag, entry in directory.entries.items():
            if tag not in names:
                continue
            self._left -= min(entry.stop - entry.start, MAX_VALUE_BYTES)
            if self._left < 0:
                self.problems[f"the values of the EXIF are longer than {_MAX_BYTES:,} bytes"] = None
                return
            if value := _value(self._tiff, tag, entry):
                yield Field(source=source, name=names[tag], value=value)
            elif entry.stop > len(self._tiff.data):
                self.problems["a value lies outside of the EXIF"] = None


def _thumbnail(tiff: Tiff, directory: Directory) -> bytes | None:
    tags = (_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH)
    entries = [directory.entries[tag] for tag in tags if tag in directory.entries]
    numbers = [number for entry in entries for number in tiff.integers(entry, 1)]
    if len(numbers) != len(tags):
        return None
    offset, length = numbers
    return tiff.data[offset : offset + min(length, MAX_VALUE_BYTES)] or None


def _value(tiff: Tiff, tag: int, entry: Entry) -> str:
    if tag in (_USER_COMMENT, _AREA):
        return decode_user_comment(tiff.raw(entry, MAX_VALUE_BYTES), tiff.order)
    if tag in _UTF16:
        return decode_unicode(tiff.raw(entry, MAX_VALUE_BYTES), "little")
    if entry.type in (_ASCII, _UTF8, _UNDEFINED) or tag == _DESCRIPTION:
        if looks_like_utf16(raw := tiff.raw(entry, MAX_VALUE_BYTES)):
            return decode_unicode(raw, tiff.order)
        first, _, rest = raw.lstrip(b"\0 ").partition(b"\0")
        # The copyright of the photographer and that of the editor stand behind one another.
        second = decode(rest.lstrip(b"\0 ").partition(b"\0")[0]) if tag == _COPYRIGHT else ""
        return "; ".join(filter(None, (decode(first), second)))
    return " ".join(str(number) for number in tiff.numbers(entry, _MAX_NUMBERS))


def decode_user_comment(raw: bytes, order: str) -> str:
    """Decode a text whose first 8 bytes name its character code (CIPA DC-008, section 4.6.6).

    Writers get both the code and the byte order wrong, or leave the code out, so the text itself has the last word.
    """
    code, text = raw[:8].rstrip(b"\0 ").upper(), raw[8:]
    if code in (b"UNICODE", b"UTF-16", b"UTF16"):
        return decode_unicode(text, order)
    if code == b"JIS":
        return decode(text, "iso2022_jp", "shift_jis")
    text = text if code in (b"ASCII", b"UTF-8", b"UTF8", b"") else raw
    return decode_unicode(text, order) if looks_like_utf16(text) else decode(text)
