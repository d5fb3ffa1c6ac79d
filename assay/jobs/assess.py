"""evaluate: a folder of labelled pictures in; a finding for each out, and a line of JSON if asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from assay.errors import ConfigurationError
from assay.jobs.detect import PANEL, open_experts
from detection import measuring, panel
from detection.folders import items_of
from detection.measuring import Row
from detection.panel import FULL, Finding


def assess(
    folder: Path,
    weights: Path,
    *,
    deliveries: Sequence[str],
    device: str,
    count: int = FULL,
    workers: int = 2,
    results: Path | None = None,
) -> Iterator[tuple[Row, Finding]]:
    """Measure every picture of a folder under every delivery, and judge it; files that are no pictures are left out.

    Args:
        folder: With `real/` and `ai/` in it.
        weights: Of experts and panel.
        deliveries: Of `detection.delivery.DELIVERIES`.
        device: Where networks run.
        count: Squares of each picture, at most.
        workers: Processes.
        results: Where each finding is written as a line of JSON; pictures that it has are not measured again.

    Raises:
        ConfigurationError: The folder has no files in `real/` or `ai/`, or the weights cannot be used.
    """
    items, known = items_of(folder), panel.load(weights / PANEL)
    if not open_experts(weights, "cpu"):
        raise ConfigurationError(f"{weights}: no weights of detectors", hint="Train them, or fetch them again.")
    done = {row.key: row for row in measuring.read(results)} if results and results.exists() else {}
    for row in done.values():
        yield row, panel.judged(known, row.quality, row.logits)
    left = {item: [name for name in deliveries if (item.path, item.id, name) not in done] for item in items}
    for row in measuring.rows(left, folder, partial(open_experts, weights, device), count=count, workers=workers):
        finding = panel.judged(known, row.quality, row.logits)
        if results is not None:
            _add(results, row, finding)
        yield row, finding


def unread(folder: Path, rows: Sequence[Row]) -> list[str]:
    """Files of the folder that gave no row."""
    seen = {row.path for row in rows}
    return [item.path for item in items_of(folder) if item.path not in seen]


def _add(results: Path, row: Row, finding: Finding) -> None:
    said = {"logit": finding.logit, "log10_lr": finding.log10_lr, "abstains": finding.reason or None}
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as stream:
        stream.write(json.dumps({**asdict(row), **said}) + "\n")
