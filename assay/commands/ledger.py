"""`assay ledger`: look into the registry of what was generated here, and carry it from one place to another."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import argparse
import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError
from assay.files import replacing
from assay.options import Commands, add_home, day, opened, positive, print_rows, settings_of, warn_of_network
from assay.vocabulary import Settings

if TYPE_CHECKING:
    from assay.ledger import Entry, Head, Ledger
    from assay.ledger.transfer import Taken

FOUND_NOTHING = 1
DAMAGED = 1

_MOST = 20
_FILLING = ("import", "merge")
"""What may begin a ledger."""
_ID = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def add(commands: Commands) -> None:
    """What can be said of `assay ledger`."""
    ledger = commands.add_parser("ledger", help="look into the registry of what was generated here, or move it")
    actions = ledger.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="one image")
    show.add_argument("id", type=_image_id, metavar="ID", help="of the image, 16 hexadecimal digits")
    search = actions.add_parser("search", help="images by file, by likeness or by date; all of them without a question")
    question = search.add_mutually_exclusive_group()
    question.add_argument("--sha256", type=_sha256, metavar="DIGEST", help="of the file, or of the pixels")
    question.add_argument("--like", type=Path, metavar="FILE", help="an image: what looks like it, the nearest first")
    question.add_argument("--since", metavar="DATE", help="what was delivered on that day or later, in UTC")
    search.add_argument("--limit", type=positive, default=_MOST, metavar="N", help=f"show at most (default {_MOST})")
    check = actions.add_parser("check", help="was the ledger changed behind Assay's back?")
    check.add_argument("--head", type=_head, metavar="N:HASH", help="what check printed before, kept elsewhere")
    export = actions.add_parser("export", help="all rows as JSON Lines, as private as the ledger itself")
    export.add_argument("-o", "--out", type=Path, metavar="FILE", help="default: standard output")
    taking = "verifies the chain; adds what is not here, all or nothing"
    importing = actions.add_parser("import", help=f"an export: {taking}")
    importing.add_argument("file", type=Path, metavar="FILE", help="what assay ledger export wrote")
    merge = actions.add_parser("merge", help=f"another ledger: {taking}")
    merge.add_argument("other", metavar="PLACE", help="of the other ledger: a path or a postgresql:// URL")
    for action in (show, search, check, export, importing, merge):
        action.add_argument(
            "--ledger",
            metavar="PLACE",
            help="a path or a postgresql:// URL (default ledger.sqlite3 in the data folder)",
        )
        add_home(action)


def run(options: Namespace) -> int:
    """Look into the ledger."""
    from assay.ledger import location, open_ledger

    settings = settings_of(options)
    place = options.ledger or location(settings)
    warn_of_network(place)
    if options.action not in _FILLING:
        _require_ledger(place)
    with open_ledger(place) as ledger:
        match options.action:
            case "export":
                return _export(ledger, options.out)
            case "import":
                return _import(ledger, options.file)
            case "merge":
                return _merge(ledger, options.other)
            case "show":
                return _show(ledger, options.id)
            case "search":
                return _search(ledger, options, settings)
            case _:
                return _check(ledger, options.head)


def _require_ledger(place: str | Path) -> None:
    """Looking makes nothing: not even an empty ledger under a name that was misspelt."""
    if "://" not in str(place) and not Path(place).exists():
        raise ConfigurationError(f"there is no ledger at {place}", hint="Generate an image first, or name its place.")


def _export(ledger: Ledger, out: Path | None) -> int:
    if out is None:
        ledger.export(sys.stdout.buffer)
        return 0
    try:
        with replacing(out, mode=0o600) as temporary, temporary.open("wb") as stream:
            head = ledger.export(stream)
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot be written: {error.strerror}", hint="Choose another place.") from error
    print(f"{out}: {head.seq:,} rows; head {head}")
    return 0


def _import(ledger: Ledger, file: Path) -> int:
    with opened(file) as stream:
        return _tell(ledger, ledger.take_export(stream, str(file)))


def _merge(ledger: Ledger, other: str) -> int:
    from assay.ledger import open_ledger

    _require_ledger(other)
    with open_ledger(other) as source:
        return _tell(ledger, ledger.merge(source))


def _tell(ledger: Ledger, taken: Taken) -> int:
    print(f"{taken.added:,} rows added, {taken.known:,} were here; head {ledger.head()}")
    return 0


def _show(ledger: Ledger, image_id: int) -> int:
    entry = ledger.get(image_id)
    if entry is None:
        state = ledger.state(image_id)
        known = "is not in the ledger" if state is None else f"was never delivered: its last row is {state}"
        print(f"assay: image {image_id:016x} {known}", file=sys.stderr)
        return FOUND_NOTHING
    print_rows(_facts(entry))
    return 0


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    from assay.report.escape import visible
    from generation.local import shown

    yield "image", f"{entry.image_id:016x}"
    yield "file", visible(entry.name)
    yield "created", visible(entry.created)
    yield "model", visible(shown(entry.model))
    yield "scheduler", f"{visible(entry.scheduler)}, {entry.steps} steps"
    yield "size", f"{entry.width} x {entry.height}, latents {' x '.join(map(str, entry.latent_shape))}"
    yield "watermark", f"{visible(entry.watermark)}, key {visible(entry.key_id)}, payload {entry.payload:016x}"
    yield "sha256 of the file", entry.file_sha256
    yield "sha256 of the pixels", entry.pixel_sha256
    yield "perceptual hash", f"{entry.perceptual_hash:016x}"
    yield "manifest", f"{len(entry.manifest):,} bytes" if entry.manifest else "none"
    yield "thumbnail", f"{len(entry.thumbnail):,} bytes"


def _search(ledger: Ledger, options: Namespace, settings: Settings) -> int:
    from assay.report.escape import visible
    from generation.local import shown

    found, is_alike = 0, True
    for remark, entry in _found(ledger, options, settings):
        if entry is None:
            print(remark)
            is_alike = False
            continue
        text = f"{visible(entry.created)}  {visible(entry.name)}, {visible(shown(entry.model))}"
        print_rows([(f"{entry.image_id:016x}", f"{text}{remark}")])
        found += is_alike
    if not found:
        print("assay: nothing found", file=sys.stderr)
    return 0 if found else FOUND_NOTHING


def _found(ledger: Ledger, options: Namespace, settings: Settings) -> Iterable[tuple[str, Entry | None]]:
    if options.sha256 is not None:
        same = {entry.image_id: entry for entry in ledger.by_file_sha256(options.sha256)}
        same |= {entry.image_id: entry for entry in ledger.by_pixel_sha256(options.sha256)}
        return [("", entry) for entry in same.values()][: options.limit]
    if options.like is not None:
        return _alike(ledger, options, settings)
    since = None if options.since is None else datetime.combine(day(options.since), time(), UTC)
    return (("", recorded.entry) for recorded in ledger.entries(since=since, limit=options.limit))


def _alike(ledger: Ledger, options: Namespace, settings: Settings) -> Iterator[tuple[str, Entry | None]]:
    """The nearest first, and without an entry the line behind which nothing is alike any more."""
    from assay.fingerprint import HASH_BITS
    from assay.jobs import leads

    _, pixels = leads.opened(options.like, settings=settings)
    is_drawn = False
    for far, entry in leads.alike(ledger, pixels, options.limit):
        if far > leads.NEAR_BITS and not is_drawn:
            yield f"--- not alike: more than {leads.NEAR_BITS} of {HASH_BITS} bits of the hash differ ---", None
            is_drawn = True
        yield f"; {far} of {HASH_BITS} bits of the hash differ", entry


def _check(ledger: Ledger, kept: Head | None) -> int:
    head, count = ledger.head(), ledger.count()
    findings = ledger.check(kept=kept)
    for finding in findings:
        print(f"  {finding.problem}")
    for delivery in ledger.unfinished():
        print(f"  unfinished since {delivery.since}: image {delivery.image_id:016x}, begun on {delivery.host}")
    what = f"{len(findings)} findings" if findings else "as it was written"
    print(f"{what}: {count:,} images in {head.seq:,} rows; head {head}")
    return DAMAGED if findings else 0


def _image_id(text: str) -> int:
    if not _ID.fullmatch(text):
        raise argparse.ArgumentTypeError("must be 16 hexadecimal digits")
    return int(text, 16)


def _sha256(text: str) -> str:
    if not _SHA256.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError("must be 64 hexadecimal digits")
    return text.lower()


def _head(text: str) -> Head:
    from assay.ledger import Head

    found = _HEAD.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("must be as assay ledger check prints it: a number, a colon, 64 digits")
    return Head(seq=int(found[1]), hash=found[2])
