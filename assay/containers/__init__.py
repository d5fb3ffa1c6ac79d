"""Where an image ends in its file, and which blocks of metadata lie inside, for every format that Assay opens.

`walk` follows the structure and decodes nothing: it costs about a millisecond a megabyte and never raises, whatever the
bytes. Pillow's readers are no substitute here: they stop at the pixel data, keep the last of several comments only, and
do not say where the image ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from assay.containers.bmp import walk_bmp
from assay.containers.boxes import has_joined_stores, largest_item, walk_boxes, walk_jxl
from assay.containers.further import further_blocks
from assay.containers.gif import walk_gif
from assay.containers.jpeg import walk_jpeg
from assay.containers.model import Block, Container, Kind
from assay.containers.png import walk_png
from assay.containers.tiff import walk_tiff
from assay.containers.webp import walk_webp

__all__ = ["Block", "Container", "Kind", "further_blocks", "has_joined_stores", "largest_item", "walk"]

_WALKERS: Mapping[str, Callable[[bytes], Container]] = {
    "JPEG": walk_jpeg,
    "MPO": walk_jpeg,
    "PNG": walk_png,
    "GIF": walk_gif,
    "WEBP": walk_webp,
    "AVIF": walk_boxes,
    "HEIF": walk_boxes,
    "JXL": walk_jxl,
    "TIFF": walk_tiff,
    "BMP": walk_bmp,
}

_latest: tuple[bytes, str, Container] = (b"", "", Container(end=None, truncated=False))
"""The latest file and its account: it is asked for twice in a row, as an exhibit and for its metadata.

Files are told apart by identity: a cache that compares contents would hash every byte of each.
"""


def walk(data: bytes, format: str) -> Container:  # noqa: A002 - the vocabulary's word
    """Follow the structure of a file.

    Args:
        data: The file exactly as received.
        format: Pillow's name of the format, as in `Picture.format`.

    Returns:
        What the structure says; an empty account for a format that is not walked. Time is linear in the size of `data`.
    """
    global _latest  # noqa: PLW0603 - one entry, set and read whole
    known, name, container = _latest
    if known is not data or name != format:
        container = _walked(data, format)
        _latest = data, format, container
    return container


def _walked(data: bytes, format: str) -> Container:  # noqa: A002 - the vocabulary's word
    walker = _WALKERS.get(format)
    if walker is None:
        return Container(end=None, truncated=False)
    container = walker(data)
    if container.end is not None and not container.further:
        container = replace(container, further=tuple(further_blocks(data, container.end, len(data))))
    return _with_samsung_trailer(data, container)


def _with_samsung_trailer(data: bytes, container: Container) -> Container:
    """Take in what Samsung's phones append to any format: it ends with a directory `SEFH`, its size and `SEFT`."""
    if container.end is None or not data.endswith(b"SEFT"):
        return container
    directory = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    if directory < container.end or not data.startswith(b"SEFH", directory):
        return container
    has_video = data.find(b"MotionPhoto_Data", container.end) >= 0
    trailer = "a Samsung trailer" + (" with the video of a motion photo (MP4)" if has_video else "")
    return replace(container, end=len(data), belongings=(*container.belongings, trailer))
