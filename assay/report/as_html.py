"""Reports as one self-contained page: nothing is fetched, no script runs, and it can be printed.

Every value that the template writes passes `visible` and jinja2's escaping; only data URIs made here do not.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from assay.report.escape import first, visible
from assay.report.sections import LONG, page
from assay.vocabulary import Report


def render(reports: Sequence[Report], *, today: date | None = None) -> str:
    """One HTML page.

    Args:
        reports: In the order in which they are drawn.
        today: The day that the age of the trust list is counted to; today, in UTC, by default.
    """
    return _template().render(page=page(reports, today))


@cache
def _template() -> Template:
    return environment().get_template("page.html.jinja")


def environment(*folders: Path) -> Environment:
    """Templates in which every value is made visible and escaped: those of reports, and those in these folders."""
    made = Environment(
        loader=FileSystemLoader([*folders, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["drawings"] = True
    made.filters["head"] = first
    made.filters["long"] = _long
    made.filters["sentence"] = _sentence
    made.filters["image"] = _image
    return made


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
