"""Which bytes of a file are metadata, and where each piece begins and ends: the rest makes the picture.

Content Credentials may leave byte ranges out of the hash. Whether the picture can be changed there depends on what the
ranges touch, so this says it for the formats whose hash goes by byte ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice, takewhile
from typing import NamedTuple

from assay.containers.gif import gif_extensions
from assay.containers.items import boxes_between, is_manifest, item_extents
from assay.containers.jpeg import markers
from assay.containers.model import MAX_STEPS
from assay.containers.png import png_chunks
from assay.containers.tiff import Tiff, picture_extents
from assay.containers.webp import webp_chunks

MANIFEST, EXIF, XMP = "Content Credentials", "EXIF", "XMP"
_IPTC, _COMMENT, _TEXT, _COLOUR = "IPTC and Photoshop data", "comments", "text", "the colour profile"
_OTHER, _BEHIND = "other metadata", "what stands behind the picture"


class Region(NamedTuple):
    """One piece of metadata."""

    start: int
    body: int
    """Where its header ends: whoever can change a header can change what the bytes behind it are taken for."""
    stop: int
    what: str


def metadata_regions(data: bytes, format: str, until: int) -> tuple[Region, ...]:  # noqa: A002 - the vocabulary's word
    """Return the pieces of metadata in the order of the file.

    Args:
        data: The file as received.
        format: Pillow's name of the format.
        until: Pieces that begin at this offset or behind it are of no interest, and may be missing.

    Returns:
        Nothing for a format whose pieces are not known here.
    """
    if (reader := _IN_ORDER.get(format)) is not None:
        return tuple(islice(takewhile(lambda region: region.start < until, reader(data)), MAX_STEPS))
    reader = _IN_ANY_ORDER.get(format)
    return () if reader is None else tuple(sorted(islice(reader(data), MAX_STEPS)))


_END_OF_IMAGE = 0xD9
_JPEG_KINDS = (
    (0xE1, b"Exif\0", EXIF),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0", XMP),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0", XMP),
    (0xE2, b"ICC_PROFILE\0", _COLOUR),
    (0xEB, b"JP", MANIFEST),
    (0xED, b"Photoshop 3.0\0", _IPTC),
    (0xFE, b"", _COMMENT),
)
_JPEG_OTHER = frozenset({*range(0xE1, 0xF0)} - {0xEE})
"""Segments of applications, but for two that tell how colours are coded: APP0 (JFIF) and APP14 (Adobe)."""


def _jpeg(data: bytes) -> Iterator[Region]:
    for marker, body, stop in markers(data):
        if marker == _END_OF_IMAGE:
            yield Region(stop, stop, len(data), _BEHIND)
        elif body != stop and (what := _jpeg_kind(data, marker, body, stop)):
            yield Region(body - 4, body, stop, what)


def _jpeg_kind(data: bytes, marker: int, body: int, stop: int) -> str:
    for known, prefix, what in _JPEG_KINDS:
        if marker == known and data.startswith(prefix, body, stop):
            return what
    return _OTHER if marker in _JPEG_OTHER else ""


_PNG_KINDS = {b"eXIf": EXIF, b"caBX": MANIFEST, b"tEXt": _TEXT, b"zTXt": _TEXT, b"iTXt": _TEXT, b"tIME": _OTHER}
_PNG_KINDS |= dict.fromkeys((b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI"), _COLOUR)


_PNG_XMP = b"XML:com.adobe.xmp\0"


def _png(data: bytes) -> Iterator[Region]:
    for name, start, stop in png_chunks(data):
        if name in _PNG_KINDS:
            is_xmp = data.startswith(_PNG_XMP, start + 8)
            yield Region(start, start + 8, stop, XMP if is_xmp else _PNG_KINDS[name])
        elif name == b"IEND":
            yield Region(stop, stop, len(data), _BEHIND)


_WEBP_KINDS = {b"EXIF": EXIF, b"XMP ": XMP, b"C2PA": MANIFEST, b"ICCP": _COLOUR}


def _webp(data: bytes) -> Iterator[Region]:
    for name, start, stop in webp_chunks(data):
        if name in _WEBP_KINDS:
            yield Region(start, start + 8, stop, _WEBP_KINDS[name])


_GIF_KINDS = ((0xFE, b"", _COMMENT), (0xFF, b"XMP DataXMP", XMP), (0xFF, b"C2PA_GIF", MANIFEST))


def _gif(data: bytes) -> Iterator[Region]:
    for label, start, stop in gif_extensions(data):
        for known, prefix, what in _GIF_KINDS:
            if label == known and data.startswith(prefix, start + 3):
                yield Region(start, stop, stop, what)  # its length lies among its bytes, and is part of the header
                break


_TIFF_KINDS = {700: XMP, 33723: _IPTC, 34377: _IPTC, 34675: _COLOUR, 52545: MANIFEST}
_TIFF_DIRECTORIES = (34665, 34853)
"""Exif and GPS."""


def _tiff(data: bytes) -> Iterator[Region]:
    tiff = Tiff.parse(data)
    if tiff is None:
        return
    pictures = picture_extents(tiff)
    for region in _tiff_values(tiff):
        if not any(start < region.stop and region.start < stop for start, stop in pictures):
            yield region


def _tiff_values(tiff: Tiff) -> Iterator[Region]:
    entries = tiff.read(tiff.first).entries
    for tag, what in _TIFF_KINDS.items():
        if tag in entries:
            yield Region(entries[tag].start, entries[tag].start, entries[tag].stop, what)
        if tag in entries and what == MANIFEST:  # its length is left out of the hash, too
            length = entries[tag].at + 4
            yield Region(length, length, length + (8 if tiff.is_big else 4), what)
    for tag in _TIFF_DIRECTORIES:
        for offset in tiff.integers(entries[tag], 1) if tag in entries else ():
            directory = tiff.read(offset)
            yield Region(offset, offset, directory.end, EXIF)
            yield from (Region(each.start, each.start, each.stop, EXIF) for each in directory.entries.values())


_BOX_KINDS = {b"jumb": MANIFEST, b"Exif": EXIF, b"xml ": XMP}


def _boxes(data: bytes) -> Iterator[Region]:
    """Metadata boxes and items, and the manifest, but for those in which a part of the picture lies."""
    extents = item_extents(data)
    pictures = [each for each in extents if each.what is None]
    found = [Region(each.start, each.start, each.stop, each.what) for each in extents if each.what]
    for box in boxes_between(data, 0, len(data)):
        what = MANIFEST if is_manifest(data, box) else _BOX_KINDS.get(box.type)
        found += [Region(box.at, box.start, box.stop, what)] if what else []
    for region in found:
        if not any(each.start < region.stop and region.start < each.stop for each in pictures):
            yield region


_Reader = Callable[[bytes], Iterator[Region]]
_IN_ORDER: Mapping[str, _Reader] = {
    "JPEG": _jpeg,
    "MPO": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
}
_IN_ANY_ORDER: Mapping[str, _Reader] = {"TIFF": _tiff, "AVIF": _boxes, "HEIF": _boxes, "JXL": _boxes}
