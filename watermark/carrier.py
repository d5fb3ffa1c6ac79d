"""The key's pattern that `watermark.spread` adds to a picture, and how strong it may be where.

A tile of 18 x 18 cells, each +1 or -1, is repeated over the whole picture. 68 cells are the key's alone, for finding
the place (sync); 256 hold a code word. The key whitens all of them, so a tile looks like coin tosses. A cell has 4
pixels a side up to 512 x 512 pixels, and grows with larger pictures, so that services may reduce them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from assay.keys import derive
from assay.perturb import Matrix, translation
from watermark import stream
from watermark.codes import Bits, PolarCode

TILE = 18
"""Cells a side."""
CELLS = TILE * TILE
SYNC = 68
CODED = CELLS - SYNC
CELL = 4
"""Pixels a side of a cell in pictures of up to `BASE` x `BASE` pixels."""
BASE = 512
SMALL = 256
"""Pictures with a shorter side below this carry the short code."""

LONG = PolarCode(length=256, payload_bits=48, crc_bits=32)
SHORT = PolarCode(length=256, payload_bits=16, crc_bits=32)

PSNR = 40.0
"""Least peak signal-to-noise ratio of a marked picture, in dB over all three channels."""
_LOSS = 0.027
"""Most of 1 - SSIM that the mark may cost on average, as estimated from the local variance."""
_FLAT, _BUSY = 29.0, 150.0
"""The mark's power is as the local variance of brightness, with this added, and never as more than that of the second.
29 is half of SSIM's second constant: the mark then costs the same SSIM everywhere (Wang et al., IEEE TIP 13, 2004)."""
_SSIM_CONSTANT = (0.03 * 255) ** 2

LUMA = (0.299, 0.587, 0.114)
_COLOUR = np.array(LUMA, np.float32) + np.float32(0.2)
COLOUR = _COLOUR / np.sqrt((_COLOUR**2).mean())
"""What a cell adds to red, green and blue: more where brightness comes from, which is what is read. Mean square 1."""


_VARIED = 0.06
"""How much larger or smaller than others a key's cells are at most, as a natural logarithm."""


class Layout(IntEnum):
    """Where a key's cells lie: a version of the mark."""

    FIRST = 1
    """Square cells from the corner, for every key. Still read, no longer written."""
    SECOND = 2
    """The size of the cells and the first tile's place are the key's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carrier:
    """What a key says of its tile."""

    grid: Matrix
    """From coordinates of the tile, in quarters of a cell, to those of a picture whose cells have about `CELL` pixels:
    3 x 3, scaled and shifted only."""

    sync: NDArray[np.intp]
    """Cells that hold no bit, shape (SYNC,)."""
    coded: NDArray[np.intp]
    """Cells in the order in which the code word fills them, shape (CODED,)."""
    signs: NDArray[np.float32]
    """Of all cells, shape (CELLS,); those of coded cells are for a 0."""
    masks: dict[int, Bits]
    """What is added to payload and CRC, by the bits of the payload."""

    def tile(self, payload: int, code: PolarCode) -> NDArray[np.float32]:
        """The cells that carry a payload: +1 and -1, shape (TILE, TILE)."""
        word = code.encode(np.array([payload], np.uint64), CODED, self.masks[code.payload_bits])[0]
        cells = self.signs.copy()
        cells[self.coded] *= 1 - 2 * word[code.places(CODED)].astype(np.float32)
        return cells.reshape(TILE, TILE)


@lru_cache(maxsize=64)
def carrier(secret: bytes, layout: Layout = Layout.SECOND) -> Carrier:
    """The carrier of a key of 32 bytes. What a key says in one layout tells nothing of the other."""
    name = "spread" if layout is Layout.FIRST else f"spread-{layout.value}"
    order = stream.permutation(derive(secret, f"{name}|positions"), CELLS)
    signs = stream.bits(derive(secret, f"{name}|signs"), stream.NO_NONCE, CELLS)
    masks = {
        code.payload_bits: stream.bits(
            derive(secret, f"{name}|mask|{code.payload_bits}"), stream.NO_NONCE, code.message_bits
        )
        for code in (LONG, SHORT)
    }
    grid = np.eye(3) if layout is Layout.FIRST else _grid(derive(secret, f"{name}|grid"))
    return Carrier(
        grid=grid, sync=order[:SYNC], coded=order[SYNC:], signs=1 - 2 * signs.astype(np.float32), masks=masks
    )


def _grid(key: bytes) -> Matrix:
    """The size of the cells and the first tile's place, uniform over what they may be."""
    size, *shift = np.frombuffer(stream.keystream(key, stream.NO_NONCE, 12), "<u4") / 2**32
    scale = math.exp((2 * size - 1) * _VARIED)
    return np.diag([scale, scale, 1.0]) @ translation(*(-TILE * CELL * at for at in shift))


def code_for(height: int, width: int) -> PolarCode:
    """What a picture of this size carries: 48 bits, or 16 where it is small."""
    return SHORT if min(height, width) < SMALL else LONG


def cell_size(height: int, width: int) -> float:
    """Pixels a side of a cell in a picture of this size."""
    return CELL * max(1.0, math.sqrt(height * width) / BASE)


def spread_out(tile: Tensor, grid: Matrix, height: int, width: int, rows: slice = slice(None)) -> Tensor:
    """The tile repeated over a picture, or over some of its rows: shape (rows, width)."""
    to_tile = np.linalg.inv(grid) / cell_size(height, width)
    down, across = (
        ((torch.arange(length, device=tile.device) + 0.5) * to_tile[axis, axis] + np.linalg.inv(grid)[axis, 2] / CELL)
        .floor()
        .long()
        % TILE
        for axis, length in ((1, height), (0, width))
    )
    return tile[down[rows]][:, across]


def amplitude(brightness: Tensor) -> Tensor:
    """How much the mark may add or take, in grey levels: float32 of the shape given.

    It is stronger where the picture is busy, as strong as `PSNR` and `_LOSS` both allow, and the same for every key.

    Args:
        brightness: In [0, 255], shape (..., height, width); the picture is taken as cells of `CELL` pixels.
    """
    window = 2 * CELL + 1
    detail = brightness - box(brightness, window)
    variance = box(detail * detail, window)
    power = variance.clamp(max=_BUSY) + _FLAT
    visible = power * float((COLOUR @ np.array(LUMA, np.float32)) ** 2) / (2 * variance + _SSIM_CONSTANT)
    by_error = 255**2 / 10 ** (PSNR / 10) / _mean(power)
    root: Tensor = (power * torch.minimum(by_error, _LOSS / _mean(visible))).sqrt()
    return root


def box(values: Tensor, window: int) -> Tensor:
    """The mean over a square window of an odd side, mirrored at the edges: shape (..., height, width)."""
    flat = values.reshape(-1, 1, *values.shape[-2:])
    return means(nnf.pad(flat, [window // 2] * 4, mode="reflect"), window).reshape(values.shape)


def means(values: Tensor, window: int) -> Tensor:
    """The mean over every square window that lies inside: shape (..., height - window + 1, width - window + 1)."""
    for axis in (-2, -1):
        length = values.shape[axis] - window + 1
        total = values.narrow(axis, 0, length).clone()
        for shift in range(1, window):  # several times as fast as a pooling of long windows on a CPU
            total += values.narrow(axis, shift, length)
        values = total / window
    return values


def _mean(values: Tensor) -> Tensor:
    return values.mean(dim=(-2, -1), keepdim=True)
