"""The network of patches as a detector: squares in, logits out, and a map of where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from assay.vocabulary import Pixels
from detection.batches import as_tensor
from detection.network import PatchNetwork, load, pooled

_Values: TypeAlias = NDArray[np.float32]

_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patches:
    """A network that was trained by `detection.training`."""

    id: ClassVar[str] = "patches"
    side: ClassVar[int] = 256
    network: PatchNetwork
    device: torch.device

    def logits(self, squares: Pixels) -> _Values:
        """Raw logits (n,) of squares, uint8 of shape (n, side, side, 3)."""
        return np.asarray(pooled(torch.from_numpy(self.patches(squares))))

    def patches(self, squares: Pixels) -> _Values:
        """Logits of patches, (n, h, w), row by row from the top left."""
        with torch.inference_mode():
            parts = [self._patches(squares[at : at + _BATCH]) for at in range(0, len(squares), _BATCH)]
        return np.concatenate(parts)

    def _patches(self, squares: Pixels) -> _Values:
        pictures = as_tensor(squares).to(self.device, memory_format=torch.channels_last)
        return np.asarray(self.network(pictures).float().cpu())


def opened(weights: Path, device: str) -> Patches:
    """The detector of a file of weights.

    Raises:
        ConfigurationError: They cannot be read.
    """
    network = load(weights).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Patches(network=network, device=torch.device(device))
