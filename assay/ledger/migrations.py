"""Numbered steps from an empty database to the present one. Each is applied once, in a transaction, and written down.

A step is never changed once released; what has to change becomes the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from assay.errors import LedgerError
from assay.ledger.chain import GENESIS
from assay.ledger.database import Database, holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step. Types are SQLite's; the other database's names for them are put in by its adapter."""

    title: str
    both: tuple[str, ...] = ()
    sqlite: tuple[str, ...] = ()
    postgresql: tuple[str, ...] = ()


_TABLES = Migration(
    title="tables",
    both=(
        """
        CREATE TABLE contents (
            sha256 TEXT PRIMARY KEY,
            data BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            event TEXT NOT NULL CHECK (event IN ('pending', 'committed', 'void')),
            image_id TEXT NOT NULL CHECK (length(image_id) = 16),
            at TEXT NOT NULL,
            watermark TEXT,
            key_id TEXT,
            nonce TEXT,
            payload TEXT,
            file_sha256 TEXT,
            pixel_sha256 TEXT,
            perceptual_hash TEXT,
            thumbnail_sha256 TEXT REFERENCES contents (sha256),
            manifest_sha256 TEXT REFERENCES contents (sha256),
            model TEXT,
            scheduler TEXT,
            channels INTEGER,
            latent_height INTEGER,
            latent_width INTEGER,
            steps INTEGER,
            width INTEGER,
            height INTEGER,
            name TEXT,
            created TEXT,
            previous TEXT NOT NULL,
            hash TEXT NOT NULL,
            CHECK (event <> 'pending' OR (key_id IS NOT NULL AND nonce IS NOT NULL AND file_sha256 IS NOT NULL))
        )
        """,
        # The end of the chain: so that rows missing there are noticed.
        "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)",
        f"INSERT INTO head (one, seq, hash) VALUES (1, 0, '{GENESIS}')",  # noqa: S608 - a constant
        # Deliveries under way: a work list, not part of the ledger. One target takes one delivery at a time.
        """
        CREATE TABLE deliveries (
            image_id TEXT PRIMARY KEY,
            host TEXT NOT NULL,
            folder BLOB NOT NULL,
            name BLOB NOT NULL,
            file_sha256 TEXT NOT NULL,
            since TEXT NOT NULL,
            UNIQUE (host, folder, name)
        )
        """,
    ),
)

_INDEXES = Migration(
    title="unique images and nonces, look-ups",
    both=(
        "CREATE UNIQUE INDEX events_begin ON events (image_id) WHERE event = 'pending'",
        "CREATE UNIQUE INDEX events_end ON events (image_id) WHERE event <> 'pending'",
        "CREATE UNIQUE INDEX events_nonce ON events (key_id, nonce) WHERE event = 'pending'",
        "CREATE INDEX events_file ON events (file_sha256) WHERE event = 'pending'",
        "CREATE INDEX events_pixels ON events (pixel_sha256) WHERE event = 'pending'",
        "CREATE INDEX events_committed ON events (seq, image_id) WHERE event = 'committed'",
    ),
)

_FORBIDDEN = "the ledger is append-only"
_UNSETTLED = "the delivery is not settled"


def _sqlite_guard(table: str, action: str, *, when: str = "1", why: str = _FORBIDDEN) -> str:
    return (
        f"CREATE TRIGGER {table}_{action.lower()} BEFORE {action} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


def _postgresql_guards(table: str, *, row: str = "UPDATE OR DELETE") -> tuple[str, str]:
    return (
        f"CREATE TRIGGER {table}_rows BEFORE {row} ON {table} FOR EACH ROW EXECUTE FUNCTION assay_append_only()",
        f"CREATE TRIGGER {table}_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION assay_append_only()",
    )


_IS_OPEN = "NOT EXISTS (SELECT 1 FROM events WHERE image_id = OLD.image_id AND event <> 'pending')"

_APPEND_ONLY = Migration(
    title="append-only",
    sqlite=(
        *(_sqlite_guard(table, action) for table in ("events", "contents") for action in ("UPDATE", "DELETE")),
        _sqlite_guard("head", "DELETE"),
        _sqlite_guard("head", "UPDATE", when="NEW.seq <> OLD.seq + 1"),
        _sqlite_guard("deliveries", "UPDATE"),
        _sqlite_guard("deliveries", "DELETE", when=_IS_OPEN, why=_UNSETTLED),
    ),
    postgresql=(
        f"""
        CREATE FUNCTION assay_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{_FORBIDDEN}';
        END $$
        """,
        f"""
        CREATE FUNCTION assay_forward_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.seq <> OLD.seq + 1 THEN
                RAISE EXCEPTION '{_FORBIDDEN}';
            END IF;
            RETURN NEW;
        END $$
        """,
        f"""
        CREATE FUNCTION assay_settled_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {_IS_OPEN} THEN
                RAISE EXCEPTION '{_UNSETTLED}';
            END IF;
            RETURN OLD;
        END $$
        """,
        *_postgresql_guards("events"),
        *_postgresql_guards("contents"),
        *_postgresql_guards("head", row="DELETE"),
        *_postgresql_guards("deliveries", row="UPDATE"),
        "CREATE TRIGGER head_forward BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION assay_forward_only()",
        "CREATE TRIGGER deliveries_settled BEFORE DELETE ON deliveries FOR EACH ROW"
        " EXECUTE FUNCTION assay_settled_only()",
    ),
)

_BY_IMAGE = Migration(
    title="every event of an image",
    both=("CREATE INDEX events_image ON events (image_id, seq)",),
)

_FIRST_LAYOUT = b"alt.assay.spread.1"
"""A soft-binding algorithm that is written no more, and is asked for at every start."""

_BY_MARK = Migration(
    title="watermarks, and manifests that name the first layout",
    both=(
        "CREATE INDEX events_watermark ON events (watermark) WHERE event = 'pending'",
        "CREATE INDEX events_manifest ON events (manifest_sha256) WHERE event = 'pending'",
    ),
    sqlite=(f"CREATE INDEX contents_first_layout ON contents (sha256) WHERE {holds(_FIRST_LAYOUT, 'sqlite')}",),
    postgresql=(f"CREATE INDEX contents_first_layout ON contents (sha256) WHERE {holds(_FIRST_LAYOUT, 'postgresql')}",),
)

MIGRATIONS: tuple[Migration, ...] = (_TABLES, _INDEXES, _APPEND_ONLY, _BY_IMAGE, _BY_MARK)
"""Number one first."""


def migrate(database: Database) -> None:
    """Apply what is missing. Processes that open the same database together take turns.

    Raises:
        LedgerError: The database was made by a newer Assay.
    """
    if not database.has_table("migrations") or _applied(database) < len(MIGRATIONS):
        _apply(database)
    if _applied(database) > len(MIGRATIONS):
        raise LedgerError(f"{database.name}: the ledger was made by a newer Assay", hint="Update Assay.")


def _apply(database: Database) -> None:
    with database.transaction():
        database.execute("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, title TEXT, applied TEXT)")
    for number, migration in enumerate(MIGRATIONS, start=1):
        with database.transaction():
            if _applied(database) >= number:
                continue
            for statement in (*migration.both, *getattr(migration, database.dialect)):
                database.execute(statement)
            database.execute(
                "INSERT INTO migrations (number, title, applied) VALUES (?, ?, ?)",
                (number, migration.title, datetime.now(UTC).isoformat()),
            )


def _applied(database: Database) -> int:
    return int(database.rows("SELECT coalesce(max(number), 0) FROM migrations")[0][0])
