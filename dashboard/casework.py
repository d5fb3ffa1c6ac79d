"""A case: the rows of one scan, what was decided about each, and the part of them that a page shows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from assay.dispositions import Disposition, Entry, notes_of, open_notes
from assay.jobs.scan import Row, count_rows, read_journal, read_row, read_rows
from assay.jobs.triage import groups
from assay.report.wording import INCONCLUSIVE, NOT_EXAMINED
from assay.vocabulary import Basis

LABELS = (*(basis.value for basis in Basis), INCONCLUSIVE, NOT_EXAMINED)
MANY = 20_000
"""Rows from which on a case is held without thumbnails and reports: six kilobytes each."""
ORDERS = ("Strongest basis first", "By path", "Largest ratio first", "As scanned")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One row of the queue."""

    row: Row
    """Without thumbnail and report in a large case: `whole` reads them."""
    number: int
    """Of the row in its table, from 0."""
    label: str
    """Of `LABELS`."""
    group: int
    """Rows that show the same have the same number."""
    alike: int
    """How many rows of the case show the same, this one included."""
    entry: Entry | None

    @property
    def disposition(self) -> Disposition:
        """Where the file stands."""
        return self.entry.disposition if self.entry else Disposition.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What of a case is shown, and in which order."""

    labels: tuple[str, ...] = ()
    """Any where there are none, like below."""
    dispositions: tuple[Disposition, ...] = ()
    words: str = ""
    one_each: bool = False
    """Only the first of those that show the same."""
    order: str = ORDERS[0]


def opened(results: Path) -> list[Line]:
    """All rows of a table, or of the scan that is still writing it, with what was decided.

    Raises:
        ConfigurationError: There is no such table, or it is none.
    """
    rows, numbers = _rows(results, _stamp(results))
    count: dict[int, int] = {}
    for number in numbers:
        count[number] = count.get(number, 0) + 1
    entries = _entries(results)
    return [
        Line(
            row=row,
            number=place,
            label=label(row),
            group=number,
            alike=count[number],
            entry=entries.get(row.sha256 or ""),
        )
        for place, (row, number) in enumerate(zip(rows, numbers, strict=True))
    ]


@st.cache_resource(show_spinner="Reading the results …", max_entries=4)
def _rows(results: Path, stamp: tuple[int, ...]) -> tuple[list[Row], list[int]]:  # noqa: ARG001 - a key of the cache
    rows = _table(results) if results.exists() else read_journal(results)
    return rows, groups(rows)


def _table(results: Path) -> list[Row]:
    return list(read_rows(results, lean=count_rows(results) > MANY))


def whole(results: Path, line: Line) -> Row:
    """A line's row with its thumbnail and report.

    Raises:
        ConfigurationError: The table is gone.
    """
    return line.row if line.row.report else read_row(results, line.number)


def _stamp(results: Path) -> tuple[int, ...]:
    """Changes with what is on the disk."""
    from assay.jobs.scan.journal import journal_of  # noqa: PLC0415

    present = [path.stat() for path in (results, journal_of(results)) if path.exists()]
    return tuple(number for stat in present for number in (stat.st_mtime_ns, stat.st_size))


def _entries(results: Path) -> dict[str, Entry]:
    if not notes_of(results).exists():
        return {}
    with open_notes(results) as notes:
        return notes.all()


def label(row: Row) -> str:
    """What the verdict rests on, in a word of `LABELS`."""
    if row.basis is not None:
        return row.basis.value
    return NOT_EXAMINED if row.error and row.format is None else INCONCLUSIVE


def chosen(lines: Sequence[Line], wanted: Filter) -> list[Line]:
    """The lines that a filter leaves, in its order."""
    words = wanted.words.casefold().split()
    kept = [
        line
        for line in lines
        if (not wanted.labels or line.label in wanted.labels)
        and (not wanted.dispositions or line.disposition in wanted.dispositions)
        and all(word in _text(line) for word in words)
    ]
    if wanted.one_each:
        first = {line.group: line for line in reversed(kept)}
        kept = [line for line in kept if first[line.group] is line]
    return _sorted(kept, wanted.order)


def _text(line: Line) -> str:
    note = line.entry.note if line.entry else ""
    return f"{line.row.path} {line.row.headline} {note}".casefold()


def _sorted(lines: list[Line], order: str) -> list[Line]:
    match order:
        case "By path":
            return sorted(lines, key=lambda line: line.row.path)
        case "Largest ratio first":
            return sorted(lines, key=lambda line: -_ratio(line))
        case "As scanned":
            return lines
        case _:
            return sorted(lines, key=lambda line: (LABELS.index(line.label), -_ratio(line)))


def _ratio(line: Line) -> float:
    return line.row.log10_lr if line.row.log10_lr is not None else float("-inf")


def cells(line: Line) -> dict[str, object]:
    """One line as the table shows it."""
    row = line.row
    picture = None if row.thumbnail is None else "data:image/jpeg;base64," + base64.b64encode(row.thumbnail).decode()
    return {
        "Picture": picture,
        "Rests on": line.label,
        "Verdict": row.headline,
        "File": row.path,
        "Stands": line.disposition.value,
        "log10 ratio": row.log10_lr,
        "Alike": line.alike,
        "Note": line.entry.note if line.entry else "",
        "Error": row.error or "",
    }


def decide(results: Path, sha256: str, disposition: Disposition, note: str, who: str) -> None:
    """Write a decision down beside the results.

    Raises:
        ConfigurationError: It cannot be written.
    """
    with open_notes(results) as notes:
        notes.put(sha256, disposition, note, who=who or None)
