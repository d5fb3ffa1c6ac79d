from __future__ import annotations

import csv
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
from tests.assay.jobs.scan.arbitrary import ROWS, plain_row, plain_rows


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=5))
def test_survives_parquet(tmp_path: Path, rows: list[Row]) -> None:
    write_rows(tmp_path / "t.parquet", rows, {})
    assert list(read_rows(tmp_path / "t.parquet")) == rows


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=5))
def test_survives_csv_but_for_thumbnails_and_empty_text(tmp_path: Path, rows: list[Row]) -> None:
    write_rows(tmp_path / "t.csv", rows, {"trust": "c2pa"})
    kept = [replace(row, thumbnail=None, format=row.format or None, error=row.error or None) for row in rows]
    assert list(read_rows(tmp_path / "t.csv")) == kept
    assert count_rows(tmp_path / "t.csv") == len(rows)
    assert read_conditions(tmp_path / "t.csv") == ({"trust": "c2pa"} if rows else None)


def test_csv_runs_no_formula(tmp_path: Path) -> None:
    names = ["=1+1.png", "+a.png", "-b.png", "@c.png", "'d.png", 'e,"f"\n.png']
    write_rows(tmp_path / "t.csv", [plain_row(name, report="x" * 200_000) for name in names], {})
    with (tmp_path / "t.csv").open(newline="") as stream:
        written = [row["path"] for row in csv.DictReader(stream)]
    assert written == ["'=1+1.png", "'+a.png", "'-b.png", "'@c.png", "''d.png", names[-1]]
    assert [row.path for row in read_rows(tmp_path / "t.csv")] == names
    assert read_row(tmp_path / "t.csv", 5).path == names[-1]
    assert [row.report for row in read_rows(tmp_path / "t.csv", lean=True)] == [""] * len(names)
    with pytest.raises(IndexError):
        read_row(tmp_path / "t.csv", 6)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    for name in ("t", "t.tsv", "t.parquet.gz"):
        with pytest.raises(ConfigurationError, match=name) as caught:
            write_rows(tmp_path / name, plain_rows(1), {})
        assert ".parquet or .csv" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


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
    text, foreign = tmp_path / "text.parquet", tmp_path / "foreign.parquet"
    text.write_text("no table")
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), foreign)
    write_rows(tmp_path / "torn.csv", plain_rows(3), {})
    whole = (tmp_path / "torn.csv").read_bytes()
    (tmp_path / "torn.csv").write_bytes(whole[:-5])
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\0")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    names = ("missing.parquet", "missing.csv", "torn.csv", "binary.csv", "other.csv")
    for path in (text, foreign, *(tmp_path / name for name in names)):
        with pytest.raises(ConfigurationError, match=path.name):
            list(read_rows(path))


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError) as caught:
        table.require_pyarrow()
    assert "pip install 'assay[scan]'" in caught.value.hint
