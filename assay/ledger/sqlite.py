"""The ledger in one file: SQLite with a write-ahead log."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.errors import LedgerError
from assay.ledger.database import Dialect

_PATIENCE_SECONDS = 60.0


class SQLite:
    """A `Database` in a file that its owner alone may read: it holds the nonces."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        with self._translated():
            _create(path)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._log_ahead()
        # A row has to be on disk before the file that it is about takes its place.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA recursive_triggers = ON")  # INSERT OR REPLACE deletes, too

    def _log_ahead(self) -> None:
        """Wait for others that open the same new file: SQLite itself waits for every lock but this one."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Database`."""
        with self._between("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `Database`."""
        with self._between("BEGIN DEFERRED"):
            yield

    @contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """See `Database`."""
        with self._translated():
            self._connection.execute(statement, tuple(values))

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See `Database`."""
        with self._translated():
            return self._connection.execute(query, tuple(values)).fetchall()

    def has_table(self, name: str) -> bool:
        """See `Database`."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def close(self) -> None:
        """See `Database`."""
        self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"{self.name}: the ledger cannot be used: {error}",
                hint="Check that the path is right, its folder may be written to and its disk is not full.",
            ) from error


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
