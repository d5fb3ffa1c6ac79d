"""Runs untrusted files through all of `assay verify` and counts what must never happen."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from assay.jobs.verify import examine
from assay.vocabulary import Attestation, Report, Settings

R = TypeVar("R")

MAX_SECONDS = 10.0
MAX_BYTES = 2**30


@dataclass(frozen=True, kw_only=True)
class Endurance:
    """What became of a number of files."""

    tried: int
    deaths: tuple[str, ...]
    """Workers that crashed, with the file they died of."""
    unhandled: tuple[str, ...]
    """Exceptions that a check did not expect, or that ended the run."""
    slow: tuple[str, ...]
    """Files that took more than ten seconds of wall clock or processor time."""
    malformed: tuple[str, ...]
    """Reports that are not what they should be: none, or a failure that does not name the file."""
    seconds: Mapping[str, float] = field(repr=False)
    """Name -> wall clock; includes the start of a new worker where the one before was stopped."""
    readings: Mapping[str, str] = field(repr=False)
    """Name -> what the credentials check said, in one phrase; `failed: …` where a check failed."""
    peak_bytes: int
    """Largest resident set of any worker."""

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that must never happen."""
        heavy = (f"a worker took {self.peak_bytes / 2**20:.0f} MB",) if self.peak_bytes > MAX_BYTES else ()
        return self.deaths + self.unhandled + self.slow + self.malformed + heavy

    @property
    def slowest(self) -> tuple[str, float]:
        """Name and wall clock of the file that took longest."""
        return max(self.seconds.items(), key=lambda item: item[1], default=("none", 0.0))

    def census(self) -> Counter[str]:
        """How often each reading occurred, without the texts of failures."""
        return Counter(reading.partition(":")[0] for reading in self.readings.values())


def endure(paths: Sequence[Path], settings: Settings) -> Endurance:
    """Examine files, pixels included, on all processors; each shard has one worker, so its files take turns."""
    shards = [shard for shard in (paths[start :: os.cpu_count()] for start in range(os.cpu_count() or 1)) if shard]
    with ThreadPoolExecutor(max(len(shards), 1)) as threads:
        runs = list(threads.map(lambda shard: _run(shard, settings), shards))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    reports = {path: report for run in runs for path, report in run.reports.items()}
    return Endurance(
        tried=len(paths),
        deaths=_texts(reports, _is_death),
        unhandled=(*_texts(reports, _is_unhandled), *(text for run in runs for text in run.errors)),
        slow=(*_texts(reports, _is_late), *(text for run in runs for text in run.late)),
        malformed=tuple(_malformed(paths, reports)),
        seconds={str(path): seconds for run in runs for path, seconds in run.seconds.items()},
        readings={str(path): reading(report) for path, report in reports.items()},
        peak_bytes=peak,
    )


@dataclass(frozen=True, kw_only=True)
class _Run:
    reports: dict[Path, Report] = field(default_factory=dict)
    seconds: dict[Path, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def late(self) -> Iterable[str]:
        """To stop a worker and start the next one is not the file's fault: a second and a half is allowed for it."""
        return (f"{path}: {took:.1f} s" for path, took in self.seconds.items() if took > MAX_SECONDS + 1.5)


def _run(shard: Sequence[Path], settings: Settings) -> _Run:
    run, before = _Run(), time.monotonic()
    try:
        for path, report in zip(shard, examine(shard, settings=settings, workers=1, decode=True), strict=True):
            now = time.monotonic()
            run.reports[path], run.seconds[path], before = report, now - before, now
    except Exception as error:  # the promise is that there is none
        run.errors.append(f"the run ended with {type(error).__name__}: {error}")
    return run


def _failed(report: Report) -> Iterable[str]:
    return (failed.error for failed in report.failures)


def _texts(reports: Mapping[Path, Report], is_wanted: Callable[[str], bool]) -> tuple[str, ...]:
    return tuple(error for report in reports.values() for error in _failed(report) if is_wanted(error))


def _is_death(error: str) -> bool:
    return "the reader crashed on it" in error


def _is_unhandled(error: str) -> bool:
    return " could not be done: " in error


def _is_late(error: str) -> bool:
    return ": not done after " in error or " s of processor time" in error


def _malformed(paths: Sequence[Path], reports: Mapping[Path, Report]) -> Iterable[str]:
    for path in paths:
        report = reports.get(path)
        if report is None or not report.outcomes:
            yield f"{path}: no outcome"
        elif any(path.name not in error for error in _failed(report)):
            yield f"{path}: a failure does not name the file"


def reading(report: Report) -> str:
    """What the credentials check said, in one phrase; where it said nothing, why not."""
    for outcome in report.outcomes:
        if isinstance(outcome, Attestation):
            return outcome.state
    for error in _failed(report):
        return f"failed: {error}"
    return "no credentials"


def in_a_fresh_process(function: Callable[..., R], *arguments: object) -> R:
    """Run a function where no child has been before: the peak memory of children is counted for life."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
