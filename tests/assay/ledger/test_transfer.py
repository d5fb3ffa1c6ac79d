from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.errors import LedgerError
from assay.keys import key_store
from assay.ledger import Entry, Event, Ledger, open_ledger, writing
from assay.ledger.chain import COLUMNS, GENESIS, digest
from tests.assay.ledger.around import tamper
from tests.assay.ledger.entries import entry_for


def fill(ledger: Ledger, folder: Path, *names: str) -> list[Entry]:
    entries = [entry_for(name.encode(), name=name, thumbnail=name.encode()) for name in names]
    for entry in entries:
        ledger.deliver(entry, folder / entry.name, entry.name.encode())
    return entries


def exported(ledger: Ledger) -> bytes:
    stream = io.BytesIO()
    ledger.export(stream)
    return stream.getvalue()


def take(ledger: Ledger, export: bytes) -> tuple[int, int]:
    taken = ledger.take_export(io.BytesIO(export), "rows.jsonl")
    return taken.added, taken.known


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "other.sqlite3") as opened:
        yield opened


def test_into_an_empty_ledger_the_chain_stays_as_it_was(ledger: Ledger, other: Ledger, folder: Path) -> None:
    entries = fill(ledger, folder, "a", "b", "c")
    export = exported(ledger)
    assert take(other, export) == (6, 0)
    assert exported(other) == export
    assert other.head() == ledger.head()
    assert [other.get(entry.image_id) for entry in entries] == entries
    assert other.check(kept=ledger.head()) == []
    assert take(other, export) == (0, 6)
    fill(ledger, folder, "d")
    assert take(other, exported(ledger)) == (2, 6)
    assert other.head() == ledger.head()


def test_into_one_that_goes_its_own_way(ledger: Ledger, other: Ledger, folder: Path) -> None:
    ours, theirs = fill(ledger, folder, "a", "b"), fill(other, folder, "c")
    kept = ledger.head()
    assert take(ledger, exported(other)) == (2, 0)
    assert [each.entry for each in ledger.entries()] == [*ours, *theirs]
    assert ledger.check(kept=kept) == []
    taken = other.merge(ledger)
    assert (taken.added, taken.known) == (4, 2)
    assert other.check() == []
    assert (other.merge(ledger).added, ledger.merge(other).added) == (0, 0)


def test_when_something_was_delivered_goes_along(ledger: Ledger, other: Ledger, folder: Path) -> None:
    fill(ledger, folder, "a")
    at = [json.loads(line)["row"]["at"] for line in exported(ledger).splitlines()[1:]]
    fill(other, folder, "b")
    other.merge(ledger)
    assert [json.loads(line)["row"]["at"] for line in exported(other).splitlines()[3:]] == at


def test_keys_are_never_in_it(ledger: Ledger, folder: Path, tmp_path: Path) -> None:
    store = key_store(tmp_path)
    store.init()
    (key,) = store.keys()
    entry = entry_for(b"a", key_id=key.id)
    ledger.deliver(entry, folder / "a", b"a")
    export = exported(ledger)
    assert key.id.encode() in export
    kept = [path.read_bytes().strip() for path in (tmp_path / "keys").rglob("*") if path.is_file()]
    assert any(len(secret) >= 32 for secret in kept)  # the root
    for secret in (key.secret, *filter(None, kept)):
        assert secret not in export
        assert secret.hex().encode() not in export
        assert b64encode(secret) not in export


def test_an_image_with_other_content_is_named_and_nothing_is_taken(ledger: Ledger, other: Ledger, folder: Path) -> None:
    first, second = fill(ledger, folder, "a", "b")
    fresh = entry_for(b"c", name="c")
    other.deliver(fresh, folder / "c", b"c")
    changed = entry_for(b"x", image_id=second.image_id, name="x", model="another")
    other.deliver(changed, folder / "x", b"x")
    with pytest.raises(LedgerError, match=rf"image {second.image_id:016x} stands .* content: .*model") as caught:
        take(ledger, exported(other))
    assert "Nothing was taken over" in caught.value.hint
    assert ledger.get(fresh.image_id) is None
    assert ledger.count() == 2
    assert ledger.get(first.image_id) == first


def test_a_nonce_that_is_used_here_is_refused(ledger: Ledger, other: Ledger, folder: Path) -> None:
    (entry,) = fill(ledger, folder, "a")
    other.deliver(entry_for(b"x", nonce=entry.nonce), folder / "x", b"x")
    with pytest.raises(LedgerError, match=f"nonce was used for image {entry.image_id:016x}"):
        take(ledger, exported(other))


def test_another_end_of_the_same_image_is_refused(ledger: Ledger, other: Ledger, folder: Path) -> None:
    (entry,) = fill(ledger, folder, "a")
    other.take_export(io.BytesIO(rechained(exported(ledger), {2: {"event": "void"}})), "void")
    assert other.state(entry.image_id) is Event.VOID
    with pytest.raises(LedgerError, match=r"content: event"):
        ledger.merge(other)


def test_what_is_under_way_is_settled_where_it_began(
    ledger: Ledger, other: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_for(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(writing, "end", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ledger.deliver(entry, folder / "x", b"x")
    assert (other.merge(ledger).added, ledger.merge(other).added) == (1, 0)
    assert other.get(entry.image_id) is None
    ledger.recover()
    assert other.merge(ledger).added == 1
    assert other.get(entry.image_id) == entry


def rechained(export: bytes, changes: dict[int, dict[str, Any]]) -> bytes:
    """An export with other values in some rows, and hashes that fit: what a forger would hand over."""
    lines = [json.loads(line) for line in export.splitlines()]
    previous = GENESIS
    for number, line in enumerate(lines[1:], start=1):
        line["row"] |= changes.get(number, {}) | {"previous": previous}
        previous = line["hash"] = digest({name: line["row"].get(name) for name in COLUMNS})
    lines[0]["head"] = f"{len(lines) - 1}:{previous}"
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_a_chain_that_does_not_hold_is_refused(ledger: Ledger, other: Ledger, folder: Path) -> None:
    fill(ledger, folder, "a", "b")
    lines = exported(ledger).splitlines(keepends=True)
    broken = {
        "row 1 was changed": b"".join([lines[0], lines[1].replace(b'"pocket"', b'"socket"'), *lines[2:]]),
        "row 2 is missing": b"".join([*lines[:2], *lines[3:]]),
        "row 4 is missing": b"".join(lines[:-1]),
        "row 2 was": b"".join([*lines[:2], lines[2].replace(b"committed", b"void"), *lines[3:]]),
    }
    for problem, export in broken.items():
        with pytest.raises(LedgerError, match=rf"rows\.jsonl: the chain does not hold: {problem}"):
            take(other, export)
    assert other.count() == 0
    tamper(str(other._database.name), "UPDATE head SET seq = 7")
    with pytest.raises(LedgerError, match="the chain does not hold"):
        ledger.merge(other)


@pytest.mark.parametrize(
    ("row", "changes", "problem"),
    [
        (1, {"steps": -1}, "steps out of range"),
        (1, {"steps": None}, "something out of range"),
        (1, {"payload": "xyz"}, "something out of range"),
        (1, {"thumbnail_sha256": "0" * 64}, "the thumbnail of image .* was changed"),
        (1, {"steps": 2**64}, "line 2 is no row"),
        (1, {"name": "\ud800"}, "line 2 is no row"),
        (1, {"at": "yesterday"}, "line 2 is no row"),
        (1, {"image_id": "12"}, "line 2 is no row"),
        (1, {"event": "made"}, "line 2 is no row"),
        (1, {"colour": "red"}, "line 2 is no row"),
        (2, {"seq": "2"}, "line 3 is no row"),
        (2, {"model": True}, "line 3 is no row"),
    ],
)
def test_rows_that_could_not_be_read_back_are_refused(
    tmp_path: Path, other: Ledger, row: int, changes: dict[str, Any], problem: str
) -> None:
    fill(other, tmp_path, "a")
    with open_ledger(tmp_path / "new.sqlite3") as new, pytest.raises(LedgerError, match=problem):
        take(new, rechained(exported(other), {row: changes}))
    with open_ledger(tmp_path / "new.sqlite3") as new:
        assert new.head().seq == 0


@pytest.mark.parametrize("text", [b"", b"hello", b"[]", b"{}", b'{"format": "assay-ledger/2", "head": "0:0"}'])
def test_what_is_no_export(ledger: Ledger, text: bytes) -> None:
    with pytest.raises(LedgerError, match=r"rows\.jsonl: no export of a ledger"):
        take(ledger, text)
