"""What the hash of an AVIF or HEIF leaves out: whole boxes by their path, or parts of them (C2PA 2.2, section 18.7)."""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from assay.containers.items import Placed, boxes_between, is_manifest, item_extents
from assay.containers.regions import EXIF, XMP
from forensics.covered import LAYOUT, PICTURE, Coverage, merged
from forensics.crjson import as_dicts, as_text, natural

_REQUIRED = frozenset({"ftyp", "mfra"})
"""What the standard has every hash leave out, besides the manifest."""
_PADDING = frozenset({"free", "skip"})
_METADATA_BOXES = {"Exif": EXIF, "xml ": XMP, "uuid": "data of other software (uuid boxes)"}
_INSIDE_META = frozenset({"free", "skip", "uuid", "xml "})
"""Children of `meta` in which nothing says where pictures lie."""
_STRUCTURE = frozenset({"moov", "moof", "jxlc", "jxlp"})


def box_coverage(data: bytes, exclusions: list[dict[str, Any]]) -> Coverage:
    """Return what the exclusions of a hash of boxes leave out, on the file as it is."""
    outside: dict[str, None] = {}
    boxes = boxes_between(data, 0, len(data))
    ranges: list[tuple[int, int]] = []
    for exclusion in exclusions:
        top, *below = [part.partition("[")[0] for part in as_text(exclusion.get("xpath")).strip("/").split("/")]
        if top in _STRUCTURE or (top == "meta" and _reaches_layout(data, boxes, below, exclusion)):
            return Coverage(reaches_picture=LAYOUT)
        kind = top.encode("latin-1", "replace")
        found = [each for each in boxes if each.type == kind and _matches(data, each, exclusion)]
        ranges += [extent for each in found for extent in _subsets(each, exclusion)]
        is_named = top not in _REQUIRED | _PADDING and not all(is_manifest(data, each) for each in found)
        if is_named:
            outside[_METADATA_BOXES.get(top, f"{top} boxes")] = None
    gaps = merged(ranges)
    for start, stop, what in item_extents(data):
        if _overlaps(gaps, start, stop):
            if what is None:
                return Coverage(reaches_picture=PICTURE)
            outside[what] = None
    return Coverage(outside=tuple(outside))


def _overlaps(ranges: list[tuple[int, int]], start: int, stop: int) -> bool:
    """Whether any of several ranges, as `merged` returns them, has a byte in common with another one."""
    before = bisect_left(ranges, (stop, 0)) - 1
    return before >= 0 and start < min(stop, ranges[before][1])


def _reaches_layout(data: bytes, boxes: tuple[Placed, ...], below: list[str], exclusion: dict[str, Any]) -> bool:
    """Whether an exclusion in `meta` leaves out a box that tells where or how pictures lie."""
    metas = [each for each in boxes if each.type == b"meta"]
    if not below:
        return any(_matches(data, each, exclusion) for each in metas)
    if below[0] in _INSIDE_META:
        return False
    children = [each for meta in metas for each in boxes_between(data, meta.start + 4, meta.stop)]
    kind = below[0].encode("latin-1", "replace")
    return any(each.type == kind and (below[1:] or _matches(data, each, exclusion)) for each in children)


def _matches(data: bytes, box: Placed, exclusion: dict[str, Any]) -> bool:
    """Whether the conditions on length and content hold; others are taken to hold, so that no box is missed."""
    length = exclusion.get("length")
    if isinstance(length, int) and length != box.stop - box.at:
        return False
    return all(
        data.startswith(_bytes(each.get("value")), box.at + natural(each, "offset"))
        for each in as_dicts(exclusion.get("data"))
    )


def _bytes(value: Any) -> bytes:
    is_list = isinstance(value, list) and all(isinstance(each, int) and 0 <= each < 256 for each in value)  # noqa: PLR2004
    return bytes(value) if is_list else _unwrapped(as_text(value))


def _unwrapped(text: str) -> bytes:
    """Bytes as crJSON writes them elsewhere: base64 between `b64'` and `'`."""
    try:
        return base64.b64decode(text.removeprefix("b64'").removesuffix("'"), validate=True)
    except ValueError:
        return b""


def _subsets(box: Placed, exclusion: dict[str, Any]) -> Iterator[tuple[int, int]]:
    subsets = as_dicts(exclusion.get("subset"))
    for each in subsets:
        start = box.at + natural(each, "offset")
        length = natural(each, "length")
        yield start, min(start + length, box.stop) if length else box.stop
    if not subsets:
        yield box.at, box.stop
