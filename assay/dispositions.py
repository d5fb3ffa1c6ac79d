"""What people decided about files: a disposition and a note for each, kept beside the results of a scan.

The file lies beside the table (`results.parquet.notes.sqlite`), not in the data folder: decisions belong to one case.
They go where its results go, are backed up and deleted with them, and never mix with those of another case. They are
kept by the sha256 of a file, so that they outlive a new scan and a rename. Nothing is written over: what holds is the
last entry.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from assay.errors import ConfigurationError

_PATIENCE_SECONDS = 60.0
_VERSION = 1
_SHA256 = re.compile("[0-9a-f]{64}")
_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS entry (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        sha256 TEXT NOT NULL,
        disposition TEXT NOT NULL,
        note TEXT NOT NULL,
        who TEXT,
        at TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS entry_of_file ON entry (sha256, seq)",
    "CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'only added to'); END",
    "CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'only added to'); END",
    f"PRAGMA user_version = {_VERSION}",
)


class Disposition(StrEnum):
    """Where a file stands in triage."""

    OPEN = "open"
    """Nobody has decided: the default of a file without an entry."""
    IN_REVIEW = "in review"
    """Somebody is on it."""
    ESCALATED = "escalated"
    """Handed to somebody who decides more."""
    CONFIRMED = "confirmed"
    """Reviewed: it is what it was suspected to be."""
    CLEARED = "cleared"
    """Reviewed: nothing to act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision about one file."""

    sha256: str
    """Of the file, as 64 hexadecimal digits."""
    disposition: Disposition
    note: str
    who: str | None
    at: datetime
    """When it was written down, in UTC."""


class Notes:
    """All entries of one case; a context manager. One connection, for one thread: open it where it is needed.

    Several sessions may write at the same time: each waits for the other. There is no write-ahead log, which would need
    memory that all of them share: results often lie on a disk of the network.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._translated():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # notes are nobody else's business
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version != _VERSION and (version or tables):
            raise sqlite3.DatabaseError("it holds something else, or is of another version")
        for statement in _TABLES:
            self._connection.execute(statement)
        self._connection.execute("COMMIT")

    def get(self, sha256: str) -> Entry | None:
        """What holds for a file; None where nobody has written anything."""
        return next(iter(self.history(sha256)[-1:]), None)

    def all(self) -> dict[str, Entry]:
        """What holds for every file that has an entry, by sha256."""
        return {entry.sha256: entry for entry in self._entries("ORDER BY seq")}

    def history(self, sha256: str) -> list[Entry]:
        """All entries of a file, the oldest first."""
        return self._entries("WHERE sha256 = ? ORDER BY seq", (sha256,))

    def put(self, sha256: str, disposition: Disposition, note: str = "", *, who: str | None = None) -> Entry:
        """Write a decision down; earlier ones stay in the history.

        Args:
            sha256: Of the file, as 64 hexadecimal digits.
            disposition: Where the file stands now.
            note: Why, in free text.
            who: Whoever decided, by any name.

        Raises:
            ConfigurationError: It cannot be written.
            ValueError: `sha256` is none.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a sha256: {sha256!r}")
        at = datetime.now(UTC)
        entry = Entry(sha256=sha256, disposition=disposition, note=_text(note), who=who and _text(who), at=at)
        values = (entry.sha256, entry.disposition.value, entry.note, entry.who, entry.at.isoformat())
        with self._translated():
            statement = "INSERT INTO entry (sha256, disposition, note, who, at) VALUES (?, ?, ?, ?, ?)"
            self._connection.execute(statement, values)
        return entry

    def close(self) -> None:
        """Leave nothing but the file."""
        self._connection.close()

    def _entries(self, clause: str, values: Sequence[object] = ()) -> list[Entry]:
        with self._translated():
            query = f"SELECT sha256, disposition, note, who, at FROM entry {clause}"  # noqa: S608 - our own clause
            rows = self._connection.execute(query, tuple(values)).fetchall()
            return [_entry(*row) for row in rows]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise ConfigurationError(
                f"{self._path}: the notes cannot be used: {error}",
                hint="Check that the folder may be written to and nothing else has that name.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def notes_of(results: Path) -> Path:
    """Where the notes on the results of a scan are."""
    return results.with_name(f"{results.name}.notes.sqlite")


def open_notes(results: Path) -> Notes:
    """The notes on the results of a scan; made where there are none.

    Args:
        results: The table, not the file of the notes. It need not exist: notes outlive it.

    Raises:
        ConfigurationError: The file cannot be opened, or holds something else.
    """
    return Notes(notes_of(results))


def _entry(sha256: str, disposition: str, note: str, who: str | None, at: str) -> Entry:
    moment = datetime.fromisoformat(at)
    return Entry(sha256=sha256, disposition=Disposition(disposition), note=note, who=who, at=moment)


def _text(text: str) -> str:
    """Text that can be stored, which a lone surrogate cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
