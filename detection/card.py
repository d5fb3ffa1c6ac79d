"""The card of a run: what was trained on what, what was measured, in Markdown beside two pictures of curves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from assay.discrimination import reliability
from assay.files import write_whole
from detection import page, tables
from detection.fitting import by_fold, compared, split
from detection.manifest import Item, Label
from detection.measuring import Row
from detection.panel import Panel
from detection.tables import Judge

CURVE, RELIABILITY = "curve.png", "reliability.png"
_DATA = """\
{count:,} pictures of `detection/manifest.csv.gz`, by repository, path and blob. Most of those repositories state no
licence: their pictures were trained on and measured, and none is copied into this repository.
"""
_MEASURED = """\
Each fold by experts and a panel that saw none of its sources, and none of its families of generators; whole pictures,
as many squares of 256 pixels as the command says. Brackets are 95 % intervals: of a bootstrap of 2,000 resamples by
picture within each class, or exact (Clopper and Pearson). *Answered* leaves out abstentions, and ratios between 1/2
and 10; *flips* are pictures of both classes that the delivery moves across an even ratio. Pictures were not encoded
again here, so what that would withhold counts as answered.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a card is written of."""

    folder: Path
    """With the weights and the panel; the card goes there."""
    items: Sequence[Item]
    rows: Sequence[Row]
    """Each by experts that had not seen its fold."""
    panel: Panel
    experts: Sequence[str]
    curves: Mapping[str, Path]
    """`curve.jsonl` of each training, by its name."""
    command: str
    note: str = ""
    """What else a reader has to know."""


def write(run: Run) -> None:
    """Write the card and its pictures."""
    judge = tables.judge_by_fold(by_fold(run.rows, run.experts))
    _draw_curves(run.curves, run.folder / CURVE)
    _draw_reliability(run.rows, judge, run.folder / RELIABILITY)
    write_whole(run.folder / "README.md", "\n".join(_text(run, judge)).encode())


def _text(run: Run, judge: Judge) -> Iterator[str]:
    low, high = run.panel.calibrator.bounds
    yield "# Detectors of pictures that models made\n"
    yield f"Written {datetime.now(UTC):%Y-%m-%d} by `{run.command}`. Newest generator in the set: {run.panel.newest}.\n"
    if run.note:
        yield f"{run.note}\n"
    yield "What the finding means, and what it does not: `assay explain detector`.\n"
    yield "## Files\n"
    yield from _files(run.folder)
    yield "\n## Data\n"
    yield _DATA.format(count=len(run.items))
    yield _data(run.items)
    yield "## Measured\n"
    yield _MEASURED
    yield page.lines(tables.lines(run.rows, judge))
    yield "## False alarms, by source of photographs\n"
    yield page.alarms(tables.alarms(run.rows, judge))
    yield "## Calibration\n"
    yield from _calibration(run, low, high)


def _files(folder: Path) -> Iterator[str]:
    yield "| file | bytes | sha256 |\n| --- | ---: | --- |"
    for path in sorted(folder.glob("*.safetensors")):
        data = path.read_bytes()
        yield f"| `{path.name}` | {len(data):,} | `{sha256(data).hexdigest()}` |"


def _data(items: Iterable[Item]) -> str:
    counts = Counter((item.fold, item.label, item.kind) for item in items)
    lines = ["| fold | generated | photographs |", "| --- | --- | --- |"]
    for fold in sorted({fold for fold, _, _ in counts}):
        cells = []
        for label in (Label.AI, Label.REAL):
            kinds = {kind: count for (at, own, kind), count in counts.items() if (at, own) == (fold, label)}
            cells.append(
                ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items(), key=lambda pair: -pair[1]))
            )
        lines.append(f"| {fold} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _calibration(run: Run, low: float, high: float) -> Iterator[str]:
    costs = compared(run.rows, run.experts)
    stated = ", ".join(f"{method} {cost:.3f}" for method, cost in costs.items())
    yield f"Method: {run.panel.calibrator.method}. Cllr on folds that each method was not fitted on, mean: {stated}.\n"
    yield (
        f"Ratios are bounded to 10^{low:.2f} and 10^{high:.2f}: one order less than the {run.panel.made:,} generated "
        f"pictures and {run.panel.photographs:,} photographs that they were calibrated on.\n"
    )
    yield f"![Reliability]({RELIABILITY})\n\n![Training]({CURVE})\n"


def _draw_curves(curves: Mapping[str, Path], target: Path) -> None:
    figure, axes = _figure()
    for name, path in curves.items():
        points = [json.loads(line) for line in path.read_text().splitlines()]
        axes.plot([point["step"] for point in points], [point["total"] for point in points], label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("cross entropy, training squares")
    axes.legend(frameon=False)
    figure.savefig(target)


def _draw_reliability(rows: Sequence[Row], judge: Judge, target: Path) -> None:
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for delivery in sorted({row.delivery for row in rows}):
        made, photographs = split([row for row in rows if row.delivery == delivery])
        if made and photographs:
            ratios = [np.array([judge(row).ratio for row in side]) for side in (made, photographs)]
            stated, found, _ = zip(*reliability(*ratios), strict=True)
            axes.plot(stated, found, marker="o", markersize=3, label=delivery)
    axes.set_xlabel("stated, at even prior odds")
    axes.set_ylabel("found")
    axes.legend(frameon=False)
    figure.savefig(target)


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(5, 4), dpi=110, layout="constrained")
    return figure, figure.subplots()
