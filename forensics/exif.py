"""EXIF (CIPA DC-008): the fields that Assay knows, decoded one by one and only as far as they are bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.containers.tiff import Directory, Entry, Tiff
from forensics.fields import Field, Source
from forensics.text import decode, decode_unicode

MAX_VALUE_BYTES = 2 * 2**20
_MAX_NUMBERS = 16
_EXIF, _GPS = 0x8769, 0x8825
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_ASCII, _UNDEFINED, _UTF8 = 2, 7, 129

_NAMES = {
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
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9F: "XPSubject",
    0xA430: "CameraOwnerName",
    0xA431: "BodySerialNumber",
    0xA433: "LensMake",
    0xA434: "LensModel",
    0xA435: "LensSerialNumber",
    0xA437: "Photographer",
    0xA43B: "ImageEditingSoftware",
    0xC62F: "CameraSerialNumber",
}
_GPS_NAMES = {
    0x01: "GPSLatitudeRef",
    0x02: "GPSLatitude",
    0x03: "GPSLongitudeRef",
    0x04: "GPSLongitude",
    0x05: "GPSAltitudeRef",
    0x06: "GPSAltitude",
    0x07: "GPSTimeStamp",
    0x1D: "GPSDateStamp",
}
_UTF16 = frozenset({0x9C9B, 0x9C9C, 0x9C9D, 0x9C9F})
_USER_COMMENT, _COPYRIGHT = 0x9286, 0x8298


def read_exif(payload: bytes) -> tuple[list[Field], bytes | None]:
    """Every known field of the main, the Exif and the GPS directory, and the picture of reduced size."""
    tiff = Tiff.parse(payload)
    if tiff is None:
        return [], None
    main = tiff.read(tiff.first)
    fields = [
        *_fields(tiff, main, _NAMES, Source.EXIF),
        *_fields(tiff, _child(tiff, main, _EXIF), _NAMES, Source.EXIF),
        *_fields(tiff, _child(tiff, main, _GPS), _GPS_NAMES, Source.GPS),
    ]
    return fields, _thumbnail(tiff, tiff.read(main.following))


def _thumbnail(tiff: Tiff, directory: Directory) -> bytes | None:
    tags = (_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH)
    entries = [directory.entries[tag] for tag in tags if tag in directory.entries]
    numbers = [number for entry in entries for number in tiff.integers(entry, 1)]
    if len(numbers) != len(tags):
        return None
    offset, length = numbers
    return tiff.data[offset : offset + min(length, MAX_VALUE_BYTES)] or None


def _child(tiff: Tiff, directory: Directory, tag: int) -> Directory:
    entry = directory.entries.get(tag)
    offsets = tiff.integers(entry, 1) if entry is not None else ()
    return tiff.read(offsets[0] if offsets else 0)


def _fields(tiff: Tiff, directory: Directory, names: Mapping[int, str], source: Source) -> Iterator[Field]:
    for tag, entry in directory.entries.items():
        if tag in names and (value := _value(tiff, tag, entry)):
            yield Field(source=source, name=names[tag], value=value)


def _value(tiff: Tiff, tag: int, entry: Entry) -> str:
    if tag == _USER_COMMENT:
        return decode_user_comment(tiff.raw(entry, MAX_VALUE_BYTES), tiff.order)
    if tag in _UTF16:
        return tiff.raw(entry, MAX_VALUE_BYTES).decode("utf-16-le", "replace").strip("\0 ")
    if entry.type in (_ASCII, _UTF8, _UNDEFINED):
        first, _, rest = tiff.raw(entry, MAX_VALUE_BYTES).lstrip(b"\0 ").partition(b"\0")
        # The copyright of the photographer and that of the editor stand behind one another.
        second = decode(rest.lstrip(b"\0 ").partition(b"\0")[0]) if tag == _COPYRIGHT else ""
        return "; ".join(filter(None, (decode(first), second)))
    return " ".join(str(number) for number in tiff.numbers(entry, _MAX_NUMBERS))


def decode_user_comment(raw: bytes, order: str) -> str:
    """Decode a text whose first 8 bytes name its character code (CIPA DC-008, section 4.6.6).

    Writers get both the code and the byte order wrong, so the text itself has the last word.
    """
    code, text = raw[:8].rstrip(b"\0 "), raw[8:]
    if code == b"UNICODE":
        return decode_unicode(text, order)
    if code == b"JIS":
        return decode(text, "iso2022_jp", "shift_jis")
    if code == b"ASCII" or not code:
        return decode(text)
    return decode(raw)
