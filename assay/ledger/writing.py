"""Adding rows. The functions that say so have to be called inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from assay.errors import LedgerError
from assay.ledger import chain
from assay.ledger.chain import Head
from assay.ledger.database import Database
from assay.ledger.entry import Entry, Event, Value, hex64, to_columns
from assay.ledger.work import Delivery

_APPEND = f"INSERT INTO events ({', '.join(chain.COLUMNS)}, hash) VALUES ({', '.join('?' * (len(chain.COLUMNS) + 1))})"  # noqa: S608


def now() -> str:
    """This moment as the ledger writes it; such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def head(database: Database) -> Head:
    """The end of the chain."""
    seq, digest = database.rows("SELECT seq, hash FROM head")[0]
    return Head(seq=seq, hash=digest)


def begin(database: Database, entry: Entry, delivery: Delivery) -> bool:
    """The pending row; False, and nothing done, while another delivery to the same target is under way.

    Raises:
        LedgerError: The image or the nonce is known already, or the database cannot be used.
    """
    place = (delivery.host, delivery.folder, delivery.name)
    with database.transaction():
        require_new(database, entry)
        if database.rows("SELECT 1 FROM deliveries WHERE host = ? AND folder = ? AND name = ?", place):
            return False
        keep_contents(database, entry)
        append(database, Event.PENDING, entry.image_id, to_columns(entry))
        database.execute(
            "INSERT INTO deliveries (image_id, host, folder, name, file_sha256, since) VALUES (?, ?, ?, ?, ?, ?)",
            (hex64(delivery.image_id), *place, delivery.file_sha256, delivery.since),
        )
    return True


def keep_contents(database: Database, entry: Entry) -> None:
    """The bytes that a row names by their SHA-256; inside a transaction."""
    for content in (entry.thumbnail, entry.manifest):
        database.execute(
            "INSERT INTO contents (sha256, data) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (sha256(content).hexdigest(), content),
        )


def require_new(database: Database, entry: Entry) -> None:
    """Asked before the database refuses: its own words name columns.

    Raises:
        LedgerError: The image, or the nonce with this key, is known already.
    """
    if database.rows("SELECT 1 FROM events WHERE image_id = ?", (hex64(entry.image_id),)):
        raise LedgerError(
            f"image {hex64(entry.image_id)} is in the ledger already", hint="Every image has its own random id."
        )
    rows = database.rows(
        "SELECT image_id FROM events WHERE key_id = ? AND nonce = ? AND event = 'pending'",
        (entry.key_id, entry.nonce.hex()),
    )
    if rows:
        raise LedgerError(
            f"the nonce was used for image {rows[0][0]} with the same key",
            hint="Make the image again: two images under one nonce give the mark away.",
        )


def end(database: Database, delivery: Delivery, event: Event) -> None:
    """The last row of an image, unless somebody who found the delivery unfinished has written it."""
    image_id = hex64(delivery.image_id)
    with database.transaction():
        if database.rows("SELECT 1 FROM deliveries WHERE image_id = ?", (image_id,)):
            append(database, event, delivery.image_id, {})
            database.execute("DELETE FROM deliveries WHERE image_id = ?", (image_id,))


def append(
    database: Database, event: Event, image_id: int, columns: Mapping[str, Value], *, at: str | None = None
) -> None:
    """One row at the end of the chain; inside a transaction. It happened now, or `at` a moment that `now` told."""
    last = head(database)
    row: dict[str, Value] = {name: columns.get(name) for name in chain.COLUMNS}
    row |= {"seq": last.seq + 1, "event": event.value, "image_id": hex64(image_id), "at": at or now()}
    row["previous"] = last.hash
    digest = chain.digest(row)
    database.execute(_APPEND, (*row.values(), digest))
    database.execute("UPDATE head SET seq = ?, hash = ? WHERE one = 1", (last.seq + 1, digest))


def unfinished(database: Database) -> tuple[Delivery, ...]:
    """The work list, oldest first."""
    rows = database.rows("SELECT image_id, host, folder, name, file_sha256, since FROM deliveries ORDER BY since")
    return tuple(
        Delivery(
            image_id=int(image_id, 16),
            host=host,
            folder=bytes(folder),
            name=bytes(name),
            file_sha256=digest,
            since=since,
        )
        for image_id, host, folder, name, digest, since in rows
    )
