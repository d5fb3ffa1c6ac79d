"""From a detector's logit to a likelihood ratio that means what it says, and no more than its data can support."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.discrimination import cllr_min

_Values: TypeAlias = NDArray[np.float64]

KNOTS = 65
_CERTAIN = 12.0
"""Nothing needs a larger standard deviation, in nats, than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """A monotone map from logits to log10 likelihood ratios: straight between knots, constant beyond, bounded."""

    method: str
    knots: tuple[float, ...]
    log10_lrs: tuple[float, ...]
    bounds: tuple[float, float]
    """Least and greatest value that the calibration set can support."""

    def log10_lr(self, logits: ArrayLike) -> _Values:
        """Of logits of any shape."""
        raw = np.interp(np.asarray(logits, np.float64), self.knots, self.log10_lrs)
        return np.clip(raw, *self.bounds)

    def bounded(self, made: int, photographs: int) -> Calibrator:
        """The same, bounded by other numbers of pictures."""
        return replace(self, bounds=bounds_for(made, photographs))


def bounds_for(made: int, photographs: int) -> tuple[float, float]:
    """One order of magnitude less than the numbers of pictures: -log10(made) + 1 to log10(photographs) - 1.

    A ratio of N for "made" says that photographs look so in at most one case of N; below ten of them, it is no rate.
    """
    return -max(0.0, math.log10(made) - 1), max(0.0, math.log10(photographs) - 1)


def bi_gaussian(made: ArrayLike, photographs: ArrayLike) -> Calibrator:
    """Bi-Gaussianised calibration (Morrison, Forensic Science International: Synergy 8, 2024).

    Perfect log ratios of two normal laws are N(+s^2/2, s^2) and N(-s^2/2, s^2). The s is taken whose `cllr` is the
    `cllr_min` of the logits; each logit goes to the value that has the same place in the even mixture of both laws.
    """
    yes, no = np.sort(np.asarray(made, np.float64)), np.sort(np.asarray(photographs, np.float64))
    spread = _spread_for(cllr_min(yes, no))
    places = (np.arange(KNOTS) + 0.5) / KNOTS
    knots = _mixture_quantiles(yes, no, places)
    ratios = _bi_gaussian_quantiles(spread, places) / math.log(10)
    return _calibrator("bi-Gaussian", knots, ratios, len(yes), len(no))


def isotonic(made: ArrayLike, photographs: ArrayLike) -> Calibrator:
    """Pool-adjacent-violators calibration: the monotone steps that fit best."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to import

    values, truth, weights = _pooled(made, photographs)
    share = isotonic_regression(truth, weights=weights).x.clip(1e-9, 1 - 1e-9)
    at = np.linspace(0, len(values) - 1, min(len(values), 4 * KNOTS)).round().astype(int)
    ratios = np.log10(share / (1 - share))[at]
    return _calibrator("isotonic", values[at], ratios, np.size(made), np.size(photographs))


def logistic(made: ArrayLike, photographs: ArrayLike) -> Calibrator:
    """A straight line, fitted by logistic regression with both classes weighted alike."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import

    values, truth, weights = _pooled(made, photographs)
    line = LogisticRegression(C=1e6).fit(values[:, None], truth, sample_weight=weights)
    knots = np.array([values[0], values[-1]])
    ratios = (knots * line.coef_[0, 0] + line.intercept_[0]) / math.log(10)
    return _calibrator("logistic", knots, ratios, np.size(made), np.size(photographs))


METHODS: Mapping[str, Callable[[ArrayLike, ArrayLike], Calibrator]] = {
    "bi-Gaussian": bi_gaussian,
    "isotonic": isotonic,
    "logistic": logistic,
}


def _calibrator(method: str, knots: _Values, ratios: _Values, made: int, photographs: int) -> Calibrator:
    unique, first = np.unique(knots, return_index=True)
    return Calibrator(
        method=method,
        knots=tuple(float(knot) for knot in unique),
        log10_lrs=tuple(float(ratio) for ratio in np.maximum.accumulate(ratios[first])),
        bounds=bounds_for(made, photographs),
    )


def _pooled(made: ArrayLike, photographs: ArrayLike) -> tuple[_Values, _Values, _Values]:
    yes, no = np.asarray(made, np.float64), np.asarray(photographs, np.float64)
    values = np.concatenate([yes, no])
    truth = np.repeat([1.0, 0.0], [len(yes), len(no)])
    weights = np.repeat([0.5 / len(yes), 0.5 / len(no)], [len(yes), len(no)]) * len(values)
    order = np.argsort(values, kind="stable")
    return values[order], truth[order], weights[order]


def _mixture_quantiles(yes: _Values, no: _Values, places: _Values) -> _Values:
    values, _, weights = _pooled(yes, no)
    reached = (np.cumsum(weights) - weights / 2) / weights.sum()
    quantiles: _Values = np.interp(places, reached, values)
    return quantiles


def _bi_gaussian_quantiles(spread: float, places: _Values) -> _Values:
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import

    grid = np.linspace(-1, 1, 20_001) * (spread**2 / 2 + 6 * spread + 1e-6)
    mixture = (ndtr(grid / spread - spread / 2) + ndtr(grid / spread + spread / 2)) / 2
    quantiles: _Values = np.interp(places, mixture, grid)
    return quantiles


def _spread_for(cost: float) -> float:
    """The standard deviation, in nats, of perfect normal log ratios whose `cllr` is that."""
    from scipy.optimize import brentq  # noqa: PLC0415 - slow to import

    least, most = 1e-3, _CERTAIN
    if cost >= _cost_of(least):
        return least
    if cost <= _cost_of(most):
        return most
    return float(brentq(lambda spread: _cost_of(spread) - cost, least, most))


def _cost_of(spread: float) -> float:
    nodes = np.linspace(-8, 8, 4_001)
    density = np.exp(-(nodes**2) / 2)
    costs = np.logaddexp(0, -(spread**2 / 2 + spread * nodes)) / math.log(2)
    return float((costs * density).sum() / density.sum())


# --- the bound on false alarms ----------------------------------------------------------------------------------------


def conformal_threshold(photographs: ArrayLike, rate: float) -> float:
    """The value that a further photograph exceeds with probability `rate` at most (split conformal prediction).

    Infinite where there are too few photographs: fewer than 1 / rate - 1.
    """
    values = np.sort(np.asarray(photographs, np.float64))
    place = math.ceil((len(values) + 1) * (1 - rate))
    return float(values[place - 1]) if place <= len(values) else math.inf
