"""Rows in, a panel out; and for tables, a panel for each fold that was fitted on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assay.discrimination import cllr
from assay.errors import ConfigurationError
from detection import fusion
from detection.calibrate import METHODS, Calibrator, conformal_threshold
from detection.manifest import Label
from detection.measuring import Row
from detection.panel import BINS, FALSE_ALARMS, Panel, bin_of

CALIBRATION = "bi-Gaussian"
"""Of the methods compared in `compared`, the one that costs least on folds that it was not fitted on."""


def panel(rows: Sequence[Row], experts: Sequence[str], *, newest: str, method: str = CALIBRATION) -> Panel:
    """Fit fusion, calibration and thresholds.

    Args:
        rows: Of pictures that the experts had not seen, under any deliveries.
        experts: Who is weighed.
        newest: The newest generator that the experts have seen.
        method: Of `calibrate.METHODS`.

    Raises:
        ConfigurationError: One label has no rows.
    """
    made, photographs = split(rows)
    if not made or not photographs:
        raise ConfigurationError("calibration needs both labels", hint="Measure photographs and generated pictures.")
    fused = fusion.fit(rows, experts)
    return Panel(
        fusion=fused,
        calibrator=_calibrator(fused, rows, method),
        thresholds=_thresholds(fused, photographs),
        photographs=len({row.id for row in photographs}),
        made=len({row.id for row in made}),
        newest=newest,
    )


def by_fold(rows: Sequence[Row], experts: Sequence[str], *, method: str = CALIBRATION) -> Mapping[int, Panel]:
    """A panel for each fold, fitted on the rows of the other folds."""
    folds = sorted({row.fold for row in rows})
    return {
        fold: panel([row for row in rows if row.fold != fold], experts, newest="of the other folds", method=method)
        for fold in folds
    }


def compared(rows: Sequence[Row], experts: Sequence[str]) -> Mapping[str, float]:
    """By method of calibration: its `cllr` on folds that it was not fitted on, mean over folds with both labels."""
    found: dict[str, list[float]] = {method: [] for method in METHODS}
    for fold in sorted({row.fold for row in rows}):
        own, others = [row for row in rows if row.fold == fold], [row for row in rows if row.fold != fold]
        fused = fusion.fit(others, experts)
        for method in METHODS:
            calibrator = _calibrator(fused, others, method)
            made, photographs = (calibrator.log10_lr(fused.of_rows(side)) for side in split(own))
            if len(made) and len(photographs):
                found[method].append(cllr(made, photographs))
    return {method: float(np.mean(costs)) for method, costs in found.items()}


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Made, photographed."""
    return [row for row in rows if row.label is Label.AI], [row for row in rows if row.label is Label.REAL]


def _calibrator(fused: fusion.Fusion, rows: Sequence[Row], method: str) -> Calibrator:
    """Bounded by the number of pictures, not of rows: deliveries of one picture are no new evidence."""
    made, photographs = split(rows)
    calibrator = METHODS[method](fused.of_rows(made), fused.of_rows(photographs))
    counts = (len({row.id for row in made}), len({row.id for row in photographs}))
    return calibrator.bounded(*counts)


def _thresholds(fused: fusion.Fusion, photographs: Sequence[Row]) -> Mapping[str, float]:
    """By quality bin; each photograph counts once in a bin, with the highest of its deliveries there."""
    highest: dict[str, dict[str, float]] = {name: {} for name in BINS}
    for row, logit in zip(photographs, fused.of_rows(photographs), strict=True):
        seen = highest[bin_of(row.quality)]
        seen[row.id] = max(seen.get(row.id, -np.inf), float(logit))
    return {name: conformal_threshold(list(seen.values()), FALSE_ALARMS) for name, seen in highest.items()}
