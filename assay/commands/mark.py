"""`assay mark`: a mark in the pixels of pictures that were made elsewhere."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from assay.errors import ConfigurationError
from assay.options import Commands, add_home, add_limits, settings_of

_MOST_DIGITS = 12


def add(commands: Commands) -> None:
    """What can be said of `assay mark`."""
    mark = commands.add_parser(
        "mark",
        help="put a mark into the pixels of pictures, and sign them",
        description="Hides a keyed mark in the pixels, signs the file with the original as its parent, and enters it "
        "in the ledger. The mark survives JPEG, crops, turns and screenshots. Keys come from: assay keys init.",
    )
    mark.add_argument("files", nargs="+", type=Path, metavar="FILE", help="PNG, JPEG, WebP or TIFF")
    place = mark.add_mutually_exclusive_group(required=True)
    place.add_argument("-o", "--output", type=Path, metavar="OUT", help="for one file")
    place.add_argument("--output-dir", type=Path, metavar="FOLDER", help="for many, under their own names")
    mark.add_argument("--user", default="default", metavar="NAME", help="whose watermark key")
    mark.add_argument("--payload", type=_payload, metavar="HEX", help="of the first file; others count on from it")
    mark.add_argument("--quiet", action="store_true", help="no progress bar")
    add_limits(mark, "max_bytes", "max_pixels")
    add_home(mark)


def run(options: Namespace) -> int:
    """Mark, and say what was handed over."""
    from tqdm import tqdm

    from assay.jobs.mark import mark
    from assay.report.escape import visible

    pairs = _pairs(options)
    hidden = options.quiet or not sys.stderr.isatty()
    marked = mark(pairs, settings=settings_of(options), user=options.user, payload=options.payload)
    for one in tqdm(marked, total=len(pairs), unit="file", leave=False, disable=hidden):
        read = f"{one.bits} bits read back at p <= 10^{one.log10_p:.1f}"
        tqdm.write(visible(f"{one.path}  image {one.image_id:016x}, {read}"))
    return 0


def _pairs(options: Namespace) -> list[tuple[Path, Path]]:
    if options.output is not None:
        if len(options.files) > 1:
            raise ConfigurationError("several files and one output", hint="Name a folder: --output-dir FOLDER")
        return [(options.files[0], options.output)]
    folder: Path = options.output_dir
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder", hint="Make it first.")
    targets = [folder / file.name for file in options.files]
    if len(set(targets)) < len(targets):
        raise ConfigurationError("two files have one name", hint="Mark them into different folders.")
    return list(zip(options.files, targets, strict=True))


def _payload(text: str) -> int:
    try:
        if not 1 <= len(text) <= _MOST_DIGITS or not text.isalnum():
            raise ValueError
        return int(text, 16)
    except ValueError as error:
        raise ArgumentTypeError(f"must be 1 to {_MOST_DIGITS} hexadecimal digits") from error
