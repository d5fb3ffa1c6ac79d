"""How well a number tells two classes apart, and how well a likelihood ratio is calibrated, with intervals.

`positive` are the values of what was looked for (generated pictures), `negative` those of the rest (photographs).
Intervals are percentiles of a bootstrap that resamples pictures within each class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Values: TypeAlias = NDArray[np.float64]

RESAMPLES = 2_000
LEVEL = 0.95
BINS = 15
_RESOLVED = 3
"""False alarms that a rate must leave room for: below that, n says nothing of it (the rule of three)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number, and the interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """The area under the ROC curve: how often a positive value exceeds a negative one, ties counted as half.

    Raises:
        ValueError: A class is empty.
    """
    return _auc(*_sorted(positive, negative), None)


def tpr_at_fpr(positive: ArrayLike, negative: ArrayLike, fpr: float) -> float | None:
    """The part of the positive that lies above a threshold which at most that part of the negative exceeds.

    None where there are too few negative values to speak of such a rate: fewer than 3 / fpr.

    Raises:
        ValueError: A class is empty.
    """
    values, is_positive = _sorted(positive, negative)
    if not resolves(int((~is_positive).sum()), fpr):
        return None
    return _tpr(values, is_positive, None, fpr)


def resolves(negatives: int, fpr: float) -> bool:
    """Whether so many negative values can tell a rate: no false alarm among 3 / fpr bounds it by fpr at 95 %."""
    return negatives * fpr >= _RESOLVED - 1e-9


def cllr(positive: ArrayLike, negative: ArrayLike) -> float:
    """The cost of log-likelihood ratios, in bits (Brummer and du Preez, Computer Speech and Language 20, 2006).

    0 for perfect ratios, 1 for ratios that are always 1, more for ratios that mislead.

    Args:
        positive: log10 likelihood ratios.
        negative: Likewise.

    Raises:
        ValueError: A class is empty.
    """
    yes, no = _checked(positive), _checked(negative)
    ln10 = np.log(10)
    costs = np.logaddexp(0, -yes * ln10).mean() + np.logaddexp(0, no * ln10).mean()
    return float(costs / (2 * np.log(2)))


def cllr_min(positive: ArrayLike, negative: ArrayLike) -> float:
    """The lowest `cllr` that any monotone recalibration of these very values reaches: what discrimination alone costs.

    Raises:
        ValueError: A class is empty.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - not part of the core install

    values, is_positive = _sorted(positive, negative)
    _, group = np.unique(values, return_inverse=True)
    counts = np.bincount(group)
    rates = np.bincount(group, is_positive) / counts
    share = isotonic_regression(rates, weights=counts).x[group]
    odds = is_positive.mean() / (1 - is_positive.mean())
    with np.errstate(divide="ignore"):
        logs = np.log10(share) - np.log10(1 - share) - np.log10(odds)
    return cllr(logs[is_positive], logs[~is_positive])


def calibration_error(positive: ArrayLike, negative: ArrayLike) -> float:
    """Expected calibration error of log10 likelihood ratios, both classes weighted alike, in 15 equal bins.

    Raises:
        ValueError: A class is empty.
    """
    bins = reliability(positive, negative)
    return sum(weight * abs(stated - found) for stated, found, weight in bins)


def reliability(positive: ArrayLike, negative: ArrayLike) -> list[tuple[float, float, float]]:
    """For each bin that is not empty: the stated probability, the true share, the weight; at even prior odds."""
    yes, no = _checked(positive), _checked(negative)
    stated = 1 / (1 + 10.0 ** -np.concatenate([yes, no]))
    truth = np.repeat([1.0, 0.0], [len(yes), len(no)])
    weights = np.repeat([0.5 / len(yes), 0.5 / len(no)], [len(yes), len(no)])
    place = np.minimum((stated * BINS).astype(int), BINS - 1)
    total = np.bincount(place, weights, BINS)
    return [
        (
            float(np.bincount(place, weights * stated, BINS)[bin_] / total[bin_]),
            float(np.bincount(place, weights * truth, BINS)[bin_] / total[bin_]),
            float(total[bin_]),
        )
        for bin_ in np.flatnonzero(total)
    ]


# --- intervals --------------------------------------------------------------------------------------------------------


def auc_interval(positive: ArrayLike, negative: ArrayLike, seed: int = 0) -> Estimate:
    """`auc` with its interval."""
    return _interval(positive, negative, seed, _auc)


def tpr_interval(positive: ArrayLike, negative: ArrayLike, fpr: float, seed: int = 0) -> Estimate | None:
    """`tpr_at_fpr` with its interval; the threshold is found anew in each resample."""
    if not resolves(len(_checked(negative)), fpr):
        return None
    return _interval(positive, negative, seed, partial(_tpr, fpr=fpr))


_Statistic: TypeAlias = Callable[[_Values, NDArray[np.bool_], NDArray[np.int64] | None], float]


def _interval(positive: ArrayLike, negative: ArrayLike, seed: int, statistic: _Statistic) -> Estimate:
    values, is_positive = _sorted(positive, negative)
    found = [statistic(values, is_positive, weights) for weights in _resampled(is_positive, seed)]
    low, high = np.percentile(found, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Estimate(value=statistic(values, is_positive, None), low=float(low), high=float(high))


def _resampled(is_positive: NDArray[np.bool_], seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each value is taken, each class by itself."""
    random = np.random.default_rng(seed)
    classes = [np.flatnonzero(is_positive), np.flatnonzero(~is_positive)]
    for _ in range(RESAMPLES):
        drawn = np.concatenate([members[random.integers(len(members), size=len(members))] for members in classes])
        yield np.bincount(drawn, minlength=len(is_positive))


def _auc(values: _Values, is_positive: NDArray[np.bool_], weights: NDArray[np.int64] | None) -> float:
    """Mann and Whitney's count, over values in ascending order."""
    taken = np.ones(len(values), np.int64) if weights is None else weights
    yes, no = taken * is_positive, taken * ~is_positive
    _, group = np.unique(values, return_inverse=True)
    yes_at, no_at = np.bincount(group, yes), np.bincount(group, no)
    below = np.cumsum(no_at) - no_at
    return float((yes_at * (below + no_at / 2)).sum() / (yes.sum() * no.sum()))


def _tpr(values: _Values, is_positive: NDArray[np.bool_], weights: NDArray[np.int64] | None, fpr: float) -> float:
    taken = np.ones(len(values), np.int64) if weights is None else weights
    no = taken * ~is_positive
    above = np.cumsum(no[::-1])[::-1]
    allowed = int(np.floor(fpr * no.sum() + 1e-9))
    too_many = np.flatnonzero(above > allowed)
    threshold = values[too_many[-1]] if len(too_many) else -np.inf
    yes = taken * is_positive
    return float(yes[values > threshold].sum() / yes.sum())


def _sorted(positive: ArrayLike, negative: ArrayLike) -> tuple[_Values, NDArray[np.bool_]]:
    yes, no = _checked(positive), _checked(negative)
    values = np.concatenate([yes, no])
    order = np.argsort(values, kind="stable")
    return values[order], (np.arange(len(values)) < len(yes))[order]


def _checked(values: ArrayLike) -> _Values:
    array = np.asarray(values, np.float64).ravel()
    if not len(array):
        raise ValueError("a class is empty")
    return array
