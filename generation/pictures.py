"""Pictures as pixels, uint8 (H, W, 3), and as tensors, float32 (B, 3, H, W) in [0, 1]: the way there and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from assay.vocabulary import Pixels


def to_pixels(images: Tensor) -> list[Pixels]:
    """Images of shape (B, 3, H, W) in [0, 1], clamped and rounded, each as uint8 of shape (H, W, 3)."""
    values = (images.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return list(values)


def to_tensor(pictures: Sequence[Pixels]) -> Tensor:
    """Pictures of one size, uint8 of shape (H, W, 3) each, as float32 of shape (B, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
