"""What a page shows, in the order in which it is read: laid out by `as_html` for a screen and by `as_pdf` for paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from assay.report import wording
from assay.report.view import CREDENTIALS, FAILED, MEASUREMENT, NOTHING, SKIPPED, WATERMARK, Line, View, view
from assay.vocabulary import Basis, Detail, Report, ToolFacts

LONG = 4_000
"""Characters of a sentence or value: a prompt is read in full, a megabyte is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Notes under one heading."""

    title: str
    lines: tuple[Line, ...]
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One image on the page."""

    anchor: str
    view: View
    preview: bytes | None
    """A JPEG; see `Report.preview`."""
    credentials: tuple[Line, ...]
    measurements: tuple[Line, ...]
    notes: tuple[Group, ...]
    failed: tuple[Line, ...]
    silent: tuple[Line, ...]
    """Checks that had nothing to say, or did not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All of it."""

    title: str
    summary: str
    made: date
    sections: tuple[Section, ...]
    tools: tuple[Detail, ...]
    """What made the reports: results change between releases and between trust lists."""


def page(reports: Sequence[Report], today: date | None) -> Page:
    """Sort what the reports say into sections.

    Args:
        reports: In the order in which they are drawn.
        today: The day that the age of the trust list is counted to; today, in UTC, by default.
    """
    day = today or datetime.now(UTC).date()
    return Page(
        title="Where this image came from" if len(reports) == 1 else "Where these images came from",
        summary=wording.summary(reports),
        made=day,
        sections=tuple(_section(number, report) for number, report in enumerate(reports, 1)),
        tools=tuple(dict.fromkeys(tool for report in reports for tool in _tools(report.tools, day))),
    )


def _section(number: int, report: Report) -> Section:
    shown = view(report)
    credentials = tuple(line for line in shown.lines if line.title == CREDENTIALS)
    noted = tuple(line for line in shown.lines if line.label == Basis.NOTED and line.title != CREDENTIALS)
    measurements = tuple(line for line in shown.lines if line.title in (WATERMARK, MEASUREMENT))
    return Section(
        anchor=f"image-{number}",
        view=shown,
        preview=report.preview,
        credentials=credentials,
        measurements=measurements,
        notes=tuple(_groups(noted)),
        failed=tuple(line for line in shown.lines if line.label == FAILED),
        silent=tuple(line for line in shown.lines if line.label in (NOTHING, SKIPPED) and line not in measurements),
    )


def _groups(noted: Iterable[Line]) -> Iterator[Group]:
    for title, lines in groupby(noted, key=lambda line: line.title):
        yield Group(title=title, lines=tuple(lines), is_open=title in (wording.CONTRADICTIONS, wording.DECLARATIONS))


def _tools(tools: ToolFacts, today: date) -> Iterator[Detail]:
    yield Detail(name="assay", value=tools.assay)
    for name, version in sorted(tools.libraries.items()):
        yield Detail(name=name, value=version)
    yield Detail(name="trust list", value=wording.trust_list(tools.trust, today))
    if tools.trust.certificates:
        yield Detail(name="trust list sha256", value=tools.trust.sha256)
