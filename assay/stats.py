"""Numbers with their intervals."""

from __future__ import annotations


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
