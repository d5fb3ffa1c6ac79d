"""`assay attack`: what others may do to a marked picture, and what is still read afterwards."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError, UnreadableError
from assay.options import Commands, add_home, add_limits, settings_of

if TYPE_CHECKING:
    from assay.jobs.attack import Attacked

SUITES = ("standard", "geometric", "regeneration", "forgery", "all")


def add(commands: Commands) -> None:
    """What can be said of `assay attack`."""
    attack = commands.add_parser(
        "attack",
        help="attack marked pictures, and see what is still read",
        description="Writes each file after each attack of a suite, as NAME.ATTACK.png, and prints what our readers "
        "find in it. Names are those of assay/perturb.py; regeneration uses the model that comes with Assay.",
    )
    attack.add_argument("files", nargs="+", type=Path, metavar="FILE", help="marked pictures")
    attack.add_argument("-o", "--output-dir", type=Path, required=True, metavar="FOLDER", help="of the attacked files")
    attack.add_argument("--suite", choices=SUITES, default="standard", help="default standard")
    attack.add_argument("--cover", type=Path, metavar="FILE", help="what forgeries are to show")
    attack.add_argument("--quiet", action="store_true", help="no progress bar")
    add_limits(attack, "max_bytes", "max_pixels")
    add_home(attack)


def run(options: Namespace) -> int:
    """Attack, and say what is left."""
    _require_sound(options)

    from tqdm import tqdm

    from assay.jobs.attack import READERS, attack
    from assay.report.escape import visible

    hidden = options.quiet or not sys.stderr.isatty()
    done = attack(
        options.files, options.output_dir, suite=options.suite, settings=settings_of(options), cover=options.cover
    )
    print(f"{'file':24} {'attack':28} {'PSNR':>6} {'SSIM':>6}  {'  '.join(f'{name:18}' for name in READERS)}".rstrip())
    for one in tqdm(done, "attacked", unit="file", leave=False, disable=hidden):
        tqdm.write(visible(_line(one)))
    return 0


def _require_sound(options: Namespace) -> None:
    """Refuse what needs no model to be known.

    Raises:
        ConfigurationError: The folder, the cover or a file is not there, or two files would become one.
    """
    folder: Path = options.output_dir
    if options.suite == "forgery" and options.cover is None:
        raise ConfigurationError("forgeries need a picture to put the mark on", hint="Name one: --cover FILE")
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder", hint="Make it first.")
    if len({file.name for file in options.files}) < len(options.files):
        raise ConfigurationError("two files have one name", hint="Attack them into different folders.")
    for file in (*options.files, *([options.cover] if options.cover else [])):
        if not file.is_file():
            raise UnreadableError(f"{file}: no such file", hint="Check the spelling.")


def _line(one: Attacked) -> str:
    loud = "" if one.psnr is None else f"{one.psnr:.1f}"
    like = "" if one.ssim is None else f"{one.ssim:.3f}"
    read = "  ".join(f"{text:18}" for text in one.read.values())
    return f"{one.source.name:24} {one.attack:28} {loud:>6} {like:>6}  {read}".rstrip()
