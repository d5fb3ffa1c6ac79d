"""`assay scan`: many images in, one table out, continued where it was stopped."""

# Jobs are imported inside the functions: `assay --help` has to answer at once.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assay.options import (
    EPILOG,
    Commands,
    add_limits,
    add_settings,
    add_skip,
    add_sources,
    listed,
    positive,
    settings_of,
)

if TYPE_CHECKING:
    from assay.jobs.scan import Progress


def add(commands: Commands) -> None:
    """What can be said of `assay scan`."""
    scan = commands.add_parser(
        "scan",
        help="examine many images into one Parquet table; goes on where it was stopped",
        description="Examine many images, each as verify does, into one Parquet table: a row a file. "
        "The same command goes on where a scan was stopped, and examines only what has changed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(scan, "files, folders or globs")
    scan.add_argument(
        "-o", "--out", type=Path, metavar="FILE", required=True, help="the table, such as results.parquet"
    )
    scan.add_argument("--jobs", type=positive, metavar="N", help="processes that examine; one a processor by default")
    scan.add_argument("--include-personal", action="store_true", help="keep places, serial numbers, names, handles")
    scan.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    add_settings(scan)
    add_skip(scan)
    add_limits(scan, "max_bytes", "max_pixels", "max_frames", "seconds", "memory_bytes")


def run(options: Namespace) -> int:
    """Examine images into a table, and say how many were examined, kept and not readable."""
    from assay.jobs.scan import scan

    sources = list(_sources(options))
    progress = scan(
        sources,
        options.out,
        settings=settings_of(options),
        jobs=options.jobs,
        include_personal=options.include_personal,
    )
    kept = failed = done = 0
    try:
        for each in _with_bar(progress, len(sources), options):
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


def _sources(options: Namespace) -> Iterator[Path]:
    from assay.jobs.sources import expand

    for path in options.paths:
        yield from expand(path)
    yield from listed(options)


def _with_bar(progress: Iterable[Progress], total: int, options: Namespace) -> Iterable[Progress]:
    if options.quiet or not sys.stderr.isatty():
        return progress
    from tqdm import tqdm

    return tqdm(progress, total=total, unit="image", leave=False)
