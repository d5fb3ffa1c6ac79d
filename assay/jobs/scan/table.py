"""The table of results: one file, written and read a group of rows at a time. Its suffix says which: Parquet or CSV."""

# ruff: noqa: PLC0415 - pyarrow is an extra, and slow to import

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from assay.errors import ConfigurationError
from assay.files import replacing
from assay.jobs.scan import as_csv
from assay.jobs.scan.rows import SCHEMA, Row, foreign
from assay.vocabulary import Basis, Claim

GROUP = 1_000
"""Rows of one row group of Parquet, and the most that are held in memory: about ten megabytes."""
_HEAVY: Mapping[str, Any] = {"thumbnail": None, "report": ""}
"""Columns that a queue of many thousands does without, and what stands for them."""
_SCHEMA_KEY, _CONDITIONS_KEY = b"assay.schema", b"assay.conditions"


def require_writable(path: Path) -> None:
    """Say early what would stop a table there.

    Raises:
        ConfigurationError: The suffix is neither of the two, or pyarrow is not installed.
    """
    if not _is_csv(path):
        require_pyarrow()


def require_pyarrow() -> None:
    """Say early what is missing.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ConfigurationError("Tables need pyarrow", hint="Install the extra: pip install 'assay[scan]'.")


def write_rows(path: Path, rows: Iterable[Row], conditions: Mapping[str, Any]) -> None:
    """Write all rows to a temporary file in the same folder, then rename it.

    Args:
        path: Where the table goes, with the suffix of its format; an older one is replaced. CSV has no thumbnails.
        rows: In the order in which the table keeps them.
        conditions: What the rows were made with; goes into the metadata of the file as JSON.

    Raises:
        ConfigurationError: The suffix is neither of the two.
        OSError: It cannot be written; what was at `path` is untouched.
    """
    if _is_csv(path):
        as_csv.write_rows(path, rows, conditions)
        return
    from pyarrow.parquet import ParquetWriter

    described = {_SCHEMA_KEY: SCHEMA, _CONDITIONS_KEY: json.dumps(conditions)}
    schema = _schema().with_metadata(described)
    with replacing(path) as temporary, ParquetWriter(temporary, schema, compression="zstd") as writer:
        remaining = iter(rows)
        while group := list(islice(remaining, GROUP)):
            writer.write_table(_table(group, schema), row_group_size=GROUP)
        writer.close()
        _to_disk(temporary)


def read_rows(path: Path, *, lean: bool = False) -> Iterator[Row]:
    """The rows of a table in their order, a group in memory at a time.

    Args:
        path: Of the table.
        lean: Leave thumbnails and reports out, which are nearly all of a table: `read_row` reads those of one row.

    Raises:
        ConfigurationError: There is no such file, or it is no table of a scan.
    """
    if _is_csv(path):
        rows = as_csv.read_rows(path)
        yield from (replace(row, **_HEAVY) for row in rows) if lean else rows
        return
    columns = [item.name for item in fields(Row) if not lean or item.name not in _HEAVY]
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=GROUP, columns=columns):
            for values in batch.to_pylist():
                yield _row({**_HEAVY, **values})


def read_row(path: Path, number: int) -> Row:
    """One whole row, by its place in the table, from 0.

    Raises:
        ConfigurationError: As for `read_rows`.
        IndexError: There are fewer rows.
    """
    if _is_csv(path):
        row = next(islice(as_csv.read_rows(path), number, None), None)
        if row is None:
            raise IndexError(number)
        return row
    with _opened(path) as file:
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            if number < count:
                (values,) = file.read_row_group(group).slice(number, 1).to_pylist()
                return _row(values)
            number -= count
    raise IndexError(number)


def count_rows(path: Path) -> int:
    """How many rows a table has.

    Raises:
        ConfigurationError: As for `read_rows`.
    """
    if _is_csv(path):
        return sum(1 for _ in as_csv.read_rows(path))
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def read_conditions(path: Path) -> Any:
    """What the rows of a table were made with, as JSON.

    Raises:
        ConfigurationError: As for `read_rows`.
    """
    if _is_csv(path):
        return as_csv.read_conditions(path)
    with _opened(path) as file:
        return json.loads(file.schema_arrow.metadata[_CONDITIONS_KEY])


def _is_csv(path: Path) -> bool:
    """Whether it is CSV; else it is Parquet.

    Raises:
        ConfigurationError: The suffix is neither of the two.
    """
    match path.suffix.lower():
        case ".csv":
            return True
        case ".parquet":
            return False
        case _:
            raise ConfigurationError(f"{path}: not a table by its suffix", hint="End its name in .parquet or .csv.")


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            pa.field("sha256", pa.string()),
            pa.field("byte_size", pa.int64()),
            pa.field("sidecar_sha256", pa.string()),
            pa.field("format", pa.string()),
            pa.field("width", pa.int64()),
            pa.field("height", pa.int64()),
            pa.field("claim", pa.string()),
            pa.field("basis", pa.string()),
            pa.field("log10_lr", pa.float64()),
            pa.field("headline", pa.string(), nullable=False),
            pa.field("conflicts", pa.list_(pa.string()), nullable=False),
            pa.field("error", pa.string()),
            pa.field("perceptual_hash", pa.uint64()),
            pa.field("thumbnail", pa.binary()),
            pa.field("seconds", pa.float64(), nullable=False),
            pa.field("report", pa.string(), nullable=False),
        ]
    )


def _to_disk(path: Path) -> None:
    """The journal, which holds the same rows, is deleted next."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _table(rows: Sequence[Row], schema: Any) -> Any:
    import pyarrow as pa

    columns = {item.name: [getattr(row, item.name) for row in rows] for item in fields(Row)}
    return pa.Table.from_pydict(columns, schema=schema)


def _row(values: dict[str, Any]) -> Row:
    claim, basis = values["claim"], values["basis"]
    typed = {
        "claim": None if claim is None else Claim(claim),
        "basis": None if basis is None else Basis(basis),
        "conflicts": tuple(values["conflicts"]),
    }
    return Row(**values | typed)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    require_pyarrow()
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}", hint="Check the spelling.") from error
    except ArrowInvalid as error:
        raise foreign(path) from error
    with file:
        if (file.schema_arrow.metadata or {}).get(_SCHEMA_KEY) != SCHEMA.encode():
            raise foreign(path)
        yield file
