"""Reports as fragments of a page: words, scales and trees, escaped by the templates that the HTML report uses.

Streamlit takes scripts out of what it is given; nothing here relies on that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Literal

import streamlit as st
from jinja2 import Environment
from markupsafe import Markup

from assay import catalog
from assay.errors import AssayError
from assay.ledger import Entry
from assay.report.as_html import environment
from assay.report.history import Node
from assay.report.view import FAILED, MEASUREMENT, NOTHING, SKIPPED, WATERMARK, Line, View
from assay.vocabulary import Basis, Detail
from dashboard.judging import Rulings
from generation.local import shown

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of evidence."""

    label: str
    title: str
    lines: tuple[Line, ...]
    explanations: tuple[tuple[str, tuple[str, ...]], ...]
    """Of each check behind it: its id, and its explanation in paragraphs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One image of several."""

    view: View
    preview: bytes | None
    chosen: bool
    rules: str | None = None
    """Which of the publisher's rules it breaks, in words; None where there are no rules."""


def style() -> None:
    """What every page needs once."""
    st.html(f"<style>{_environment().get_template('style.css.jinja').render()}</style>")


def verdict(view: View) -> None:
    """The verdict in words, what it rests on, and what would change it."""
    _draw("verdict", view)


def evidence(view: View) -> None:
    """One row for each kind of evidence, strongest basis first."""
    _draw("evidence", rows(view))


def silent(view: View) -> None:
    """The checks that had nothing to say, or did not run."""
    lines = [line for line in view.lines if line.label in (NOTHING, SKIPPED) and not _is_measured(line)]
    if lines:
        _draw("silent", lines)


def history(node: Node) -> None:
    """The history of an image as a tree, from this file back."""
    _draw("history", node)


def rules(told: Rulings) -> None:
    """Each of the publisher's rules, and what became of it for one file."""
    _draw("rules", told)


def index(entries: Sequence[Listed]) -> None:
    """Several images and what was found of each."""
    _draw("index", entries)


def complain(error: AssayError) -> None:
    """What is wrong, and what to do about it."""
    _draw("problem", str(error), error.hint)


def facts(title: str, details: Sequence[Detail], *, level: Literal[2, 3] = 2) -> None:
    """Named facts under a heading of this level: below the page's title, or below a heading on it."""
    _draw("named", title, details, level)


def of_entry(entry: Entry) -> tuple[Detail, ...]:
    """A row of the ledger in words; the name of its file is somebody's own."""
    drawn = f"drawn with {shown(entry.model)}, {entry.scheduler}, {entry.steps} steps"
    return (
        Detail(name="entered", value=entry.created),
        Detail(name="how", value=drawn if entry.model else "marked, not made here"),
        Detail(name="size", value=f"{entry.width:,} × {entry.height:,} pixels"),
        Detail(name="watermark", value=f"{entry.watermark}, key {entry.key_id}"),
        Detail(name="SHA-256 of the file", value=entry.file_sha256),
        Detail(name="manifest", value=f"{len(entry.manifest):,} bytes kept" if entry.manifest else "none"),
    )


def rows(view: View) -> tuple[Row, ...]:
    """The lines of a report by kind of evidence, in the order of their basis."""
    told = [line for line in view.lines if line.label in (*Basis, FAILED) or _is_measured(line)]
    return tuple(_row(label, title, tuple(lines)) for (label, title), lines in groupby(told, key=_kind))


def _kind(line: Line) -> tuple[str, str]:
    return line.label, line.title


def _row(label: str, title: str, lines: tuple[Line, ...]) -> Row:
    checks = dict.fromkeys(line.check for line in lines if line.check in catalog.CHECKS)
    return Row(
        label=label, title=title, lines=lines, explanations=tuple((check, explanation(check)) for check in checks)
    )


def _is_measured(line: Line) -> bool:
    return line.title in (WATERMARK, MEASUREMENT)


@cache
def explanation(check: str) -> tuple[str, ...]:
    """What a check does, means and does not mean, in paragraphs without the marks of a docstring."""
    return tuple(_paragraphs(catalog.explanation(check)))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield " ".join(paragraph.replace("`", "").replace("*", "").split())


@cache
def _environment() -> Environment:
    made = environment(_HERE)
    made.globals["drawings"] = False  # Streamlit drops SVG from HTML, so shapes are characters
    return made


def _draw(macro: str, *values: object) -> None:
    module = _environment().get_template("fragments.html.jinja").module
    html: Markup = getattr(module, macro)(*values)
    st.html(str(html))
