"""The command line: finds the command, turns errors into exit codes, and nothing else."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper

from assay import __version__
from assay.commands import (
    attack,
    dashboard,
    data,
    doctor,
    evaluate,
    explain,
    generate,
    keys,
    ledger,
    mark,
    recover,
    scan,
    train,
    trust,
    verify,
)
from assay.errors import AssayError
from assay.options import EPILOG, Parser

_MODULES = {
    "verify": verify,
    "dashboard": dashboard,
    "scan": scan,
    "generate": generate,
    "mark": mark,
    "attack": attack,
    "recover": recover,
    "ledger": ledger,
    "keys": keys,
    "data": data,
    "train": train,
    "evaluate": evaluate,
    "trust": trust,
    "explain": explain,
    "doctor": doctor,
}

COMMANDS: Mapping[str, Callable[[Namespace], int]] = {name: module.run for name, module in _MODULES.items()}
"""One file a command; each has `add`, what can be said, and `run`, which returns the exit code."""


def parser() -> Parser:
    """All commands; `command` of the result names the chosen one."""
    top = Parser(
        prog="assay",
        description="Tells people where an image came from.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"assay {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _MODULES.values():
        module.add(commands)
    return top


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
    from assay.report.escape import visible  # noqa: PLC0415 - only where something is wrong

    print(f"assay: {visible(message)}\n  {visible(hint)}", file=sys.stderr)
    return code
