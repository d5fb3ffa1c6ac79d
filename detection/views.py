"""The views of a picture that a frozen network is shown: all of it, where its detail is, and something in between.

Everything is cut from a square, for the proportions of a picture tell more about where it came from than what made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.vocabulary import Pixels
from detection.crops import crop
from detection.pictures import limited

LONGEST = 1_024
"""Pixels a side of the square, at most."""
CROPS, GRID = 3, 2
"""Native squares where the detail is; and so many a side that lie halfway between native pixels and the whole."""


def square(pixels: Pixels) -> Pixels:
    """The largest square in the middle of a picture, reduced to `LONGEST`."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return limited(pixels[top : top + side, left : left + side], LONGEST)


def views(picture: Pixels, names: Sequence[str], side: int) -> Pixels:
    """Some views of a picture.

    Args:
        picture: uint8 of shape (height, width, 3), about square.
        names: Of `VIEWS`.
        side: Pixels a side of a view.

    Returns:
        uint8 of shape (len(names), side, side, 3).
    """
    return np.stack([VIEWS[name](picture, side) for name in names])


def _whole(picture: Pixels, side: int) -> Pixels:
    return _resized(picture, side)


def _crop(number: int) -> Callable[[Pixels, int], Pixels]:
    def cut(picture: Pixels, side: int) -> Pixels:
        top, left = most_detailed(picture, side, number + 1)[-1]
        return crop(picture, top, left, side)

    return cut


def _part(down: int, across: int) -> Callable[[Pixels, int], Pixels]:
    def cut(picture: Pixels, side: int) -> Pixels:
        whole = _resized(picture, GRID * side)
        return whole[down * side : (down + 1) * side, across * side : (across + 1) * side]

    return cut


VIEWS: Mapping[str, Callable[[Pixels, int], Pixels]] = {
    "whole": _whole,
    **{f"crop-{number + 1}": _crop(number) for number in range(CROPS)},
    **{f"grid-{down * GRID + across + 1}": _part(down, across) for down in range(GRID) for across in range(GRID)},
}
"""By name."""


def _resized(picture: Pixels, side: int) -> Pixels:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def most_detailed(picture: Pixels, side: int, count: int) -> list[tuple[int, int]]:
    """Top left corners of the squares with most detail, each the best of those that overlap the others least.

    Args:
        picture: uint8 of shape (height, width, 3).
        side: Of the squares; a shorter picture has one row (or column) of them.
        count: How many; from the second on a square may be covered by those before by a half at most, where it can.
    """
    detail = _steps(picture)
    downs, acrosses = (_places(length, side) for length in picture.shape[:2])
    sums = {(top, left): _sum(detail, top, left, side) for top in downs for left in acrosses}
    ranked = sorted(sums, key=lambda place: (-sums[place], place))
    chosen: list[tuple[int, int]] = []
    while len(chosen) < count:
        free = [place for place in ranked if all(_overlap(place, other, side) <= 0.5 for other in chosen)]  # noqa: PLR2004
        chosen.append(next(iter(free), ranked[len(chosen) % len(ranked)]))
    return chosen


def _steps(picture: Pixels) -> NDArray[np.float64]:
    """Sums over all that lies above and to the left of the differences between neighbours: (height + 1, width + 1)."""
    grey = picture.astype(np.float32).mean(2)
    steps = np.zeros_like(grey)
    steps[:, 1:] += np.abs(np.diff(grey, axis=1))
    steps[1:] += np.abs(np.diff(grey, axis=0))
    return np.pad(steps.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _sum(sums: NDArray[np.float64], top: int, left: int, side: int) -> float:
    bottom, right = min(top + side, len(sums) - 1), min(left + side, sums.shape[1] - 1)
    return float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def _places(length: int, side: int) -> list[int]:
    """Every quarter of a square, and the last place."""
    last = max(0, length - side)
    return sorted({*range(0, last + 1, max(1, side // 4)), last})


def _overlap(one: tuple[int, int], other: tuple[int, int], side: int) -> float:
    down, across = (max(0, side - abs(a - b)) for a, b in zip(one, other, strict=True))
    return down * across / side**2
