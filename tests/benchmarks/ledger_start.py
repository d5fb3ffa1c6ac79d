"""What a large ledger costs a process: `python -m tests.benchmarks.ledger_start [--rows 100000]`.

A ledger of that many rows in a temporary folder, all of pictures that were made here; then processes that open it, one
after the other: the first of them ever, and the best of three that follow. Seconds of processor for each step.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np

from assay.fingerprint import thumbnail
from assay.jobs.registry import Registry
from assay.keys import key_store
from assay.ledger import new_image_id, open_ledger, writing
from assay.ledger.entry import Event, to_columns
from tests.assay.ledger.entries import entry_for

STEPS = ("open the ledger", "read its rows", "first picture's colours", "id of one image")
_THUMBNAILS = 500


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--home", type=Path, help="measure this data folder, in this process")
    options = parser.parse_args()
    if options.home is not None:
        print(*_start(options.home))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _build(home, options.rows)
        command = [sys.executable, "-m", "tests.benchmarks.ledger_start", "--home", folder]
        runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(4)]
    first, *later = ([float(value) for value in run.split()] for run in runs)
    for number, step in enumerate(STEPS):
        print(f"{step:25} {first[number]:.2f} s in the first process, {min(run[number] for run in later):.2f} s later")
    print(f"{'together':25} {sum(first):.2f} s in the first process, {min(map(sum, later)):.2f} s later")


def _build(home: Path, rows: int) -> None:
    key, random = key_store(home).init(), np.random.default_rng(0)
    pictures = random.integers(0, 256, (_THUMBNAILS, 64, 64, 3), np.uint8)
    stored = [thumbnail(pixels) for pixels in pictures]
    with open_ledger(home / "ledger.sqlite3") as ledger:
        database = ledger._database
        with database.transaction():
            for data in (*stored, b"manifest"):
                digest = sha256(data).hexdigest()
                database.execute("INSERT INTO contents (sha256, data) VALUES (?, ?)", (digest, data))
            for number in range(rows):
                image_id, data = new_image_id(), stored[number % _THUMBNAILS]
                own = {"image_id": image_id, "payload": image_id, "key_id": key.id, "thumbnail": data}
                entry = entry_for(image_id.to_bytes(8, "big"), name=f"{number}.png", **own)
                writing.append(database, Event.PENDING, image_id, to_columns(entry))
                writing.append(database, Event.COMMITTED, image_id, {})


def _start(home: Path) -> list[float]:
    """Seconds of processor of each step."""
    laps = [time.process_time()]
    secrets = {key.id: key.secret for key in key_store(home).keys()}  # noqa: SIM118 - not a mapping
    with open_ledger(home / "ledger.sqlite3") as ledger:
        laps.append(time.process_time())
        known = Registry(ledger, secrets, home / "keys")
        laps.append(time.process_time())
        (alike,) = known.alike(ledger, np.zeros((512, 512, 3), np.uint8), 1)
        laps.append(time.process_time())
        ledger.state(alike.image_id)
        laps.append(time.process_time())
    return [later - earlier for earlier, later in pairwise(laps)]


if __name__ == "__main__":
    main()
