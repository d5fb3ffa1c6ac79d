"""128-pixel photographs of five kinds of flower, listed by git blob, with captions made from what can be measured.

The photographs are those of github.com/martinwestin/flower_classification. They state no licence, so they are trained
on and never copied: `flowers.csv` beside this file lists path, blob id and split of each.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.blobs import read_blobs
from assay.errors import ConfigurationError
from generation.training.captions import KINDS

REPOSITORY = "martinwestin/flower_classification"
SIDE = 128
MANIFEST = Path(__file__).with_name("flowers.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flowers:
    """One split, decoded."""

    pixels: NDArray[np.uint8]
    """(N, 128, 128, 3)."""
    kinds: NDArray[np.int64]
    """(N,), indices into `KINDS`."""
    captions: tuple[str, ...]


def load(source: Path, split: str) -> Flowers:
    """Decode the photographs of a split.

    Args:
        source: A git copy of the repository (a work tree, or a bare repository).
        split: `train` or `test`.

    Raises:
        ConfigurationError: The folder is no copy of the repository, or lacks a blob of the manifest.
    """
    with MANIFEST.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split]
    blobs = read_listed(source, [row["blob"] for row in rows])
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(blob)).convert("RGB")) for blob in blobs])
    kinds = np.array([KINDS.index(row["kind"]) for row in rows])
    return Flowers(pixels=pixels, kinds=kinds, captions=tuple(row["caption"] for row in rows))


def read_listed(source: Path, ids: Sequence[str]) -> list[bytes]:
    """The photographs with these blob ids, in their order.

    Raises:
        ConfigurationError: The folder lacks one.
    """
    blobs = []
    for name, blob in zip(ids, read_blobs(source, ids), strict=True):
        if blob is None:
            raise ConfigurationError(f"{source}: has no blob {name}", hint=f"Clone github.com/{REPOSITORY} there.")
        blobs.append(blob)
    return blobs
