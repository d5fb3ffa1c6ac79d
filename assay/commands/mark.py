"""`assay mark`: a mark in the pixels of pictures that were made elsewhere."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import assert_never

from assay.errors import ConfigurationError
from assay.options import Commands, add_home, add_limits, settings_of, tell_left_out, warn_of_network

_MOST_DIGITS = 12


def add(commands: Commands) -> None:
    """What can be said of `assay mark`."""
    mark = commands.add_parser(
        "mark",
        help="put a mark into the pixels of pictures, and sign them",
        description="Hides a keyed mark in the pixels, signs the file with the original as its parent, and enters it "
        "in the ledger. The mark survives JPEG, crops, turns and screenshots. Keys come from: assay keys init.",
    )
    mark.add_argument("files", nargs="+", type=Path, metavar="FILE", help="PNG, JPEG, WebP or TIFF, or folders of them")
    place = mark.add_mutually_exclusive_group(required=True)
    place.add_argument("-o", "--output", type=Path, metavar="OUT", help="for one file")
    place.add_argument(
        "--output-dir", type=Path, metavar="FOLDER", help="for many, under their own names: is made, and continued"
    )
    mark.add_argument("--user", default="default", metavar="NAME", help="whose watermark key")
    mark.add_argument("--payload", type=_payload, metavar="HEX", help="of the first file; others count on from it")
    mark.add_argument(
        "--strip-personal",
        action="store_true",
        help="leave out places, serial numbers, names of people and earlier Content Credentials, and say so",
    )
    mark.add_argument("--quiet", action="store_true", help="no progress bar")
    add_limits(mark, "max_bytes", "max_pixels")
    add_home(mark)


def run(options: Namespace) -> int:
    """Mark, and say what was handed over."""
    pairs = list(_pairs(options))

    from tqdm import tqdm

    from assay.jobs.mark import AlreadyMarked, Marked, Refused, mark, mark_each
    from assay.ledger import location
    from assay.report.escape import visible

    settings = settings_of(options)
    warn_of_network(location(settings))
    hidden = options.quiet or not sys.stderr.isatty()
    chosen = mark if options.output is not None else mark_each
    outcomes: Iterable[Marked | AlreadyMarked | Refused] = chosen(
        pairs,
        settings=settings,
        user=options.user,
        payload=options.payload,
        strips_personal=options.strip_personal,
    )
    code = 0
    for one in tqdm(outcomes, total=len(pairs), unit="file", leave=False, disable=hidden):
        match one:
            case Marked():
                read = f"{one.bits} bits read back at p <= 10^{one.log10_p:.1f}"
                tqdm.write(visible(f"{one.path}  image {one.image_id:016x}, {read}"))
                if options.strip_personal:
                    tqdm.write(visible(f"{one.path}  removed: {', '.join(one.removed) or 'nothing, none was found'}"))
            case AlreadyMarked():
                tqdm.write(visible(f"{one.source}  left as it is: {one.reason}"))
            case Refused():
                code = 3
                tqdm.write(f"assay: {visible(str(one.error))}\n  {visible(one.error.hint)}", file=sys.stderr)
            case _:
                assert_never(one)
    return code


def _pairs(options: Namespace) -> Iterator[tuple[Path, Path]]:
    """Every file with its target.

    Raises:
        ConfigurationError: One output for several files, one target for two, or nothing to mark.
    """
    from assay.luggage import FORMATS

    if options.output is not None:
        if len(options.files) > 1 or options.files[0].is_dir():
            raise ConfigurationError("several files and one output", hint="Name a folder: --output-dir FOLDER")
        if options.output.suffix.lower() not in FORMATS:
            raise ConfigurationError(
                f"{options.output}: not a format that is written", hint=f"Use {', '.join(FORMATS)}."
            )
        yield options.files[0], options.output
        return
    folder: Path = options.output_dir
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder}: is not a folder", hint="Name another one: --output-dir FOLDER")
    sources: dict[Path, Path] = {}
    for source, target in _placed(options.files, folder):
        if sources.setdefault(target, source) != source:
            raise ConfigurationError(
                f"{source} and {sources[target]} would both become {target}", hint="Mark them into different folders."
            )
    yield from ((source, target) for target, source in sources.items())


def _placed(names: Sequence[Path], folder: Path) -> Iterator[tuple[Path, Path]]:
    """Files under their own names; those of a folder where they stand in it, without what was marked into it before."""
    from assay.jobs.left_out import LeftOut
    from assay.jobs.sources import expand

    left_out = LeftOut()
    for name in names:
        within = name if name.is_dir() else None
        for source in expand(str(name), left_out):
            if within is None:
                yield source, folder / source.name
            elif not source.resolve().is_relative_to(folder.resolve()):
                yield source, folder / source.relative_to(within)
    tell_left_out(left_out)


def _payload(text: str) -> int:
    try:
        if not 1 <= len(text) <= _MOST_DIGITS or not text.isalnum():
            raise ValueError
        return int(text, 16)
    except ValueError as error:
        raise ArgumentTypeError(f"must be 1 to {_MOST_DIGITS} hexadecimal digits") from error
