import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import halfnorm

from assay.stats import (
    clopper_pearson,
    log10_bonferroni,
    log10_mean,
    log10_normal_e,
    log10_normal_tail,
    log10_p_of_e,
)


def test_rule_of_three() -> None:
    """0 of n: the upper bound solves (1 - p)^n = 0.025 exactly."""
    for trials in (10, 500, 5000):
        low, high = clopper_pearson(0, trials)
        assert low == 0
        assert high == pytest.approx(1 - 0.025 ** (1 / trials), rel=1e-9)


def _tail(successes: int, trials: int, p: float) -> float:
    return sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), st.sampled_from([0.9, 0.99]))
@settings(deadline=None)
def test_lower_bound_inverts_the_binomial_tail(counts: tuple[int, int], level: float) -> None:
    successes, trials = counts
    low, high = clopper_pearson(successes, trials, level)
    assert _tail(successes, trials, low) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert low < successes / trials <= high


@pytest.mark.parametrize(("successes", "trials", "level"), [(2, 1, 0.95), (0, 0, 0.95), (1, 2, 1.5)])
def test_senseless_counts_are_refused(successes: int, trials: int, level: float) -> None:
    with pytest.raises(ValueError, match=r".+"):
        clopper_pearson(successes, trials, level)


@pytest.mark.parametrize("statistic", [-40.0, -3.0, 0.0, 1e-9, 4.753424, 20.0, 37.9, 64.27, 214.0, 678.5, 1e4])
def test_normal_tail_is_exact_however_small(statistic: float) -> None:
    """Against 60-digit arithmetic; 678.5 standard deviations are beyond 10^-99,900."""
    with mpmath.workdps(60):
        reference = float(mpmath.log10(mpmath.erfc(mpmath.mpf(statistic) / mpmath.sqrt(2)) / 2))
    assert log10_normal_tail(statistic) == pytest.approx(reference, rel=1e-12, abs=1e-300)


def test_normal_tail_at_known_levels() -> None:
    assert log10_normal_tail(4.753424308822899) == pytest.approx(-6, abs=1e-12)
    assert log10_normal_tail(678.5) < -99_000


@given(st.floats(-50, 0), st.integers(1, 10**9))
def test_bonferroni_multiplies(log10_p: float, tries: int) -> None:
    corrected = log10_bonferroni(log10_p, tries)
    assert 10**corrected == pytest.approx(min(1, 10**log10_p * tries), rel=1e-9, abs=1e-300)


def test_bonferroni_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 tries"):
        log10_bonferroni(-3, 0)


@pytest.mark.parametrize("scale", [0.5, 1.0, 8.0])
def test_an_e_value_has_mean_one_under_the_null(scale: float) -> None:
    def weighed(statistic: float) -> float:
        log10_density = -(statistic * statistic + math.log(2 * math.pi)) / (2 * math.log(10))
        return float(10 ** (log10_normal_e(statistic, scale) + log10_density))

    mean = sum(quad(weighed, low, low + 20, epsabs=1e-12)[0] for low in range(-60, 80, 20))
    assert mean == pytest.approx(1, abs=1e-9)


@given(st.floats(-10, 25), st.floats(0.5, 12))
@settings(max_examples=50, deadline=None)
def test_an_e_value_is_the_mixture_that_it_says(statistic: float, scale: float) -> None:
    def weighed(shift: float) -> float:
        return math.exp(shift * statistic - shift * shift / 2) * halfnorm.pdf(shift, scale=scale)

    peak = max(0.0, statistic)
    mixture = quad(weighed, 0, peak + 12, points=[peak], limit=200)[0]
    assert log10_normal_e(statistic, scale) == pytest.approx(math.log10(mixture), abs=1e-6)


def test_an_e_value_costs_little_where_it_counts() -> None:
    for statistic in (6.0, 8.0, 12.0):
        assert 0 < -log10_normal_tail(statistic) - log10_normal_e(statistic) < 2.6
    assert log10_normal_e(678.0) == pytest.approx(98_000, rel=0.05)
    assert log10_normal_e(-678.0) < 0


@given(st.lists(st.floats(-200, 200), min_size=1, max_size=20))
def test_the_mean_of_e_values(log10_values: list[float]) -> None:
    with mpmath.workdps(40):
        mean = mpmath.fsum(mpmath.mpf(10) ** value for value in log10_values) / len(log10_values)
        reference = float(mpmath.log10(mean))
    assert log10_mean(log10_values) == pytest.approx(reference, abs=1e-9)


def test_the_mean_of_e_values_takes_zeros_and_the_very_large() -> None:
    assert log10_mean([-math.inf, -math.inf]) == -math.inf
    assert log10_mean([-math.inf, 90_000.0]) == pytest.approx(90_000 - math.log10(2))
    with pytest.raises(ValueError, match=r".+"):
        log10_mean([])


@pytest.mark.parametrize(("log10_e", "log10_p"), [(6.0, -6.0), (-3.0, 0.0), (0.0, 0.0), (-math.inf, 0.0)])
def test_what_an_e_value_is_worth(log10_e: float, log10_p: float) -> None:
    assert log10_p_of_e(log10_e) == log10_p
