"""The two databases behind one small face. All SQL is written for both; `?` stands for a value."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, assert_never

from assay.errors import ConfigurationError

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

_SQLITE_PREFIX = "sqlite:///"


class Database(Protocol):
    """One connection, for one thread."""

    name: str
    """What to call it in messages: never holds a password."""
    dialect: Dialect

    def transaction(self) -> AbstractContextManager[None]:
        """Write alone: whoever else wants to write waits. On disk once left; undone by an exception.

        Raises:
            LedgerError: The database refused, or cannot be reached.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """Read one state, whatever others write meanwhile.

        Raises:
            LedgerError: The database refused, or cannot be reached.
        """

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """One statement without an answer.

        Raises:
            LedgerError: The database refused, or cannot be reached.
        """

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer.

        Raises:
            LedgerError: The database refused, or cannot be reached.
        """

    def has_table(self, name: str) -> bool:
        """Whether a table has been made.

        Raises:
            LedgerError: The database cannot be reached.
        """

    def close(self) -> None:
        """The connection ends."""


def connect(place: str | Path) -> Database:
    """Open the database that a path or a URL names; a path is SQLite's, and made where missing.

    Raises:
        ConfigurationError: The URL is of another kind, or PostgreSQL is not installed.
        LedgerError: The database cannot be opened.
    """
    text = str(place)
    if text.startswith(("postgresql://", "postgres://")):
        from assay.ledger.postgresql import PostgreSQL  # noqa: PLC0415 - optional

        return PostgreSQL(text)
    if "://" in text and not text.startswith(_SQLITE_PREFIX):
        kind = text.partition(":")[0]
        raise ConfigurationError(f"no ledger can be kept in {kind}", hint="Give a path, or a postgresql:// URL.")
    from assay.ledger.sqlite import SQLite  # noqa: PLC0415 - only the one that is used

    return SQLite(Path(text.removeprefix(_SQLITE_PREFIX)))


def holds(text: bytes, dialect: Dialect) -> str:
    """A condition over `contents`: the data hold this text. A literal, so that an index can stand on the same words."""
    match dialect:
        case "sqlite":
            return f"instr(data, X'{text.hex()}') > 0"
        case "postgresql":
            return f"position('\\x{text.hex()}'::bytea in data) > 0"
        case _:
            assert_never(dialect)
