"""The command line: finds the command, turns errors into exit codes, and nothing else."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
    head,
    keys,
    ledger,
    mark,
    models,
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
    "models": models,
    "ledger": ledger,
    "keys": keys,
    "data": data,
    "train": train,
    "head": head,
    "evaluate": evaluate,
    "trust": trust,
    "explain": explain,
    "doctor": doctor,
}

COMMANDS: Mapping[str, Callable[[Namespace], int]] = {name: module.run for name, module in _MODULES.items()}
"""One file a command; each has `add`, what can be said, and `run`, which returns the exit code."""

_UNWRITABLE = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What the system says where it takes no more output; jobs say themselves which of their files they cannot write."""


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
    _fill_in_streams()
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 141  # as a shell says of a process that a closed pipe ended: what was not seen was not judged
    except OSError as error:
        _discard_output()
        hint = "Make room on the disk, or send the output elsewhere."
        return _complain(f"the output cannot be written: {error.strerror}", hint, 2)


def _fill_in_streams() -> None:
    """Open the standard streams that whoever started this has closed, before another file takes their numbers.

    Standard output takes nothing then, which is noticed; standard error takes everything.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def _run(arguments: Sequence[str] | None) -> int:
    """Run one command; no error leaves but those of writing what it says.

    Raises:
        OSError: Standard output, or a disk, takes no more.
    """
    options = parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal need not know every character of a report
    try:
        return COMMANDS[options.command](options)
    except AssayError as error:
        return _complain(str(error), error.hint, error.exit_code)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "ASSAY_DEBUG" in os.environ or (isinstance(error, OSError) and error.errno in _UNWRITABLE):
            raise
        message = f"an error in Assay itself: {type(error).__name__}: {error}"
        return _complain(message, "Please report it, with what ASSAY_DEBUG=1 prints before this.", 2)


def _discard_output() -> None:
    """Let what was not written go nowhere: the interpreter would complain of it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complain(message: str, hint: str, code: int) -> int:
    """An error in two lines: what is wrong, and what to do. File names may hold anything, so they are escaped."""
    from assay.report.escape import visible  # noqa: PLC0415 - only where something is wrong

    with suppress(OSError):  # the exit code still tells
        print(f"assay: {visible(message)}\n  {visible(hint)}", file=sys.stderr)
    return code
