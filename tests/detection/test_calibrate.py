from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.discrimination import cllr, cllr_min
from detection.calibrate import METHODS, bounds_for, conformal_threshold

SPREAD = 2.0
"""Of perfect log ratios, in nats: N(+2, 4) for made pictures, N(-2, 4) for photographs."""


def logits(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Values whose log ratio is three times what they say, less one: to be calibrated away."""
    random = np.random.default_rng(seed)
    made, photographs = (random.normal(sign * SPREAD**2 / 2, SPREAD, count) for sign in (1, -1))
    return (made + 1) / 3, (photographs + 1) / 3


@pytest.mark.parametrize("method", METHODS)
def test_ratios_become_what_the_laws_say(method: str) -> None:
    calibrator = METHODS[method](*logits(0, 20_000))
    values = np.linspace(-1, 1.6, 30)
    truth = (3 * values - 1) / np.log(10)
    assert np.abs(calibrator.log10_lr(values) - truth).max() < (0.5 if method == "isotonic" else 0.15)


@pytest.mark.parametrize("method", METHODS)
def test_other_pictures_cost_little_more_than_they_must(method: str) -> None:
    calibrator = METHODS[method](*logits(1, 3_000))
    made, photographs = logits(2, 3_000)
    ratios = calibrator.log10_lr(made), calibrator.log10_lr(photographs)
    assert cllr(*ratios) - cllr_min(*ratios) < 0.03


@given(st.sampled_from(sorted(METHODS)), st.integers(20, 400), st.integers(0, 5))
def test_ratios_never_fall_and_never_leave_their_bounds(method: str, count: int, seed: int) -> None:
    calibrator = METHODS[method](*logits(seed, count))
    ratios = calibrator.log10_lr(np.linspace(-50, 50, 500))
    assert (np.diff(ratios) >= -1e-12).all()
    assert np.abs(ratios).max() <= np.log10(count) - 1 + 1e-9


def test_bounds_are_an_order_below_the_numbers_of_pictures() -> None:
    assert bounds_for(1_000, 10_000) == pytest.approx((-2, 3))
    assert bounds_for(5, 5) == (0, 0)


def test_a_further_photograph_seldom_exceeds_the_threshold() -> None:
    """Over many draws of 500 photographs, the mean rate among fresh ones is floor(501 / 100) / 501, below 1 %."""
    random = np.random.default_rng(0)
    rates = [1 - _reached(conformal_threshold(random.normal(size=500), 0.01)) for _ in range(400)]
    assert np.mean(rates) == pytest.approx(5 / 501, abs=0.001)


def _reached(threshold: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(threshold))


def test_too_few_photographs_give_no_threshold() -> None:
    assert conformal_threshold(np.zeros(98), 0.01) == np.inf
    assert conformal_threshold(np.zeros(99), 0.01) == 0
