"""Reports as one self-contained page: nothing is fetched, no script runs, and it can be printed.

Every value that the template writes passes `visible` and jinja2's escaping; only data URIs made here do not.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from assay.report import wording
from assay.report.escape import first, visible
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
    preview: Markup | None
    credentials: tuple[Line, ...]
    measurements: tuple[Line, ...]
    notes: tuple[Group, ...]
    failed: tuple[Line, ...]
    silent: tuple[Line, ...]
    """Checks that had nothing to say, or did not run."""


def render(reports: Sequence[Report], *, today: date | None = None) -> str:
    """One HTML page.

    Args:
        reports: In the order in which they are drawn.
        today: The day that the age of the trust list is counted to; today, in UTC, by default.
    """
    day = today or datetime.now(UTC).date()
    return _template().render(
        title="Where this image came from" if len(reports) == 1 else "Where these images came from",
        summary=wording.summary(reports),
        made=day.isoformat(),
        sections=[_section(number, report) for number, report in enumerate(reports, 1)],
        tools=_tools(reports, day),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["head"] = first
    environment.filters["long"] = _long
    environment.filters["sentence"] = _sentence
    environment.filters["image"] = _image
    return environment.get_template("page.html.jinja")


def _finalize(value: Any) -> Any:
    """Applied by jinja2 to the value of every expression, before it is escaped."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return visible(value) if is_text else value


def _long(text: str) -> Markup:
    """A sentence or value that may run over several lines."""
    return escape(visible(text, limit=LONG, lines=True))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _image(data: bytes, mime: str) -> Markup:
    return Markup(f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}")  # noqa: S704 - base64 needs no escape


def _section(number: int, report: Report) -> Section:
    shown = view(report)
    credentials = tuple(line for line in shown.lines if line.title == CREDENTIALS)
    noted = tuple(line for line in shown.lines if line.label == Basis.NOTED and line.title != CREDENTIALS)
    measurements = tuple(line for line in shown.lines if line.title in (WATERMARK, MEASUREMENT))
    return Section(
        anchor=f"image-{number}",
        view=shown,
        preview=_image(report.preview, "image/jpeg") if report.preview else None,
        credentials=credentials,
        measurements=measurements,
        notes=tuple(_groups(noted)),
        failed=tuple(line for line in shown.lines if line.label == FAILED),
        silent=tuple(line for line in shown.lines if line.label in (NOTHING, SKIPPED) and line not in measurements),
    )


def _groups(noted: Iterable[Line]) -> Iterator[Group]:
    for title, lines in groupby(noted, key=lambda line: line.title):
        yield Group(title=title, lines=tuple(lines), is_open=title in (wording.CONTRADICTIONS, wording.DECLARATIONS))


def _tools(reports: Sequence[Report], today: date) -> tuple[Detail, ...]:
    """What made the reports: results change between releases and between trust lists."""
    made = dict.fromkeys(tool for report in reports for tool in _tool_facts(report.tools, today))
    return tuple(made)


def _tool_facts(tools: ToolFacts, today: date) -> Iterator[Detail]:
    yield Detail(name="assay", value=tools.assay)
    for name, version in sorted(tools.libraries.items()):
        yield Detail(name=name, value=version)
    yield Detail(name="trust list", value=wording.trust_list(tools.trust, today))
    if tools.trust.certificates:
        yield Detail(name="trust list sha256", value=tools.trust.sha256)
