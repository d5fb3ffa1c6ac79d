"""Pictures of a folder, as they are measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from assay.vocabulary import Pixels

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


def paths_in(folder: Path) -> list[Path]:
    """PNG, JPEG and WebP files of a folder and those below it, in the order of their names."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES]


def opened(path: Path, side: int | None) -> Pixels:
    """A picture as it is, or its middle square brought to this side."""
    with Image.open(path) as image:
        plain = image.convert("RGB")
    if side is not None and plain.size != (side, side):
        least = min(plain.size)
        left, top = (plain.width - least) // 2, (plain.height - least) // 2
        box = (left, top, left + least, top + least)
        plain = plain.resize((side, side), Image.Resampling.LANCZOS, box=box)
    return np.array(plain)
