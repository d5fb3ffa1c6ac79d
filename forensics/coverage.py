"""What the hash of a manifest leaves out of the file, and whether it still stands for the picture.

A signer may leave bytes out of the hash: the manifest itself has to be, metadata often is, since later software writes
there. Whatever is left out can be changed by anybody without a key. The library only says that more than the manifest
is left out, and says it of every AVIF that it signs itself; so the byte ranges (C2PA 2.2, section 18.5), boxes
(section 18.7) and names (section 18.6) are judged here, on the file as it is.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from assay.containers import walk
from assay.containers.items import boxes_between
from assay.containers.model import Kind
from assay.containers.regions import EXIF, MANIFEST, Region, metadata_regions
from assay.containers.tiff import Tiff
from forensics.box_coverage import box_coverage
from forensics.covered import PICTURE, WHOLE, Coverage, merged
from forensics.crjson import as_dicts, as_text, natural

_ORIENTATION_TAG = 274
_INTRUDER = "something else stands in the place of the manifest (C2PA 2.2, section 15.12)"
_MAX_EXCLUSIONS = 32
"""Of one hash; the largest number seen is five. More are not followed, and taken for the worst."""


def coverage(data: bytes, format: str, name: str, body: dict[str, Any]) -> Coverage:  # noqa: A002
    """Return what the hash of the file leaves out.

    Args:
        data: The file as received.
        format: Pillow's name of the format.
        name: Label of the assertion that binds the file, such as `c2pa.hash.data`.
        body: Its content, as crJSON writes it.
    """
    exclusions = as_dicts(body.get("exclusions"))
    if sum(1 + len(as_dicts(each.get("subset"))) for each in exclusions) > _MAX_EXCLUSIONS:
        return Coverage(reaches_picture=f"more than {_MAX_EXCLUSIONS} pieces of the file")
    if name.startswith("c2pa.hash.bmff"):
        return box_coverage(data, exclusions)
    if name.startswith("c2pa.hash.boxes"):
        return _of_names(data, format, as_dicts(body.get("boxes")))
    ranges = ((natural(each, "start"), natural(each, "start") + natural(each, "length")) for each in exclusions)
    return _of_ranges(data, format, merged(ranges))


# --- byte ranges ------------------------------------------------------------------------------------------------------


def _of_ranges(data: bytes, format: str, ranges: list[tuple[int, int]]) -> Coverage:  # noqa: A002
    if not ranges:
        return WHOLE
    regions = metadata_regions(data, format, ranges[-1][1])
    found = _as_they_lie(ranges, regions)
    if found[-1][1] > ranges[-1][1]:
        regions = metadata_regions(data, format, found[-1][1])
        found = _as_they_lie(ranges, regions)
    outside: dict[str, None] = {}
    starts = [region.start for region in regions]
    for start, stop in found:
        near = regions[max(0, bisect_right(starts, start) - 1) : bisect_left(starts, stop)]
        touched = [each for each in near if each.stop > start]
        kinds = {each.what for each in touched}
        is_metadata = _is_metadata_alone(start, stop, touched)
        if MANIFEST in kinds and (len(kinds) > 1 or not is_metadata):
            return Coverage(intruder=_INTRUDER)  # the library has found that the range begins and ends as the manifest
        if not is_metadata:
            return Coverage(reaches_picture=PICTURE)
        outside |= dict.fromkeys(kinds)
    outside.pop(MANIFEST, None)
    return Coverage(outside=(*outside, *(_orientation(data, format) if EXIF in outside else ())))


def _as_they_lie(ranges: list[tuple[int, int]], regions: tuple[Region, ...]) -> list[tuple[int, int]]:
    """The ranges where the manifest store has grown since, as an update manifest makes it (C2PA 2.2, section 15.12)."""
    found, growth = [], 0
    stores = _stores(regions)
    for start, stop in ranges:
        grown = max(stores.get(start + growth, 0) - (stop - start), 0)
        found.append((start + growth, stop + growth + grown))
        growth += grown
    return found


def _stores(regions: tuple[Region, ...]) -> dict[int, int]:
    """Start and length of the pieces of the manifest store; those without a gap between them are one."""
    found: dict[int, int] = {}
    start = stop = -1
    for region in regions:
        if region.what == MANIFEST:
            start = start if region.start == stop else region.start
            stop = region.stop
            found[start] = stop - start
    return found


def _is_metadata_alone(start: int, stop: int, touched: list[Region]) -> bool:
    """Whether nothing but metadata can be changed in a range.

    No byte lies between the pieces, and no header can be changed so that its piece takes in what follows.
    """
    if not touched:
        return False
    first, last = touched[0], touched[-1]
    is_gapless = all(before.stop == after.start for before, after in itertools.pairwise(touched))
    is_inside = first is last and start >= first.body and stop <= last.stop
    return is_inside or (is_gapless and start >= first.start and stop == last.stop)


def _orientation(data: bytes, format: str) -> Iterator[str]:  # noqa: A002
    for block in walk(data, format).blocks:
        tiff = Tiff.parse(block.payload) if block.kind is Kind.EXIF else None
        if tiff is not None and _ORIENTATION_TAG in tiff.read(tiff.first).entries:
            yield "the orientation (in EXIF)"
            return


# --- names ------------------------------------------------------------------------------------------------------------

_NAMED = {"C2PA": "", "APP1": "EXIF or XMP", "APP13": "IPTC and Photoshop data", "COM": "comments"}
_NAMED |= {"eXIf": EXIF, "Exif": EXIF, "xml ": "XMP", "tEXt": "text", "iTXt": "text", "zTXt": "text"}
_NAMED |= {"APP2": "the colour profile", "iCCP": "the colour profile"}
_LAST = {"JPEG": "EOI", "MPO": "EOI", "PNG": "IEND", "GIF": "3B"}
"""How the last piece of a file is called; a list that stops before it covers nothing behind."""


def _of_names(data: bytes, format: str, boxes: list[dict[str, Any]]) -> Coverage:  # noqa: A002
    """Pieces that are listed but marked as left out, and those behind the last one that is listed."""
    outside: dict[str, None] = {}
    listed: list[str] = []
    for box in boxes:
        names = box.get("names")
        listed += map(as_text, names if isinstance(names, list) else ())
        for name in map(as_text, names if isinstance(names, list) and box.get("excluded") is True else ()):
            if name not in _NAMED:
                return Coverage(reaches_picture=PICTURE)
            outside[_NAMED[name]] = None
    is_whole = len(listed) == len(boxes_between(data, 0, len(data))) if format == "JXL" else False
    if not is_whole and (not listed or listed[-1] != _LAST.get(format)):
        return Coverage(reaches_picture="what stands behind the last piece that it lists")
    outside.pop("", None)
    return Coverage(outside=tuple(outside))
