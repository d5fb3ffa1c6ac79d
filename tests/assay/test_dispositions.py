from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.dispositions import Disposition, Notes, notes_of, open_notes
from assay.errors import ConfigurationError
from tests.racing import race

A, B = "a" * 64, "b" * 64


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results.parquet"


def test_what_was_decided_last_holds_and_nothing_is_lost(results: Path) -> None:
    before = datetime.now(UTC)
    with open_notes(results) as notes:
        assert notes.get(A) is None
        first = notes.put(A, Disposition.ESCALATED, "to the <desk>\n\x1b", who="Ana")
        last = notes.put(A, Disposition.CLEARED)
        other = notes.put(B, Disposition.CONFIRMED, "\ud800")
        assert notes.get(A) == last
    with open_notes(results) as notes:
        assert notes.all() == {A: last, B: other}
        assert notes.history(A) == [first, last]
        assert (first.note, first.who, last.who, other.note) == ("to the <desk>\n\x1b", "Ana", None, "\\ud800")
        assert before <= first.at <= last.at <= datetime.now(UTC)


def test_only_the_file_is_left_and_its_owner_alone_reads_it(results: Path) -> None:
    with open_notes(results) as notes:
        notes.put(A, Disposition.OPEN)
    assert list(results.parent.iterdir()) == [notes_of(results)]
    assert notes_of(results).stat().st_mode & 0o777 == 0o600


def test_entries_are_only_added(results: Path) -> None:
    with open_notes(results) as notes:
        notes.put(A, Disposition.OPEN)
    connection = sqlite3.connect(notes_of(results))
    for statement in ("UPDATE entry SET note = 'x'", "DELETE FROM entry"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            connection.execute(statement)
    connection.close()


WRITE = """
import sys
from pathlib import Path
from assay.dispositions import Disposition, open_notes
for number in range(50):
    with open_notes(Path(sys.argv[1])) as notes:
        notes.put("a" * 64, Disposition.IN_REVIEW, f"{sys.argv[2]} {number}")
"""


def test_several_sessions_write_at_once(results: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, results, str(at)]) for at in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with open_notes(results) as notes:
        written = [entry.note for entry in notes.history(A)]
    assert len(written) == 150
    for at in range(3):
        assert [note for note in written if note[0] == str(at)] == [f"{at} {number}" for number in range(50)]


def test_processes_open_new_notes_at_once(tmp_path: Path) -> None:
    race(_decide, tmp_path)


def _decide(results: Path) -> None:
    with open_notes(results) as notes:
        notes.put(A, Disposition.OPEN)


def test_two_that_are_open_at_once(results: Path) -> None:
    with open_notes(results) as one, open_notes(results) as other:
        one.put(A, Disposition.CONFIRMED)
        entry = other.get(A)
        assert entry is not None
        assert entry.disposition is Disposition.CONFIRMED


def test_what_cannot_be_used(tmp_path: Path) -> None:
    text, foreign = tmp_path / "text", tmp_path / "foreign"
    text.write_text("not a database, and longer than a header of one would be " * 4)
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    for path in (text, foreign, tmp_path / "missing" / "notes"):
        with pytest.raises(ConfigurationError, match="cannot be used"):
            Notes(path)
    with open_notes(tmp_path / "r") as notes, pytest.raises(ValueError, match="not a sha256"):
        notes.put("A" * 64, Disposition.OPEN)
