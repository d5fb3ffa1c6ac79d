"""Kills `assay generate` at random moments, and counts what must never happen.

    python -m tests.benchmarks.crashed_generations

Each of two pictures is made once in peace, which says how long it takes, and then killed at three moments between the
loading of the model and the end. After each kill the ledger is opened, and so recovered, and held against the folder.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assay.ledger import location, open_ledger
from assay.settings import from_environment
from tests.benchmarks.crashes import Desk, examine

PROMPTS = ("a pink tulip", "a close-up of a yellow sunflower")


def crash(folder: Path, *, moments: int, seed: int = 0) -> tuple[int, int, list[str]]:
    """Make pictures and kill their makers.

    Returns:
        How many were killed before they had ended, how many pictures are in the ledger, and every problem.
    """
    home, pictures = folder / "home", folder / "pictures"
    pictures.mkdir()
    _assay("keys", "init", "--home", str(home)).wait()
    place = location(from_environment(home=home))
    desk = Desk(place=str(place), folder=pictures, writers=1, make=lambda _: b"")
    rng, killed, problems = random.Random(seed), 0, []
    for number, prompt in enumerate(PROMPTS):
        begin = time.monotonic()
        if _generate(prompt, pictures / f"{number}.png", home).wait():
            raise RuntimeError(f"{prompt}: could not be made even in peace")
        seconds = time.monotonic() - begin
        for moment in range(moments):
            maker = _generate(prompt, pictures / f"{number}-{moment}.png", home)
            try:
                maker.wait(timeout=rng.uniform(0.4, 1) * seconds)
            except subprocess.TimeoutExpired:
                maker.kill()
                killed += 1
            maker.wait()
            with open_ledger(place) as ledger:
                problems += [f"picture {number}, moment {moment}: {problem}" for problem in examine(desk, ledger)]
    with open_ledger(place) as ledger:
        return killed, ledger.count(), problems


def _generate(prompt: str, target: Path, home: Path) -> subprocess.Popen[bytes]:
    return _assay("generate", prompt, "-o", str(target), "--home", str(home))


def _assay(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "assay", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> int:
    """Print the counts; 1 where anything happened that must not."""
    parser = argparse.ArgumentParser(description="Kill generations at random moments.")
    parser.add_argument("--moments", type=int, default=3, help="of each of the two pictures")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killed, delivered, problems = crash(Path(folder), moments=options.moments, seed=options.seed)
    print(f"{killed} of {2 * options.moments} generations killed before their end; {delivered} pictures in the ledger")
    print(f"problems: {len(problems)}")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
