"""scan: many files in, one table out, and a journal from which a scan that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import codec
from assay.errors import UnreadableError
from assay.exhibit import receive
from assay.files import printable
from assay.jobs.scan.journal import Journal, unwritable
from assay.jobs.scan.lanes import Lanes
from assay.jobs.scan.rows import SCHEMA, Row, renamed, sidecar_sha256
from assay.jobs.scan.table import read_conditions, read_rows, require_writable, write_rows
from assay.jobs.verify import processors
from assay.settings import from_environment
from assay.vocabulary import Limits, Settings, ToolFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One more file is done."""

    row: Row
    kept: bool
    """From an earlier scan: the file is still the same."""
    done: int
    """Files so far, this one included."""
    total: int


def scan(
    sources: Iterable[str | Path],
    out: Path,
    *,
    settings: Settings | None = None,
    jobs: int | None = None,
    include_personal: bool = False,
) -> Generator[Progress, None, None]:
    """Examine files, each as `verify` does, into one table.

    Rows of an earlier scan count where bytes, sidecar and conditions (settings, tools, trust list) are the same, under
    the same path or, where all could be examined, under any of the same extension: those of the journal that a stopped
    scan has left, and those of an older table. Whoever stops asking (`close` of the
    generator, an exception, a killed process) stops the scan, and the next one goes on from there. The table is written
    after the last file.

    Args:
        sources: Files. A row stands for each, in this order.
        out: Where the table goes, Parquet or CSV by its suffix; the journal lies beside it until then.
        settings: Trust profile, data folder, limits, checks to skip; from the environment by default.
        jobs: Processes that examine; the number of processors by default.
        include_personal: Leave personal data in the rows' reports.

    Yields:
        Files in the order in which they are done.

    Raises:
        ConfigurationError: The settings cannot be used, another scan writes there, `out` has another suffix, is no
            table or cannot be written, or pyarrow is missing.
    """
    require_writable(out)
    settings = settings or from_environment()
    paths = [os.fspath(source) for source in sources]
    count = max(1, min(jobs or processors(), len(paths)))
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(out))
        older = read_conditions(out) if out.exists() else None
        lanes = stack.enter_context(Lanes(count, settings, include_personal=include_personal))
        conditions = _conditions(settings, lanes.tools, include_personal=include_personal)
        journal.load(_digest(conditions))
        try:
            if older == conditions:
                _adopt(out, journal)
            offsets = array("q", bytes(8 * len(paths)))
            yield from _examined(paths, offsets, journal, lanes, settings.limits)
            write_rows(out, map(journal.at, offsets), conditions)
            journal.clear()
        except OSError as error:
            raise unwritable(out, error) from error


def _conditions(settings: Settings, tools: ToolFacts, *, include_personal: bool) -> dict[str, Any]:
    """All that rows of the same bytes depend on, as JSON, but for keys and ledger in the data folder."""
    return {
        "schema": SCHEMA,
        "settings": codec.encode(settings) | {"skip": sorted(set(settings.skip)), "home": None},
        "include_personal": include_personal,
        "tools": codec.encode(tools),
    }


def _digest(conditions: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()[:16]


def _adopt(table: Path, journal: Journal) -> None:
    """Copy rows of an older table, so that there is one place to look for what is known."""
    for row in read_rows(table):
        if row.path not in journal:
            journal.adopt(row)


def _examined(
    paths: Sequence[str], offsets: array[int], journal: Journal, lanes: Lanes, limits: Limits
) -> Iterator[Progress]:
    """Every file, kept or examined; notes in `offsets` where in the journal its row is."""
    done = 0

    def progress(row: Row, *, kept: bool) -> Progress:
        nonlocal done
        done += 1
        return Progress(row=row, kept=kept, done=done, total=len(paths))

    def collect(leave: int) -> Iterator[Progress]:
        for number, row in lanes.finished(leave=leave):
            offsets[number] = journal.add(row)
            yield progress(row, kept=False)

    for number, path in enumerate(paths):
        row = journal.find(printable(path))
        if row is not None and _is_same(path, row, limits):
            offsets[number] = journal.offset(row.path)
            yield progress(row, kept=True)
        elif (moved := _moved(path, journal, limits)) is not None:
            offsets[number] = journal.add(moved)
            yield progress(moved, kept=True)
        else:
            lanes.submit(number, path)
        yield from collect(lanes.ahead)
    yield from collect(0)


def _is_same(path: str, row: Row, limits: Limits) -> bool:
    """Whether a row is about the bytes that are there now, and about the manifest beside them."""
    if row.sha256 is None:
        return False
    return _sha256(path, limits) == row.sha256 and sidecar_sha256(path, limits) == row.sidecar_sha256


def _moved(path: str, journal: Journal, limits: Limits) -> Row | None:
    """The row of an earlier scan about the same bytes under another name, as the row of this one; None without one.

    Failures name their file, and an extension that does not fit is a finding, so such rows stay with their own names.
    """
    try:
        if not journal.knows_size(Path(path).stat().st_size):
            return None
    except (OSError, ValueError):
        return None
    sha256 = _sha256(path, limits)
    row = None if sha256 is None else journal.of_bytes(sha256)
    if row is None or row.error is not None or _extension(path) != _extension(row.path):
        return None
    return renamed(row, path) if sidecar_sha256(path, limits) == row.sidecar_sha256 else None


def _sha256(path: str, limits: Limits) -> str | None:
    """Of the bytes that are there now; None where they cannot be read."""
    try:
        return receive(Path(path), path, limits).facts.sha256
    except UnreadableError:
        return None


def _extension(path: str) -> str:
    return Path(path).suffix.lower()
