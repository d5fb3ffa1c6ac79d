"""Lay a picture whose geometry was changed back over the original, and read it there.

`watermark.registration` finds the transform with a thumbnail of the original at hand, `watermark.blind` without one.
Coordinates are continuous, as in `assay.perturb`; every matrix goes from the original to the received picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.perturb import Matrix, rotation, translation
from assay.vocabulary import Latents, Pixels

Reader: TypeAlias = Callable[[list[Pixels]], list[Latents]]
"""Estimates the noise behind each of several pictures of the original's size."""
Size: TypeAlias = tuple[int, int]
"""Height and width."""
Mask: TypeAlias = NDArray[np.bool_]


def undo(pixels: Pixels, matrix: Matrix, size: Size) -> tuple[Pixels, Mask]:
    """Lay a received picture back over the original.

    Args:
        pixels: As received: uint8 of shape (height, width, 3).
        matrix: From coordinates of the original to those of the received picture.
        size: Height and width of the original in pixels.

    Returns:
        uint8 of shape (*size, 3), continued by its edge where the received picture shows nothing; and which of its
        pixels are known, bool of shape `size`.
    """
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
    if scale > 1:  # average first, so that fine detail does not turn into coarse
        height, width = (max(1, round(length / scale)) for length in pixels.shape[:2])
        matrix = np.diag([width / pixels.shape[1], height / pixels.shape[0], 1.0]) @ matrix
        pixels = np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
    x, y = landing(matrix, size)
    height, width = pixels.shape[:2]
    mask = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    margin = _margin(x, y, (height, width))
    padded = Image.fromarray(np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge"))
    moved = translation(margin, margin) @ matrix
    coefficients = (moved / moved[2, 2]).ravel()[:8].tolist()
    straight = padded.transform(size[::-1], Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    return np.array(straight), mask


def landing(matrix: Matrix, size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the centre of each pixel of a picture of this size lands: x and y, each of that shape."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    u, v, w = np.tensordot(matrix, np.stack([x, y, np.ones_like(x)]), axes=1)
    return u / w, v / w


def _margin(x: NDArray[np.float64], y: NDArray[np.float64], size: Size) -> int:
    """How far the landing points lie outside a picture; at most its longer side, beyond which the fill is black."""
    outside = float(max(-x.min(), -y.min(), x.max() - size[1], y.max() - size[0], 0.0))
    return min(math.ceil(outside) + 3, max(size))


def read_undone(pixels: Pixels, matrices: Sequence[Matrix], size: Size, read: Reader) -> list[Latents]:
    """Undo each transform and estimate the noise.

    Args:
        pixels: As received.
        matrices: As for `undo`.
        size: Height and width of the original in pixels.
        read: Called once, with one picture for each matrix.

    Returns:
        One estimate for each matrix, NaN where most of a latent pixel is not known.
    """
    undone = [undo(pixels, matrix, size) for matrix in matrices]
    noises = read([straight for straight, _ in undone])
    return [_masked(noise, mask) for noise, (_, mask) in zip(noises, undone, strict=True)]


def _masked(noise: Latents, mask: Mask) -> Latents:
    height, width = noise.shape[1:]
    shares = Image.fromarray(mask * np.uint8(255)).resize((width, height), Image.Resampling.BOX)
    known = np.asarray(shares) > 127  # noqa: PLR2004 - half
    return np.where(known, noise, np.float32(np.nan))


def pose(posture: int, size: Size) -> Matrix:
    """One of the eight ways to lay a picture on a table: first mirrored (from posture 4 on), then turned.

    Args:
        posture: 0 to 7; the remainder by 4 is the number of quarter turns counter-clockwise.
        size: Height and width before; an odd number of quarters exchanges them.

    Returns:
        From coordinates of the picture to those of it posed.
    """
    height, width = size
    mirrored = np.diag([-1.0 if posture >= 4 else 1.0, 1.0, 1.0])  # noqa: PLR2004
    turned = np.rint(rotation(-90 * (posture % 4))) @ mirrored @ translation(-width / 2, -height / 2)
    across, down = (height, width) if posture % 2 else (width, height)
    return translation(across / 2, down / 2) @ turned
