"""The pictures of a manifest, out of git copies or a folder."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from assay.blobs import copy_of, read_blobs
from assay.pixels import upright_rgb
from assay.vocabulary import Pixels
from detection.manifest import Item

LONGEST = 1_600
"""Longer pictures are reduced to this before anything looks at them: native pixels of a camera are seldom published."""


def files(items: Sequence[Item], place: Path) -> Iterator[tuple[Item, bytes | None]]:
    """The file of each item, in an order that suits the repositories; None where it is absent or another one.

    Args:
        items: Of a manifest.
        place: A folder of git copies, or of the files themselves.
    """
    for repository, group in groupby(sorted(items, key=lambda item: item.repository), lambda item: item.repository):
        listed = list(group)
        copy = copy_of(repository, place) if repository else None
        found = _read_paths(listed, place) if copy is None else read_blobs(copy, [item.blob for item in listed])
        for item, data in zip(listed, found, strict=True):
            same = data is not None and item.sha256 in ("", hashlib.sha256(data).hexdigest())
            yield item, data if same else None


def _read_paths(items: Iterable[Item], place: Path) -> Iterator[bytes | None]:
    for item in items:
        path = place / item.path
        yield None if item.repository or not path.is_file() else path.read_bytes()


def opened(data: bytes, quarter: str = "") -> Pixels | None:
    """Upright pixels of a file, or of one quarter of it; None where it cannot be decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data)) as image:
                pixels, _ = upright_rgb(image)
        except Exception:
            return None
    return part(pixels, quarter)


def part(pixels: Pixels, quarter: str) -> Pixels:
    """One quarter of a grid, or the whole."""
    if not quarter:
        return pixels
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    down, across = divmod(int(quarter), 2)
    return pixels[down * height : (down + 1) * height, across * width : (across + 1) * width]


def limited(pixels: Pixels, longest: int = LONGEST) -> Pixels:
    """Reduced to a longer side; smaller pictures stay as they are."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
