"""Personal data out of a report: place, serial number, name, handle."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import cache
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
            items = tuple(map(_masked, value))
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        case _:
            kind: Any = type(value)
            names = _names(kind)
            changed = {name: new for name in names if (new := _masked(old := getattr(value, name))) is not old}
            return replace(value, **changed) if changed else value


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass; none of any other type."""
    return tuple(item.name for item in fields(kind)) if is_dataclass(kind) else ()
