"""How far a marked picture is from the one before, by the measures that papers give."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from assay.vocabulary import Pixels

if TYPE_CHECKING:
    from generation.training.perceptual import Lpips

_WINDOW, _SIGMA = 11, 1.5
_FIRST, _SECOND = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(before: Pixels, after: Pixels) -> float:
    """Peak signal-to-noise ratio over all channels in dB; infinite for equal pictures."""
    error = float(((before.astype(np.float64) - after) ** 2).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(before: Pixels, after: Pixels) -> float:
    """Structural similarity (Wang et al., IEEE TIP 13, 2004): Gaussian window, each channel, then the mean."""
    x, y = (_channels(pixels) for pixels in (before, after))
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x, variance_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _FIRST) * (2 * covariance + _SECOND)
    return float((likeness / ((mean_x**2 + mean_y**2 + _FIRST) * (variance_x + variance_y + _SECOND))).mean())


def lpips(before: Pixels, after: Pixels) -> float:
    """Learned perceptual distance, AlexNet (Zhang et al., CVPR 2018).

    Raises:
        ConfigurationError: Its weights are not installed.
    """
    first, second = (_channels(pixels).float().transpose(0, 1) / 127.5 - 1 for pixels in (before, after))
    with torch.inference_mode():
        return float(_network()(first, second))


@cache
def _network() -> Lpips:
    from generation.training.perceptual import Lpips  # noqa: PLC0415 - weights of the extra `training`

    return Lpips()


def _channels(pixels: Pixels) -> Tensor:
    """Shape (3, 1, height, width)."""
    return torch.from_numpy(np.moveaxis(pixels, 2, 0)[:, None].astype(np.float64))


def _blurred(values: Tensor) -> Tensor:
    at = torch.arange(_WINDOW, dtype=values.dtype) - _WINDOW // 2
    window = torch.exp(-(at**2) / (2 * _SIGMA**2))
    window /= window.sum()
    return nnf.conv2d(nnf.conv2d(values, window.view(1, 1, 1, -1)), window.view(1, 1, -1, 1))
