"""Everything that can be plugged in, by name. One line registers a method; the contract tests cover it from then on.

Values are `module:attribute` and are imported only when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from assay.vocabulary import Check, Format, Settings

CHECKS: Mapping[str, str] = {
    "credentials": "forensics.credentials:Credentials",
    "metadata": "forensics.metadata:Metadata",
}

FORMATS: Mapping[str, str] = {
    "text": "assay.report.as_text:render",
    "json": "assay.report.as_json:render",
    "jsonl": "assay.report.as_json:render_lines",
    "sarif": "assay.report.as_sarif:render",
    "junit": "assay.report.as_junit:render",
    "markdown": "assay.report.as_markdown:render",
    "html": "assay.report.as_html:render",
}


def load(reference: str) -> object:
    """Import what `module:attribute` names.

    Raises:
        ImportError: The module does not exist.
        AttributeError: The module has no such attribute.
    """
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def check_type(name: str) -> type[Check]:
    """The class behind a check's id.

    Raises:
        KeyError: No check has that id.
    """
    return cast("type[Check]", load(CHECKS[name]))


def checks(settings: Settings) -> tuple[Check, ...]:
    """One instance of every check, in the catalog's order."""
    factories = (cast("Callable[[Settings], Check]", check_type(name)) for name in CHECKS)
    return tuple(factory(settings) for factory in factories)


def format_named(name: str) -> Format:
    """The format with that name.

    Raises:
        KeyError: No format has that name.
    """
    return cast("Format", load(FORMATS[name]))
