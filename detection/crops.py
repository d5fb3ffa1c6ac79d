"""Where in a picture detectors look: native pixels, never a picture shrunk to fit a network."""

from __future__ import annotations

import math

import numpy as np

from assay.vocabulary import Pixels


def windows(height: int, width: int, side: int, count: int) -> list[tuple[int, int]]:
    """Top left corners of at most so many squares, spread evenly over a picture.

    Args:
        height: Of the picture; a length below `side` gives one row (or column) at 0.
        width: Likewise.
        side: Of the squares.
        count: At least 1. Fewer come back where squares would cover the same pixels twice over.
    """
    most_down, most_across = (max(1, math.ceil(length / side)) for length in (height, width))
    shapes = [(down, across) for down in range(1, most_down + 1) for across in range(1, most_across + 1)]
    aspect = math.log(max(height, side) / max(width, side))
    down, across = max(
        (shape for shape in shapes if shape[0] * shape[1] <= count),
        key=lambda shape: (shape[0] * shape[1], -abs(math.log(shape[0] / shape[1]) - aspect)),
    )
    return [(top, left) for top in _spread(height, side, down) for left in _spread(width, side, across)]


def _spread(length: int, side: int, count: int) -> list[int]:
    """In the middle of as many equal parts."""
    room = max(0, length - side)
    return [min(room, max(0, round((number + 0.5) * length / count - side / 2))) for number in range(count)]


def crop(pixels: Pixels, top: int, left: int, side: int) -> Pixels:
    """A square of a picture, uint8 of shape (side, side, 3); what lies beyond its edges is mirrored."""
    cut = pixels[top : top + side, left : left + side]
    down, across = side - cut.shape[0], side - cut.shape[1]
    if not down and not across:
        return cut
    mirrored: Pixels = np.pad(cut, ((0, down), (0, across), (0, 0)), mode="symmetric")
    return mirrored


def crops(pixels: Pixels, side: int, count: int) -> Pixels:
    """At most so many squares: uint8 of shape (n, side, side, 3)."""
    height, width = pixels.shape[:2]
    places = windows(height, width, side, count)
    return np.stack([crop(pixels, top, left, side) for top, left in places])
