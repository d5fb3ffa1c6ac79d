import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats import clopper_pearson


def test_rule_of_three() -> None:
    """0 of n: the upper bound solves (1 - p)^n = 0.025 exactly."""
    for trials in (10, 500, 5000):
        low, high = clopper_pearson(0, trials)
        assert low == 0
        assert high == pytest.approx(1 - 0.025 ** (1 / trials), rel=1e-9)


def _tail(successes: int, trials: int, p: float) -> float:
    return sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), st.sampled_from([0.9, 0.99]))
def test_lower_bound_inverts_the_binomial_tail(counts: tuple[int, int], level: float) -> None:
    successes, trials = counts
    low, high = clopper_pearson(successes, trials, level)
    assert _tail(successes, trials, low) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert low < successes / trials <= high


@pytest.mark.parametrize(("successes", "trials", "level"), [(2, 1, 0.95), (0, 0, 0.95), (1, 2, 1.5)])
def test_senseless_counts_are_refused(successes: int, trials: int, level: float) -> None:
    with pytest.raises(ValueError, match=r".+"):
        clopper_pearson(successes, trials, level)
