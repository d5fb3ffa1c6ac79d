"""What can be said on the command line. Knows no job: `assay --help` has to answer at once."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NoReturn, TypeAlias

from assay import __version__, catalog
from assay.gate import FailOn
from assay.vocabulary import Limits

_LIMITS = Limits()
_MOST, _MOST_SECONDS = 2**40, 86_400

EPILOG = """\
exit codes:
  0  the policy is satisfied, or none was given
  1  the policy, or --fail-on, is violated
  2  usage or configuration
  3  some input could not be examined
where several apply: 2, then 1, then 3

environment:
  ASSAY_HOME   the data folder, where trust lists live
  ASSAY_TRUST  the trust profile, like --trust
  NO_COLOR     no colours
  ASSAY_TRUST_BASE  a mirror from which `assay trust update` takes the lists
"""


class _Parser(argparse.ArgumentParser):
    """Escapes what it repeats of the command line: file names may hold anything."""

    def error(self, message: str) -> NoReturn:
        shown = "".join(part if part.isprintable() or part == "\n" else ascii(part)[1:-1] for part in message)
        super().error(f"{shown}\n  names that begin with a dash go behind --")


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def parser() -> argparse.ArgumentParser:
    """All commands; `command` of the result names the chosen one."""
    top = _Parser(
        prog="assay",
        description="Tells people where an image came from.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"assay {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_verify(commands)
    _add_explain(commands)
    _add_doctor(commands)
    _add_trust(commands)
    return top


def _add_verify(commands: _Commands) -> None:
    verify = commands.add_parser(
        "verify",
        help="examine images: one explained verdict for each",
        description="Examine images: Content Credentials and metadata in, one explained verdict for each out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("paths", nargs="*", metavar="PATH", help="files, folders or globs; - is an image on stdin")
    verify.add_argument("--files-from", metavar="FILE", help="a list of paths, one a line or NUL-separated; - is stdin")
    _add_output(verify)
    _add_policy(verify)
    _add_settings(verify)
    verify.add_argument("--jobs", type=_positive, metavar="N", help="guarded workers; one a processor by default")
    verify.add_argument("--decode", action="store_true", help="decode every pixel, too: finds damage headers hide")
    for name, what, unit in (
        ("max_bytes", "bytes in a file", _positive),
        ("max_pixels", "pixels in an image", _positive),
        ("max_frames", "frames in an image", _positive),
        ("seconds", "seconds for one file", _seconds),
        ("memory_bytes", "address space of a worker, in bytes", _positive),
    ):
        default = getattr(_LIMITS, name)
        flag = "--max-memory" if name == "memory_bytes" else f"--{name.replace('_', '-')}"
        verify.add_argument(
            flag, dest=name, type=unit, default=default, metavar="N", help=f"most {what} (default {default:,})"
        )


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
    verify.add_argument("--exit-zero", action="store_true", help="exit 0 instead of 1 or 3")


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--trust", metavar="PROFILE", help="who is trusted (default c2pa)")
    command.add_argument("--home", type=Path, metavar="FOLDER", help="the data folder")


def _add_explain(commands: _Commands) -> None:
    explain = commands.add_parser("explain", help="say what a check or a rule does, and what it does not mean")
    explain.add_argument("id", nargs="?", metavar="ID", help="a check or a rule; all of them are listed without one")


def _add_doctor(commands: _Commands) -> None:
    doctor = commands.add_parser(
        "doctor", help="is this environment sound? versions, trust lists and their age, guards"
    )
    _add_settings(doctor)


def _add_trust(commands: _Commands) -> None:
    trust = commands.add_parser("trust", help="choose whose signatures count")
    actions = trust.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all profiles and their lists")
    add = actions.add_parser("add", help="add PEM certificates, or a published list in JSON, to a profile")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument(
        "--kind",
        choices=("signers", "timestamps", "allowed"),
        help="what the certificates vouch for: signers, timestamps, or just themselves; a JSON list says so itself",
    )
    add.add_argument("--issued", type=str, metavar="DATE", help="when the list was issued, such as 2026-08-05")
    remove = actions.add_parser("remove", help="take a list out of a profile")
    remove.add_argument("sha256", metavar="SHA256", help="of the list, or how it begins, as assay trust list shows it")
    update = actions.add_parser("update", help="fetch the profile's lists from their publisher; uses the network")
    for action in (listing, add, remove, update):
        _add_settings(action)


def _fail_on(text: str) -> frozenset[FailOn]:
    parts = {part.strip() for part in text.split(",")}
    if unknown := sorted(parts - set(FailOn)):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; choose from {', '.join(FailOn)}")
    return frozenset(map(FailOn, parts))


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_MOST:,}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= _MOST_SECONDS:  # not a number is not in the range either
        raise argparse.ArgumentTypeError(f"must be a number above 0, up to {_MOST_SECONDS:,}")
    return number
