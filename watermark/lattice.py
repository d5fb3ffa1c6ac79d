"""Find how a picture that repeats a hidden tile was rotated, scaled or sheared, without the key.

Copies of the tile that lie one period apart agree, so the autocorrelation of what a denoiser leaves over has peaks on a
lattice: the tile's two sides, as they are now. Sums over the lattice's points are compared for all scales and angles in
range, and the best are fitted to the peaks. Periodic marks have been found so since Kutter (SPIE 3528, 1998).
"""

from __future__ import annotations

import math
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from watermark.carrier import CELL, TILE, box

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
    around = torch.cat([power[-_SMOOTHED:], power, power[:_SMOOTHED]])[None, None]
    smooth = nnf.avg_pool2d(nnf.pad(around, (_SMOOTHED, _SMOOTHED, 0, 0), mode="reflect"), 2 * _SMOOTHED + 1, 1)[0, 0]
    shaped = spectrum / ((smooth / (smooth.mean() + 1e-30)) ** _FLATTENED + _FLOOR)
    flattened: Tensor = torch.fft.irfft2(shaped, s=left.shape)
    return flattened


def find(left: Tensor, count: int) -> list[Sides]:
    """The likeliest lattices in a residual of shape (height, width), best first."""
    peaks = _autocorrelation(left)
    return [_fitted(peaks, sides) for sides in _candidates(peaks, count)]


class _Peaks(NamedTuple):
    """The autocorrelation about its centre, in standard deviations, and the share of the picture that it is made of."""

    values: Tensor
    overlap: Tensor

    @property
    def centre(self) -> tuple[int, int]:
        return self.values.shape[0] // 2, self.values.shape[1] // 2


def _autocorrelation(left: Tensor) -> _Peaks:
    height, width = left.shape
    padded = torch.fft.rfft2(left - left.mean(), s=(2 * height, 2 * width))
    whole = torch.fft.irfft2(padded.real**2 + padded.imag**2, s=(2 * height, 2 * width)).roll((height, width), (0, 1))
    down, across = min(height - 1, _REACH), min(width - 1, _REACH)
    y, x = (torch.arange(-reach, reach + 1, device=left.device) for reach in (down, across))
    overlap = (1 - y.abs() / height)[:, None] * (1 - x.abs() / width)
    values = whole[height - down : height + down + 1, width - across : width + across + 1] / overlap.sqrt()
    values = nnf.avg_pool2d(values[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    values = values - box(values, 15)
    trusted = (overlap > _LEAST_OVERLAP) & ((y[:, None] ** 2 + x**2) > _INNER**2)
    values = values / (values[trusted].std() + 1e-30)
    return _Peaks(values.clamp(_LOWEST, _HIGHEST), torch.where(overlap > _LEAST_OVERLAP, overlap, 0.0))


def _candidates(peaks: _Peaks, count: int) -> list[Sides]:
    """The lattices with the highest sums: all scales, angles and stretches, each apart from those before."""
    device = peaks.values.device
    scales = torch.exp(torch.arange(math.log(SMALLEST_CELL), math.log(LARGEST_CELL), _SCALE_STEP, device=device)) * TILE
    angles = torch.deg2rad(torch.arange(0, 90, _ANGLE_STEP, device=device))
    sums = torch.stack([_sums(peaks, scales, angles, stretch) for stretch in _STRETCHES]).cpu().numpy()
    found = []
    for _ in range(count):
        wide, at, turn = (int(index) for index in np.unravel_index(int(sums.argmax()), sums.shape))
        found.append(_square(float(scales[at]), float(angles[turn]), _STRETCHES[wide]))
        near = np.arange(turn - _APART, turn + _APART + 1) % sums.shape[2]  # a quarter turn is no turn
        for other, stretch in enumerate(_STRETCHES):
            middle = at + round(math.log(_STRETCHES[wide] / stretch) / 2 / _SCALE_STEP)  # of the same area
            sums[other, max(0, middle - _APART) : max(0, middle + _APART + 1), near] = -np.inf
    return found


def _square(scale: float, angle: float, stretch: float) -> Sides:
    """The sides of a square that was turned and then stretched across."""
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[stretch * cosine, -stretch * sine], [sine, cosine]])


def _sums(peaks: _Peaks, scales: Tensor, angles: Tensor, stretch: float) -> Tensor:
    """The weighted sum over the points of each lattice, in standard deviations: shape (scales, angles)."""
    height, width = peaks.values.shape
    x, y = scales[:, None] * torch.cos(angles), scales[:, None] * torch.sin(angles)
    weighted, weights = (peaks.values * peaks.overlap.sqrt()).ravel(), peaks.overlap.ravel()
    total, counted = torch.zeros_like(x), torch.zeros_like(x)
    for i, j in _half_plane(math.floor(_RADIUS)):
        if i * i + j * j > _RADIUS**2:
            continue
        column = (stretch * (i * x - j * y) + peaks.centre[1]).round().long()
        row = (i * y + j * x + peaks.centre[0]).round().long()
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        at = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
        total += torch.where(inside, weighted[at], 0.0)
        counted += torch.where(inside, weights[at], 0.0)
    sums: Tensor = total / counted.clamp(min=1e-6).sqrt()
    return sums


def _half_plane(reach: int) -> list[tuple[int, int]]:
    """Points without their negatives, which the autocorrelation repeats."""
    return [(i, j) for i, j in product(range(-reach, reach + 1), range(reach + 1)) if j or i > 0]


def _fitted(peaks: _Peaks, sides: Sides) -> Sides:
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
