"""`assay scan`: many images in, one table out, continued where it was stopped."""

# Jobs are imported inside the functions: `assay --help` has to answer at once.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assay.options import (
    EPILOG,
    Commands,
    add_limits,
    add_settings,
    add_skip,
    add_sources,
    add_thorough,
    listed,
    positive,
    settings_of,
    tell_left_out,
)

if TYPE_CHECKING:
    from assay.jobs.left_out import LeftOut
    from assay.jobs.scan import Progress

LINE_SECONDS = 60.0
"""Between two lines on standard error that is no terminal."""


def add(commands: Commands) -> None:
    """What can be said of `assay scan`."""
    scan = commands.add_parser(
        "scan",
        help="examine many images into one table, Parquet or CSV; goes on where it was stopped",
        description="Examine many images, each as verify does, into one table: a row a file. "
        "The same command goes on where a scan was stopped, and examines only what has changed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(scan, "files, folders or globs")
    scan.add_argument(
        "-o", "--out", type=Path, metavar="FILE", required=True, help="the table: .parquet, or .csv without thumbnails"
    )
    scan.add_argument("--jobs", type=positive, metavar="N", help="processes that examine; one a processor by default")
    scan.add_argument("--include-personal", action="store_true", help="keep places, serial numbers, names, handles")
    scan.add_argument("--quiet", action="store_true", help="no progress, no summary")
    add_settings(scan)
    add_skip(scan)
    add_thorough(scan)
    add_limits(scan, "max_bytes", "max_pixels", "max_frames", "seconds", "memory_bytes")


def run(options: Namespace) -> int:
    """Examine images into a table, and say how many were examined, kept and not readable."""
    from assay.jobs.left_out import LeftOut
    from assay.jobs.scan import scan
    from assay.jobs.sources import distinct

    left_out = LeftOut()
    sources = list(distinct(_sources(options, left_out)))
    tell_left_out(left_out)
    progress = scan(
        sources,
        options.out,
        settings=settings_of(options),
        jobs=options.jobs,
        include_personal=options.include_personal,
    )
    kept = failed = done = 0
    try:
        for each in _with_progress(progress, len(sources), options):
            done = each.done
            kept += each.kept
            failed += each.row.error is not None
    except KeyboardInterrupt:
        progress.close()
        print(
            f"assay: stopped after {done:,} of {len(sources):,}; the same command goes on from there", file=sys.stderr
        )
        return 130
    if not options.quiet:
        print(
            f"{options.out}: {done:,} files, {done - kept:,} examined now, {kept:,} unchanged, "
            f"{failed:,} with something that could not be examined"
        )
    return 3 if failed else 0


def _sources(options: Namespace, left_out: LeftOut) -> Iterator[Path]:
    from assay.jobs.sources import expand

    for path in options.paths:
        yield from expand(path, left_out)
    yield from listed(options)


def _with_progress(progress: Iterable[Progress], total: int, options: Namespace) -> Iterable[Progress]:
    if options.quiet:
        return progress
    if not sys.stderr.isatty():
        return with_lines(progress, time.monotonic)
    from tqdm import tqdm

    return tqdm(progress, total=total, unit="image", leave=False)


def with_lines(progress: Iterable[Progress], clock: Callable[[], float]) -> Iterator[Progress]:
    """The same, with a line on standard error about once a minute: for logs, where a bar would fill them.

    Args:
        progress: Of a scan.
        clock: Seconds, from any moment.
    """
    said, failed = clock(), 0
    for each in progress:
        failed += each.row.error is not None
        yield each
        if clock() - said >= LINE_SECONDS:
            said = clock()
            print(
                f"assay: {each.done:,} of {each.total:,} files done, "
                f"{failed:,} with something that could not be examined",
                file=sys.stderr,
                flush=True,
            )
