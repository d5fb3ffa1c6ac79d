"""What is left in a picture for a detector to work with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import dctn

from assay.vocabulary import Pixels

SMALLEST = 192
"""Shorter pictures are not examined: nothing was measured on them."""
_BLOCKS = 400
_ALIVE = 1.0
"""Grey levels that a coefficient must have to count as detail."""
LEAST_DETAIL = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of one picture."""

    longest: int
    """The longer side, in pixels."""
    shortest: int
    detail: float
    """The part of block DCT coefficients, beside the mean, that are at least one grey level: compression, blur and
    reduction all lower it, and so does a flat subject."""
    flat: float
    """The part of neighbouring pixels that are exactly equal in all colours: about 0 in photographs that were not
    compressed to death, much more in drawings, text and screenshots of pages."""


def quality(pixels: Pixels) -> Quality:
    """Measure a picture, uint8 of shape (height, width, 3)."""
    height, width = pixels.shape[:2]
    return Quality(longest=max(height, width), shortest=min(height, width), detail=_detail(pixels), flat=_flat(pixels))


def _detail(pixels: Pixels) -> float:
    luma = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    height, width = (length // 8 * 8 for length in luma.shape)
    if not height or not width:
        return 0.0
    blocks = luma[:height, :width].reshape(height // 8, 8, width // 8, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    chosen = blocks[np.linspace(0, len(blocks) - 1, min(_BLOCKS, len(blocks))).astype(int)]
    coefficients = np.abs(dctn(chosen, axes=(1, 2), norm="ortho")).reshape(len(chosen), 64)[:, 1:]
    return float((coefficients >= _ALIVE).mean())


def _flat(pixels: Pixels) -> float:
    if min(pixels.shape[:2]) < 2:  # noqa: PLR2004 - no neighbour
        return 1.0
    sample = pixels[:: max(1, pixels.shape[0] // 256)]
    return float((sample[:, 1:] == sample[:, :-1]).all(axis=-1).mean())


def unfit(found: Quality) -> str | None:
    """Why a picture is not examined, in words; None where it is."""
    if found.shortest < SMALLEST:
        return f"too small: {found.shortest} pixels on the shorter side, {SMALLEST} are needed"
    if found.detail < LEAST_DETAIL:
        return "too little detail left: flat, blurred, or compressed too much"
    if found.flat > NOT_PHOTOGRAPHIC:
        return "not photographic: large areas of exactly one colour, as in drawings, text and screenshots of pages"
    return None


NOT_PHOTOGRAPHIC = 0.5
"""More equal neighbours than this, and a picture is no photograph nor made to look like one."""
