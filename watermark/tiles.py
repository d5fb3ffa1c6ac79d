"""All copies of a hidden tile folded onto one, its place found by the key's sync cells, and its code word decoded.

Coordinates of a tile are in quarters of a cell. A matrix here goes from the picture to the tile, and repeats.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.stats import norm
from torch import Tensor

from assay.perturb import Matrix, translation
from watermark.carrier import CELL, CELLS, SYNC, TILE, Carrier
from watermark.codes import PolarCode
from watermark.geometry import pose

SIDE = TILE * CELL
POSTURES = 8
"""Quarter turns, mirrored or not."""
_STEPS = (0.012, 0.006, 0.003)
"""Relative changes of a geometry that are tried to improve it: at first about a pixel over three tiles."""
_COINS = 3.18
"""How much heavier the tail of a sum of fair coins can be than a normal one."""
_BLOCKS = 6
"""Down and across, in which a picture is moved to improve its geometry."""
_WEAKEST, _LEAST_NOISE = 0.15, 0.05
"""Of a cell's mean, and its variance, whose cells together have a power of 1."""


class Folded(NamedTuple):
    """A residual folded under one geometry, in all eight postures."""

    matrix: Matrix
    tiles: Tensor
    """Shape (POSTURES, SIDE, SIDE): at each point the mean of the cell that begins there, standardised."""


class Place(NamedTuple):
    """Where the key's tile may lie."""

    sync: float
    """The sum over the sync cells of sign times value by the root of their number; about N(0, 1) anywhere else."""
    matrix: Matrix
    cells: NDArray[np.float64]
    """What is read in each cell, shape (CELLS,); turned over where the picture is a negative."""
    is_negative: bool


def folded(left: Tensor, matrix: Matrix) -> Folded:
    """Fold a residual of shape (height, width) under a map from the picture to the tile."""
    tile = _fold(left, matrix)
    turned = [torch.rot90(one, turns, (0, 1)) for one in (tile, tile.flip(1)) for turns in range(POSTURES // 2)]
    return Folded(matrix, _by_cell(torch.stack(turned)))


def places(one: Folded, key: Carrier, count: int) -> list[Place]:
    """The places where the sync cells fit best, the best first: in all postures, and of a negative, too."""
    fits = _sync(one.tiles, key)
    found = []
    for _ in range(count):
        posture, row, column = (int(at) for at in np.unravel_index(int(np.abs(fits).argmax()), fits.shape))
        found.append(_place(one, posture, (row, column), float(fits[posture, row, column])))
        rows, columns = (np.arange(at - CELL // 2, at + CELL // 2 + 1) % SIDE for at in (row, column))
        fits[posture, rows[:, None], columns] = 0
    return found


def place_at(one: Folded, *, is_negative: bool) -> Place:
    """The place under a geometry that is known, with its shift and posture."""
    return _place(one, 0, (0, 0), -1.0 if is_negative else 1.0)


def log10_chance(place: Place, key: Carrier) -> float:
    """log10 of a bound on the chance that sync cells fit so well at a place, or as badly, over the draw of the key.

    The place is fixed before the key is drawn. Then what is read there is fixed, too, and the signs are fair coins: a
    sum of such terms by the root of the sum of their squares exceeds any bound at most 3.18 times as often as a normal
    variable (Bentkus and Dzindzalieva, Bernoulli 21, 2015).
    """
    values = place.cells[key.sync]
    fit = abs(float((values * key.signs[key.sync]).sum())) / math.sqrt(float((values**2).sum()) + 1e-30)
    return math.log10(2 * _COINS) + float(norm.logsf(fit)) / math.log(10)


def improved(left: Tensor, place: Place, key: Carrier) -> Place:
    """Change scale, angle, shear, perspective and place a little for as long as the sync cells fit better.

    How well each block of the picture fits is told once for every move on the tile. A change of geometry moves each
    block by itself, so it costs a sum over the blocks, and the picture is folded only twice.
    """
    fits, centres = _fits_of_blocks(left, place, key)
    start, change = _laid(place.matrix, centres), np.eye(3)
    best = _moved(fits, np.zeros_like(start))
    for step in _STEPS:
        changes = _changes(step, left.shape[0], left.shape[1])
        while True:
            tried = [change @ each for each in changes]
            sums = [_moved(fits, _laid(place.matrix @ each, centres) - start) for each in tried]
            if max(sums) <= best:
                break
            change, best = tried[int(np.argmax(sums))], max(sums)
    matrix = place.matrix @ change
    one = Folded(matrix, _by_cell(_fold(left, matrix)[None]))
    sync = _sync(one.tiles, key)[0]
    signed = -sync if place.is_negative else sync
    row, column = (int(at) for at in np.unravel_index(int(signed.argmax()), signed.shape))
    better = _place(one, 0, (row, column), float(sync[row, column]))
    return better if better.sync > place.sync else place


def _fits_of_blocks(left: Tensor, place: Place, key: Carrier) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """How well the sync cells fit each block of the picture at every shift, and where its centre is, as x, y and 1."""
    height, width = left.shape
    down, across = (torch.arange(length, device=left.device) * _BLOCKS // length for length in (height, width))
    block = down[:, None] * _BLOCKS + across
    at = block * SIDE * SIDE + _points_of_tile(left, place.matrix)
    sums = torch.bincount(at.ravel(), weights=left.ravel(), minlength=_BLOCKS**2 * SIDE * SIDE)
    fits = _sync(_cell_means(sums.reshape(-1, SIDE, SIDE).float()), key)
    y, x = np.divmod(np.arange(_BLOCKS**2), _BLOCKS)
    centres = np.stack([(x + 0.5) / _BLOCKS * width, (y + 0.5) / _BLOCKS * height, np.ones(_BLOCKS**2)])
    return -fits if place.is_negative else fits, centres


def _laid(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where points of the picture lie on the tiles: x and y, shape (2, n)."""
    x, y, depth = matrix @ points
    laid: NDArray[np.float64] = np.stack([x, y]) / depth
    return laid


def _moved(fits: NDArray[np.float32], moves: NDArray[np.float64]) -> float:
    """How well all blocks fit together, each moved on the tile by its x and y."""
    at = np.stack([np.arange(len(fits)), -moves[1], -moves[0]])
    return float(map_coordinates(fits, at, order=1, mode="grid-wrap").sum())


def decode(place: Place, key: Carrier, code: PolarCode) -> int | None:
    """The payload at a place; None where the CRC does not hold."""
    values = place.cells * key.signs
    mean = max(_WEAKEST, float(values[key.sync].mean()))
    noise = max(_LEAST_NOISE, float((values**2).mean()) - mean * mean)
    return code.decode(2 * mean / noise * values[key.coded], key.masks[code.payload_bits])


def _fold(left: Tensor, matrix: Matrix) -> Tensor:
    """The mean of what falls on each point of the tile, shape (SIDE, SIDE)."""
    at = _points_of_tile(left, matrix).ravel()
    sums = torch.bincount(at, weights=left.ravel(), minlength=SIDE * SIDE)
    counts = torch.bincount(at, minlength=SIDE * SIDE)
    return (sums / counts.clamp(min=1)).reshape(SIDE, SIDE).float()


def _points_of_tile(left: Tensor, matrix: Matrix) -> Tensor:
    """On which point of the tile each pixel falls, counted row by row: shape (height, width)."""
    height, width = left.shape
    y = torch.arange(height, device=left.device)[:, None] + 0.5
    x = torch.arange(width, device=left.device) + 0.5
    across, down, depth = (float(a) * x + (float(b) * y + float(c)) for a, b, c in matrix)
    column, row = ((torch.remainder(at / depth, SIDE)).long().clamp(max=SIDE - 1) for at in (across, down))
    return row * SIDE + column


def _by_cell(tiles: Tensor) -> Tensor:
    means = _cell_means(tiles)
    centred = means - means.mean((1, 2), keepdim=True)
    standard: Tensor = centred / (centred.std((1, 2), keepdim=True) + 1e-30)
    return standard


def _cell_means(tiles: Tensor) -> Tensor:
    """At each point the mean of the cell that begins there."""
    padded = nnf.pad(tiles[:, None], (0, CELL - 1, 0, CELL - 1), mode="circular")
    return nnf.avg_pool2d(padded, CELL, 1)[:, 0]


def _sync(tiles: Tensor, key: Carrier) -> NDArray[np.float32]:
    """How well the sync cells fit at every shift, down and across: of the shape given."""
    cells = np.zeros(CELLS, np.float32)
    cells[key.sync] = key.signs[key.sync]
    template = torch.zeros(SIDE, SIDE, device=tiles.device)
    template[::CELL, ::CELL] = torch.from_numpy(cells.reshape(TILE, TILE)).to(tiles.device)
    products = torch.fft.rfft2(tiles) * torch.fft.rfft2(template).conj()
    sums: NDArray[np.float32] = torch.fft.irfft2(products, s=(SIDE, SIDE)).cpu().numpy()
    return sums / np.float32(math.sqrt(SYNC))


def _place(one: Folded, posture: int, shift: tuple[int, int], fit: float) -> Place:
    row, column = shift
    cells = one.tiles[posture].roll((-row, -column), (0, 1))[::CELL, ::CELL]
    matrix = translation(-column, -row) @ pose(posture, (SIDE, SIDE)) @ one.matrix
    read = cells.cpu().numpy().astype(np.float64).ravel() * math.copysign(1, fit)
    return Place(abs(fit), matrix, read, fit < 0)


def _changes(step: float, height: int, width: int) -> list[Matrix]:
    """Small maps of the picture about its centre, each to both sides: stretches, shears, tilts, moves."""
    centre = translation(-width / 2, -height / 2)
    half = max(height, width) / 2
    sizes = {(0, 0): step, (1, 1): step, (0, 1): step, (1, 0): step, (2, 0): step / half, (2, 1): step / half}
    sizes |= {(0, 2): step * half, (1, 2): step * half}
    found = []
    for (row, column), size in sizes.items():
        for change in (size, -size):
            matrix = np.eye(3)
            matrix[row, column] += change
            found.append(np.linalg.inv(centre) @ matrix @ centre)
    return found
