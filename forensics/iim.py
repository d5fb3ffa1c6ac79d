"""IPTC IIM 4.2, and the Photoshop image resources that carry it in a JPEG."""

from __future__ import annotations

from collections.abc import Iterator

from assay.containers import Kind
from forensics.fields import Field, Source
from forensics.text import decode

_MARKER = 0x1C
_EXTENDED = 0x8000
_UTF8 = b"\x1b%G"
_CHARACTER_SET = (1, 90)
_IIM_RESOURCE = 0x0404
_INNER = {0x0422: Kind.EXIF, 0x0423: Kind.EXIF, 0x0424: Kind.XMP}
_MAX_FIELDS = 10_000
_NAMES = {
    (2, 5): "Object Name",
    (2, 55): "Date Created",
    (2, 60): "Time Created",
    (2, 62): "Digital Creation Date",
    (2, 63): "Digital Creation Time",
    (2, 65): "Originating Program",
    (2, 80): "By-line",
    (2, 110): "Credit",
    (2, 115): "Source",
    (2, 116): "Copyright Notice",
    (2, 120): "Caption",
}


def read_photoshop(payload: bytes) -> Iterator[Field]:
    """The IIM fields among the image resources (Adobe Photoshop file format, "Image resources")."""
    for resource, body in _resources(payload):
        if resource == _IIM_RESOURCE:
            yield from read_iim(body)


def inner_blocks(payload: bytes) -> Iterator[tuple[Kind, bytes]]:
    """The EXIF and XMP among the image resources, where Photoshop keeps a second copy in some formats."""
    for resource, body in _resources(payload):
        if resource in _INNER:
            yield _INNER[resource], body


def _resources(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while payload[at : at + 4] == b"8BIM":
        name = 1 + int.from_bytes(payload[at + 6 : at + 7], "big")
        start = at + 6 + name + (name & 1) + 4
        size = int.from_bytes(payload[start - 4 : start], "big")
        yield int.from_bytes(payload[at + 4 : at + 6], "big"), payload[start : start + size]
        at = start + size + (size & 1)


def read_iim(payload: bytes) -> Iterator[Field]:
    """Every known field; text is UTF-8 where the record says so, or where it fits (section 1.5, dataset 1:90)."""
    codes: tuple[str, ...] = ("cp1252",)
    for dataset, value in datasets(payload.lstrip(b"\0")):
        if dataset == _CHARACTER_SET:
            codes = () if value == _UTF8 else codes
        elif dataset in _NAMES and (text := decode(value, "utf-8", *codes)):
            yield Field(source=Source.IIM, name=_NAMES[dataset], value=text)


def datasets(payload: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield record and number of each dataset with its value, up to the first byte that begins none."""
    at = 0
    for _ in range(_MAX_FIELDS):
        if len(payload) < at + 5 or payload[at] != _MARKER:
            return
        size, start = int.from_bytes(payload[at + 3 : at + 5], "big"), at + 5
        if size & _EXTENDED:
            width = size & ~_EXTENDED
            size, start = int.from_bytes(payload[start : start + min(width, 8)], "big"), start + width
        yield (payload[at + 1], payload[at + 2]), payload[start : start + size]
        at = start + size
