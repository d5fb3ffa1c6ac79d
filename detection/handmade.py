"""Hand-made features and a linear rule: cheap, auditable, and wrong about other pictures than a network is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from assay.errors import ConfigurationError
from assay.vocabulary import Pixels
from detection.batches import degraded
from detection.features import describe, names
from detection.prepare import Prepared

_Values: TypeAlias = NDArray[np.float32]

_CHUNK = 64
_STRENGTH = 0.003
"""Inverse of the penalty on large weights."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Handmade:
    """A linear rule on the features of a square."""

    id: ClassVar[str] = "handmade"
    side: ClassVar[int] = 256
    centre: _Values
    scale: _Values
    weights: _Values
    bias: float

    def logits(self, squares: Pixels) -> _Values:
        """Raw logits (n,) of squares, uint8 of shape (n, side, side, 3)."""
        return self.of_features(describe(squares))

    def of_features(self, features: _Values) -> _Values:
        """The same, of features (n, `len(names())`)."""
        scaled = np.clip((features - self.centre) / self.scale, -5, 5)
        logits: _Values = (scaled @ self.weights + self.bias).astype(np.float32)
        return logits


def opened(path: Path, device: str = "cpu") -> Handmade:  # noqa: ARG001 - all experts are opened alike
    """The rule of a file; it runs on the processor, whatever the device.

    Raises:
        ConfigurationError: The file cannot be read, or is of other features.
    """
    try:
        stored = load_file(path)
        rule = Handmade(
            centre=stored["centre"], scale=stored["scale"], weights=stored["weights"], bias=float(stored["bias"][0])
        )
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"{path}: not a rule: {error}", hint="Train or fetch it again.") from error
    if len(rule.weights) != len(names()):
        raise ConfigurationError(f"{path}: of {len(rule.weights)} features, not {len(names())}", hint="Train it again.")
    return rule


def save(rule: Handmade, path: Path) -> None:
    """Write a rule."""
    bias = np.array([rule.bias], np.float32)
    tensors = {"centre": rule.centre, "scale": rule.scale, "weights": rule.weights, "bias": bias}
    temporary = path.with_suffix(".partial")
    save_file(tensors, temporary)
    temporary.replace(path)


def fit(features: _Values, labels: NDArray[np.int64], weights: NDArray[np.float64]) -> Handmade:
    """Fit the rule.

    Args:
        features: (n, `len(names())`).
        labels: (n,), 1 for what a model made.
        weights: (n,), how much each counts.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import

    centre = np.median(features, axis=0)
    scale = features.std(axis=0) + np.float32(1e-6)
    scaled = np.clip((features - centre) / scale, -5, 5)
    line = LogisticRegression(C=_STRENGTH, max_iter=2_000).fit(scaled, labels, sample_weight=weights)
    return Handmade(
        centre=centre.astype(np.float32),
        scale=scale.astype(np.float32),
        weights=line.coef_[0].astype(np.float32),
        bias=float(line.intercept_[0]),
    )


def described(prepared: Prepared, *, rounds: int = 2, seed: int = 0, workers: int = 2) -> Iterator[_Values]:
    """Features of a set's degraded squares, round by round: each (items, `len(names())`).

    A round takes another crop of each item and another chain.
    """
    count = len(prepared.items)
    for number in range(rounds):
        starts = range(0, count, _CHUNK)
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            jobs = [
                pool.submit(_described, np.asarray(prepared.crops[at : at + _CHUNK, number % 2]), (seed, number, at))
                for at in starts
            ]
            yield np.concatenate([job.result() for job in tqdm(jobs, f"round {number + 1}", mininterval=5)])


def _described(crops: Pixels, seed: tuple[int, ...]) -> _Values:
    random = np.random.default_rng(seed)
    return describe(np.stack([degraded(pixels, random, Handmade.side) for pixels in crops]))
