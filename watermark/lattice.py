"""Find how a picture that repeats a hidden tile was rotated, scaled or sheared, without the key.

Copies of the tile that lie one period apart agree, so the autocorrelation of what a denoiser leaves over has peaks on a
lattice: the tile's two sides, as they are now. Sums over the lattice's points are compared for all scales and angles in
range, and the best are fitted to the peaks. Periodic marks have been found so since Kutter (SPIE 3528, 1998).
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from watermark.carrier import CELL, TILE, box, means

Sides: TypeAlias = NDArray[np.float64]
"""2 x 2: its columns are the tile's sides in pixels of the picture, x and y, up to a quarter turn and a mirror."""

SMALLEST_CELL, LARGEST_CELL = 2.7, 6.6
"""Pixels a side of the cells that are found."""

COARSE, FINE = 20.0, 4.0
"""Variances in squared grey levels below which a picture counts as noise: of JPEG, and of one that was smoothed."""
_FLATTENED, _FLOOR, _SMOOTHED = 0.5, 0.5, 5
_REACH = 300
_LEAST_OVERLAP = 0.25
_RADIUS = 3.7
"""Of the lattice points that are summed, in tiles."""
_SCALE_STEP, _ANGLE_STEP = 0.012, 0.75
"""Relative, and in degrees."""
_STRETCHES = (1.0, 1.1, 1.2, 1 / 1.1, 1 / 1.2)
"""Of the width alone, after a turn; what lies between is found by the fit."""
_APART = 5
"""Steps between candidates."""
_PEAK, _HIGHEST, _LOWEST = 1.5, 6.0, -4.0
"""In standard deviations of the autocorrelation."""
_SEARCHED = 3
"""Pixels around a predicted peak in which it is looked for."""
_INNER = 30.0


def residual(brightness: Tensor, noise: float) -> Tensor:
    """What a denoiser leaves over, weighted by how much it can be trusted, its spectrum half flattened.

    A local Wiener filter (Lee, IEEE TPAMI 2, 1980) takes the picture away and so divides by its variance; whoever
    flattens the spectrum whole gives JPEG's rounding the most say.

    Args:
        brightness: In [0, 255], shape (height, width).
        noise: `COARSE` or `FINE`.
    """
    window = 2 * CELL + 1
    detail = brightness - box(brightness, window)
    left = detail / (box(detail * detail, window) + noise)
    spectrum = torch.fft.rfft2(left)
    power = spectrum.real**2 + spectrum.imag**2
    around = torch.cat([power[-_SMOOTHED:], power, power[:_SMOOTHED]])[None]
    smooth = means(nnf.pad(around, (_SMOOTHED, _SMOOTHED, 0, 0), mode="reflect"), 2 * _SMOOTHED + 1)[0]
    shaped = spectrum / ((smooth / (smooth.mean() + 1e-30)) ** _FLATTENED + _FLOOR)
    flattened: Tensor = torch.fft.irfft2(shaped, s=left.shape)
    return flattened


def find(left: Tensor, count: int, least: float = -math.inf) -> list[Sides]:
    """The likeliest lattices in a residual of shape (height, width), best first.

    Args:
        left: The residual.
        count: At most.
        least: How far the sum over a lattice's points has to stand out, in standard deviations.
    """
    peaks = _autocorrelation(left)
    return [fitted(peaks, sides) for clear, sides in _candidates(peaks, count) if clear >= least]


class Peaks(NamedTuple):
    """The autocorrelation about its centre, in standard deviations, and the share of the picture that it is made of."""

    values: Tensor
    overlap: Tensor

    @property
    def centre(self) -> tuple[int, int]:
        """Row and column of no shift."""
        return self.values.shape[0] // 2, self.values.shape[1] // 2


def _autocorrelation(left: Tensor) -> Peaks:
    height, width = left.shape
    down, across = min(height - 1, _REACH), min(width - 1, _REACH)
    size = smooth_length(height + down), smooth_length(width + across)
    padded = torch.fft.rfft2(left - left.mean(), s=size)
    whole = torch.fft.irfft2(padded.real**2 + padded.imag**2, s=size).roll((down, across), (0, 1))
    y, x = (torch.arange(-reach, reach + 1, device=left.device) for reach in (down, across))
    overlap = (1 - y.abs() / height)[:, None] * (1 - x.abs() / width)
    values = whole[: 2 * down + 1, : 2 * across + 1] / overlap.sqrt()
    values = nnf.avg_pool2d(values[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    values = values - box(values, 15)
    trusted = (overlap > _LEAST_OVERLAP) & ((y[:, None] ** 2 + x**2) > _INNER**2)
    values = values / (values[trusted].std() + 1e-30)
    return Peaks(values.clamp(_LOWEST, _HIGHEST), torch.where(overlap > _LEAST_OVERLAP, overlap, 0.0))


def smooth_length(least: int) -> int:
    """The next length whose factors are small, for the Fourier transform."""
    length = least
    while math.gcd(length, 2**12 * 3**4 * 5**2) != length:
        length += 1
    return length


def _candidates(peaks: Peaks, count: int) -> list[tuple[float, Sides]]:
    """The lattices with the highest sums: all scales, angles and stretches, each apart from those before."""
    sums, scales, angles = _sums(peaks).cpu().numpy(), *(each.tolist() for each in _scales_and_angles())
    found = []
    for _ in range(count):
        wide, at, turn = (int(index) for index in np.unravel_index(int(sums.argmax()), sums.shape))
        found.append((float(sums[wide, at, turn]), _square(scales[at], angles[turn], _STRETCHES[wide])))
        near = np.arange(turn - _APART, turn + _APART + 1) % sums.shape[2]  # a quarter turn is no turn
        for other, stretch in enumerate(_STRETCHES):
            middle = at + round(math.log(_STRETCHES[wide] / stretch) / 2 / _SCALE_STEP)  # of the same area
            sums[other, max(0, middle - _APART) : max(0, middle + _APART + 1), near] = -np.inf
    return found


def _square(scale: float, angle: float, stretch: float) -> Sides:
    """The sides of a square that was turned and then stretched across."""
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[stretch * cosine, -stretch * sine], [sine, cosine]])


def _sums(peaks: Peaks) -> Tensor:
    """The weighted sum over the points of each lattice, in standard deviations: shape (stretches, scales, angles)."""
    side = 2 * _REACH + 1
    margins = [(side - length) // 2 for length in reversed(peaks.values.shape) for _ in range(2)]
    both = torch.stack([peaks.values * peaks.overlap.sqrt(), peaks.overlap], -1)
    flat = nnf.pad(both, (0, 0, *margins)).reshape(side * side, 2)
    places = _points().to(flat.device)
    total = torch.zeros(*places.shape[1:], 2, device=flat.device)
    for at in places:
        total += flat[at]
    return total[..., 0] / total[..., 1].clamp(min=1e-6).sqrt()


@lru_cache(maxsize=1)
def _scales_and_angles() -> tuple[Tensor, Tensor]:
    """Sides of a tile in pixels, and angles in radians, that are tried."""
    scales = torch.exp(torch.arange(math.log(SMALLEST_CELL), math.log(LARGEST_CELL), _SCALE_STEP)) * TILE
    return scales, torch.deg2rad(torch.arange(0, 90, _ANGLE_STEP))


@lru_cache(maxsize=1)
def _points() -> Tensor:
    """Where each point of each lattice lies in an autocorrelation: (points, stretches, scales, angles).

    One that lies beyond `_REACH` is taken for the corner, where nothing overlaps.
    """
    scales, angles = _scales_and_angles()
    stretches = torch.tensor(_STRETCHES)[:, None, None]
    x, y = scales[:, None] * torch.cos(angles), scales[:, None] * torch.sin(angles)
    places = []
    for i, j in _half_plane(math.floor(_RADIUS)):
        if i * i + j * j > _RADIUS**2:
            continue
        column = (stretches * (i * x - j * y)).round().long() + _REACH
        row = ((i * y + j * x).round().long() + _REACH).expand_as(column)
        inside = (column >= 0) & (column <= 2 * _REACH) & (row >= 0) & (row <= 2 * _REACH)
        places.append(torch.where(inside, row * (2 * _REACH + 1) + column, 0))
    return torch.stack(places)


def _half_plane(reach: int) -> list[tuple[int, int]]:
    """Points without their negatives, which the autocorrelation repeats."""
    return [(i, j) for i, j in product(range(-reach, reach + 1), range(reach + 1)) if j or i > 0]


def fitted(peaks: Peaks, sides: Sides) -> Sides:
    """The lattice through the peaks nearby, from the inner to the outer ones."""
    area = abs(float(np.linalg.det(sides)))
    values = peaks.values.cpu().numpy()
    for reach in (2, 3, 4):
        met = [
            (point, *peak) for point in _half_plane(reach) if (peak := _peak_near(values, sides @ point)) is not None
        ]
        if len(met) < 3:  # noqa: PLR2004 - two points fit anything
            break
        points, places, weights = (np.array(column, float) for column in zip(*met, strict=True))
        fit = np.linalg.lstsq(points * weights[:, None], places * weights[:, None], rcond=None)[0].T
        if not 0.5 < abs(np.linalg.det(fit)) / area < 2:  # noqa: PLR2004 - all peaks on one line
            break
        sides = fit
    return sides


def _peak_near(values: NDArray[np.float32], place: NDArray[np.float64]) -> tuple[tuple[float, float], float] | None:
    """The highest point about a place, as x and y between pixels, and its height; None where there is no peak."""
    (x, y), size = np.rint(place).astype(int), 2 * _SEARCHED + 1
    top, left = (length // 2 + at - _SEARCHED for length, at in zip(values.shape, (y, x), strict=True))
    window = values[max(0, top) : top + size, max(0, left) : left + size]
    if window.shape != (size, size) or window.max() < _PEAK:
        return None
    row, column = np.unravel_index(int(window.argmax()), window.shape)
    rows, columns = (slice(max(0, at - 1), at + 2) for at in (int(row), int(column)))
    height = np.clip(window[rows, columns], 0, None)
    at_y, at_x = np.mgrid[rows, columns][:, : height.shape[0], : height.shape[1]]
    mean_x, mean_y = ((at * height).sum() / height.sum() for at in (at_x, at_y))
    return (x - _SEARCHED + mean_x, y - _SEARCHED + mean_y), float(window.max())
