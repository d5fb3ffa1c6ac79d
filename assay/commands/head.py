"""`assay head`: features of a frozen network in, a head and its card out."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from assay.errors import ConfigurationError
from assay.options import Commands, numbers


def add(commands: Commands) -> None:
    """What can be said of `assay head`."""
    head = commands.add_parser(
        "head",
        help="fit a head on features of a frozen network, and say how it tells sources that it has not seen",
        description="Leaves out one source after the other, learns from the rest, and says how well the pictures of "
        "the source are told apart; then learns from all. Works on a cache of assay data features, however far it is.",
    )
    head.add_argument("cache", type=Path, metavar="CACHE", help="from assay data features")
    head.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="weights, card, what was told of each picture"
    )
    head.add_argument("--compare", action="store_true", help="only compare some recipes on matched sets, write nothing")
    head.add_argument("--kinds", type=_kinds, default=("whole", "crop"), metavar="KIND,…", help="of whole, crop, grid")
    head.add_argument("--blocks", type=numbers, metavar="N,…", help="that it sees (default: all of the cache)")
    head.add_argument("--patches", action="store_true", help="it sees the mean of the patches, too")
    head.add_argument("--newest", default="not stated", metavar="TEXT", help="newest generator in it, for reports")
    head.add_argument("--freedom", type=float, default=1e-3, metavar="X", help="inverse of the ridge (default 0.001)")


def run(options: Namespace) -> int:
    """Compare, or fit; and say what was found."""
    from assay.jobs.head import Course, compare, run
    from detection.head import Recipe

    if options.compare == (options.output is not None):
        raise ConfigurationError("name either --compare or --output", hint="See assay head --help.")
    if options.compare:
        said = compare(options.cache, options.kinds, patches=options.patches)
    else:
        recipe = Recipe(blocks=options.blocks, patches=options.patches, kinds=options.kinds, freedom=options.freedom)
        command = shlex.join(["assay", *sys.argv[1:]])
        said = run(
            Course(cache=options.cache, out=options.output, recipe=recipe, newest=options.newest, command=command)
        )
    for line in said:
        print(line, flush=True)
    return 0


def _kinds(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= {"whole", "crop", "grid"} or len(set(names)) != len(names):
        raise ArgumentTypeError("must be some of whole, crop, grid, with commas between them")
    return names
