"""Hand-made features of a square of pixels: what demosaicing, lenses and codecs leave, and decoders leave otherwise.

Five kinds, all cheap and all named, so that a finding can be traced to what it rests on:

- co-occurrences of three neighbouring residuals, after rich models (Fridrich and Kodovsky, IEEE TIFS 7, 2012);
- the radial spectrum of the residual (Durall et al., CVPR 2020);
- peaks at the frequencies of upsampling by 2, 4 and 8 (Zhang et al., WIFS 2019; Corvi et al., ICASSP 2023);
- how residuals of the colours go together, and how much there is of them in dark and bright places;
- where in a grid of eight the steps between pixels are larger.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from assay.vocabulary import Pixels

_Values: TypeAlias = NDArray[np.float32]

LEVELS = 2
"""Residuals are cut off at this many steps to either side."""
STEPS = (1.0, 3.0)
"""Grey levels of one step."""
RINGS = 32
"""Rings of the spectrum, from the mean to the corner frequencies."""
LATTICE = 8
BRIGHTNESSES = 6
_EPSILON = 1e-6


def describe(squares: Pixels) -> _Values:
    """Features of squares, float32 of shape (n, `len(names())`).

    Args:
        squares: uint8 of shape (n, side, side, 3); the side is a multiple of 16, at least 64.
    """
    return np.stack([_describe(square) for square in squares])


@cache
def names() -> tuple[str, ...]:
    """What each feature is."""
    black = np.zeros((64, 64, 3), np.uint8)
    return tuple(f"{name} {number}" for name, values in _parts(black) for number in range(len(values)))


def _describe(square: Pixels) -> _Values:
    return np.concatenate([values for _, values in _parts(square)]).astype(np.float32)


def _parts(square: Pixels) -> list[tuple[str, _Values]]:
    colours = square.astype(np.float32)
    luma = colours @ np.array([0.299, 0.587, 0.114], np.float32)
    residual = _laplacian(luma)
    power = _power(residual)
    return [
        *_cooccurrences(luma),
        ("spectrum", _radial(power)),
        ("lattice", _lattice(power)),
        ("colours", _colours(colours)),
        ("noise by brightness", _by_brightness(luma, residual)),
        ("grid", _grid(luma)),
    ]


# --- co-occurrences ---------------------------------------------------------------------------------------------------


def _cooccurrences(luma: _Values) -> list[tuple[str, _Values]]:
    found = []
    for order, step in product((1, 2, 3), STEPS):
        counts = sum(_triples(_difference(values, order), step) for values in (luma, np.ascontiguousarray(luma.T)))
        folded = np.bincount(_classes(), counts)
        found.append((f"order {order} step {step:g}", (folded / folded.sum()).astype(np.float32)))
    return found


def _difference(luma: _Values, order: int) -> _Values:
    """Of neighbours in a row, scaled so that each order has about the same size in noise."""
    scale = (1.0, 0.577, 0.316)[order - 1]
    values: _Values = np.diff(luma, order, axis=1) * np.float32(scale)
    return values


def _triples(residual: _Values, step: float) -> NDArray[np.int64]:
    """How often each of three quantised neighbours occurs: shape ((2 LEVELS + 1)^3,)."""
    base = 2 * LEVELS + 1
    cells = (np.clip(np.rint(residual * np.float32(1 / step)), -LEVELS, LEVELS) + LEVELS).astype(np.int16)
    codes = (cells[:, :-2] * base + cells[:, 1:-1]) * base + cells[:, 2:]
    counts: NDArray[np.int64] = np.bincount(codes.ravel(), minlength=base**3)
    return counts


@cache
def _classes() -> NDArray[np.int64]:
    """Triples that are the same but for sign and direction share a number."""
    numbers: dict[tuple[int, ...], int] = {}
    classes = []
    for triple in product(range(-LEVELS, LEVELS + 1), repeat=3):
        negated = tuple(-value for value in triple)
        first = min(triple, triple[::-1], negated, negated[::-1])
        classes.append(numbers.setdefault(first, len(numbers)))
    return np.array(classes)


# --- the spectrum -----------------------------------------------------------------------------------------------------


def _laplacian(values: _Values) -> _Values:
    """What a pixel has beyond the mean of its four neighbours."""
    residual: _Values = values.copy()
    residual[1:-1, 1:-1] -= (values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]) / 4
    residual[[0, -1], :] = 0
    residual[:, [0, -1]] = 0
    return residual


def _power(residual: _Values) -> _Values:
    side = residual.shape[0]
    window = np.hanning(side).astype(np.float32)
    spectrum = np.fft.rfft2(residual * window[:, None] * window[None, :])
    power: _Values = (np.abs(spectrum) ** 2 / side**2).astype(np.float32)
    return power


def _radial(power: _Values) -> _Values:
    """log10 of the mean power in each ring, less their mean; then that mean."""
    rings = _rings(power.shape)
    means = np.bincount(rings.ravel(), power.ravel(), RINGS) / np.maximum(
        np.bincount(rings.ravel(), minlength=RINGS), 1
    )
    logs = np.log10(means + _EPSILON)
    values: _Values = np.append(logs - logs.mean(), logs.mean()).astype(np.float32)
    return values


@cache
def _rings(shape: tuple[int, int]) -> NDArray[np.int64]:
    side = shape[0]
    down = np.minimum(np.arange(side), side - np.arange(side))[:, None]
    radius = np.hypot(down, np.arange(shape[1])[None, :])
    rings: NDArray[np.int64] = np.minimum(radius / (side / 2) / np.sqrt(2) * RINGS, RINGS - 1).astype(np.int64)
    return rings


def _lattice(power: _Values) -> _Values:
    """log10 of the power at multiples of an eighth of the sampling rate, over that of their surroundings."""
    side = power.shape[0]
    step = side // LATTICE
    smooth = uniform_filter(power, size=9, mode="wrap")
    peaks = uniform_filter(power, size=3, mode="wrap")
    ratio = np.log10((peaks + _EPSILON) / (smooth + _EPSILON))
    rows = np.arange(0, side, step)
    columns = np.arange(0, side // 2 + 1, step)
    found = ratio[np.ix_(rows, columns)]
    folded = (found + found[(-np.arange(LATTICE)) % LATTICE]) / 2
    values: _Values = folded[: LATTICE // 2 + 1].ravel()[1:]
    return values


# --- colours, brightness, grid ----------------------------------------------------------------------------------------


def _colours(colours: _Values) -> _Values:
    """Correlations of the residuals of red, green and blue, their sizes against green's, and their tails."""
    residuals = np.stack([_laplacian(colours[..., channel])[2:-2, 2:-2].ravel() for channel in range(3)])
    spread = residuals.std(axis=1) + _EPSILON
    scaled = (residuals - residuals.mean(axis=1, keepdims=True)) / spread[:, None]
    pairs = [float((scaled[a] * scaled[b]).mean()) for a, b in ((0, 1), (1, 2), (0, 2))]
    sizes = np.log10(spread / spread[1])[[0, 2]]
    tails = np.log10(((scaled * scaled) ** 2).mean(axis=1) + 1)
    return np.concatenate([pairs, sizes, tails]).astype(np.float32)


def _by_brightness(luma: _Values, residual: _Values) -> _Values:
    """log10 of the typical residual where the picture has each sixth of the range; that of all where it has none."""
    bins = np.minimum(luma / 256 * BRIGHTNESSES, BRIGHTNESSES - 1).astype(np.int64).ravel()
    size = np.abs(residual).ravel()
    counts = np.bincount(bins, minlength=BRIGHTNESSES)
    means = np.where(
        counts > luma.size // 100, np.bincount(bins, size, BRIGHTNESSES) / np.maximum(counts, 1), size.mean()
    )
    values: _Values = np.log10(means + 0.01).astype(np.float32)
    return values


def _grid(luma: _Values) -> _Values:
    """Mean step between pixels in each of eight phases over the mean of all, sorted, across and down."""
    found = []
    for values in (luma, luma.T):
        steps = np.abs(np.diff(values, 2, axis=1)).mean(axis=0)
        phases = np.array([steps[phase::8].mean() for phase in range(8)])
        found.append(np.sort(phases / (phases.mean() + _EPSILON)))
    return np.concatenate(found).astype(np.float32)
