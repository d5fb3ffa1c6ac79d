"""The command line: one function a command. Owns printing and exit codes, and nothing else."""

# Jobs, rules and reports are imported inside the commands: `assay --help` has to answer at once.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assay.errors import AssayError, ConfigurationError
from assay.gate import Gate
from assay.options import parser
from assay.settings import from_environment
from assay.vocabulary import Limits, Report, Settings

if TYPE_CHECKING:
    from assay.jobs.verify import Source
    from assay.rules import Policy
    from forensics.trust import TrustList

STREAMING = frozenset({"text", "jsonl"})
"""Formats in which the drawing of many reports is the drawings of each, one after the other."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal need not know every character of a report
    try:
        return COMMANDS[options.command](options)
    except AssayError as error:
        return _complain(str(error), error.hint, error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has seen enough; this keeps the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141  # as a shell says of a process that a closed pipe ended: what was not seen was not judged
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "ASSAY_DEBUG" in os.environ:
            raise
        message = f"an error in Assay itself: {type(error).__name__}: {error}"
        return _complain(message, "Please report it, with what ASSAY_DEBUG=1 prints before this.", 2)


def _complain(message: str, hint: str, code: int) -> int:
    """An error in two lines: what is wrong, and what to do. File names may hold anything, so they are escaped."""
    from assay.report.escape import visible

    print(f"assay: {visible(message)}\n  {visible(hint)}", file=sys.stderr)
    return code


# --- verify -----------------------------------------------------------------------------------------------------------


def verify(options: Namespace) -> int:
    """Examine images and report one explained verdict for each."""
    from assay.jobs.verify import examine
    from assay.report.privacy import masked

    settings = _settings(options)
    sources = list(_sources(options, settings.limits))
    _require_harmless(options, sources)
    reports = examine(
        sources,
        settings=settings,
        workers=options.jobs,
        decode=options.decode,
        previews=options.format == "html",
    )
    judged = _judged(_with_progress(reports, len(sources), options), options)
    gate = Gate(fail_on=options.fail_on)
    watched = gate.watch(judged)
    _write(watched if options.include_personal else map(masked, watched), options)
    return 0 if options.exit_zero else gate.exit_code


def _settings(options: Namespace) -> Settings:
    names = ("max_bytes", "max_pixels", "max_frames", "seconds", "memory_bytes")
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return from_environment(home=options.home, trust=options.trust, limits=Limits(**given))


def _sources(options: Namespace, limits: Limits) -> Iterator[Source]:
    from assay.jobs.sources import expand, read_list

    if not options.paths and not options.files_from:
        raise ConfigurationError("No input", hint="Name files, folders or globs; - reads an image from stdin.")
    if "-" in options.paths and (options.files_from == "-" or options.paths.count("-") > 1):
        raise ConfigurationError("Standard input can be read once", hint="Write the image or the list to a file.")
    for path in options.paths:
        if path == "-":
            yield sys.stdin.buffer.read(limits.max_bytes + 1)
        else:
            yield from expand(path)
    if options.files_from == "-":
        yield from read_list(sys.stdin.buffer)
    elif options.files_from:
        with _opened(Path(options.files_from)) as stream:
            yield from read_list(stream)


def _require_harmless(options: Namespace, sources: Iterable[Source]) -> None:
    """Refuse to write a report over an image that is examined."""
    targets = {os.path.realpath(path) for path in (options.output, options.write_baseline) if path is not None}
    for source in sources if targets else ():
        if not isinstance(source, bytes) and os.path.realpath(source) in targets:
            raise ConfigurationError(f"{source} is examined, and would be written over", hint="Choose another place.")


def _judged(reports: Iterable[Report], options: Namespace) -> Iterator[Report]:
    """Reports with the violations of the publisher's rules, where there are rules."""
    from assay.rules import evaluate, read_baseline, write_baseline

    policy = _policy(options)
    if policy is None:
        return iter(reports)
    for line in policy.expired(_today()):
        print(f"assay: {line}", file=sys.stderr)
    if options.write_baseline is None:
        known = read_baseline(options.baseline) if options.baseline else frozenset()
        return evaluate(policy, reports, today=_today(), known=known)
    seen = list(evaluate(policy, reports, today=_today()))
    count = write_baseline(options.write_baseline, seen)
    print(f"assay: {count} violations accepted in {options.write_baseline}", file=sys.stderr)
    return evaluate(policy, seen, today=_today(), known=read_baseline(options.write_baseline))


def _policy(options: Namespace) -> Policy | None:
    from assay.rules import discover, load

    if options.no_policy:
        return None
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
    from assay.catalog import format_named
    from assay.files import write_whole

    render = format_named(options.format)
    if options.output is not None:
        text = render(list(reports))
        try:
            write_whole(options.output, text.encode())
        except OSError as error:
            raise ConfigurationError(
                f"{options.output}: cannot be written: {error.strerror}", hint="Choose another place with --output."
            ) from error
    elif options.format in STREAMING:
        _stream(reports, options.format)
    else:
        sys.stdout.write(render(list(reports)))


def _stream(reports: Iterable[Report], name: str) -> None:
    """Show each report as soon as it is there, and sum up on standard error."""
    from assay.catalog import format_named
    from assay.report import as_text
    from assay.report.wording import summary

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    render = format_named(name)
    seen: list[Report] = []
    for report in reports:
        sys.stdout.write(as_text.render([report], colour=colour) if name == "text" else render([report]))
        sys.stdout.flush()
        if name == "text":
            seen.append(report)
    if name == "text" and len(seen) != 1:
        print(summary(seen), file=sys.stderr)


# --- explain, doctor, trust -------------------------------------------------------------------------------------------


def explain(options: Namespace) -> int:
    """Say what a check or a rule does, and what it does not mean."""
    import inspect

    from assay import catalog
    from assay.rules import RULES, describe

    checks = catalog.check_types()
    if options.id is None:
        print("checks:")
        _print_rows((name, (inspect.getdoc(kind) or "").partition("\n")[0]) for name, kind in checks.items())
        print("rules:")
        _print_rows((name, rule.title()) for name, rule in RULES.items())
    elif options.id in checks:
        print(inspect.getdoc(checks[options.id]))
    elif options.id in RULES:
        print(describe(options.id))
    else:
        raise ConfigurationError(f"{options.id!r} is neither a check nor a rule", hint="List them with: assay explain")
    return 0


def doctor(options: Namespace) -> int:
    """Say whether this environment is sound."""
    from assay import doctor as doctor_module

    findings = list(doctor_module.examine(_settings(options), today=_today()))
    for finding in findings:
        print(f"{finding.state:8} {finding.what:16} {finding.text}")
        if finding.remedy:
            print(f"{'':25} -> {finding.remedy}")
    return 2 if any(finding.state is doctor_module.State.PROBLEM for finding in findings) else 0


def trust(options: Namespace) -> int:
    """Choose whose signatures count."""
    settings = _settings(options)
    match options.action:
        case "list":
            _list_profiles(settings)
            return 0
        case "update":
            from assay.jobs.trust_lists import update

            changed, what = update(settings, today=_today()), "added"
        case "remove":
            from forensics.anchors import remove

            changed, what = remove(settings, options.sha256), "removed"
        case _:
            changed, what = (_add_list(options, settings),), "added"
    _print_rows((f"{what}, {settings.trust}: {entry.kind}", _list_row(entry)) for entry in changed)
    return 0


def _list_profiles(settings: Settings) -> None:
    from forensics.trust import profiles, read

    names = profiles(settings.home)
    for name in names:
        lists = read(replace(settings, trust=name)).lists
        _print_rows((f"{name}: {entry.kind}", _list_row(entry)) for entry in lists)
    if not names:
        print(f"no trust list in {settings.home}, so nobody is trusted\n  assay trust update, or assay trust add FILE")


def _add_list(options: Namespace, settings: Settings) -> TrustList:
    from forensics.anchors import add
    from forensics.trust import ListKind

    with _opened(options.file) as stream:
        data = stream.read()
    return add(
        settings,
        data,
        kind=ListKind(options.kind) if options.kind else None,
        source=options.file.name,
        issued=_date(options.issued) if options.issued else None,
        today=_today(),
    )


def _list_row(entry: TrustList) -> str:
    issued = f"issued {entry.issued}" if entry.issued else "without a date"
    return f"{entry.certificates} certificates, {issued}, sha256 {entry.sha256[:12]}, from {entry.source}"


def _print_rows(rows: Iterable[tuple[str, str]]) -> None:
    for name, text in rows:
        print(f"  {name:24} {text}")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", hint="Check the spelling.") from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is not a date", hint="Write it as 2026-08-05.") from error


def _today() -> date:
    return datetime.now(UTC).date()


COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "verify": verify,
    "explain": explain,
    "doctor": doctor,
    "trust": trust,
}
