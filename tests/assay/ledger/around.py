"""Around the ledger, straight to its database: what somebody with access to it could do."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

GUARDED = ("events", "contents", "head", "deliveries")


def select(place: str, query: str) -> list[tuple[Any, ...]]:
    """All rows of an answer."""
    if "://" in place:
        with psycopg.connect(place) as connection:
            return connection.execute(psycopg.sql.SQL(query)).fetchall()
    with closing(sqlite3.connect(place)) as file:
        return file.execute(query).fetchall()


def run(place: str, *statements: str) -> None:
    """Statements in one transaction."""
    if "://" in place:
        with psycopg.connect(place) as connection:
            for statement in statements:
                connection.execute(psycopg.sql.SQL(statement))
    else:
        with closing(sqlite3.connect(place)) as file, file:
            for statement in statements:
                file.execute(statement)


def tamper(place: str, *statements: str) -> None:
    """Statements without the triggers in their way, and without constraints between rows."""
    if "://" in place:
        run(place, "SET session_replication_role = replica", *statements)
        return
    triggers = [name for (name,) in select(place, "SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    run(place, *(f"DROP TRIGGER {name}" for name in triggers), *statements)
