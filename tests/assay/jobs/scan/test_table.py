from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from assay.errors import ConfigurationError
from assay.jobs.scan import Row, count_rows, read_row, read_rows, table
from assay.jobs.scan.table import read_conditions, write_rows
from tests.assay.jobs.scan.arbitrary import ROWS, plain_rows


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=5))
def test_survives_parquet(tmp_path: Path, rows: list[Row]) -> None:
    write_rows(tmp_path / "t.parquet", rows, {})
    assert list(read_rows(tmp_path / "t.parquet")) == rows


def test_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "GROUP", 3)
    rows = plain_rows(8)
    write_rows(tmp_path / "t.parquet", iter(rows), {"trust": "c2pa"})
    with pyarrow.parquet.ParquetFile(tmp_path / "t.parquet") as file:
        assert file.num_row_groups == 3
        assert file.schema_arrow.metadata[b"assay.schema"] == b"assay-scan/1"
    assert list(read_rows(tmp_path / "t.parquet")) == rows
    assert read_conditions(tmp_path / "t.parquet") == {"trust": "c2pa"}


def test_rows_are_read_without_what_is_heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "GROUP", 3)
    path, rows = tmp_path / "t.parquet", plain_rows(8)
    write_rows(path, rows, {})
    assert count_rows(path) == 8
    assert list(read_rows(path, lean=True)) == [replace(row, thumbnail=None, report="") for row in rows]
    assert [read_row(path, number) for number in range(8)] == rows
    with pytest.raises(IndexError):
        read_row(path, 8)


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_rows(path, plain_rows(2), {})
    before = path.read_bytes()

    def broken() -> object:
        yield from plain_rows(3)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_rows(path, broken(), {})  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_table(tmp_path: Path) -> None:
    text, foreign = tmp_path / "text", tmp_path / "foreign"
    text.write_text("no table")
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), foreign)
    for path in (text, foreign, tmp_path / "missing"):
        with pytest.raises(ConfigurationError, match=path.name):
            list(read_rows(path))


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError) as caught:
        table.require_pyarrow()
    assert "pip install 'assay[scan]'" in caught.value.hint
