"""False finds of the mark in the pixels: `python -m tests.benchmarks.pixel_null FOLDER [--keys 50] [--draws 1000000]`.

Fresh keys on unmarked pictures, through everything that reading tries; and the sync statistic at one place fixed before
looking, whose law is known: half of a fair coin's sum.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from scipy.stats import norm

from assay.jobs.robustness.pixels import photographs
from assay.stats import clopper_pearson
from watermark import lattice
from watermark.carrier import CELL, CELLS, LUMA, SYNC
from watermark.spread import Spread
from watermark.tiles import folded

LEVELS = (1e-2, 1e-3, 1e-4, 1e-5)
_AT_ONCE = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200, help="pictures")
    parser.add_argument("--keys", type=int, default=50, help="fresh ones for each picture")
    parser.add_argument("--draws", type=int, default=1_000_000, help="of the sync statistic")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    pictures = photographs(options.folder, count=options.count, side=512, words=None).pixels
    _sync(pictures[0], options.draws, random)
    found = sum(
        Spread().read(pixels, [random.bytes(32) for _ in range(options.keys)]) is not None for pixels in pictures
    )
    draws = len(pictures) * options.keys
    low, high = clopper_pearson(found, draws)
    print(
        f"whole reading: {found} of {draws:,} pairs of a picture and a fresh key, 95 % interval {low:.1e} to {high:.1e}"
    )


def _sync(pixels: np.ndarray, draws: int, random: np.random.Generator) -> None:
    left = lattice.residual(torch.from_numpy(pixels.astype(np.float32)) @ torch.tensor(LUMA), lattice.COARSE)
    cells = folded(left, np.eye(3)).tiles[0][::CELL, ::CELL].numpy().ravel()
    cells /= np.sqrt((cells**2).mean())
    exceeding = np.zeros(len(LEVELS), int)
    bounds = norm.isf(LEVELS)
    for start in range(0, draws, _AT_ONCE):
        size = min(_AT_ONCE, draws - start)
        chosen = np.argpartition(random.random((size, CELLS)), SYNC, axis=1)[:, :SYNC]
        sums = (random.choice((-1.0, 1.0), (size, SYNC)) * cells[chosen]).sum(axis=1) / np.sqrt(SYNC)
        exceeding += (sums[:, None] >= bounds).sum(axis=0)
    for level, count in zip(LEVELS, exceeding, strict=True):
        print(
            f"sync statistic: {count:,} of {draws:,} beyond a normal tail of {level:.0e}: {draws * level:,.0f} expected"
        )


if __name__ == "__main__":
    main()
