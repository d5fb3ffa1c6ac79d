from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from assay.jobs.scan import read_journal
from assay.jobs.scan.journal import Journal, journal_of
from tests.assay.jobs.scan.arbitrary import plain_row


def test_a_row_is_on_the_disk_at_once(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    assert read_journal(table) == []
    with Journal(table) as journal:
        journal.load("a")
        for name in ("x", "y"):
            journal.add(plain_row(name))
            assert read_journal(table)[-1].path == name
        changed = plain_row("x", headline="anew")
        journal.add(changed)
        assert journal.find("x") == changed
    assert read_journal(table) == [changed, plain_row("y")]


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    with Journal(table) as journal:
        journal.load("a")
        journal.add(plain_row("x"))
        end = journal_of(table).stat().st_size
        journal.add(plain_row("y"))
    whole = journal_of(table).read_bytes()
    for cut in (end + 1, len(whole) - 1):
        journal_of(table).write_bytes(whole[:cut])
        assert read_journal(table) == [plain_row("x")]
        with Journal(table) as journal:
            journal.load("a")
            assert "x" in journal
            assert "y" not in journal
            journal.add(plain_row("z"))
        assert read_journal(table) == [plain_row("x"), plain_row("z")]


def test_a_line_that_says_nothing_is_passed_over(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    journal_of(table).write_bytes(b"\0\0\0\n[]\n{}\n")
    with Journal(table) as journal:
        journal.load("a")
        journal.add(plain_row("x"))
        assert journal.find("x") == plain_row("x")
    assert read_journal(table) == [plain_row("x")]


def test_rows_under_other_conditions_stay_and_do_not_count(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    for conditions, headline in (("a", "first"), ("b", "second")):
        with Journal(table) as journal:
            journal.load(conditions)
            assert "x" not in journal
            journal.add(plain_row("x", headline=headline))
    assert read_journal(table) == [plain_row("x", headline="second")]
    with Journal(table) as journal:
        journal.load("a")
        assert journal.find("x") == plain_row("x", headline="first")


def test_one_at_a_time(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    with Journal(table) as journal:
        journal.load("a")
        with pytest.raises(ConfigurationError, match="another scan"):
            Journal(table)
        journal.add(plain_row("x"))
        journal.clear()
    with Journal(table) as journal:
        journal.load("a")
        assert "x" not in journal
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Journal(tmp_path / "missing" / "t.parquet")
