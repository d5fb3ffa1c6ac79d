"""The number behind a measurement, as a place on a scale with words: likelihood ratios and p-values are never mixed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assay.policy import MAX_P_VALUE, MIN_LOG10_LR
from assay.report.wording import SUPPORT_WORDS
from assay.vocabulary import Measurement

_MOST_LR = 4.0
"""Where the axis of ratios ends: calibration sets of some thousand pictures bound them well below."""
_MOST_P = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A place on the axis and the words beneath it."""

    at: float
    """In [0, 1], from the left."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis, and where on it a measurement lies."""

    name: str
    at: float
    """In [0, 1], from the left; at an end where the number lies beyond it."""
    text: str
    """The number as it is written."""
    ticks: tuple[Tick, ...]
    counts_from: float
    """In [0, 1]: from here on the verdict counts it as evidence for the claim."""


def scale(outcome: Measurement) -> Scale | None:
    """The scale of a measurement; None for one that abstains and has no p-value either."""
    if outcome.log10_lr is not None and not math.isnan(outcome.log10_lr):
        return _ratio(outcome.log10_lr)
    if outcome.p_value is not None and not math.isnan(outcome.p_value):
        return _chance(outcome.p_value)
    return None


def _ratio(log10_lr: float) -> Scale:
    """From strong support against the claim to strong support for it; the middle supports neither."""
    words = [(least, word) for least, word in SUPPORT_WORDS if MIN_LOG10_LR <= least <= _MOST_LR]
    ticks = [Tick(at=0.0, text="against"), Tick(at=0.5, text="neither")]
    ticks += [Tick(at=_along(least, -_MOST_LR, _MOST_LR), text=word) for least, word in reversed(words)]
    return Scale(
        name="likelihood ratio",
        at=_along(log10_lr, -_MOST_LR, _MOST_LR),
        text=f"10^{log10_lr:.2f}",
        ticks=tuple(ticks),
        counts_from=_along(MIN_LOG10_LR, -_MOST_LR, _MOST_LR),
    )


def _chance(p_value: float) -> Scale:
    """How seldom a picture to which the claim does not apply would show as much: the further right, the more seldom."""
    exponent = -math.log10(max(p_value, 1e-300))
    bound = -math.log10(MAX_P_VALUE)
    ticks = (
        Tick(at=0.0, text="every time"),
        Tick(at=_along(bound, 0.0, _MOST_P), text="once in a million"),
        Tick(at=1.0, text="hardly ever"),
    )
    return Scale(
        name="chance if the claim were false",
        at=_along(exponent, 0.0, _MOST_P),
        text=f"10^-{exponent:.1f}" if exponent else "1",
        ticks=ticks,
        counts_from=_along(bound, 0.0, _MOST_P),
    )


def _along(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
