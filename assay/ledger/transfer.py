"""From one ledger to another: exported as JSON Lines with the chain, and taken in where that holds.

The first line states the format and the head; each line behind it is a row of the chain, by the names of its columns,
with its hash and, in Base64, the bytes that it names by their SHA-256. Keys are not part of a ledger. Nonces are, so an
export is as private as the ledger itself.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO

from assay.errors import LedgerError
from assay.ledger import chain
from assay.ledger.chain import Head
from assay.ledger.database import Database
from assay.ledger.entry import ENTRY_COLUMNS, Entry, Event, Value, from_columns, hex64, is_utc, out_of_range
from assay.ledger.reading import FULL_PAGE, pages
from assay.ledger.writing import append, head, keep_contents, require_new

FORMAT = "assay-ledger/1"
_CONTENTS = ("thumbnail", "manifest")
_ID = re.compile(r"[0-9a-f]{16}")
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_NOTHING_TAKEN = "Nothing was taken over. Export it again, or ask whoever sent it."
_ROWS = f"""
    SELECT {", ".join(f"events.{name}" for name in chain.COLUMNS)}, events.hash, thumbnail.data, manifest.data
    FROM events
    LEFT JOIN contents AS thumbnail ON thumbnail.sha256 = events.thumbnail_sha256
    LEFT JOIN contents AS manifest ON manifest.sha256 = events.manifest_sha256
    WHERE events.seq > ? ORDER BY events.seq LIMIT ?
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One row of a chain, and the bytes that it names."""

    row: dict[str, Value]
    """By column, all of `chain.COLUMNS`."""
    hash: str
    contents: tuple[bytes | None, bytes | None]
    """Thumbnail and manifest; None in rows that name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of taking a ledger in."""

    added: int
    """Rows that were not here."""
    known: int
    """Rows that were."""


Source = tuple[Head, Callable[[], Iterable[Link]]]
"""Where a chain ends, and its rows from the first, as often as they are asked for."""


def of_database(database: Database) -> Source:
    """The chain of a ledger; to be used inside a snapshot."""

    def links() -> Iterator[Link]:
        for *values, digest, thumbnail, manifest in pages(database, _ROWS, size=FULL_PAGE):
            contents = (_bytes(thumbnail), _bytes(manifest))
            yield Link(row=dict(zip(chain.COLUMNS, values, strict=True)), hash=digest, contents=contents)

    return head(database), links


def write(source: Source, stream: BinaryIO) -> Head:
    """Export a chain.

    Raises:
        OSError: The stream takes no more.
    """
    end, links = source
    stream.write(_line({"format": FORMAT, "head": str(end)}))
    for link in links():
        filled = {name: value for name, value in link.row.items() if value is not None}
        named = zip(_CONTENTS, link.contents, strict=True)
        kept = {name: b64encode(data).decode() for name, data in named if data is not None}
        stream.write(_line({"row": filled, "hash": link.hash, **kept}))
    return end


def of_file(stream: BinaryIO, name: str) -> Source:
    """The chain of an export.

    Args:
        stream: Can be read from the beginning more than once.
        name: What to call it in messages.

    Raises:
        LedgerError: It is no export. Rows that are none are found when they are read.
    """

    def links() -> Iterator[Link]:
        stream.seek(0)
        stream.readline()
        for number, line in enumerate(stream, start=2):
            try:
                yield _link(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise LedgerError(f"{name}: line {number} is no row of a ledger", hint=_NOTHING_TAKEN) from error

    return _heading(stream, name), links


def take(database: Database, source: Source, name: str) -> Taken:
    """Add the rows of a chain that are not here, behind those that are: all of them, or none.

    Where this ledger holds the beginning of that chain and nothing else, the chain goes on as it was, hash by hash;
    else the rows are chained anew. A row that is here already is passed over.

    Args:
        database: Of the ledger that takes them.
        source: The chain, which has to hold.
        name: What to call it in messages.

    Raises:
        LedgerError: The chain does not hold, or an image stands here with other content, or a nonce with another
            image; or the database cannot be used.
    """
    end, links = source
    _require_whole(links(), end, name)
    added = known = 0
    with database.transaction():
        for link in links():
            if _is_known(database, link, name):
                known += 1
                continue
            if link.row["event"] == Event.PENDING:
                entry = _entry(link, name)
                require_new(database, entry)
                keep_contents(database, entry)
            append(database, Event(str(link.row["event"])), _id(link), link.row, at=str(link.row["at"]))
            added += 1
    return Taken(added=added, known=known)


def _require_whole(links: Iterable[Link], end: Head, name: str) -> None:
    rows = ((*link.row.values(), link.hash) for link in links)
    first = next(chain.examine(rows, end), None)
    if first is not None:
        raise LedgerError(f"{name}: the chain does not hold: {first.problem}", hint=_NOTHING_TAKEN)


def _is_known(database: Database, link: Link, name: str) -> bool:
    """Whether the row is here: the same event of the same image, with the same values.

    Raises:
        LedgerError: The image stands here with other content, or came to another end.
    """
    columns = ", ".join(("event", *ENTRY_COLUMNS))
    begins = link.row["event"] == Event.PENDING
    query = f"SELECT {columns} FROM events WHERE image_id = ? AND event {'=' if begins else '<>'} 'pending'"  # noqa: S608
    found = database.rows(query, (link.row["image_id"],))
    if not found:
        return not begins and _is_under_way(database, link)
    here = dict(zip(("event", *ENTRY_COLUMNS), found[0], strict=True))
    other = [column for column, value in here.items() if value != link.row[column]]
    if other:
        raise LedgerError(
            f"{name}: image {link.row['image_id']} stands in this ledger with other content: {', '.join(other)}",
            hint="Nothing was taken over. Ids are random, so one of the two rows was changed: find out which.",
        )
    return True


def _is_under_way(database: Database, link: Link) -> bool:
    """Whether this ledger is delivering the image itself: what becomes of it, the delivery says."""
    return bool(database.rows("SELECT 1 FROM deliveries WHERE image_id = ?", (link.row["image_id"],)))


def _entry(link: Link, name: str) -> Entry:
    """The entry of a pending row.

    Raises:
        LedgerError: It could not be read back, or its bytes are not those that it names.
    """
    image_id = hex64(_id(link))
    for kind, data in zip(_CONTENTS, link.contents, strict=True):
        if data is None or sha256(data).hexdigest() != link.row[f"{kind}_sha256"]:
            raise LedgerError(f"{name}: the {kind} of image {image_id} was changed or is missing", hint=_NOTHING_TAKEN)
    thumbnail, manifest = (data or b"" for data in link.contents)
    values = [link.row[column] for column in ENTRY_COLUMNS]
    try:
        entry = from_columns(image_id, values, thumbnail, manifest)
        problems = out_of_range(entry)
    except (ValueError, TypeError):
        problems = ["something"]
    if problems:
        raise LedgerError(f"{name}: image {image_id}: {', '.join(problems)} out of range", hint=_NOTHING_TAKEN)
    return entry


def _heading(stream: BinaryIO, name: str) -> Head:
    try:
        heading = json.loads(stream.readline())
        found = _HEAD.fullmatch(heading["head"]) if heading["format"] == FORMAT else None
    except (ValueError, TypeError, KeyError) as error:
        raise _foreign(name) from error
    if found is None:
        raise _foreign(name)
    return Head(seq=int(found[1]), hash=found[2])


def _foreign(name: str) -> LedgerError:
    hint = "Name a file that assay ledger export wrote, with this version or an older one."
    return LedgerError(f"{name}: no export of a ledger", hint=hint)


def _link(line: Any) -> Link:
    """A row as a line tells it.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: It is none.
    """
    row, digest = line["row"], line["hash"]
    if not row.keys() <= set(chain.COLUMNS) or not isinstance(digest, str):
        raise ValueError(line)
    row = {name: row.get(name) for name in chain.COLUMNS}
    if not all(map(_is_value, row.values())) or type(row["seq"]) is not int:
        raise TypeError(row)
    if not _ID.fullmatch(row["image_id"]) or not is_utc(row["at"]):
        raise ValueError(row)
    Event(row["event"])
    thumbnail, manifest = (_decoded(line.get(name)) for name in _CONTENTS)
    return Link(row=row, hash=digest, contents=(thumbnail, manifest))


def _is_value(value: object) -> bool:
    """Whether a database can hold it: text without lone surrogates, whole numbers of 64 bits, nothing."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode() == value
        case int():
            return not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63
        case _:
            return value is None


def _decoded(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _bytes(data: Any) -> bytes | None:
    return None if data is None else bytes(data)


def _id(link: Link) -> int:
    return int(str(link.row["image_id"]), 16)


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
