from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from assay.discrimination import auc
from detection import page
from detection.fitting import by_fold, panel, split
from detection.measuring import Row
from detection.tables import POOLED, alarms, judge_by_fold, judge_with, lines
from tests.detection.rows import rows

EXPERTS = ("patches", "handmade")


@pytest.fixture(scope="module")
def known() -> list[Row]:
    return rows(1_600)


def test_each_generator_and_delivery_has_a_line(known: list[Row]) -> None:
    judge = judge_by_fold(by_fold(known, EXPERTS))
    found = list(lines(known, judge))
    assert [(line.delivery, line.kind) for line in found] == [
        (delivery, kind) for delivery in ("native", "hard") for kind in (POOLED, "kind-1", "kind-3")
    ]
    first = found[0]
    made, photographs = split([row for row in known if row.delivery == "native"])
    assert (first.made, first.photographs) == (len(made), len(photographs)) == (400, 400)
    expected = auc([judge(row).logit for row in made], [judge(row).logit for row in photographs])
    assert first.auc.value == pytest.approx(expected)
    assert first.cllr_min <= first.cllr
    assert first.found <= first.answered <= first.made


def test_a_delivery_says_how_many_pictures_it_turns(known: list[Row]) -> None:
    native = [row for row in known if row.delivery == "native"]
    turned = [
        replace(row, delivery="web", logits={**row.logits, "patches": -row.logits["patches"]}) for row in native[:40]
    ]
    same = [replace(row, delivery="web") for row in native[40:100]]
    found = list(lines([*known, *turned, *same], judge_with(panel(known, EXPERTS, newest=""))))
    flips = {line.delivery: line.flips for line in found if line.kind == POOLED}
    assert flips["native"] is None
    assert flips["web"] is not None
    assert flips["web"][1] == 100
    assert 30 < flips["web"][0] <= 40  # where the other expert does not outweigh it


def test_a_rate_that_n_cannot_tell_is_not_told(known: list[Row]) -> None:
    few = [row for row in known if row.delivery == "native"][:200]
    (pooled, *_) = lines(few, judge_by_fold(by_fold(known, EXPERTS)))
    assert pooled.tpr_1 is None
    assert "too few photographs" in page.lines([pooled])


def test_a_generator_is_compared_with_photographs_of_its_own_fold(known: list[Row]) -> None:
    only = [replace(row, kind="rare") if row.fold == 2 and row.kind == "kind-1" else row for row in known]
    rare = next(line for line in lines(only, judge_by_fold(by_fold(known, EXPERTS))) if line.kind == "rare")
    assert rare.photographs == sum(row.fold == 2 and row.label == "real" and row.delivery == "native" for row in only)


def test_every_source_of_photographs_has_its_rate(known: list[Row]) -> None:
    found = [
        alarm for alarm in alarms(known, judge_with(panel(known, EXPERTS, newest=""))) if alarm.delivery == "native"
    ]
    counts = Counter(row.source for row in known if row.label == "real" and row.delivery == "native")
    assert {alarm.source: alarm.photographs for alarm in found if alarm.source != POOLED} == counts
    pooled = found[0]
    assert pooled.accused == sum(alarm.accused for alarm in found[1:])
    assert pooled.interval[0] <= pooled.accused / max(1, pooled.answered) <= pooled.interval[1]
    assert page.alarms(found).count("\n") == len(found) + 2
