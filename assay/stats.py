"""Numbers with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

_LN_10 = math.log(10)


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval for a proportion (Clopper and Pearson, Biometrika 26, 1934).

    Args:
        successes: In [0, trials].
        trials: At least 1.
        level: Coverage, in (0, 1). Each side is left out with probability (1 - level) / 2 at most.

    Returns:
        Lower and upper bound, both in [0, 1].

    Raises:
        ValueError: The counts or the level are out of range.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 - not part of the core install

    interval = binomtest(successes, trials).proportion_ci(confidence_level=level, method="exact")
    return float(interval.low), float(interval.high)


def log10_normal_tail(statistic: float) -> float:
    """log10 of P(Z >= statistic) for standard normal Z; the one-sided p-value of a statistic that is N(0, 1) by design.

    It does not underflow: relative to the value, the error is below 1e-12 down to -10^5 and beyond.

    Args:
        statistic: Any real number.

    Returns:
        At most 0.
    """
    from scipy.special import log_ndtr  # noqa: PLC0415 - not part of the core install

    return float(log_ndtr(-statistic)) / _LN_10


def log10_bonferroni(log10_p: float, tries: int) -> float:
    """log10 of the smallest p-value's bound after that many tries (Bonferroni); no independence is needed.

    Args:
        log10_p: The smallest of them.
        tries: How many hypotheses were looked at, at least 1: keys, rows, turns of the picture, multiplied.

    Raises:
        ValueError: Nothing was tried.
    """
    if tries < 1:
        raise ValueError(f"{tries} tries; there must be at least one")
    return min(0.0, log10_p + math.log10(tries))


def log10_normal_e(statistic: float, scale: float = 8.0) -> float:
    """log10 of an e-value for a statistic that is N(0, 1) under the null: its mean is at most 1 there, in fact exactly.

    A likelihood ratio against N(shift, 1) whose shift is half-normal: E = integral of exp(shift T - shift^2 / 2) over
    the prior, in closed form 2 / sqrt(1 + s^2) exp(r^2 / 2) Phi(r) with r = T s / sqrt(1 + s^2) and s the scale. By
    Markov's inequality P(E >= 1 / alpha) <= alpha; averages of e-values are e-values, whatever their dependence (Vovk
    and Wang, Annals of Statistics 49, 2021), which is what a search over turns and scales of one picture needs.

    Args:
        statistic: Any real number.
        scale: Of the prior; statistics of about this size are what it looks for.
    """
    from scipy.special import log_ndtr  # noqa: PLC0415 - not part of the core install

    spread = 1 + scale * scale
    reduced = statistic * scale / math.sqrt(spread)
    return (math.log(2) - math.log(spread) / 2 + reduced * reduced / 2 + float(log_ndtr(reduced))) / _LN_10


def log10_mean(log10_values: Sequence[float]) -> float:
    """log10 of the mean of values given by their log10: the e-value of several hypotheses together.

    Args:
        log10_values: At least one; minus infinity stands for 0.

    Raises:
        ValueError: There are none.
    """
    highest = max(log10_values)
    if highest == -math.inf:
        return highest
    return highest + math.log10(math.fsum(10 ** (value - highest) for value in log10_values) / len(log10_values))


def log10_p_of_e(log10_e: float) -> float:
    """log10 of the p-value that an e-value is worth: min(1, 1 / e)."""
    return min(0.0, -log10_e)
