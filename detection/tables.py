"""What was measured of detectors, as tables: by generator, by delivery, by source of photographs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.discrimination import (
    Estimate,
    auc_interval,
    calibration_error,
    cllr,
    cllr_min,
    tpr_interval,
)
from assay.stats import clopper_pearson
from detection.delivery import DELIVERIES, NATIVE
from detection.fitting import split
from detection.measuring import Row
from detection.panel import Finding, Panel, judged, side_of

Judge = Callable[[Row], Finding]
POOLED = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One group of generated pictures against the photographs that were measured beside them."""

    kind: str
    delivery: str
    made: int
    photographs: int
    auc: Estimate
    tpr_5: Estimate | None
    """At 5 % false alarms, before abstention; None where n cannot tell."""
    tpr_1: Estimate | None
    cllr: float
    cllr_min: float
    error: float
    """Expected calibration error."""
    answered: int
    """Made pictures with an answer."""
    found: int
    """Of those, said to be made."""
    flips: tuple[int, int] | None
    """Of pictures of both classes, natively on one side of an even ratio: how many this delivery moves to the other
    side, and of how many. None for the native pictures themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One source of photographs."""

    source: str
    delivery: str
    photographs: int
    answered: int
    accused: int

    @property
    def interval(self) -> tuple[float, float]:
        """Of the rate of false alarms among answered photographs."""
        return clopper_pearson(self.accused, self.answered) if self.answered else (0.0, 1.0)


def judge_by_fold(panels: Mapping[int, Panel]) -> Judge:
    """Each row by the panel that was not fitted on its fold."""
    return lambda row: judged(panels[row.fold], row.quality, row.logits)


def judge_with(panel: Panel) -> Judge:
    """Every row by the same panel."""
    return lambda row: judged(panel, row.quality, row.logits)


def lines(rows: Sequence[Row], judge: Judge) -> Iterator[Line]:
    """By delivery: all generated pictures together, then each generator; against photographs of the same folds."""
    native = {(row.path, row.id): judge(row).ratio for row in rows if row.delivery == NATIVE}
    for delivery in _deliveries(rows):
        made, photographs = split([row for row in rows if row.delivery == delivery])
        if not made or not photographs:
            continue
        yield _line(POOLED, delivery, (made, photographs), judge, native)
        for kind, count in sorted(Counter(row.kind for row in made).items()):
            own = [row for row in made if row.kind == kind]
            folds = {row.fold for row in own}
            beside = [row for row in photographs if row.fold in folds]
            if count >= _FEWEST and beside:
                yield _line(kind, delivery, (own, beside), judge, native)


_FEWEST, _FEWEST_PHOTOGRAPHS = 10, 5
"""Pictures of a generator, and of a source of photographs, that get a line of their own."""


def _line(
    kind: str,
    delivery: str,
    sides: tuple[Sequence[Row], Sequence[Row]],
    judge: Judge,
    native: Mapping[tuple[str, str], float],
) -> Line:
    made, photographs = sides
    of_made, of_photographs = [judge(row) for row in made], [judge(row) for row in photographs]
    turned = [
        finding.ratio * native[row.path, row.id] < 0
        for row, finding in zip((*made, *photographs), (*of_made, *of_photographs), strict=True)
        if delivery != NATIVE and (row.path, row.id) in native
    ]
    yes, no = (np.array([finding.logit for finding in side]) for side in (of_made, of_photographs))
    ratios = [np.array([finding.ratio for finding in side]) for side in (of_made, of_photographs)]
    answers = [side_of(finding.log10_lr) for finding in of_made if finding.log10_lr is not None]
    return Line(
        kind=kind,
        delivery=delivery,
        made=len(made),
        photographs=len(photographs),
        auc=auc_interval(yes, no),
        tpr_5=tpr_interval(yes, no, 0.05),
        tpr_1=tpr_interval(yes, no, 0.01),
        cllr=cllr(*ratios),
        cllr_min=cllr_min(*ratios),
        error=calibration_error(*ratios),
        answered=sum(answer != 0 for answer in answers),
        found=sum(answer > 0 for answer in answers),
        flips=(sum(turned), len(turned)) if turned else None,
    )


def alarms(rows: Sequence[Row], judge: Judge) -> Iterator[Alarm]:
    """By delivery: all photographs together, then each source that has some."""
    for delivery in _deliveries(rows):
        _, photographs = split([row for row in rows if row.delivery == delivery])
        counts = Counter(row.source for row in photographs)
        sources = sorted(source for source, count in counts.items() if count >= _FEWEST_PHOTOGRAPHS)
        for source in (POOLED, *sources):
            answers = [
                side_of(found.log10_lr)
                for row in photographs
                if source in (POOLED, row.source) and (found := judge(row)).log10_lr is not None
            ]
            yield Alarm(
                source=source,
                delivery=delivery,
                photographs=sum(source in (POOLED, row.source) for row in photographs),
                answered=sum(answer != 0 for answer in answers),
                accused=sum(answer > 0 for answer in answers),
            )


def _deliveries(rows: Sequence[Row]) -> list[str]:
    present = {row.delivery for row in rows}
    return [delivery for delivery in DELIVERIES if delivery in present]
