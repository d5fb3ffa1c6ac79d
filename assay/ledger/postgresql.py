"""The ledger in PostgreSQL, for several machines that write to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from assay.errors import ConfigurationError, LedgerError
from assay.ledger.database import Dialect

try:
    import psycopg
    from psycopg import sql
except ImportError as error:
    raise ConfigurationError(
        "a ledger in PostgreSQL needs a driver that is not installed",
        hint="Install it with: pip install 'assay[postgres]'",
    ) from error

_CONNECT_SECONDS = 15
_WRITE_LOCK = 0x6173736179
"""Key of the advisory lock: "assay"."""


class PostgreSQL:
    """A `Database` on a server."""

    dialect: Dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self.name = _shown(url)
        with self._translated():
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
            # A row has to be on disk before the file that it is about takes its place.
            self._connection.execute("SET synchronous_commit = on")
            self._connection.execute("SET client_min_messages = warning")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Database`."""
        with self._translated(), self._connection.transaction():
            # At the default isolation level each statement sees what was committed before it, so all that the
            # holder of the lock before us wrote is seen from here on.
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITE_LOCK,))
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `Database`."""
        with self._translated(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """See `Database`."""
        with self._translated():
            self._connection.execute(_adapted(statement), tuple(values) or None)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See `Database`."""
        with self._translated():
            return self._connection.execute(_adapted(query), tuple(values) or None).fetchall()

    def has_table(self, name: str) -> bool:
        """See `Database`."""
        return bool(self.rows("SELECT to_regclass(?) IS NOT NULL", (name,))[0][0])

    def close(self) -> None:
        """See `Database`."""
        self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise LedgerError(
                f"{self.name}: the ledger cannot be used: {str(error).strip() or type(error).__name__}",
                hint="Check the URL, and that the server runs and lets this user make tables.",
            ) from error


def _adapted(statement: str) -> sql.SQL:
    """SQLite's names for types and values in PostgreSQL's words. Statements are the ledger's own constants."""
    text = statement.replace(" BLOB", " BYTEA").replace(" INTEGER", " BIGINT").replace("?", "%s")
    return sql.SQL(text)


def _shown(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    place = parts.hostname or "local"
    return f"postgresql://{place}{parts.path}"
