"""Is the ledger what was written?"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from assay.ledger import chain
from assay.ledger.chain import Finding, Head
from assay.ledger.database import Database
from assay.ledger.reading import FULL_PAGE, pages
from assay.ledger.writing import head

_CHAIN = f"SELECT {', '.join(chain.COLUMNS)}, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608


def check(database: Database, kept: Head | None) -> list[Finding]:
    """See `Ledger.check`."""
    with database.snapshot():
        findings = list(chain.examine(pages(database, _CHAIN), head(database)))
        findings += _damaged_contents(database)
        findings += nonces_reused(database)
        findings += [] if kept is None else _departures(database, kept)
    return sorted(findings, key=lambda finding: finding.seq)


def nonces_reused(database: Database) -> list[Finding]:
    """See `Ledger.nonces_reused`."""
    rows = database.rows(
        """
        SELECT later.seq, earlier.seq FROM events AS later
        JOIN (
            SELECT key_id, nonce, min(seq) AS seq FROM events WHERE event = 'pending'
            GROUP BY key_id, nonce HAVING count(*) > 1
        ) AS earlier ON earlier.key_id = later.key_id AND earlier.nonce = later.nonce
        WHERE later.event = 'pending' AND later.seq > earlier.seq
        ORDER BY later.seq
        """
    )
    return [Finding(seq=seq, problem=f"row {seq} has the key and nonce of row {first}") for seq, first in rows]


def _damaged_contents(database: Database) -> Iterator[Finding]:
    for kind in ("thumbnail", "manifest"):
        query = f"""
            SELECT events.seq, events.{kind}_sha256, contents.data FROM events
            LEFT JOIN contents ON contents.sha256 = events.{kind}_sha256
            WHERE events.event = 'pending' AND events.seq > ? ORDER BY events.seq LIMIT ?
        """  # noqa: S608 - a constant
        for seq, digest, data in pages(database, query, size=FULL_PAGE):
            if data is None:
                yield Finding(seq=seq, problem=f"the {kind} of row {seq} is missing")
            elif sha256(data).hexdigest() != digest:
                yield Finding(seq=seq, problem=f"the {kind} of row {seq} was changed")


def _departures(database: Database, kept: Head) -> Iterator[Finding]:
    rows = database.rows("SELECT hash FROM events WHERE seq = ?", (kept.seq,))
    if kept.seq and rows != [(kept.hash,)]:
        yield Finding(seq=kept.seq, problem=f"row {kept.seq} is not the one of the head that was kept")
