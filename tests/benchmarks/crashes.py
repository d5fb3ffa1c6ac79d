"""Kills writers of the ledger at random moments and counts what must never happen.

    python -m tests.benchmarks.crashes                      SQLite
    python -m tests.benchmarks.crashes --url own            a PostgreSQL server started for this
    python -m tests.benchmarks.crashes --url postgresql://… an empty database

Every writer signs a small picture and delivers it, again and again: three times out of four under a new name, else
under one of a few names for which all writers compete. At half of the moments all writers are killed. At the others
half of them are, and the ledger is opened, and so recovered, while the other half goes on, for a moment.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import count
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from PIL import Image

from assay.ledger import Entry, Event, Ledger, open_ledger
from assay.ledger.database import connect
from generation.declaration import Declaration
from generation.development import development_key
from generation.sign import sign
from tests.assay.ledger import cluster
from tests.assay.ledger.entries import entry_for

Make = Callable[[int], bytes]
_SHARED_NAMES = 4
_FORK = multiprocessing.get_context("fork")  # twenty fresh interpreters would take longer to start than they live


@dataclass(frozen=True, kw_only=True)
class Crashes:
    """What became of all deliveries."""

    moments: int
    killed: int
    acknowledged: int
    """Deliveries that had returned to their caller."""
    committed: int
    void: int
    interrupted: int
    """Deliveries that a kill left between their rows."""
    completed: int
    """Of those, how many recovery completed; it declared the others void."""
    problems: tuple[str, ...]
    """Everything that must never happen."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where and what the writers write."""

    place: str
    """Of a ledger, empty at first."""
    folder: Path
    """Where the files go, empty at first."""
    writers: int
    """How many write at once."""
    make: Make
    """From a number to the bytes of a file; different ones for different numbers."""


def crash(desk: Desk, *, moments: int, seed: int = 0) -> Crashes:
    """Start writers and kill them, as many times as there are moments; the seed decides when."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for moment in range(moments):
        with tempfile.TemporaryDirectory() as notes:
            problems += _round(desk, Path(notes), rng, whole=moment % 2 == 0)
            left = _left(desk.place)
            counts["killed"] += desk.writers
            with open_ledger(desk.place) as ledger:
                counts["interrupted"] += len(left)
                counts["completed"] += sum(ledger.state(image_id) is Event.COMMITTED for image_id in left)
                acknowledged = list(_acknowledged(Path(notes)))
                counts["acknowledged"] += len(acknowledged)
                lost = [each for each in acknowledged if ledger.state(each) is not Event.COMMITTED]
                problems += [f"moment {moment}: {each:016x} was acknowledged, but is not committed" for each in lost]
                problems += [f"moment {moment}: {problem}" for problem in examine(desk, ledger)]
    with open_ledger(desk.place) as ledger:
        committed, rows = ledger.count(), ledger.head().seq
    void = (rows - 2 * committed) // 2
    return Crashes(moments=moments, committed=committed, void=void, problems=tuple(problems), **counts)


def _round(desk: Desk, notes: Path, rng: random.Random, *, whole: bool) -> list[str]:
    """Start all writers, kill them, and say what went wrong."""
    ready = _FORK.Barrier(desk.writers + 1)
    processes: list[BaseProcess] = [
        _FORK.Process(target=_write, args=(desk, notes, ready, rng.getrandbits(64))) for _ in range(desk.writers)
    ]
    for process in processes:
        process.start()
    ready.wait(timeout=60)
    time.sleep(rng.uniform(0.02, 0.5))
    if whole:
        return _kill(processes)
    first = rng.sample(processes, desk.writers // 2)
    problems = _kill(first)
    with open_ledger(desk.place):
        time.sleep(rng.uniform(0.02, 0.2))
    return problems + _kill([process for process in processes if process not in first])


def _left(place: str) -> tuple[int, ...]:
    """The work list, as the dead left it: opened without recovery."""
    database = connect(place)
    with closing(database), database.transaction():
        return tuple(delivery.image_id for delivery in Ledger(database).unfinished())


def _kill(processes: list[BaseProcess]) -> list[str]:
    for process in processes:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    for process in processes:
        process.join()
    codes = [process.exitcode for process in processes if process.exitcode != -signal.SIGKILL]
    return [f"a writer ended by itself, with {code}" for code in codes]


def _write(desk: Desk, notes: Path, ready: Barrier, seed: int) -> None:
    rng = random.Random(seed)
    note = os.open(notes / str(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with open_ledger(desk.place) as ledger:
        ready.wait(timeout=60)
        for number in count():
            shared = rng.random() < 1 / 4
            name = f"shared-{rng.randrange(_SHARED_NAMES)}" if shared else f"{seed:016x}-{number}"
            data = desk.make(rng.getrandbits(64))
            entry = entry_for(data, name=name)
            ledger.deliver(entry, desk.folder / name, data)
            os.write(note, f"{entry.image_id:016x}\n".encode())


def _acknowledged(notes: Path) -> Iterator[int]:
    for path in notes.iterdir():
        yield from (int(line, 16) for line in path.read_text().split())


def examine(desk: Desk, ledger: Ledger) -> Iterator[str]:
    """What is wrong with a ledger and its folder while nobody writes."""
    yield from (f"still unfinished: {each.target}" for each in ledger.unfinished())
    yield from (finding.problem for finding in ledger.check())
    yield from _damage(desk.place)
    last: dict[str, Entry] = {recorded.entry.name: recorded.entry for recorded in ledger.entries()}
    files = {path.name: sha256(path.read_bytes()).hexdigest() for path in desk.folder.iterdir()}
    for name, digest in files.items():
        if name not in last:
            yield f"a file without a row: {name}"
        elif last[name].file_sha256 != digest:
            yield f"a file that is not its row's: {name}"
    yield from (f"a committed row without a file: {name}" for name in last if name not in files)


def _damage(place: str) -> Iterator[str]:
    if "://" not in place:
        with closing(sqlite3.connect(place)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchall()
        if answer != [("ok",)]:
            yield f"SQLite finds damage: {answer}"


def signer() -> Make:
    """Signs a small picture anew each time, with a title of its own."""
    with tempfile.TemporaryDirectory() as folder:
        key = development_key(Path(folder) / "keys")
    plain = BytesIO()
    Image.radial_gradient("L").resize((64, 64)).save(plain, "PNG")
    return lambda number: sign(plain.getvalue(), "image/png", key, Declaration(title=f"{number:016x}"))


@contextmanager
def _place(url: str | None, folder: Path) -> Iterator[str]:
    if url is None:
        yield str(folder / "ledger.sqlite3")
    elif url == "own":
        with cluster.cluster() as own:
            yield own
    else:
        yield url


def main() -> int:
    """Print the counts; 1 where anything happened that must not."""
    parser = argparse.ArgumentParser(description="Kill writers of the ledger at random moments.")
    parser.add_argument("--url", help="own: a server started for this; or an empty database; default: SQLite")
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, _place(options.url, Path(scratch)) as place:
        pictures = Path(scratch) / "pictures"
        pictures.mkdir()
        desk = Desk(place=place, folder=pictures, writers=options.writers, make=signer())
        result = crash(desk, moments=options.moments, seed=options.seed)
    print(f"{result.moments} moments, {options.writers} writers at once, {result.killed} writers killed")
    print(f"deliveries: {result.acknowledged} acknowledged, {result.committed} committed, {result.void} void")
    print(f"interrupted between their rows: {result.interrupted}, of which recovery completed {result.completed}")
    print(f"problems: {len(result.problems)}; {time.monotonic() - begin:.0f} s")
    for problem in result.problems:
        print(f"  {problem}")
    return 1 if result.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
