"""False finds of the mark in the pixels: `python -m tests.benchmarks.pixel_null FOLDER --out FILE [--keys 50]`.

Fresh keys on unmarked pictures, through the whole search, parts of screens and collages included; each picture is a
line of FILE as soon as it was read, so that a run goes on where it was stopped. And the sync statistic at one place
fixed before looking, whose law is known: half of a fair coin's sum.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Set
from pathlib import Path

import numpy as np
import torch
from scipy.stats import norm

from assay.jobs.robustness.pictures import opened, paths_in
from assay.stats import clopper_pearson
from assay.vocabulary import Pixels
from watermark import lattice
from watermark.carrier import CELL, CELLS, LUMA, SYNC
from watermark.spread import Spread
from watermark.tiles import folded

LEVELS = (1e-2, 1e-3, 1e-4, 1e-5)
_AT_ONCE = 20_000
SIDE = 512
Picture = tuple[str, int]
"""Its path, and the side at which it is read; 0 for its own."""


def main() -> None:
    """Measure what FILE lacks, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="pictures")
    parser.add_argument("--keys", type=int, default=50, help="fresh ones for each picture")
    parser.add_argument("--native", action="store_true", help="at their own size, not at 512 pixels")
    parser.add_argument("--draws", type=int, default=1_000_000, help="of the sync statistic")
    options = parser.parse_args()
    paths = paths_in(options.folder)[: options.count]
    _sync(opened(paths[0], SIDE), options.draws)
    with options.out.open("a") as lines:
        for line in _measured(paths, options.keys, None if options.native else SIDE, _counts(options.out).keys()):
            print(json.dumps(line), file=lines, flush=True)
    counts = _counts(options.out).values()
    draws, found = sum(keys for keys, _ in counts), sum(found for _, found in counts)
    low, high = clopper_pearson(found, draws)
    print(
        f"whole search: {found} of {draws:,} pairs of a picture and a fresh key found anything, in {len(counts):,} "
        f"readings of pictures; 95 % interval {low:.1e} to {high:.1e}"
    )


def _measured(
    paths: list[Path], keys: int, side: int | None, done: Set[Picture]
) -> Iterator[tuple[str, int, int, int]]:
    """Path, side, keys that were tried, and keys that found anything, picture by picture."""
    for number, path in enumerate(paths):
        if (str(path), side or 0) not in done:
            random = np.random.default_rng([number, side or 0])
            read = Spread().search(opened(path, side), [random.bytes(32) for _ in range(keys)]).readings
            yield str(path), side or 0, keys, len({one.key for one in read})


def _counts(path: Path) -> dict[Picture, tuple[int, int]]:
    lines = path.read_text().splitlines() if path.exists() else ()
    return {(name, side): (keys, found) for name, side, keys, found in map(json.loads, lines)}


def _sync(pixels: Pixels, draws: int) -> None:
    random = np.random.default_rng(0)
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
