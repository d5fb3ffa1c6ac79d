"""The colours of the ledger's newest thumbnails, kept in a file, so that a process need not open all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.files import write_whole
from assay.fingerprint import opened
from assay.vocabulary import Pixels

_SIDE, _LEVELS = 32, 4
_ROW = np.dtype([("image", "<u8"), ("counts", "<u2", _LEVELS**3)])
_NONE = 2**16 - 1
"""Stands for every count of a row without a thumbnail."""


def counted(pixels: Pixels) -> NDArray[np.uint16]:
    """How many of 32 x 32 samples have each of 4 x 4 x 4 colours: the same after any turn, nearly so after a crop."""
    small = np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX)) >> 6
    codes = small[..., 0].astype(np.intp) * _LEVELS**2 + small[..., 1] * _LEVELS + small[..., 2]
    return np.bincount(codes.ravel(), minlength=_LEVELS**3).astype(np.uint16)


def apart(counts: NDArray[np.uint16], pixels: Pixels) -> NDArray[np.float64]:
    """How far apart the colours of rows and of a picture are: 0 for the same, NaN without a thumbnail, shape (n,)."""
    shares = np.where(counts == _NONE, np.nan, counts / _SIDE**2)
    distances: NDArray[np.float64] = np.abs(np.sqrt(shares) - np.sqrt(counted(pixels) / _SIDE**2)).sum(axis=1)
    return distances


def kept(path: Path) -> dict[int, NDArray[np.uint16]]:
    """What a file holds, by image id; nothing where it is not there or damaged, for it can be made again."""
    with suppress(OSError, ValueError, EOFError):
        rows = np.load(path, allow_pickle=False)
        if rows.dtype == _ROW and rows.ndim == 1:
            return dict(zip(rows["image"].tolist(), rows["counts"], strict=True))
    return {}


def keep(path: Path, palettes: Mapping[int, NDArray[np.uint16]]) -> None:
    """Write them; a folder that cannot be written costs the next process the time that it takes to make them."""
    rows = np.zeros(len(palettes), _ROW)
    rows["image"], rows["counts"] = list(palettes), list(palettes.values())
    stream = BytesIO()
    np.save(stream, rows)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, stream.getvalue(), mode=0o600)


def made(thumbnails: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """The palettes of thumbnails, by image id."""
    for image_id, thumbnail in thumbnails:
        yield image_id, counted(opened(thumbnail)) if thumbnail else np.full(_LEVELS**3, _NONE, np.uint16)
