"""EXIF without the thumbnail of the old pixels; everything else keeps its place, since maker notes count on it."""

from __future__ import annotations

from dataclasses import replace

from assay.containers.tiff import Tiff, picture_extents


def without_thumbnail(exif: bytes) -> bytes:
    """The same number of bytes, from the byte-order mark on: no second directory, and zeros where its picture stood."""
    tiff = Tiff.parse(exif)
    if tiff is None or tiff.is_big:
        return exif
    first = tiff.read(tiff.first)
    if not first.following or first.end > len(exif):
        return exif
    blank = bytearray(exif)
    for start, stop in picture_extents(replace(tiff, first=first.following)):
        blank[start:stop] = bytes(len(blank[start:stop]))
    blank[first.end - 4 : first.end] = bytes(4)
    return bytes(blank)
