"""Tables of detectors in Markdown, for the terminal and the card alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assay.discrimination import Estimate
from assay.stats import clopper_pearson
from detection.tables import Alarm, Line

_LINES = (
    *("pictures", "delivery", "n", "photographs", "AUC", "TPR at 5 % FPR", "TPR at 1 % FPR"),
    *("Cllr", "Cllr min", "ECE", "answered", "of those found", "flips"),
)
_ALARMS = ("photographs", "delivery", "n", "answered", "accused of those answered", "95 % interval")


def lines(found: Iterable[Line]) -> str:
    """A table of generated pictures, by generator and delivery."""
    return _table(_LINES, (_line(line) for line in found))


def alarms(found: Iterable[Alarm]) -> str:
    """A table of photographs, by source and delivery."""
    return _table(_ALARMS, (_alarm(alarm) for alarm in found))


def _line(line: Line) -> Sequence[str]:
    return (
        *(line.kind, line.delivery, f"{line.made:,}", f"{line.photographs:,}"),
        *(str(line.auc), _estimate(line.tpr_5), _estimate(line.tpr_1)),
        *(f"{line.cllr:.2f}", f"{line.cllr_min:.2f}", f"{line.error:.2f}"),
        *(share(line.answered, line.made), share(line.found, line.answered), share(*line.flips) if line.flips else "-"),
    )


def _alarm(alarm: Alarm) -> Sequence[str]:
    low, high = alarm.interval
    return (
        *(alarm.source, alarm.delivery, f"{alarm.photographs:,}", share(alarm.answered, alarm.photographs)),
        *(f"{alarm.accused} of {alarm.answered}", f"{low:.3f} to {high:.3f}"),
    )


def _estimate(estimate: Estimate | None) -> str:
    return "too few photographs" if estimate is None else str(estimate)


def share(count: int, total: int) -> str:
    """A rate with its exact 95 % interval."""
    if not total:
        return "-"
    low, high = clopper_pearson(count, total)
    return f"{count / total:.2f} [{low:.2f}, {high:.2f}]"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_cells(heads, rows)) + "\n"


def _cells(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
