"""Trains the network of patches on a prepared set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from assay.loop import Losses, Plan, train
from detection.batches import Batches
from detection.network import PatchNetwork, Shape, load, pooled, pretrained
from detection.prepare import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained, beside the steps and the rate."""

    shape: Shape = field(default_factory=Shape)
    batch: int = 32
    side: int = 192
    smoothing: float = 0.05
    """Labels are this far from 0 and 1: a gallery's labels are not all right."""
    start: Path | None = None
    """Weights of ours to go on from."""
    checkpoint: Path | None = None
    """Weights of timm to begin with, instead of those that a package brings."""


def fit(
    prepared: Prepared, members: NDArray[np.int64], recipe: Recipe, plan: Plan, device: torch.device
) -> PatchNetwork:
    """Train on some items of a set, from the last checkpoint on if there is one.

    Raises:
        ConfigurationError: The weights to begin with cannot be used.
    """
    network = load(recipe.start) if recipe.start else pretrained(recipe.shape, recipe.checkpoint)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = Batches(prepared, members, side=recipe.side)

    def loss(random: np.random.Generator) -> Losses:
        pictures, labels = batches(random, recipe.batch)
        pictures = pictures.to(device, memory_format=torch.channels_last)
        logits = pooled(network(pictures)).float()
        targets = labels.to(device) * (1 - 2 * recipe.smoothing) + recipe.smoothing
        right = ((logits > 0) == (labels.to(device) > 0)).float().mean()
        return {"total": F.binary_cross_entropy_with_logits(logits, targets), "right": right}

    trained = train(network, loss, plan)
    if not isinstance(trained, PatchNetwork):
        raise TypeError("the loop returned another network")
    return trained
