"""What can be said on the command line. Knows no job: `assay --help` has to answer at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from assay import __version__, catalog
from assay.gate import FailOn
from assay.vocabulary import Limits

_LIMITS = Limits()

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
"""


def parser() -> argparse.ArgumentParser:
    """All commands; `command` of the result names the chosen one."""
    top = argparse.ArgumentParser(
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


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
        ("max_bytes", "bytes in a file", int),
        ("max_pixels", "pixels in an image", int),
        ("max_frames", "frames in an image", int),
        ("seconds", "seconds for one file", float),
        ("memory_bytes", "address space of a worker, in bytes", int),
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


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser("explain", help="say what a check or a rule does, and what it does not mean")
    explain.add_argument("id", nargs="?", metavar="ID", help="a check or a rule; all of them are listed without one")


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor", help="is this environment sound? versions, trust lists and their age, guards"
    )
    _add_settings(doctor)


def _add_trust(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    trust = commands.add_parser("trust", help="choose whose signatures count")
    actions = trust.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all profiles and their lists")
    add = actions.add_parser("add", help="add PEM certificates, or a published list in JSON, to a profile")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument(
        "--kind",
        choices=("signers", "timestamps", "allowed"),
        help="what the certificates vouch for: signers, timestamps, or just themselves",
    )
    add.add_argument("--issued", type=str, metavar="DATE", help="when the list was issued, such as 2026-08-05")
    update = actions.add_parser("update", help="fetch the profile's lists from their publisher; uses the network")
    for action in (listing, add, update):
        _add_settings(action)


def _fail_on(text: str) -> frozenset[FailOn]:
    try:
        return frozenset(FailOn(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; choose from {', '.join(FailOn)}") from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
