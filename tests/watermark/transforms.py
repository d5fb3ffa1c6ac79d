"""Pictures with a known geometry, and a reader of noise that lies in the open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from assay.perturb import Matrix
from assay.vocabulary import Latents, Pixels

CELL = 4
_GAIN = 24.0


def embed(noise: Latents) -> Pixels:
    """Three channels of noise as the colours of a picture, four pixels to a value."""
    _, height, width = noise.shape
    size = (CELL * width, CELL * height)
    drawn = [np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BICUBIC)) for channel in noise]
    return np.clip(np.rint(128 + _GAIN * np.stack(drawn, axis=-1)), 0, 255).astype(np.uint8)


def read(pictures: list[Pixels]) -> list[Latents]:
    """Averages over cells, without their mean."""
    return [_read(picture) for picture in pictures]


def _read(picture: Pixels) -> Latents:
    height, width = (side // CELL for side in picture.shape[:2])
    cells = picture.reshape(height, CELL, width, CELL, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    return ((cells - cells.mean(axis=(1, 2), keepdims=True)) / _GAIN).astype(np.float32)


def texture(seed: int, height: int = 128, width: int = 128) -> Pixels:
    """Detail at several scales in three colours."""
    random = np.random.default_rng(seed)
    layers = [
        gaussian_filter(random.standard_normal((height, width, 3)), (sigma, sigma, 0)) * sigma for sigma in (2, 4, 9)
    ]
    values = np.sum(layers, axis=0)
    return np.rint(np.clip(128 + 55 * values / values.std(), 0, 255)).astype(np.uint8)


def error(undone: Matrix, done: Matrix, size: tuple[int, int], received: tuple[int, int]) -> float:
    """Mean distance in pixels of the original between where points are and where they are taken to be.

    Args:
        undone: What was found: from the original to the received picture.
        done: The truth, from the received picture to the original.
        size: Height and width of the original.
        received: Those of the received picture; points outside it do not count.
    """
    y, x = np.mgrid[4 : size[0] : 8, 4 : size[1] : 8]
    points = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    landed = _flat(np.linalg.inv(done) @ points)
    inside = (landed >= 0).all(axis=0) & (landed[0] <= received[1]) & (landed[1] <= received[0])
    back = _flat(done @ undone @ points)
    return float(np.hypot(*(back - points[:2]))[inside].mean())


def _flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points[:2] / points[2]
