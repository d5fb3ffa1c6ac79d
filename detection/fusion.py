"""Several experts, one logit: weighted by what is left in the picture, never by what the picture's quality suggests.

Quality enters as a factor of an expert's logit only. By itself it would be a shortcut: small pictures are not more
often made by a model, whatever the training set says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detection.manifest import Label, balanced
from detection.measuring import Row
from detection.quality import Quality

_Values: TypeAlias = NDArray[np.float64]

_PENALTY = 1.0
_USUAL_DETAIL = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """A linear rule whose weights move with the detail that is left."""

    weights: Mapping[str, tuple[float, float]]
    """By expert: the weight at usual detail, and how much more at full detail."""
    bias: float

    def logit(self, logits: Mapping[str, float], quality: Quality) -> float:
        """The fused logit of one picture."""
        detail = quality.detail - _USUAL_DETAIL
        return self.bias + sum((base + slope * detail) * logits[name] for name, (base, slope) in self.weights.items())

    def of_rows(self, rows: Sequence[Row]) -> _Values:
        """The fused logits of rows."""
        return np.array([self.logit(row.logits, row.quality) for row in rows])


def fit(rows: Sequence[Row], experts: Sequence[str]) -> Fusion:
    """Fit on rows whose pictures the experts had not seen; kinds count alike, and so do both labels."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import

    truth = np.array([row.label is Label.AI for row in rows], int)
    line = LogisticRegression(C=_PENALTY, max_iter=1_000)
    line.fit(_inputs(rows, experts), truth, sample_weight=balanced([(row.label, row.source, row.kind) for row in rows]))
    weights = line.coef_[0]
    return Fusion(
        weights={name: (float(weights[2 * at]), float(weights[2 * at + 1])) for at, name in enumerate(experts)},
        bias=float(line.intercept_[0]),
    )


def _inputs(rows: Sequence[Row], experts: Sequence[str]) -> _Values:
    return np.array(
        [
            [
                value
                for name in experts
                for value in (row.logits[name], row.logits[name] * (row.quality.detail - _USUAL_DETAIL))
            ]
            for row in rows
        ]
    )
