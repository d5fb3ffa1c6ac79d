"""Whoever goes around the ledger leaves a trace that names the row."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from assay.ledger import Head, open_ledger
from tests.assay.ledger.around import run, select, tamper
from tests.assay.ledger.entries import entry_for

IMAGES = 4
ROWS = 2 * IMAGES


@pytest.fixture
def filled(place: str, folder: Path) -> str:
    with open_ledger(place) as ledger:
        for number in range(IMAGES):
            data = str(number).encode()
            entry = entry_for(data, name=str(number), thumbnail=b"thumbnail" + data, manifest=b"manifest" + data)
            ledger.deliver(entry, folder / str(number), data)
    return place


def problems(place: str, kept: Head | None = None) -> list[str]:
    with open_ledger(place) as ledger:
        return [finding.problem for finding in ledger.check(kept=kept)]


def test_an_untouched_ledger_has_no_findings(filled: str) -> None:
    assert problems(filled) == []


def test_the_chain_can_be_recomputed_from_its_description(filled: str) -> None:
    """An independent reading: SHA-256 over JSON of the filled columns, each row holding the hash before it."""
    names = [
        *("seq", "event", "image_id", "at", "watermark", "key_id", "nonce", "payload", "file_sha256", "pixel_sha256"),
        *("perceptual_hash", "thumbnail_sha256", "manifest_sha256", "model", "scheduler", "channels", "latent_height"),
        *("latent_width", "steps", "width", "height", "name", "created", "previous"),
    ]
    rows = select(filled, f"SELECT {', '.join(names)}, hash FROM events ORDER BY seq")
    before = "0" * 64
    for *values, stored in rows:
        row = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        assert row["previous"] == before
        before = sha256(json.dumps(row, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        assert before == stored
    assert len(rows) == ROWS


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE events SET model = 'other' WHERE seq = 3", ["row 3 was changed or moved"]),
        ("UPDATE events SET at = 'now' WHERE seq = 8", ["row 8 was changed or moved"]),
        ("DELETE FROM events WHERE seq = 2", ["row 2 is missing"]),
        ("DELETE FROM events WHERE seq BETWEEN 3 AND 4", ["rows 3 to 4 are missing"]),
        ("DELETE FROM events WHERE seq <= 2", ["rows 1 to 2 are missing"]),
        ("DELETE FROM events WHERE seq >= 7", ["rows 7 to 8 are missing"]),
    ],
)
def test_rows_changed_or_removed_are_named(statement: str, expected: list[str], filled: str) -> None:
    tamper(filled, statement)
    found = problems(filled)
    assert [problem for problem in found if problem in expected] == expected
    # What else is said follows from a missing row: its image is committed without having begun.
    assert all("committed after nothing" in problem for problem in found if problem not in expected)


def test_two_rows_that_changed_places_are_named(filled: str) -> None:
    tamper(
        filled,
        "UPDATE events SET seq = 99 WHERE seq = 2",
        "UPDATE events SET seq = 2 WHERE seq = 4",
        "UPDATE events SET seq = 4 WHERE seq = 99",
    )
    assert {"row 2 was changed or moved", "row 4 was changed or moved"} <= set(problems(filled))


def test_a_row_with_a_recomputed_hash_no_longer_fits_its_neighbour(filled: str) -> None:
    """The whole row is forged, but the next one remembers the old hash."""
    from assay.ledger.chain import COLUMNS, digest

    (values,) = select(filled, f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq = 3")
    forged = digest(dict(zip(COLUMNS, values, strict=True)) | {"model": "other"})
    tamper(filled, f"UPDATE events SET model = 'other', hash = '{forged}' WHERE seq = 3")
    assert problems(filled) == ["row 4 does not follow the row before it: one of the two was replaced"]


def test_a_row_added_by_hand_is_noticed(filled: str) -> None:
    tamper(
        filled,
        "INSERT INTO events (seq, event, image_id, at, previous, hash)"
        f" SELECT 9, 'committed', '{'f' * 16}', at, hash, hash FROM events WHERE seq = 8",
    )
    found = problems(filled)
    assert "row 9 was changed or moved" in found
    assert any("does not end as remembered, in row 8" in problem for problem in found)


def test_a_chain_built_anew_is_told_by_a_head_kept_elsewhere(
    filled: str, folder: Path, other: Callable[[], str]
) -> None:
    """It is sound in itself: only somebody who kept the old head can tell."""
    with open_ledger(filled) as ledger:
        kept = ledger.head()
    replacement = other()
    with open_ledger(replacement) as ledger:
        for number in range(IMAGES + 1):
            ledger.deliver(entry_for(b"x"), folder / str(number), b"x")
    assert problems(replacement) == []
    assert problems(replacement, kept) == [f"row {ROWS} is not the one of the head that was kept"]
    assert problems(filled, kept) == []
    assert problems(filled, replace(kept, seq=ROWS + 5)) == [f"row {ROWS + 5} is not the one of the head that was kept"]


@pytest.fixture
def other(tmp_path: Path) -> Callable[[], str]:
    return lambda: str(tmp_path / "other.sqlite3")


@pytest.mark.parametrize(("content", "kind"), [("thumbnail1", "thumbnail"), ("manifest1", "manifest")])
def test_contents_that_were_changed_or_removed_are_named(content: str, kind: str, filled: str) -> None:
    digest = sha256(content.encode()).hexdigest()
    changed = "decode('00', 'hex')" if "://" in filled else "x'00'"
    tamper(filled, f"UPDATE contents SET data = {changed} WHERE sha256 = '{digest}'")
    assert problems(filled) == [f"the {kind} of row 3 was changed"]
    tamper(filled, f"DELETE FROM contents WHERE sha256 = '{digest}'")
    assert problems(filled) == [f"the {kind} of row 3 is missing"]


def test_a_reused_nonce_is_reported(filled: str) -> None:
    tamper(
        filled,
        "DROP INDEX events_nonce",
        "UPDATE events SET nonce = (SELECT nonce FROM events WHERE seq = 1) WHERE seq IN (3, 7)",
    )
    found = problems(filled)
    assert "row 3 has the key and nonce of row 1" in found
    assert "row 7 has the key and nonce of row 1" in found
    with open_ledger(filled) as ledger:
        assert [finding.seq for finding in ledger.nonces_reused()] == [3, 7]


def test_the_database_itself_refuses_a_reused_nonce(filled: str) -> None:
    columns = "event, at, key_id, nonce, file_sha256, previous, hash"
    with pytest.raises(Exception, match=r"(?i)unique"):
        run(
            filled,
            f"INSERT INTO events (seq, image_id, {columns}) SELECT 99, '{'f' * 16}', {columns}"
            " FROM events WHERE seq = 1",
        )
