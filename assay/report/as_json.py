"""Reports as JSON: everything, in a stable order, for programs.

Only ASCII is written, so nothing that a file holds can act on a terminal. `assay.codec.decode` reads it back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from assay.codec import encode
from assay.vocabulary import Report

SCHEMA = "assay-reports/1"


def render(reports: Sequence[Report]) -> str:
    """One JSON document: `{"schema": "assay-reports/1", "reports": [...]}`."""
    return _dumps({"schema": SCHEMA, "reports": [encode(report) for report in reports]}, indent=2) + "\n"


def render_lines(reports: Sequence[Report]) -> str:
    """JSON Lines: one report a line, so that output can be appended, cut and streamed."""
    return "".join(_dumps(encode(report)) + "\n" for report in reports)


def _dumps(value: Any, *, indent: int | None = None) -> str:
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_strict(value), indent=indent, allow_nan=False)


def _strict(value: Any) -> Any:
    """Infinity and NaN as text, which `float` reads: RFC 8259, section 6, has no such numbers."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {key: _strict(item) for key, item in value.items()}
        case list():
            return [_strict(item) for item in value]
        case _:
            return value
