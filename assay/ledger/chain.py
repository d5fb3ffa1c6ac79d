"""The chain: each row's hash covers the row and the hash of the row before.

Who may write to the database can build a whole new chain, as with any log that is kept in one place. A head that was
published, or kept elsewhere, tells even that: `check` compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from assay.ledger.entry import ENTRY_COLUMNS, Event, Value

GENESIS = "0" * 64
COLUMNS = ("seq", "event", "image_id", "at", *ENTRY_COLUMNS, "previous")
"""What a hash covers, by name; the hash itself is the last column of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain. It stands for everything before it."""

    seq: int
    """Rows in the chain."""
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in the ledger that must not be."""

    seq: int
    """Number of the row, from 1; where several are meant, the first."""
    problem: str


def digest(row: dict[str, Value]) -> str:
    """SHA-256, hexadecimal, of a row as canonical JSON: names sorted, no white space, ASCII, nothing that is empty.

    So columns that are added later leave the hashes of older rows as they are.
    """
    filled = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    text = json.dumps(filled, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def examine(rows: Iterable[tuple[Value, ...]], head: Head) -> Iterator[Finding]:
    """Walk the whole chain.

    Args:
        rows: Values of `COLUMNS` and the hash, in the order of `seq`.
        head: Where the chain ends, as the ledger remembers it.
    """
    seq, before = 0, GENESIS
    states: dict[str, str] = {}
    for *values, stored in rows:
        row = dict(zip(COLUMNS, values, strict=True))
        at = int(row["seq"] or 0)
        if at != seq + 1:
            yield Finding(seq=seq + 1, problem=_missing(seq + 1, at - 1))
        if digest(row) != stored:
            yield Finding(seq=at, problem=f"row {at} was changed or moved")
        elif row["previous"] != before and at == seq + 1:
            yield Finding(seq=at, problem=f"row {at} does not follow the row before it: one of the two was replaced")
        yield from _out_of_turn(at, str(row["event"]), str(row["image_id"]), states)
        seq, before = at, str(stored)
    if seq < head.seq:
        yield Finding(seq=seq + 1, problem=_missing(seq + 1, head.seq))
    elif Head(seq=seq, hash=before) != head:
        yield Finding(seq=seq, problem=f"the chain does not end as remembered, in row {head.seq}: {head.hash[:12]}")


def _missing(first: int, last: int) -> str:
    return f"row {first} is missing" if first >= last else f"rows {first} to {last} are missing"


def _out_of_turn(seq: int, event: str, image_id: str, states: dict[str, str]) -> Iterator[Finding]:
    """First pending, then once committed or void."""
    state = states.get(image_id)
    if (event == Event.PENDING) is not (state is None) or state in {Event.COMMITTED, Event.VOID}:
        yield Finding(seq=seq, problem=f"row {seq}: image {image_id} is {event} after {state or 'nothing'}")
    states[image_id] = event
