"""Weights under which both labels show the same kind of picture, as far as a glance can tell.

Galleries of generated pictures and of photographs differ in what they show, and a network learns that first. A glance
is a thumbnail of 8 x 8 pixels: what a classifier of those is sure of counts little, what could be either counts most
(overlap weights; Li, Morgan and Zaslavsky, JASA 113, 2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.vocabulary import Pixels

FOLDS = 5
_LEAST = 0.02


def thumbnails(squares: Pixels) -> NDArray[np.float32]:
    """Of squares (n, side, side, 3): shape (n, 192), in [0, 255]."""
    small = [Image.fromarray(square).resize((8, 8), Image.Resampling.BOX) for square in squares]
    values: NDArray[np.float32] = np.stack([np.asarray(image, np.float32).ravel() for image in small])
    return values


def glanced(
    values: NDArray[np.float32], labels: NDArray[np.int64], groups: NDArray[np.str_], seed: int = 0
) -> NDArray[np.float64]:
    """The probability of label 1 by a classifier that did not see the picture's group."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - slow to import
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict  # noqa: PLC0415

    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    model = HistGradientBoostingClassifier(max_iter=80, class_weight="balanced", random_state=seed)
    stated = cross_val_predict(model, values, labels, groups=groups, cv=folds, method="predict_proba")
    made: NDArray[np.float64] = stated[:, 1]
    return made


def overlap(squares: Pixels, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much each picture counts, in (0, 1): the probability of the other label. 1 for all where a label is missing.

    Args:
        squares: uint8 of shape (n, side, side, 3).
        labels: (n,), 0 or 1.
    """
    if np.bincount(labels, minlength=2).min() < FOLDS:
        return np.ones(len(labels))
    made = glanced(thumbnails(squares), labels, np.arange(len(labels)).astype(str))
    weights: NDArray[np.float64] = np.maximum(_LEAST, np.where(labels == 1, 1 - made, made))
    return weights
