"""The ledger: deliver a file with its row, find rows again, check the whole.

An image is pending, then committed or void. A committed row says what was delivered, under which name and with which
SHA-256. A later delivery may replace the file; its own, later row says so. Deliveries to one target take turns, so of
all committed rows of a target it is the last whose file is there.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from assay.ledger import checking, delivery, reading, transfer, writing
from assay.ledger.chain import Finding, Head
from assay.ledger.database import Database, connect
from assay.ledger.entry import Entry, Event, hex64
from assay.ledger.migrations import migrate
from assay.ledger.reading import Filter, Kind, Mark, Recorded, committed
from assay.ledger.transfer import Taken
from assay.ledger.work import Delivery
from assay.vocabulary import Settings

VARIABLE = "ASSAY_LEDGER"
"""A path or a postgresql:// URL; by default `ledger.sqlite3` in the data folder."""


def location(settings: Settings) -> str | Path:
    """Where the ledger is: `ASSAY_LEDGER`, else a file in the data folder."""
    return os.environ.get(VARIABLE) or settings.home / "ledger.sqlite3"


def open_ledger(place: str | Path) -> Ledger:
    """Open a ledger, make it where missing, and finish what a crash interrupted.

    Args:
        place: A path (SQLite) or a postgresql:// URL.

    Raises:
        ConfigurationError: The URL is of another kind, or PostgreSQL is not installed.
        LedgerError: The database cannot be opened, or was made by a newer Assay.
    """
    database = connect(place)
    try:
        migrate(database)
        ledger = Ledger(database)
        ledger.recover()
    except BaseException:
        database.close()
        raise
    return ledger


class Ledger:
    """An open ledger, for one thread. A context manager. Every method raises `LedgerError` where the database fails."""

    def __init__(self, database: Database, *, host: str | None = None) -> None:
        """Wraps a migrated database; use `open_ledger`."""
        self._database = database
        self._host = host or platform.node()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The connection ends."""
        self._database.close()

    def deliver(self, entry: Entry, target: Path, data: bytes) -> None:
        """Write a file and its row: after a crash at any moment, and the next opening, both are there or neither is.

        Args:
            entry: The row, about exactly this data.
            target: Where the file goes; an older one is replaced, and whole until then. A link leads to the file that
                it names.
            data: The whole file.

        Raises:
            LedgerError: The row is refused (its image or nonce is known already, or it is about another file), the
                file cannot be written, or somebody else has been writing to the target for half a minute. There is no
                new file and no committed row then; where the database was lost on the way, the next opening decides.
        """
        delivery.deliver(self._database, self._host, entry, target, data)

    def recover(self) -> None:
        """Settle the deliveries whose writers are dead; opening has done so already."""
        delivery.recover(self._database, host=self._host)

    def unfinished(self) -> tuple[Delivery, ...]:
        """Deliveries under way, and those that nobody here could settle: their folder is elsewhere, or out of reach."""
        return writing.unfinished(self._database)

    def count(self, wanted: Filter | None = None) -> int:
        """Committed images; of a filter, those that pass it."""
        if wanted is not None:
            return reading.count(self._database, wanted)
        return int(self._database.rows("SELECT count(*) FROM events WHERE event = 'committed'")[0][0])

    def state(self, image_id: int) -> Event | None:
        """What became of an image; None for one that the ledger does not know."""
        rows = self._database.rows(
            "SELECT event FROM events WHERE image_id = ? ORDER BY seq DESC LIMIT 1", (hex64(image_id),)
        )
        return Event(rows[0][0]) if rows else None

    def get(self, image_id: int) -> Entry | None:
        """A committed image by its id."""
        found = committed(self._database, "AND begun.image_id = ?", hex64(image_id))
        return found[0].entry if found else None

    def beginning_with(self, prefix: int, bits: int) -> tuple[Entry, ...]:
        """Committed images whose ids begin with these bits, oldest first."""
        least = prefix << 64 - bits
        most = least | (1 << 64 - bits) - 1
        condition = "AND begun.image_id >= ? AND begun.image_id <= ? ORDER BY done.seq"
        return tuple(each.entry for each in committed(self._database, condition, hex64(least), hex64(most)))

    def has_mark(self, watermark: str, algorithm: str) -> bool:
        """Whether there are committed images of this watermark, or drawn ones whose manifests name this algorithm.

        Args:
            watermark: As rows have it.
            algorithm: Of a soft binding. The first layout's is indexed; for others all manifests are read.
        """
        return reading.has_mark(self._database, watermark, algorithm)

    def by_file_sha256(self, digest: str) -> tuple[Entry, ...]:
        """Committed images that were delivered as exactly this file, oldest first."""
        found = committed(self._database, "AND begun.file_sha256 = ? ORDER BY done.seq", digest)
        return tuple(each.entry for each in found)

    def by_pixel_sha256(self, digest: str) -> tuple[Entry, ...]:
        """Committed images with exactly these pixels, oldest first."""
        found = committed(self._database, "AND begun.pixel_sha256 = ? ORDER BY done.seq", digest)
        return tuple(each.entry for each in found)

    def near(self, perceptual_hash: int, k: int) -> tuple[tuple[int, Entry], ...]:
        """The k committed images whose perceptual hash is nearest.

        Args:
            perceptual_hash: 64 bits.
            k: At least 1.

        Returns:
            Hamming distance (0 to 64) and entry, the nearest first; of equal distances, the oldest first.
        """
        return reading.near(self._database, perceptual_hash, k)

    def entries(self, *, after: int = 0, since: datetime | None = None, limit: int | None = None) -> Iterator[Recorded]:
        """Committed images in the order in which they were committed.

        Args:
            after: Only those behind this `seq`.
            since: Only those committed at or after this moment, with its time zone.
            limit: At most that many.
        """
        begin = "" if since is None else reading.moment(since)
        return reading.entries(self._database, after=after, since=begin, limit=limit)

    def newest(
        self, wanted: Filter | None = None, *, before: int | None = None, limit: int = 50
    ) -> tuple[Recorded, ...]:
        """Committed images page by page, the newest first.

        Args:
            wanted: Which; all by default.
            before: Only those ahead of this `seq`: the last one of the page before.
            limit: At most that many.
        """
        return reading.newest(self._database, wanted or Filter(), before=before, limit=limit)

    def marks(self, *, after: int = 0) -> Iterator[Mark]:
        """What a scan needs of every committed image, cheaply, in the order in which they were committed.

        Args:
            after: Only those behind this `seq`; so a table that was built once can be brought up to date.
        """
        return reading.marks(self._database, after=after)

    def thumbnails(self, *, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Ids and thumbnails of committed images, in the order in which they were committed; see `marks`."""
        return reading.thumbnails(self._database, after=after)

    def kinds(self) -> tuple[Kind, ...]:
        """The models, sizes and shapes of latents that committed images were made with."""
        return reading.kinds(self._database)

    def head(self) -> Head:
        """The end of the chain: publish it, or keep it elsewhere, and `check` can later be held to it."""
        return writing.head(self._database)

    def check(self, *, kept: Head | None = None) -> list[Finding]:
        """Look for rows that were changed, removed or moved, contents that are not what their rows say, reused nonces.

        Args:
            kept: A head from earlier, kept where it could not be changed along with the database.

        Returns:
            Nothing where all is well. Deliveries under way are no findings.
        """
        return checking.check(self._database, kept)

    def export(self, stream: BinaryIO) -> Head:
        """Write all rows as JSON Lines, nonces among them and keys not; the chain ends at the head that is returned.

        Raises:
            OSError: The stream takes no more.
        """
        with self._database.snapshot():
            return transfer.write(transfer.of_database(self._database), stream)

    def take_export(self, stream: BinaryIO, name: str) -> Taken:
        """Add the rows of an export that are not here, all or none; again, it adds nothing.

        Args:
            stream: The export; can be read from the beginning more than once.
            name: What to call it in messages.

        Raises:
            LedgerError: It is no export, its chain does not hold, or an image stands here with other content.
        """
        return transfer.take(self._database, transfer.of_file(stream, name), name)

    def merge(self, other: Ledger) -> Taken:
        """Add the rows of another ledger that are not here, as `take_export` does; the other stays as it is.

        Raises:
            LedgerError: As for `take_export`.
        """
        with other._database.snapshot():
            return transfer.take(self._database, transfer.of_database(other._database), other._database.name)

    def nonces_reused(self) -> list[Finding]:
        """Rows with the key and nonce of an earlier row. The database refuses them, so somebody went around it."""
        return checking.nonces_reused(self._database)
