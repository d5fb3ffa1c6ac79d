"""The smallest vision transformer of timm's, with random weights: what a test can afford instead of CLIP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file

NAME, DEPTH, WIDTH, SIDE = "test_vit", 6, 64, 160


def network(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return timm.create_model(NAME, num_classes=3).eval()


def checkpoint(folder: Path, seed: int = 0) -> Path:
    path = folder / f"small-vit-{seed}.safetensors"
    save_file(network(seed).state_dict(), path)
    return path
