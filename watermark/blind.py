"""Find the key's noise in a picture that was turned, mirrored, rotated, scaled or cropped, without the original.

A fixed list of hypotheses is tried: each is undone, the noise estimated, and the estimate correlated with the key's
noise at many shifts. What that costs in certainty is counted exactly.

**The null.** Let v be an estimate of the noise, 0 where nothing is known, and d a shift by whole latent pixels. Let
T(d) = sum_i z[i - d] v[i] / |v|, sum and length over the places i for which i - d is on the grid, too. If the picture
was made without the key, then its noise z is N(0, I) and independent of v. So for every hypothesis and every d, T(d) is
a sum of independent normals divided by its standard deviation: exactly N(0, 1) over the draw of the key. Nothing wraps
around, and nothing depends on what the picture, the estimate or the preparation is like.

**The search.** Let e be an e-value, E e(T) <= 1 under the null, and w weights over all hypotheses, shifts and
refinements that are fixed before looking and sum to 1 at most. Then the sum of w e(T) is an e-value, whatever the
dependence, and its inverse a p-value by Markov's inequality. Its terms are positive: leaving some out only makes it
smaller, and the bound holds no matter how those that were looked at were chosen. So refinements are read only where the
coarse search is promising, and still counted as if all had been.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.perturb import Matrix, about_centre, rotation, translation
from assay.stats import log10_normal_e, log10_p_of_e
from assay.vocabulary import Latents, Pixels
from watermark.geometry import Reader, Size, pose, read_undone

Preparation: TypeAlias = Callable[[Latents], NDArray[Any]]
"""What is done to an estimate before it is compared; it sees NaN where nothing is known, and nothing of the key."""

PROMISING = 5.0
"""Least statistic of a hypothesis that is refined."""
_NEGLIGIBLE = 2.0
"""Statistics up to this are left out: their e-values are below 2."""
_REFINED = 2
"""How many hypotheses are refined at most."""
_TOLERANCE = 0.37
"""How far, in latent pixels and on average over the picture, the best hypothesis may lie from the truth."""
_FINEST_GRID = 64
"""Latent pixels a side beyond which hypotheses get no denser: their number is what reading costs."""
_MEAN_RADIUS = 0.765
"""Mean distance of the points of a square from its centre, in half sides."""


# --- what may have been done ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hypothesis:
    """One thing that may have been done to the picture, up to a shift."""

    name: str
    matrix: Matrix
    """From coordinates of the original to those of the received picture."""
    reach: int
    """Shifts by up to this many latent pixels, down and across, are looked at."""
    weight: float
    """Its part of the whole, all its shifts together; the weights of a list sum to 1."""

    @property
    def shifts(self) -> int:
        """How many shifts are looked at."""
        return (2 * self.reach + 1) ** 2


def hypotheses(
    received: Size, size: Size, grid: Size, *, degrees: float = 15.0, least_side: float = 0.75
) -> tuple[Hypothesis, ...]:
    """The fixed list: untouched, mirrored and turned; rotated about the centre; cropped and enlarged.

    Each also covers any change of scale or aspect, since the received picture is brought to the original's size. Half
    of the weight lies on the picture as it is. The steps are such that for each transform in range some hypothesis lies
    within `_TOLERANCE` latent pixels, on average over the picture, but for the finer part of a shift.

    Args:
        received: Height and width of the received picture.
        size: Those of the original.
        grid: Those of its latents.
        degrees: Rotations to either side.
        least_side: The smallest part of each side that a crop may keep.

    Returns:
        38 for latents of 32 x 32, 67 for 64 x 64, the untouched picture first.
    """
    half = min(max(grid), _FINEST_GRID) / 2
    found = [(name, matrix, 0) for name, matrix in zip(_POSTURES, _postures(received, size), strict=True)]
    found += [
        (f"rotated by {angle:.3g} degrees", _fit(received, size) @ about_centre(rotation(-angle), size), 0)
        for angle in _angles(degrees, half)
    ]
    cell = size[0] / grid[0]
    for side, down, across in product(_sides(least_side, half), (0.0, 0.5), (0.0, 0.5)):
        enlarged = about_centre(np.diag([1 / side, 1 / side, 1.0]), size) @ translation(across * cell, down * cell)
        reach = math.ceil((1 - side) / 2 * max(grid))
        found.append((f"cropped to {side:.3g} of each side", _fit(received, size) @ enlarged, reach))
    share = 0.5 / (len(found) - 1)
    return tuple(
        Hypothesis(name=name, matrix=matrix, reach=reach, weight=share if number else 0.5)
        for number, (name, matrix, reach) in enumerate(found)
    )


_TURNS = ("turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees")
_POSTURES = ("as it is", *_TURNS, "mirrored", *(f"mirrored and {turn}" for turn in _TURNS))


def _angles(degrees: float, half: float) -> list[float]:
    steps = math.ceil(degrees / math.degrees(2 * _TOLERANCE / (_MEAN_RADIUS * half)))
    return [degrees * step / steps for step in range(-steps, steps + 1) if step]


def _sides(least: float, half: float) -> list[float]:
    """Sides in the middle of equal steps from 1 down to the least."""
    steps = math.ceil((1 - least) * _MEAN_RADIUS * half / (2 * _TOLERANCE))
    return [1 - (1 - least) * (step + 0.5) / steps for step in range(steps)]


def _postures(received: Size, size: Size) -> list[Matrix]:
    return [_fit(received, size[::-1] if posture % 2 else size) @ pose(posture, size) for posture in range(8)]


def _fit(received: Size, size: Size) -> Matrix:
    """From a picture of one size to the same picture as received."""
    return np.diag([received[1] / size[1], received[0] / size[0], 1.0])


# --- correlation at every shift ---------------------------------------------------------------------------------------


def correlate(template: Latents, noise: NDArray[Any], reach: int) -> NDArray[np.float64]:
    """The statistic T(d) of the module's description at all shifts of up to `reach` latent pixels.

    Args:
        template: The key's noise, shape (channels, height, width).
        noise: The estimate, of the same shape, or (..., channels, height, width) for several; what is not finite
            counts as unknown.
        reach: Less than height and width.

    Returns:
        float64 of shape (..., 2 reach + 1, 2 reach + 1), indexed [reach + down, reach + across]: the noise at (i, j)
        compared with the template at (i - down, j - across). 0 where nothing is known in the overlap.
    """
    known = _known(noise)
    spectrum = np.conj(_spectrum(template.astype(np.float64), reach))
    return _statistics(spectrum, _spectrum(known, reach), _lengths(known, reach), template.shape[-2:])


def _known(noise: NDArray[Any]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.where(np.isfinite(noise), noise, 0.0).astype(np.float64)
    return values


def _spectrum(values: NDArray[np.float64], reach: int) -> NDArray[np.complex128]:
    spectrum: NDArray[np.complex128] = np.fft.rfft2(values, s=_padded(values.shape[-2:], reach))
    return spectrum


def _padded(grid: tuple[int, ...], reach: int) -> tuple[int, int]:
    """Enough zeros that no shift in reach wraps around; a multiple of eight for speed."""
    height, width = (-(-(length + reach) // 8) * 8 for length in grid)
    return height, width


def _statistics(
    conjugate: NDArray[np.complex128],
    spectra: NDArray[np.complex128],
    lengths: NDArray[np.float64],
    grid: tuple[int, ...],
) -> NDArray[np.float64]:
    reach = lengths.shape[-1] // 2
    products = (conjugate * spectra).sum(axis=-3)
    sums = np.fft.irfft2(products, s=_padded(grid, reach))
    at = np.arange(-reach, reach + 1)
    sums = sums[..., at[:, None], at]
    statistics: NDArray[np.float64] = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    return statistics


def _lengths(known: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The length of the estimate within the overlap, for each shift."""
    height, width = known.shape[-2:]
    power = (known**2).sum(axis=-3)
    sums = np.zeros((*power.shape[:-2], height + 1, width + 1))
    sums[..., 1:, 1:] = power.cumsum(axis=-1).cumsum(axis=-2)
    at = np.arange(-reach, reach + 1)
    top, bottom = (np.clip(edge, 0, height)[:, None] for edge in (at, at + height))
    left, right = (np.clip(edge, 0, width) for edge in (at, at + width))
    inside = sums[..., bottom, right] - sums[..., top, right] - sums[..., bottom, left] + sums[..., top, left]
    lengths: NDArray[np.float64] = np.sqrt(np.maximum(inside, 0.0))
    return lengths


# --- the search -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """A picture read under every hypothesis: all that can be done before a key is known, once for all keys."""

    pixels: Pixels
    size: Size
    read: Reader
    prepare: Preparation
    hypotheses: tuple[Hypothesis, ...]
    noises: list[Latents] = field(repr=False)
    """The estimate under each hypothesis."""
    spectra: NDArray[np.complex128] = field(repr=False)
    lengths: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Where the key's noise fits best."""

    hypothesis: str
    matrix: Matrix
    """From coordinates of the original to those of the received picture, shift and refinement included."""
    shift: tuple[int, int]
    """Latent pixels down and across, relative to the hypothesis."""
    statistic: float
    """The largest that was met; alone, and not as the largest of many, it would be N(0, 1) under the null."""
    log10_p: float
    """log10 of a p-value that counts everything that was tried, or might have been; 0 at most."""
    noise: Latents = field(repr=False)
    """The estimate there, NaN where nothing is known: what a payload is decoded from."""


def survey(
    pixels: Pixels, size: Size, grid: Size, read: Reader, prepare: Preparation = np.asarray, **limits: float
) -> Survey:
    """Read a picture under every hypothesis.

    Args:
        pixels: As received: uint8 of shape (height, width, 3).
        size: Height and width of the original in pixels.
        grid: Those of its latents.
        read: Called once with all pictures.
        prepare: What is done to each estimate before it is compared.
        limits: As for `hypotheses`: `degrees` and `least_side`.
    """
    tried = hypotheses((pixels.shape[0], pixels.shape[1]), size, grid, **limits)
    noises = read_undone(pixels, [one.matrix for one in tried], size, read)
    known = np.stack([_known(prepare(noise)) for noise in noises])
    reach = max(one.reach for one in tried)
    return Survey(
        pixels=pixels,
        size=size,
        read=read,
        prepare=prepare,
        hypotheses=tried,
        noises=noises,
        spectra=_spectrum(known, reach),
        lengths=_lengths(known, reach),
    )


def search(surveyed: Survey, template: Latents) -> Found:
    """Look for a key's noise under all hypotheses and shifts, and refine where it shows.

    Args:
        surveyed: From `survey`.
        template: The key's noise, shape (channels, height, width): N(0, I) over the draw of the key. A search over
            several keys has to be corrected for their number.
    """
    tables = _tables(surveyed, template)
    log10_e = [
        _weighted(table, 0.5 * one.weight / one.shifts) for table, one in zip(tables, surveyed.hypotheses, strict=True)
    ]
    order = sorted(range(len(tables)), key=lambda number: -float(tables[number].max()))
    best = _coarse(surveyed, order[0], tables[order[0]])
    for number in order[:_REFINED]:
        if tables[number].max() >= PROMISING:
            refined, gained = _refine(surveyed, number, tables[number], template)
            log10_e.append(gained)
            best = max(best, refined, key=lambda found: found.statistic)
    return replace(best, log10_p=log10_p_of_e(_log10_sum(log10_e)))


def _tables(surveyed: Survey, template: Latents) -> list[NDArray[np.float64]]:
    """The statistics of each hypothesis at the shifts that it looks at."""
    reach = surveyed.lengths.shape[-1] // 2
    spectrum = np.conj(_spectrum(template.astype(np.float64), reach))
    statistics = _statistics(spectrum, surveyed.spectra, surveyed.lengths, template.shape[-2:])
    cuts = [slice(reach - one.reach, reach + one.reach + 1) for one in surveyed.hypotheses]
    return [table[cut, cut] for table, cut in zip(statistics, cuts, strict=True)]


def _weighted(statistics: NDArray[np.float64], weight: float) -> float:
    """log10 of the sum of e-values that have this weight each, without the smallest, which change nothing."""
    counted = statistics[statistics > _NEGLIGIBLE]
    return math.log10(weight) + _log10_sum([log10_normal_e(float(statistic)) for statistic in counted])


def _log10_sum(log10_values: Sequence[float]) -> float:
    highest = max(log10_values, default=-math.inf)
    if highest == -math.inf:
        return highest
    return highest + math.log10(math.fsum(10.0 ** (value - highest) for value in log10_values))


def _coarse(surveyed: Survey, number: int, table: NDArray[np.float64]) -> Found:
    """The best shift of one hypothesis."""
    one, noise = surveyed.hypotheses[number], surveyed.noises[number]
    down, across = (int(at) - one.reach for at in np.unravel_index(int(table.argmax()), table.shape))
    cell = surveyed.size[0] / noise.shape[1]
    return Found(
        hypothesis=one.name,
        matrix=one.matrix @ translation(across * cell, down * cell),
        shift=(down, across),
        statistic=float(table.max()),
        log10_p=0.0,
        noise=_shifted(noise, down, across),
    )


def _shifted(noise: Latents, down: int, across: int) -> Latents:
    """The estimate moved so that it lies over the template, NaN where it ends."""
    height, width = noise.shape[1:]
    at_y, at_x = np.arange(height) + down, np.arange(width) + across
    inside = ((at_y >= 0) & (at_y < height))[:, None] & ((at_x >= 0) & (at_x < width))
    return np.where(inside, noise[:, at_y.clip(0, height - 1)[:, None], at_x.clip(0, width - 1)], np.float32(np.nan))


# --- refinement -------------------------------------------------------------------------------------------------------

_Point: TypeAlias = tuple[int, int, int, int]
"""Steps of -1, 0 or 1 in angle, scale, and shift down and across."""
_POINTS = 3**4


def _refine(surveyed: Survey, number: int, table: NDArray[np.float64], template: Latents) -> tuple[Found, float]:
    """Look around a hypothesis at its best shift: along each axis, then at the best of all axes together.

    Returns:
        The best that was met, and log10 of what it adds to the e-value: the 81 points of the grid have equal weights
        which sum to half of that of the hypothesis at one shift, whichever of them are looked at.
    """
    coarse, one = _coarse(surveyed, number, table), surveyed.hypotheses[number]
    axes: list[_Point] = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    sides = [(tuple(-step for step in axis), axis) for axis in axes]
    met = _look(surveyed, coarse, [point for pair in sides for point in pair], template)
    steps = [
        int(np.argmax([met[2 * axis].statistic, coarse.statistic, met[2 * axis + 1].statistic])) - 1
        for axis in range(len(axes))
    ]
    if sum(map(abs, steps)) > 1:  # otherwise it has been looked at
        met += _look(surveyed, coarse, [(steps[0], steps[1], steps[2], steps[3])], template)
    gained = _weighted(np.array([found.statistic for found in met]), 0.5 * one.weight / one.shifts / _POINTS)
    return max(met, key=lambda found: found.statistic), gained


def _look(surveyed: Survey, coarse: Found, points: Sequence[tuple[int, ...]], template: Latents) -> list[Found]:
    """Read at these points of the grid around a coarse finding."""
    matrices = [coarse.matrix @ _nudge(point, surveyed.size, template.shape[-2:]) for point in points]
    noises = read_undone(surveyed.pixels, matrices, surveyed.size, surveyed.read)
    return [
        replace(
            coarse,
            matrix=matrix,
            statistic=float(correlate(template, surveyed.prepare(noise), 0)[0, 0]),
            noise=noise,
        )
        for matrix, noise in zip(matrices, noises, strict=True)
    ]


def _nudge(point: tuple[int, ...], size: Size, grid: tuple[int, ...]) -> Matrix:
    """A third of the distance between hypotheses for each step."""
    step = 2 * _TOLERANCE / (_MEAN_RADIUS * min(max(grid), _FINEST_GRID) / 2) / 3
    turn, zoom, down, across = point
    cell = size[0] / grid[0] / 6
    linear = rotation(math.degrees(turn * step)) @ np.diag([1 + zoom * step, 1 + zoom * step, 1.0])
    return about_centre(linear, size) @ translation(across * cell, down * cell)
