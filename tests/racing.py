"""Processes that do the same thing at the same moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

ROUNDS, RACERS = 40, 4


def race(open_new: Callable[[Path], None], folder: Path) -> None:
    """Call `open_new` with the same new path in several processes, once a round; each has to come back unharmed.

    Args:
        open_new: A function of a module, so that a new process finds it.
        folder: Where the paths are.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(RACERS)
    racers = [spawn.Process(target=_run, args=(open_new, folder, barrier)) for _ in range(RACERS)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * RACERS


def _run(open_new: Callable[[Path], None], folder: Path, barrier: Barrier) -> None:
    for number in range(ROUNDS):
        try:
            barrier.wait()
            open_new(folder / str(number))
        except BaseException:
            barrier.abort()  # or the others would wait for ever
            raise
