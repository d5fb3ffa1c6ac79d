"""What `invisible-watermark` embeds with its method dwtDct, written again in NumPy: marked pictures for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.vocabulary import Pixels

Path = Literal["uint8 BGR", "float BGR", "float RGB"]
PATHS: tuple[Path, ...] = ("uint8 BGR", "float BGR", "float RGB")
STEP = 36


def embed(pixels: Pixels, bits: Sequence[int], path: Path) -> Pixels:
    """A marked RGB picture, by way of the numbers and the order of channels that a generator hands to the embedder."""
    order = slice(None) if path == "float RGB" else slice(None, None, -1)
    channels = np.moveaxis(pixels[..., order], -1, 0)
    marked = _whole(channels, bits) if path == "uint8 BGR" else _real(channels, bits)
    return np.ascontiguousarray(np.moveaxis(marked, 0, -1)[..., order])


def _whole(channels: Pixels, bits: Sequence[int]) -> Pixels:
    """OpenCV's fixed-point YUV of uint8, in units of 1/2**14."""
    first, green, last = channels.astype(np.int64)
    y = _rounded(1868 * first + 9617 * green + 4899 * last)
    u, v = _rounded(8061 * (first - y)) + 128, _rounded(14369 * (last - y)) + 128
    u, v = (np.clip(part, 0, 255) for part in (u, v))
    u = np.trunc(_moved(u.astype(np.float64), bits)).astype(np.int64) % 256 - 128
    v = v - 128
    back = y + _rounded(33292 * u), y + _rounded(-6472 * u - 9519 * v), y + _rounded(18678 * v)
    whole: Pixels = np.clip(back, 0, 255).astype(np.uint8)
    return whole


def _rounded(units: NDArray[np.int64]) -> NDArray[np.int64]:
    return (units + (1 << 13)) >> 14


def _real(channels: Pixels, bits: Sequence[int]) -> Pixels:
    """OpenCV's YUV of floats, whose neutral chroma is 0.5 whatever the range."""
    first, green, last = channels.astype(np.float64)
    y = 0.114 * first + 0.587 * green + 0.299 * last
    u, v = _moved(0.492 * (first - y) + 0.5, bits) - 0.5, 0.877 * (last - y)
    back = y + 2.032 * u, y - 0.395 * u - 0.581 * v, y + 1.14 * v
    whole: Pixels = np.rint(np.clip(back, 0, 255)).astype(np.uint8)
    return whole


def _moved(u: NDArray[np.float64], bits: Sequence[int]) -> NDArray[np.float64]:
    """The channel with its low band marked; the exchange of details that comes with it turns every 2 x 2 over."""
    height, width = (length // 4 * 4 for length in u.shape)
    twos = u[:height, :width].reshape(height // 2, 2, width // 2, 2).transpose(0, 2, 1, 3)
    low = twos.sum(axis=(2, 3)) / 2
    turned = twos.swapaxes(2, 3) + ((_marked(low, bits) - low) / 2)[..., None, None]
    moved = u.copy()
    moved[:height, :width] = turned.transpose(0, 2, 1, 3).reshape(height, width)
    return moved


def _marked(low: NDArray[np.float64], bits: Sequence[int]) -> NDArray[np.float64]:
    low, number = low.copy(), 0
    for top in range(0, low.shape[0] // 4 * 4, 4):
        for left in range(0, low.shape[1] // 4 * 4, 4):
            block = low[top : top + 4, left : left + 4]
            down, across = divmod(1 + int(np.argmax(np.abs(block).ravel()[1:])), 4)
            value = block[down, across]
            moved = STEP * (np.floor(abs(value) / STEP) + 0.25 + 0.5 * bits[number % len(bits)])
            block[down, across] = moved if value >= 0 else -moved
            number += 1
    return low
