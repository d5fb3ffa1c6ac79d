from __future__ import annotations

from pathlib import Path

from assay.ledger.sqlite import SQLite
from tests.racing import race


def test_processes_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite itself does not wait where two begin the same write-ahead log."""
    race(_open, tmp_path)


def _open(path: Path) -> None:
    SQLite(path).close()
