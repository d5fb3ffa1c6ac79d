"""What a network is shown while it learns: as many made as photographed, every source, degraded alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.perturb import perturbation
from assay.vocabulary import Pixels
from detection.crops import crop
from detection.delivery import drawn
from detection.prepare import Prepared


class Batches:
    """Draws balanced batches of a set."""

    def __init__(self, prepared: Prepared, members: NDArray[np.int64], *, side: int) -> None:
        """Draw from some items of a set.

        Args:
            prepared: The set.
            members: Indices of items.
            side: Of the squares that come out.
        """
        self._crops, self._side = prepared.crops, side
        self._weights = tuple(_weights(prepared, members, label) for label in (0, 1))

    def __call__(self, random: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Pictures (count, 3, side, side) in [0, 1] and labels (count,): half of them 1."""
        labels = np.arange(count) % 2
        squares = np.stack([self._square(item, random) for item in self.drawn(random, count)])
        return as_tensor(squares), torch.from_numpy(labels).float()

    def drawn(self, random: np.random.Generator, count: int) -> list[int]:
        """Which items a batch shows, photographs and others by turns."""
        return [
            int(random.choice(self._weights[number % 2][0], p=self._weights[number % 2][1])) for number in range(count)
        ]

    def _square(self, item: int, random: np.random.Generator) -> Pixels:
        pixels = np.asarray(self._crops[item, random.integers(self._crops.shape[1])])
        square = degraded(pixels, random, self._side)
        return np.ascontiguousarray(square[:, ::-1]) if random.random() < 0.5 else square  # noqa: PLR2004 - a coin


def degraded(pixels: Pixels, random: np.random.Generator, side: int) -> Pixels:
    """A random square of a picture after a random chain."""
    name = drawn(random)
    if name:
        pixels = perturbation(name).apply(pixels, int(random.integers(2**31)))
    top, left = (int(random.integers(max(0, length - side) + 1)) for length in pixels.shape[:2])
    return crop(pixels, top, left, side)


def as_tensor(squares: Pixels) -> Tensor:
    """Pictures uint8 (n, H, W, 3) as float (n, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(squares)).permute(0, 3, 1, 2).float() / 255


def _weights(
    prepared: Prepared, members: NDArray[np.int64], label: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Items of one label, and how often each is drawn: a kind in proportion to the root of its number."""
    chosen = members[prepared.labels[members] == label]
    weights = prepared.weights(chosen)
    return chosen, weights / weights.sum()


def members(prepared: Prepared, folds: Sequence[int]) -> NDArray[np.int64]:
    """Indices of the items of some folds."""
    return np.flatnonzero(np.isin(prepared.folds, folds))
