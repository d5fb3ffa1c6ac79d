"""`assay verify`: images in, one explained verdict for each out."""

# Jobs, rules and reports are imported inside the functions: `assay --help` has to answer at once.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay import catalog
from assay.errors import ConfigurationError
from assay.gate import FailOn, Gate
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
    today,
)
from assay.vocabulary import Limits, Report

if TYPE_CHECKING:
    from assay.jobs.left_out import LeftOut
    from assay.jobs.verify import Source
    from assay.rules import Policy

STREAMING = frozenset({"text", "jsonl"})
"""Formats in which the drawing of many reports is the drawings of each, one after the other."""
PICTURED = frozenset({"html", "pdf"})
"""Formats that show pictures."""


def add(commands: Commands) -> None:
    """What can be said of `assay verify`."""
    verify = commands.add_parser(
        "verify",
        help="examine images: one explained verdict for each",
        description="Examine images: Content Credentials and metadata in, one explained verdict for each out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(verify, "files, folders or globs; - is an image on stdin")
    _add_output(verify)
    _add_policy(verify)
    add_settings(verify)
    add_skip(verify)
    add_thorough(verify)
    verify.add_argument("--jobs", type=positive, metavar="N", help="guarded workers; one a processor by default")
    verify.add_argument("--decode", action="store_true", help="decode every pixel, too: finds damage headers hide")
    add_limits(verify, "max_bytes", "max_pixels", "max_frames", "seconds", "memory_bytes")


def _add_output(verify: argparse.ArgumentParser) -> None:
    verify.add_argument("--format", choices=tuple(catalog.FORMATS), default="text", help="how to report (default text)")
    verify.add_argument("--output", type=Path, metavar="FILE", help="write the report there instead of to stdout")
    verify.add_argument("--include-personal", action="store_true", help="show places, serial numbers, names, handles")
    verify.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_policy(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--policy", type=Path, metavar="FILE", help="the rules; default: the nearest assay.toml, if any"
    )
    verify.add_argument("--no-policy", action="store_true", help="apply no rules")
    verify.add_argument("--baseline", type=Path, metavar="FILE", help="known violations, which do not count")
    verify.add_argument("--write-baseline", type=Path, metavar="FILE", help="accept all present violations as known")
    verify.add_argument(
        "--fail-on",
        type=_fail_on,
        default=frozenset(),
        metavar="KINDS",
        help="verdicts that fail, too, separated by commas: " + ", ".join(FailOn),
    )
    verify.add_argument(
        "--strict", action="store_true", help="exit 3 where a folder holds pictures or films that are not examined"
    )
    verify.add_argument("--exit-zero", action="store_true", help="exit 0 instead of 1 or 3")


def _fail_on(text: str) -> frozenset[FailOn]:
    parts = {part.strip() for part in text.split(",")}
    if unknown := sorted(parts - set(FailOn)):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; choose from {', '.join(FailOn)}")
    return frozenset(map(FailOn, parts))


def run(options: Namespace) -> int:
    """Examine images and report one explained verdict for each."""
    from assay.jobs.left_out import LeftOut
    from assay.jobs.sources import distinct
    from assay.jobs.verify import examine
    from assay.report.privacy import masked

    _require_place(options)
    shows_pictures = options.format in PICTURED
    settings = replace(settings_of(options), thumbnails=shows_pictures)
    left_out = LeftOut()
    sources = list(distinct(_sources(options, settings.limits, left_out)))
    tell_left_out(left_out)
    _require_harmless(options, sources)
    reports = examine(
        sources,
        settings=settings,
        workers=options.jobs,
        decode=options.decode,
        previews=shows_pictures,
    )
    judged = _judged(_with_progress(reports, len(sources), options), options)
    gate = Gate(fail_on=options.fail_on)
    watched = gate.watch(judged)
    _write(watched if options.include_personal else map(masked, watched), options)
    gate.unreadable |= options.strict and bool(left_out)
    return 0 if options.exit_zero else gate.exit_code


def _sources(options: Namespace, limits: Limits, left_out: LeftOut) -> Iterator[Source]:
    from assay.jobs.sources import expand

    if "-" in options.paths and (options.files_from == "-" or options.paths.count("-") > 1):
        raise ConfigurationError("Standard input can be read once", hint="Write the image or the list to a file.")
    for path in options.paths:
        if path == "-":
            yield sys.stdin.buffer.read(limits.max_bytes + 1)
        else:
            yield from expand(path, left_out)
    yield from listed(options)


def _require_place(options: Namespace) -> None:
    """Refuse, before anything is examined, a format that needs what is not installed, and a document on a terminal.

    Raises:
        ConfigurationError: The report could not be drawn, or not be read where it would go.
    """
    catalog.format_named(options.format)
    if options.format == "pdf" and options.output is None and sys.stdout.isatty():
        raise ConfigurationError("A PDF is nothing for a terminal", hint="Write it to a file with --output.")


def _require_harmless(options: Namespace, sources: Iterable[Source]) -> None:
    """Refuse to write a report over an image that is examined."""
    targets = {os.path.realpath(path) for path in (options.output, options.write_baseline) if path is not None}
    for source in sources if targets else ():
        if isinstance(source, str | Path) and os.path.realpath(source) in targets:
            raise ConfigurationError(f"{source} is examined, and would be written over", hint="Choose another place.")


def _judged(reports: Iterable[Report], options: Namespace) -> Iterator[Report]:
    """Reports with the violations of the publisher's rules, where there are rules."""
    policy = _policy(options)
    if policy is None:
        return iter(reports)
    from assay.rules import evaluate, read_baseline, write_baseline

    for line in policy.expired(today()):
        print(f"assay: {line}", file=sys.stderr)
    if options.write_baseline is None:
        known = read_baseline(options.baseline) if options.baseline else frozenset()
        return evaluate(policy, reports, today=today(), known=known)
    seen = list(evaluate(policy, reports, today=today()))
    count = write_baseline(options.write_baseline, seen, root=policy.root)
    print(f"assay: {count} violations accepted in {options.write_baseline}", file=sys.stderr)
    return evaluate(policy, seen, today=today(), known=read_baseline(options.write_baseline))


def _policy(options: Namespace) -> Policy | None:
    if options.no_policy:
        return None
    from assay.rules import discover, load

    path = options.policy or discover(Path.cwd())
    if path is None:
        if options.baseline or options.write_baseline:
            raise ConfigurationError("A baseline needs a policy", hint="Name one with --policy, or add assay.toml.")
        return None
    return load(path)


def _with_progress(reports: Iterable[Report], total: int, options: Namespace) -> Iterable[Report]:
    """A progress bar on a terminal, unless reports already roll by on it."""
    rolls_by = options.format in STREAMING and options.output is None and sys.stdout.isatty()
    if options.quiet or total == 1 or rolls_by or not sys.stderr.isatty():
        return reports
    from tqdm import tqdm

    return tqdm(reports, total=total, unit="image", leave=False)


def _write(reports: Iterable[Report], options: Namespace) -> None:
    from assay.files import write_whole

    render = catalog.format_named(options.format)
    if options.output is not None:
        drawn = render(list(reports))
        try:
            write_whole(options.output, drawn if isinstance(drawn, bytes) else drawn.encode())
        except OSError as error:
            raise ConfigurationError(
                f"{options.output}: cannot be written: {error.strerror}", hint="Choose another place with --output."
            ) from error
    elif options.format in STREAMING:
        _stream(reports, options.format)
    else:
        _print(render(list(reports)))


def _print(drawn: str | bytes) -> None:
    if isinstance(drawn, bytes):
        sys.stdout.buffer.write(drawn)
    else:
        sys.stdout.write(drawn)


def _stream(reports: Iterable[Report], name: str) -> None:
    """Show each report as soon as it is there, and sum up on standard error."""
    from assay.report import as_text
    from assay.report.wording import summary

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    render = catalog.format_named(name)
    seen: list[Report] = []
    for report in reports:
        _print(as_text.render([report], colour=colour) if name == "text" else render([report]))
        sys.stdout.flush()
        if name == "text":
            seen.append(report)
    if name == "text" and len(seen) != 1:
        print(summary(seen), file=sys.stderr)
