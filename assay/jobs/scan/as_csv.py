"""The table as CSV (RFC 4180): the columns of the Parquet table without thumbnails, and in the last one the conditions.

A spreadsheet runs a field that begins like a formula, and file names may hold anything, so such text, and text that
begins with an apostrophe, is written behind an apostrophe, which reading takes off again.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from assay.errors import ConfigurationError
from assay.files import replacing
from assay.jobs.scan.rows import Row, foreign
from assay.vocabulary import Basis, Claim

_CONDITIONS = "conditions"
_COLUMNS = tuple(item.name for item in fields(Row) if item.name != "thumbnail")
_COUNTS = ("byte_size", "width", "height", "perceptual_hash")
_ALWAYS = frozenset({"path", "headline", "report"})
"""Text that is never missing: empty elsewhere means None."""
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_FOREIGN = (ValueError, TypeError, csv.Error)
_LONGEST = 2**31 - 1
"""Characters of one field; the library's own bound is shorter than some reports."""


def write_rows(path: Path, rows: Iterable[Row], conditions: Mapping[str, Any]) -> None:
    """See `table.write_rows`."""
    stated = json.dumps(conditions)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*_COLUMNS, _CONDITIONS))
        first = True
        for row in rows:
            writer.writerow((*map(_written, _values(row)), stated if first else ""))
            first = False
        stream.flush()
        os.fsync(stream.fileno())


def read_rows(path: Path) -> Iterator[Row]:
    """See `table.read_rows`; thumbnails are None."""
    with _lines(path) as lines:
        try:
            for *values, _ in lines:
                yield _row(dict(zip(_COLUMNS, values, strict=True)))
        except _FOREIGN as error:
            raise foreign(path) from error


def read_conditions(path: Path) -> Any:
    """See `table.read_conditions`; those of a table without rows are not known: None."""
    with _lines(path) as lines:
        try:
            first = next(lines, None)
            return None if first is None else json.loads(first[-1])
        except _FOREIGN as error:
            raise foreign(path) from error


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[list[str]]]:
    """The fields of each row, behind a heading that has to be ours."""
    csv.field_size_limit(_LONGEST)
    try:
        stream = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}", hint="Check the spelling.") from error
    with stream:
        lines = csv.reader(stream, strict=True)
        try:
            heading = next(lines, None)
        except _FOREIGN as error:
            raise foreign(path) from error
        if heading != [*_COLUMNS, _CONDITIONS]:
            raise foreign(path)
        yield lines


def _values(row: Row) -> Iterator[Any]:
    return (getattr(row, name) for name in _COLUMNS)


def _written(value: str | float | tuple[str, ...] | None) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return json.dumps(value)
        case str():
            return f"'{value}" if value.startswith(_RUN_BY_SPREADSHEETS) else value
        case _:
            return repr(value)


def _row(texts: Mapping[str, str]) -> Row:
    values: dict[str, Any] = {name: text.removeprefix("'") for name, text in texts.items()}
    values |= {name: None for name, text in texts.items() if not text and name not in _ALWAYS}
    typed = {
        **{name: int(values[name]) for name in _COUNTS if values[name] is not None},
        "claim": None if values["claim"] is None else Claim(values["claim"]),
        "basis": None if values["basis"] is None else Basis(values["basis"]),
        "log10_lr": None if values["log10_lr"] is None else float(values["log10_lr"]),
        "conflicts": tuple(json.loads(values["conflicts"])),
        "seconds": float(values["seconds"]),
        "thumbnail": None,
    }
    return Row(**values | typed)
