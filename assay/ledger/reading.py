"""Questions to the ledger. Only committed images are answered with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from assay.ledger.database import Database, holds
from assay.ledger.entry import ENTRY_COLUMNS, Entry, from_columns

PAGE, FULL_PAGE = 10_000, 200
"""Rows asked for at once: without thumbnails and manifests, and with them."""
_THUMBNAILS_AT_ONCE = 1_000


class Recorded(NamedTuple):
    """A committed image."""

    seq: int
    """Number of its committed row: grows in the order in which images were committed."""
    entry: Entry


class Kind(NamedTuple):
    """A way in which images of the ledger were made; reading any of them takes the same steps."""

    model: str
    latent_shape: tuple[int, int, int]
    height: int
    width: int


class Mark(NamedTuple):
    """What a scan over all images has to know of one."""

    seq: int
    """As in `Recorded`."""
    image_id: int
    watermark: str
    key_id: str
    nonce: bytes
    payload: int
    perceptual_hash: int
    kind: Kind

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Of the noise that it was drawn from."""
        return self.kind.latent_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which committed images are meant; by default all."""

    model: str | None = None
    """Exactly this one; empty for pictures that were not made here and only marked."""
    key_ids: tuple[str, ...] | None = None
    """Marked with one of these keys: those of a user, say."""
    name: str = ""
    """Somewhere in the file's name, as delivered; case aside as far as the database knows of case."""
    since: datetime | None = None
    """Committed at or after this moment, with its time zone."""
    before: datetime | None = None
    """Committed before this moment, with its time zone."""

    def condition(self) -> tuple[str, tuple[object, ...]]:
        """SQL behind a WHERE, over `done` and `begun`, and its values."""
        parts: list[tuple[str, tuple[object, ...]]] = []
        if self.model is not None:
            parts.append(("begun.model = ?", (self.model,)))
        if self.key_ids is not None:
            marks = ", ".join("?" * len(self.key_ids))
            parts.append((f"begun.key_id IN ({marks})", self.key_ids) if self.key_ids else ("1 = 0", ()))
        if self.name:
            pattern = f"%{_literally(self.name)}%"
            alike = "(begun.name LIKE ? ESCAPE '!' OR lower(begun.name) LIKE ? ESCAPE '!')"
            parts.append((alike, (pattern, pattern.lower())))
        if self.since is not None:
            parts.append(("done.at >= ?", (moment(self.since),)))
        if self.before is not None:
            parts.append(("done.at < ?", (moment(self.before),)))
        return "".join(f" AND {text}" for text, _ in parts), tuple(value for _, values in parts for value in values)


def moment(when: datetime) -> str:
    """As the ledger writes it: UTC, to the microsecond."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def _literally(text: str) -> str:
    """A pattern of LIKE that is the text itself."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return text


_FROM = """
    FROM events AS done
    JOIN events AS begun ON begun.image_id = done.image_id AND begun.event = 'pending'
"""
_COMMITTED = f"""
    SELECT done.seq, begun.image_id, {", ".join(f"begun.{name}" for name in ENTRY_COLUMNS)},
           thumbnail.data, manifest.data
    {_FROM}
    JOIN contents AS thumbnail ON thumbnail.sha256 = begun.thumbnail_sha256
    JOIN contents AS manifest ON manifest.sha256 = begun.manifest_sha256
    WHERE done.event = 'committed'
"""
_ENDS = "SELECT seq, image_id FROM events WHERE event = 'committed' AND seq > ? ORDER BY seq LIMIT ?"
_BEGINNINGS = """
    SELECT image_id, watermark, key_id, nonce, payload, perceptual_hash,
           model, channels, latent_height, latent_width, height, width
    FROM events WHERE event = 'pending'
"""
_THUMBNAILS = f"""
    SELECT done.seq, begun.image_id, thumbnail.data {_FROM}
    JOIN contents AS thumbnail ON thumbnail.sha256 = begun.thumbnail_sha256
    WHERE done.event = 'committed' AND done.seq > ? ORDER BY done.seq LIMIT ?
"""
_HASHES = f"""
    SELECT done.seq, begun.perceptual_hash {_FROM}
    WHERE done.event = 'committed' AND done.seq > ? ORDER BY done.seq LIMIT ?
"""


def committed(database: Database, condition: str, *values: object) -> list[Recorded]:
    """Committed images; the condition is a constant of the caller, behind a WHERE, over `done` and `begun`."""
    rows = database.rows(f"{_COMMITTED} {condition}", values)
    return [
        Recorded(seq, from_columns(image_id, columns, bytes(thumbnail), bytes(manifest)))
        for seq, image_id, *columns, thumbnail, manifest in rows
    ]


def pages(database: Database, query: str, after: int = 0, size: int | None = None) -> Iterator[tuple[Any, ...]]:
    """All rows of a query whose first column grows, and whose values are the last seen of it and a limit."""
    while page := database.rows(query, (after, size or PAGE)):
        yield from page
        after = page[-1][0]


def thumbnails(database: Database, *, after: int) -> Iterator[tuple[int, bytes]]:
    """See `Ledger.thumbnails`."""
    for _, image_id, data in pages(database, _THUMBNAILS, after, _THUMBNAILS_AT_ONCE):
        yield int(image_id, 16), bytes(data)


def kinds(database: Database) -> tuple[Kind, ...]:
    """Every kind of which there is a committed image, in a stable order."""
    columns = "begun.model, begun.channels, begun.latent_height, begun.latent_width, begun.height, begun.width"
    rows = database.rows(f"SELECT DISTINCT {columns} {_FROM} WHERE done.event = 'committed' ORDER BY {columns}")
    return tuple(Kind(row[0], (row[1], row[2], row[3]), row[4], row[5]) for row in rows)


def has_mark(database: Database, watermark: str, algorithm: str) -> bool:
    """See `Ledger.has_mark`."""
    named = f"SELECT sha256 FROM contents WHERE {holds(algorithm.encode(), database.dialect)}"  # noqa: S608 - hexadecimal digits
    any_committed = f"SELECT 1 {_FROM} WHERE done.event = 'committed' AND"
    return bool(
        database.rows(f"{any_committed} begun.watermark = ? LIMIT 1", (watermark,))
        or database.rows(f"{any_committed} begun.model <> '' AND begun.manifest_sha256 IN ({named}) LIMIT 1")
    )


def near(database: Database, perceptual_hash: int, k: int) -> tuple[tuple[int, Entry], ...]:
    """See `Ledger.near`."""
    pairs = list(pages(database, _HASHES))
    if not pairs:
        return ()
    hashes = np.frombuffer(bytes.fromhex("".join(text for _, text in pairs)), dtype=">u8")
    distances = np.bitwise_count(hashes ^ np.uint64(perceptual_hash))
    nearest = np.argsort(distances, kind="stable")[:k]
    return tuple((int(distances[at]), committed(database, "AND done.seq = ?", pairs[at][0])[0].entry) for at in nearest)


def entries(database: Database, *, after: int, since: str, limit: int | None) -> Iterator[Recorded]:
    """See `Ledger.entries`."""
    left = limit
    while left is None or left > 0:
        size = FULL_PAGE if left is None else min(left, FULL_PAGE)
        page = committed(database, "AND done.seq > ? AND done.at >= ? ORDER BY done.seq LIMIT ?", after, since, size)
        yield from page
        if not page:
            return
        after = page[-1].seq
        left = None if left is None else left - len(page)


def newest(database: Database, wanted: Filter, *, before: int | None, limit: int) -> tuple[Recorded, ...]:
    """See `Ledger.newest`."""
    condition, values = wanted.condition()
    if before is not None:
        condition, values = f"{condition} AND done.seq < ?", (*values, before)
    return tuple(committed(database, f"{condition} ORDER BY done.seq DESC LIMIT ?", *values, limit))


def count(database: Database, wanted: Filter) -> int:
    """See `Ledger.count`."""
    condition, values = wanted.condition()
    rows = database.rows(f"SELECT count(*) {_FROM} WHERE done.event = 'committed' {condition}", values)
    return int(rows[0][0])


def marks(database: Database, *, after: int) -> Iterator[Mark]:
    """See `Ledger.marks`. Beginnings and ends are read in their order and joined here, which takes half the time."""
    kinds: dict[tuple[Any, ...], Kind] = {}
    begun: dict[str, tuple[Any, ...]] = {}
    while ends := database.rows(_ENDS, (after, PAGE)):
        last = ends[-1][0]
        begun.update((row[0], row) for row in database.rows(f"{_BEGINNINGS} AND seq > ? AND seq < ?", (after, last)))
        for seq, image_id in ends:
            row = begun.pop(image_id, None) or database.rows(f"{_BEGINNINGS} AND image_id = ?", (image_id,))[0]
            kind = kinds.get(row[6:]) or kinds.setdefault(row[6:], Kind(row[6], row[7:10], *row[10:]))
            nonce, payload, perceptual_hash = bytes.fromhex(row[3]), int(row[4], 16), int(row[5], 16)
            yield Mark(seq, int(image_id, 16), row[1], row[2], nonce, payload, perceptual_hash, kind)
        after = last
