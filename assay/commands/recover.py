"""`assay recover`: the credentials that a copy has lost, put back."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.options import Commands, add_settings, print_rows, settings_of

if TYPE_CHECKING:
    from assay.jobs.recover import Recovery
    from assay.ledger import Entry
    from assay.vocabulary import Pixels

NOT_FOUND = 1


def add(commands: Commands) -> None:
    """What can be said of `assay recover`."""
    recover = commands.add_parser(
        "recover",
        help="put back the Content Credentials that a copy has lost",
        description="Finds the row of an image in the ledger, by its bytes or its pixels, and writes a copy with its "
        "Content Credentials: inside where that gives the delivered file byte for byte, else beside it, as NAME.c2pa.",
    )
    recover.add_argument("file", type=Path, metavar="FILE", help="an image that was stripped, and maybe changed")
    recover.add_argument("-o", "--output", type=Path, metavar="OUT", required=True, help="where the copy goes")
    recover.add_argument("--force", action="store_true", help="replace what is at OUT, and beside it")
    add_settings(recover)


def run(options: Namespace) -> int:
    """Put the credentials of an image back, and say what they are worth."""
    from assay.jobs.marks import Watermark
    from assay.jobs.pixel_marks import PixelMark
    from assay.jobs.recover import recover
    from assay.ledger import location, open_ledger
    from assay.report.escape import visible

    settings = replace(settings_of(options), thorough=True)  # one picture, and somebody waits for its row
    readers = (PixelMark(settings), Watermark(settings))

    def find(pixels: Pixels) -> Entry | None:
        found = (reader.row_of(pixels) for reader in readers)
        return next((entry for entry in found if entry is not None), None)

    with open_ledger(location(settings)) as ledger:
        found = recover(
            options.file,
            options.output,
            ledger=ledger,
            settings=settings,
            find=find,
            force=options.force,
        )
    if found is None:
        print(f"assay: {visible(str(options.file))}: no row of the ledger leads to this image", file=sys.stderr)
        return NOT_FOUND
    print_rows((name, visible(text)) for name, text in _rows(found))
    return 0


def _made(entry: Entry) -> str:
    from generation.local import shown

    return f"made {entry.created} by {shown(entry.model)}" if entry.model else f"marked {entry.created}"


def _rows(found: Recovery) -> Iterator[tuple[str, str]]:
    from assay.jobs.recover import Match

    entry = found.entry
    yield "image", f"{entry.image_id:016x}, {_made(entry)}, delivered as {entry.name}"
    yield "found by", found.match.value
    yield "credentials", found.fit.value
    if found.match is Match.MARK:
        yield "caution", "A mark can be moved to other content: compare the picture with the row's thumbnail."
    if not found.names_row:
        yield "caution", "The manifest does not name this row: the ledger alone ties the two together."
    yield "verify says", f"{found.attestation.state}. {found.attestation.summary}"
    for path in found.written:
        yield "written", str(path)
