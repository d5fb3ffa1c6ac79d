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
from torch import Tensor

from assay.perturb import Matrix, translation
from watermark.carrier import CELL, CELLS, SYNC, TILE, Carrier
from watermark.codes import PolarCode
from watermark.geometry import pose

SIDE = TILE * CELL
_STEPS = (0.012, 0.006, 0.006, 0.003)
"""Relative changes of a geometry that are tried to improve it: at first about a pixel over three tiles."""
_WEAKEST, _LEAST_NOISE = 0.15, 0.05
"""Of a cell's mean, and its variance, whose cells together have a power of 1."""


class Folded(NamedTuple):
    """A residual folded under one geometry, in all eight postures."""

    matrix: Matrix
    tiles: Tensor
    """Shape (8, SIDE, SIDE): at each point the mean of the cell that begins there, standardised."""


class Place(NamedTuple):
    """Where the key's tile may lie."""

    sync: float
    """The sum over the sync cells of sign times value by the root of their number; about N(0, 1) anywhere else."""
    matrix: Matrix
    cells: NDArray[np.float64]
    """What is read in each cell, shape (CELLS,)."""


def folded(left: Tensor, matrix: Matrix) -> Folded:
    """Fold a residual of shape (height, width) under a map from the picture to the tile."""
    tile = _fold(left, matrix)
    turned = [torch.rot90(one, turns, (0, 1)) for one in (tile, tile.flip(1)) for turns in range(4)]
    return Folded(matrix, _by_cell(torch.stack(turned)))


def places(one: Folded, key: Carrier, count: int) -> list[Place]:
    """The places where the sync cells fit best, the best first, in all postures."""
    fits = _sync(one.tiles, key)
    found = []
    for _ in range(count):
        posture, row, column = (int(at) for at in np.unravel_index(int(fits.argmax()), fits.shape))
        found.append(_place(one, posture, (row, column), float(fits[posture, row, column])))
        rows, columns = (np.arange(at - CELL // 2, at + CELL // 2 + 1) % SIDE for at in (row, column))
        fits[posture, rows[:, None], columns] = -np.inf
    return found


def improved(left: Tensor, place: Place, key: Carrier) -> Place:
    """Change scale, angle, shear and perspective a little for as long as the sync cells fit better."""
    for step in _STEPS:
        for change in _changes(step, left.shape[0], left.shape[1]):
            tiles = _by_cell(_fold(left, place.matrix @ change)[None])
            fits = _sync(tiles, key)
            if fits.max() > place.sync:
                row, column = (int(at) for at in np.unravel_index(int(fits[0].argmax()), fits[0].shape))
                place = _place(Folded(place.matrix @ change, tiles), 0, (row, column), float(fits.max()))
    return place


def decode(place: Place, key: Carrier, code: PolarCode) -> int | None:
    """The payload at a place; None where the CRC does not hold."""
    values = place.cells * key.signs
    mean = max(_WEAKEST, float(values[key.sync].mean()))
    noise = max(_LEAST_NOISE, float((values**2).mean()) - mean * mean)
    return code.decode(2 * mean / noise * values[key.coded], key.masks[code.payload_bits])


def _fold(left: Tensor, matrix: Matrix) -> Tensor:
    """The mean of what falls on each point of the tile, shape (SIDE, SIDE)."""
    height, width = left.shape
    y = torch.arange(height, device=left.device)[:, None] + 0.5
    x = torch.arange(width, device=left.device) + 0.5
    across, down, depth = (float(a) * x + (float(b) * y + float(c)) for a, b, c in matrix)
    column, row = ((torch.remainder(at / depth, SIDE)).long().clamp(max=SIDE - 1) for at in (across, down))
    at = (row * SIDE + column).ravel()
    sums = torch.bincount(at, weights=left.ravel(), minlength=SIDE * SIDE)
    counts = torch.bincount(at, minlength=SIDE * SIDE)
    return (sums / counts.clamp(min=1)).reshape(SIDE, SIDE).float()


def _by_cell(tiles: Tensor) -> Tensor:
    padded = nnf.pad(tiles[:, None], (0, CELL - 1, 0, CELL - 1), mode="circular")
    means = nnf.avg_pool2d(padded, CELL, 1)[:, 0]
    centred = means - means.mean((1, 2), keepdim=True)
    standard: Tensor = centred / (centred.std((1, 2), keepdim=True) + 1e-30)
    return standard


def _sync(tiles: Tensor, key: Carrier) -> NDArray[np.float32]:
    """How well the sync cells fit at every shift, down and across: of the shape given."""
    cells = np.zeros(CELLS, np.float32)
    cells[key.sync] = key.signs[key.sync]
    template = torch.zeros(SIDE, SIDE, device=tiles.device)
    template[::CELL, ::CELL] = torch.from_numpy(cells.reshape(TILE, TILE)).to(tiles.device)
    products = torch.fft.rfft2(tiles) * torch.fft.rfft2(template).conj()
    sums: NDArray[np.float32] = torch.fft.irfft2(products, s=(SIDE, SIDE)).cpu().numpy()
    return sums / np.float32(math.sqrt(SYNC))


def _place(one: Folded, posture: int, shift: tuple[int, int], sync: float) -> Place:
    row, column = shift
    cells = one.tiles[posture].roll((-row, -column), (0, 1))[::CELL, ::CELL]
    matrix = translation(-column, -row) @ pose(posture, (SIDE, SIDE)) @ one.matrix
    return Place(sync, matrix, cells.cpu().numpy().astype(np.float64).ravel())


def _changes(step: float, height: int, width: int) -> list[Matrix]:
    """Small maps of the picture about its centre: two stretches, two shears, two tilts, each to both sides."""
    centre = translation(-width / 2, -height / 2)
    found = []
    for row, column in ((0, 0), (1, 1), (0, 1), (1, 0), (2, 0), (2, 1)):
        for sign in (1, -1):
            change = np.eye(3)
            change[row, column] += sign * step / (max(height, width) / 2 if row == 2 else 1)  # noqa: PLR2004
            found.append(np.linalg.inv(centre) @ change @ centre)
    return found
