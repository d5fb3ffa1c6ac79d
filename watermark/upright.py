"""Find tiles that lie upright, at any width and height, in many windows of a picture at once, without the key.

A screenshot, a collage or a stretched picture turns nothing. Its lattice has two unknowns, a tile's width and height,
so that the sums over its points cost a hundredth of those that allow for any turn, and a whole picture can be searched
window by window: the map of where a mark may be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watermark.carrier import TILE
from watermark.lattice import Peaks, Sides, fitted, smooth_length

SMALLEST_CELL, LARGEST_CELL = 1.75, 7.2
"""Pixels of a cell's sides that are found."""
_STEP = 0.012
_APART = 4
"""Steps between candidates."""
_RADIUS, _INNER = 3.7, 30.0
_LEAST_OVERLAP = 0.33
_HIGHEST, _LOWEST = 6.0, -4.0
_AT_ONCE = 12
"""Windows whose autocorrelations are held at once."""


class Lattice(NamedTuple):
    """A lattice that may lie in a window."""

    clear: float
    """How far the sum over its points stands out, in standard deviations of the autocorrelation."""
    window: int
    """Which of the windows."""
    sides: Sides


def find(windows: Sequence[Tensor], count: int, least: float) -> list[Lattice]:
    """The likeliest upright lattices of each window, the clearest first.

    Args:
        windows: Parts of a residual, all of one shape (height, width).
        count: Of each window, at most.
        least: How clear a lattice has to be.
    """
    found = []
    for start in range(0, len(windows), _AT_ONCE):
        peaks = _autocorrelations(torch.stack(list(windows[start : start + _AT_ONCE])))
        sums = _sums(peaks, windows[0].shape[0], windows[0].shape[1]).numpy()
        for number, (values, of_window) in enumerate(zip(peaks, sums, strict=True)):
            found += [
                Lattice(clear, start + number, fitted(Peaks(values, values), sides))
                for clear, sides in _best(of_window, count)
                if clear >= least
            ]
    return sorted(found, key=lambda lattice: -lattice.clear)


def _best(sums: NDArray[np.float32], count: int) -> list[tuple[float, Sides]]:
    found, tiles = [], _tiles()
    for _ in range(count):
        down, across = (int(at) for at in np.unravel_index(int(sums.argmax()), sums.shape))
        found.append((float(sums[down, across]), np.diag([float(tiles[across]), float(tiles[down])])))
        rows, columns = (slice(max(0, at - _APART), at + _APART + 1) for at in (down, across))
        sums[rows, columns] = -np.inf
    return found


@lru_cache(maxsize=1)
def _tiles() -> NDArray[np.float64]:
    """Lengths of a tile that are tried, across and down alike."""
    tiles: NDArray[np.float64] = TILE * np.exp(np.arange(math.log(SMALLEST_CELL), math.log(LARGEST_CELL), _STEP))
    return tiles


def _reach(length: int) -> int:
    """How many pixels an autocorrelation is looked at to each side."""
    return min(length - 1, round(length * (1 - _LEAST_OVERLAP)))


def _autocorrelations(windows: Tensor) -> Tensor:
    """About the centre, in standard deviations: shape (n, 2 down + 1, 2 across + 1)."""
    height, width = windows.shape[1:]
    down, across = _reach(height), _reach(width)
    size = smooth_length(height + down), smooth_length(width + across)
    spectra = torch.fft.rfft2(windows - windows.mean((1, 2), keepdim=True), s=size)
    whole = torch.fft.irfft2((spectra.real**2 + spectra.imag**2) * _band(*size), s=size)
    whole = whole.roll((down, across), (1, 2))[:, : 2 * down + 1, : 2 * across + 1]
    overlap, trusted = _overlap(height, width)
    values = whole / overlap.sqrt()
    spread = (values.square() * trusted).sum((1, 2)).div(trusted.sum()).sqrt()
    peaks: Tensor = (values / (spread[:, None, None] + 1e-30)).clamp(_LOWEST, _HIGHEST)
    return peaks


@lru_cache(maxsize=8)
def _band(height: int, width: int) -> Tensor:
    """The means over 3 x 3 pixels without those over 15 x 15, as a filter on a spectrum."""
    fine, coarse = (
        _mean_of(side, torch.fft.fftfreq(height))[:, None] * _mean_of(side, torch.fft.rfftfreq(width))
        for side in (3, 15)
    )
    return fine * (1 - coarse)


def _mean_of(side: int, frequencies: Tensor) -> Tensor:
    """What the mean over so many neighbours leaves of each frequency, in cycles a pixel."""
    steps = torch.arange(-(side // 2), side // 2 + 1)
    return torch.cos(2 * math.pi * frequencies[:, None] * steps).mean(1)


@lru_cache(maxsize=8)
def _overlap(height: int, width: int) -> tuple[Tensor, Tensor]:
    y, x = (torch.arange(-_reach(length), _reach(length) + 1) for length in (height, width))
    overlap = (1 - y.abs() / height)[:, None] * (1 - x.abs() / width)
    return overlap, ((y[:, None] ** 2 + x**2) > _INNER**2)


def _sums(peaks: Tensor, height: int, width: int) -> Tensor:
    """The weighted sum over the points of each lattice, in standard deviations: shape (n, heights, widths)."""
    places, weights = _points(height, width)
    total = torch.zeros(len(peaks), *weights.shape[1:])
    flat = peaks.flatten(1)
    for place, weight in zip(places, weights, strict=True):
        total += flat[:, place.ravel()].reshape(total.shape) * weight.sqrt()
    return total / weights.sum(0).clamp(min=1e-6).sqrt()


@lru_cache(maxsize=8)
def _points(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where each point of each lattice lies in the autocorrelation of a window, and the share of it behind that."""
    tiles, (overlap, _) = torch.from_numpy(_tiles()), _overlap(height, width)
    down, across = _reach(height), _reach(width)
    places, weights = [], []
    for i, j in product(range(-3, 4), range(4)):
        if i * i + j * j > _RADIUS**2 or (j == 0 and i <= 0):
            continue
        row, column = (j * tiles).round().long()[:, None], (i * tiles).round().long()[None, :]
        inside = (row <= down) & (column.abs() <= across)
        at = row.clamp(max=down) + down, column.clamp(-across, across) + across
        places.append(at[0] * (2 * across + 1) + at[1])
        weights.append(torch.where(inside, overlap[at], 0.0))
    return torch.stack(places), torch.stack(weights)
