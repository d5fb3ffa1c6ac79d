"""Where a number lies on its scale, and what the scale says there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.policy import MAX_P_VALUE, MIN_LOG10_LR, decide
from assay.report.scale import scale
from assay.vocabulary import Basis, Claim, Measurement


def measured(*, log10_lr: float | None = None, p_value: float | None = None) -> Measurement:
    basis = Basis.MEASURED if p_value is None else Basis.MARKED
    return Measurement(
        check="any", claim=Claim.GENERATED, basis=basis, statistic=0.0, null="", p_value=p_value, log10_lr=log10_lr,
        summary="",
    )  # fmt: skip


def test_the_middle_of_the_ratios_supports_neither_side() -> None:
    found = scale(measured(log10_lr=0.0))
    assert found is not None
    assert found.at == 0.5
    assert {tick.text for tick in found.ticks if tick.at == found.at} == {"neither"}


def test_words_lie_where_the_verbal_scale_has_them() -> None:
    found = scale(measured(log10_lr=3.0))
    assert found is not None
    assert [tick.text for tick in found.ticks if tick.at == pytest.approx(found.at)] == ["strong"]


def test_an_abstention_has_no_scale() -> None:
    assert scale(measured()) is None
    assert scale(measured(log10_lr=math.nan)) is None


@given(st.floats(-8, 8), st.floats(-8, 8))
def test_more_support_is_never_further_left(one: float, other: float) -> None:
    first, second = (scale(measured(log10_lr=value)) for value in sorted((one, other)))
    assert first is not None
    assert second is not None
    assert 0 <= first.at <= second.at <= 1


@given(st.floats(0, 1))
def test_a_smaller_chance_is_never_further_left(p_value: float) -> None:
    found, half = scale(measured(p_value=p_value)), scale(measured(p_value=p_value / 2))
    assert found is not None
    assert half is not None
    assert 0 <= found.at <= half.at <= 1


@given(st.floats(-3.9, 3.9))
def test_ratios_count_where_the_policy_counts_them(log10_lr: float) -> None:
    outcome = measured(log10_lr=log10_lr)
    found = scale(outcome)
    assert found is not None
    if abs(log10_lr - MIN_LOG10_LR) > 1e-9:
        assert (found.at >= found.counts_from) == (decide([outcome]).claim is Claim.GENERATED)


@given(st.floats(-11, 0))
def test_chances_count_where_the_policy_counts_them(log10_p: float) -> None:
    outcome = measured(p_value=10**log10_p)
    found = scale(outcome)
    assert found is not None
    if abs(log10_p - math.log10(MAX_P_VALUE)) > 1e-9:
        assert (found.at >= found.counts_from) == (decide([outcome]).claim is Claim.GENERATED)
