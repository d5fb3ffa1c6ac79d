"""Personal data out of a report: place, serial number, name, handle."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from assay.vocabulary import Detail, Report

MASK = "masked"


def masked(report: Report) -> Report:
    """Replace the value of every private `Detail`, wherever in the report it stands; everything else stays as it is."""
    return cast("Report", _masked(report))


def _masked(value: Any) -> Any:
    match value:
        case Detail(private=True):
            return replace(value, value=MASK)
        case tuple():
            return tuple(_masked(item) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{item.name: _masked(getattr(value, item.name)) for item in fields(value)})
        case _:
            return value
