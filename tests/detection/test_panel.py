from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from assay.discrimination import cllr, cllr_min
from assay.errors import ConfigurationError
from assay.vocabulary import Pixels
from detection import fitting, fusion
from detection.calibrate import METHODS
from detection.manifest import Label
from detection.measuring import Row
from detection.panel import SPEAKS_FOR, Panel, bin_of, examine, judged, load, save, side_of
from tests.detection.rows import GOOD, POOR, rows
from tests.pictures import photograph

EXPERTS = ("patches", "handmade")


@pytest.fixture(scope="module")
def panel() -> Panel:
    found = fitting.panel(rows(4_000), EXPERTS, newest="a test")
    return replace(found, thresholds={**found.thresholds, "much": found.thresholds["some"]})


@dataclass(frozen=True)
class Sure:
    """An expert that is sure of every picture it likes the mean brightness of."""

    id: ClassVar[str] = "patches"
    side: ClassVar[int] = 128
    least: float
    logit: float = 9.0

    def logits(self, squares: Pixels) -> np.ndarray:
        return np.where(squares.mean(axis=(1, 2, 3)) > self.least, self.logit, -self.logit).astype(np.float32)


@dataclass(frozen=True)
class Silent:
    id: ClassVar[str] = "handmade"
    side: ClassVar[int] = 128

    def logits(self, squares: Pixels) -> np.ndarray:
        return np.zeros(len(squares), np.float32)


def test_the_expert_that_knows_is_weighed_and_more_so_where_detail_is_left(panel: Panel) -> None:
    base, slope = panel.fusion.weights["patches"]
    assert base > 5 * abs(panel.fusion.weights["handmade"][0])
    assert slope > 0


def test_quality_alone_says_nothing(panel: Panel) -> None:
    silent = {"patches": 0.0, "handmade": 0.0}
    assert panel.fusion.logit(silent, GOOD) == panel.fusion.logit(silent, POOR)


def test_ratios_on_other_pictures_are_calibrated(panel: Panel) -> None:
    made, photographs = fitting.split(rows(4_000, seed=1))
    ratios = [panel.calibrator.log10_lr(panel.fusion.of_rows(side)) for side in (made, photographs)]
    assert cllr(*ratios) - cllr_min(*ratios) < 0.05
    assert max(abs(ratio).max() for ratio in ratios) <= math.log10(2_000) - 1


def test_false_alarms_stay_below_one_in_a_hundred(panel: Panel) -> None:
    _, photographs = fitting.split(rows(20_000, seed=2))
    answers = [judged(panel, row.quality, row.logits).log10_lr for row in photographs]
    for quality in (GOOD, POOR):
        own = [answer for row, answer in zip(photographs, answers, strict=True) if row.quality is quality]
        accused = sum(answer is not None and side_of(answer) > 0 for answer in own)
        assert accused / len(own) < 0.015


def test_an_answer_that_photographs_reach_is_withheld_with_its_reason(panel: Panel) -> None:
    strict = replace(panel, thresholds=dict.fromkeys(panel.thresholds, math.inf))
    found = judged(strict, GOOD, {"patches": 6.0, "handmade": 0.0})
    assert found.ratio >= SPEAKS_FOR
    assert found.log10_lr is None
    assert "one in a hundred photographs" in found.reason
    assert judged(panel, GOOD, {"patches": 6.0, "handmade": 0.0}).log10_lr == found.ratio


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"shortest": 100}, "too small"), ({"detail": 0.01}, "too little detail"), ({"flat": 0.8}, "not photographic")],
)
def test_pictures_with_too_little_to_go_on_are_not_judged(panel: Panel, change: dict[str, float], reason: str) -> None:
    found = judged(panel, replace(GOOD, **change), {"patches": 6.0, "handmade": 0.0})
    assert found.log10_lr is None
    assert found.reason.startswith(reason)


def test_a_finding_survives_re_encoding(panel: Panel) -> None:
    found = examine(panel, photograph(0), [Sure(least=0), Silent()])
    assert found.log10_lr is not None
    assert side_of(found.log10_lr) == 1
    assert found.flips == 0


def test_a_finding_that_re_encoding_turns_is_withheld(panel: Panel) -> None:
    noisy = np.random.default_rng(0).integers(0, 2, (256, 256, 3), np.uint8) * np.uint8(255)
    fickle = Fickle()
    found = examine(panel, noisy, [fickle, Silent()])
    assert found.log10_lr is None
    assert found.reason.startswith("unstable: 6 of 6")


class Fickle:
    """Takes the last grey level for a sign."""

    id: ClassVar[str] = "patches"
    side: ClassVar[int] = 128

    def logits(self, squares: Pixels) -> np.ndarray:
        pure = np.isin(squares, (0, 255)).mean(axis=(1, 2, 3)) > 0.99
        return np.where(pure, 9, -9).astype(np.float32)


def test_a_panel_is_read_as_it_was_written(panel: Panel, tmp_path: Path) -> None:
    some = replace(panel, thresholds={**panel.thresholds, "much": math.inf})
    save(some, tmp_path / "panel.json")
    assert load(tmp_path / "panel.json") == some
    (tmp_path / "panel.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="not a panel"):
        load(tmp_path / "panel.json")


def test_folds_are_judged_by_panels_that_did_not_see_them() -> None:
    """Labels of one fold turned round move every panel but its own."""
    honest = rows(1_000)
    turned = [_turned(one) if one.fold == 3 else one for one in honest]
    before, after = fitting.by_fold(honest, EXPERTS), fitting.by_fold(turned, EXPERTS)
    assert before[3] == after[3]
    assert all(before[fold] != after[fold] for fold in (0, 1, 2, 4))


def _turned(one: Row) -> Row:
    return replace(one, label=Label.REAL if one.label is Label.AI else Label.AI)


def test_methods_are_compared_on_folds_that_they_did_not_see() -> None:
    costs = fitting.compared(rows(2_000), EXPERTS)
    assert costs.keys() == METHODS.keys()
    assert all(0 < cost < 1 for cost in costs.values())


def test_one_label_is_not_enough() -> None:
    with pytest.raises(ConfigurationError, match="both labels"):
        fitting.panel(fitting.split(rows(100))[0], EXPERTS, newest="")


def test_fusion_needs_no_order_of_rows() -> None:
    first, again = (fusion.fit(some, EXPERTS) for some in (rows(500), rows(500)[::-1]))
    assert first.bias == pytest.approx(again.bias, abs=1e-3)
    assert {bin_of(GOOD), bin_of(POOR)} == {"some", "little"}
