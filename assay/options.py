"""What commands share: how arguments read, and the settings that most of them take."""

from __future__ import annotations

import argparse
import math
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TypeAlias

from assay import catalog
from assay.errors import ConfigurationError
from assay.settings import from_environment
from assay.vocabulary import Limits, Settings

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

    from assay.jobs.left_out import LeftOut

_MOST, _MOST_SECONDS = 2**40, 86_400

EPILOG = """\
exit codes:
  0  the policy is satisfied, or none was given
  1  the policy, or --fail-on, is violated
  2  usage or configuration, or the output could not be written
  3  some input could not be examined
where several apply: 2, then 1, then 3

environment:
  ASSAY_HOME   the data folder, where trust lists live
  ASSAY_TRUST  the trust profile, like --trust
  ASSAY_SKIP   checks to leave out, like --skip
  ASSAY_THOROUGH  1 for --thorough
  NO_COLOR     no colours
  ASSAY_TRUST_BASE  a mirror from which `assay trust update` takes the lists
  ASSAY_LEDGER  the ledger: a path, or a postgresql:// URL
  ASSAY_WATERMARK_ROOT, ASSAY_WATERMARK_ROOT_FILE   the root of the watermark keys, or a file of it
  ASSAY_SIGNING_CHAIN, ASSAY_SIGNING_KEY   certificates and private key that sign: PEM files, or PEM text
"""


class Parser(argparse.ArgumentParser):
    """Escapes what it repeats of the command line: file names may hold anything."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what was wrong, and exit with 2."""
        shown = "".join(part if part.isprintable() or part == "\n" else ascii(part)[1:-1] for part in message)
        super().error(f"{shown}\n  names that begin with a dash go behind --")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print help and version; unlike the library's method, raise OSError where they cannot be written."""
        (file or sys.stderr).write(message)


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
ArgumentGroup: TypeAlias = "argparse._ArgumentGroup"


def add_sources(command: argparse.ArgumentParser, paths: str) -> None:
    """What to examine: names, which the help explains as `paths`, and a list of names."""
    command.add_argument("paths", nargs="*", metavar="PATH", help=paths)
    command.add_argument(
        "--files-from", metavar="FILE", help="a list of paths, one a line or NUL-separated; - is stdin"
    )


def listed(options: Namespace) -> Iterator[Path]:
    """The files of the list that `--files-from` names.

    Raises:
        ConfigurationError: It cannot be opened, or nothing at all is named to examine.
    """
    from assay.jobs.sources import read_list  # noqa: PLC0415 - jobs are loaded where they begin

    if not options.paths and not options.files_from:
        raise ConfigurationError("No input", hint="Name files, folders or globs; assay verify - reads one from stdin.")
    if options.files_from == "-":
        yield from read_list(sys.stdin.buffer)
    elif options.files_from:
        with opened(Path(options.files_from)) as stream:
            yield from read_list(stream)


def tell_left_out(left_out: LeftOut) -> None:
    """Say on standard error what folders hold that is not examined."""
    if left_out:
        print(f"assay: not examined, left out of folders: {left_out}", file=sys.stderr)


def add_settings(command: argparse.ArgumentParser) -> None:
    """Who is trusted, and where the data folder is."""
    command.add_argument("--trust", metavar="PROFILE", help="who is trusted (default c2pa)")
    add_home(command)


def add_home(command: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Where trust lists, keys and the ledger are; `argparse.SUPPRESS` keeps what was said before a step."""
    command.add_argument("--home", type=Path, metavar="FOLDER", default=default, help="the data folder")


def add_skip(command: argparse.ArgumentParser) -> None:
    """Checks that are left out."""
    command.add_argument("--skip", type=_checks, metavar="CHECK,…", help="leave out: " + ", ".join(catalog.CHECKS))


def add_thorough(command: argparse.ArgumentParser) -> None:
    """How far the mark in the noise is looked for."""
    command.add_argument(
        "--thorough",
        action="store_true",
        help="look for the mark in the noise at every model and size of the ledger: seconds for each",
    )


def _checks(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := sorted(set(names) - set(catalog.CHECKS)):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; choose from {', '.join(catalog.CHECKS)}")
    return names


def add_limits(command: argparse.ArgumentParser, *names: str) -> None:
    """Bounds on one input, by the names of the fields of `Limits`."""
    defaults = Limits()
    for name in names:
        default = getattr(defaults, name)
        flag = "--max-memory" if name == "memory_bytes" else f"--{name.replace('_', '-')}"
        unit = seconds if name == "seconds" else positive
        most = f"most {_LIMITED[name]} (default {default:,})"
        command.add_argument(flag, dest=name, type=unit, default=default, metavar="N", help=most)


_LIMITED = {
    "max_bytes": "bytes in a file",
    "max_pixels": "pixels that are decoded",
    "max_frames": "frames of an image that is decoded",
    "seconds": "seconds for one file",
    "memory_bytes": "address space of a worker, in bytes",
}


def settings_of(options: Namespace) -> Settings:
    """The settings that the arguments ask for, completed from the environment."""
    names = ("max_bytes", "max_pixels", "max_frames", "seconds", "memory_bytes")
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return from_environment(
        home=options.home,
        trust=getattr(options, "trust", None),
        limits=Limits(**given),
        skip=getattr(options, "skip", None),
        thorough=getattr(options, "thorough", False),
    )


def warn_of_network(ledger: str | Path) -> None:
    """Say on standard error where a ledger lies in a file on a network file system: its locks cannot be relied upon."""
    from assay.ledger.place import network_file_system  # noqa: PLC0415 - only where there is a ledger

    kind = network_file_system(ledger)
    if kind is not None:
        print(
            f"assay: the ledger {ledger} lies on a network file system ({kind}): several machines that write to it can "
            "damage it\n  Keep it on a local disk, or in PostgreSQL; assay ledger merge brings ledgers together.",
            file=sys.stderr,
        )


def opened(path: Path) -> BinaryIO:
    """A file for reading.

    Raises:
        ConfigurationError: It cannot be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", hint="Check the spelling.") from error


def day(text: str) -> date:
    """A date as the user wrote it.

    Raises:
        ConfigurationError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is not a date", hint="Write it as 2026-08-05.") from error


def today() -> date:
    """The date in UTC."""
    return datetime.now(UTC).date()


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """A name and a text a line."""
    for name, text in rows:
        print(f"  {name:24} {text}")


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_MOST:,}")
    return int(text)


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers from 0, with commas between them."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise argparse.ArgumentTypeError("must be whole numbers with commas between them")
    return tuple(map(int, parts))


def seconds(text: str) -> float:
    """A time in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= _MOST_SECONDS:  # not a number is not in the range either
        raise argparse.ArgumentTypeError(f"must be a number above 0, up to {_MOST_SECONDS:,}")
    return number
