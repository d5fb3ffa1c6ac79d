"""leads: which rows of the ledger an image leads to, and how.

Its bytes and its pixels prove that it is what was delivered; a watermark says that it was drawn or marked with a row's
key; a perceptual hash only says that two pictures look alike, as two pictures of one flower may.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from assay.binding import pixel_sha256
from assay.errors import AssayError
from assay.fingerprint import dhash, distance
from assay.jobs import guarded
from assay.jobs.marks import Sighting, Watermark
from assay.jobs.pixel_marks import PixelMark
from assay.jobs.protocol import STDIN_NAME, Request
from assay.jobs.verify import Source, Upload
from assay.ledger import Entry, Ledger, location, open_ledger
from assay.vocabulary import Pixels, Settings
from watermark.comparison import Shows

NEAR_BITS = 16
"""Of the 64 of the hash, so many may differ in pictures that look alike; of two unrelated ones about half do."""
NEAR_ROWS = 20


class How(StrEnum):
    """What leads to a row, strongest first."""

    FILE = "same file"
    PIXELS = "same pixels"
    NOISE_MARK = "watermark in the noise"
    PIXEL_MARK = "watermark in the pixels"
    LIKENESS = "likeness only"


_ORDER = tuple(How)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A row that an image leads to."""

    entry: Entry
    ways: tuple[How, ...]
    """All that leads there, strongest first; one at least."""
    distance: int
    """Bits of the perceptual hash that differ, of 64."""
    transplanted: bool
    """Whether its mark leads there, and it shows something else: a mark can be moved to other content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Everything that was found, and what could not be looked for."""

    rows: tuple[Lead, ...] = ()
    """Each row once, the strongest first; of rows that are found in the same way the most alike, then the newest."""
    remarks: tuple[str, ...] = ()
    """Why something was not looked for, in whole sentences."""


def leads(source: Source, *, settings: Settings) -> Leads:
    """Find the rows that an image leads to.

    Args:
        source: A path, or the bytes of an image.
        settings: The data folder, with keys and ledger; limits.

    Returns:
        The rows; none, and a remark, where there is no ledger.

    Raises:
        UnreadableError: It cannot be read within the limits, or decoded.
        LedgerError: The ledger cannot be read.
    """
    place = location(settings)
    if "://" not in str(place) and not Path(place).exists():  # looking makes nothing
        return Leads(remarks=("There is no ledger here: nothing was generated or marked by this installation.",))
    sha256, pixels = opened(source, settings=settings)
    marks = tuple(_marks(pixels, settings))
    sightings = {how: found for how, found in marks if isinstance(found, Sighting)}
    with open_ledger(place) as ledger:
        found = [*_same(ledger, sha256, pixels), *((how, each.entry) for how, each in sightings.items())]
        found += [(How.LIKENESS, each.entry) for each in alike(ledger, pixels, NEAR_ROWS) if each.distance <= NEAR_BITS]
    moved = {each.entry.image_id for each in sightings.values() if each.comparison.shows is Shows.OTHER}
    return Leads(
        rows=_gathered(found, pixels, moved), remarks=tuple(remark for _, remark in marks if isinstance(remark, str))
    )


def opened(source: Source, *, settings: Settings) -> tuple[str | None, Pixels]:
    """SHA-256 and upright pixels of an image that anybody may have made: a guarded worker decodes them.

    Raises:
        UnreadableError: It cannot be read within the limits, or decoded.
    """
    if isinstance(source, bytes):
        source = Upload(name=STDIN_NAME, data=source)
    if isinstance(source, Upload):
        blob: bytes | None = source.data
        request = Request(name=source.name, size=len(source.data), decode=True)
    else:
        blob, request = None, Request(name=os.fspath(source), path=os.fspath(source), decode=True)
    with closing(guarded.worker(settings)) as worker:
        answer, pixels = guarded.decoded(worker, request, blob)
    return answer.facts.sha256, pixels


class Alike(NamedTuple):
    """A row, and how many bits of its perceptual hash differ from a picture's."""

    distance: int
    entry: Entry


def alike(ledger: Ledger, pixels: Pixels, count: int) -> tuple[Alike, ...]:
    """So many rows that look most like a picture, the nearest first, however far."""
    return tuple(Alike(far, entry) for far, entry in ledger.near(dhash(Image.fromarray(pixels)), count))


def _same(ledger: Ledger, sha256: str | None, pixels: Pixels) -> Iterator[tuple[How, Entry]]:
    for entry in ledger.by_file_sha256(sha256) if sha256 else ():
        yield How.FILE, entry
    for entry in ledger.by_pixel_sha256(pixel_sha256(pixels)):
        yield How.PIXELS, entry


def _marks(pixels: Pixels, settings: Settings) -> Iterator[tuple[How, Sighting | str | None]]:
    """What each watermark leads to, or why it was not looked for."""
    noise, pixel = Watermark(replace(settings, thorough=True)), PixelMark(settings)  # one image, and all that leads on
    try:
        looked = None if noise.idle else noise.look(pixels)
        yield How.NOISE_MARK, noise.idle if looked is None else looked.sighting
        yield from ((How.NOISE_MARK, reason) for reason in (looked.untried if looked else ()))
    except AssayError as error:  # what bytes and pixels say still holds
        yield How.NOISE_MARK, _not_looked_for(How.NOISE_MARK, error)
    try:
        yield How.PIXEL_MARK, pixel.idle or pixel.find(pixels)
    except AssayError as error:
        yield How.PIXEL_MARK, _not_looked_for(How.PIXEL_MARK, error)


def _not_looked_for(how: How, error: AssayError) -> str:
    return f"The {how} was not looked for: {error}. {error.hint}"


def _gathered(found: Iterable[tuple[How, Entry]], pixels: Pixels, moved: set[int]) -> tuple[Lead, ...]:
    entries = {entry.image_id: entry for _, entry in found}
    ways = {image_id: {how for how, entry in found if entry.image_id == image_id} for image_id in entries}
    wanted = dhash(Image.fromarray(pixels))
    rows = [
        Lead(
            entry=entry,
            ways=tuple(sorted(ways[image_id], key=_ORDER.index)),
            distance=distance(wanted, entry.perceptual_hash),
            transplanted=image_id in moved,
        )
        for image_id, entry in entries.items()
    ]
    rows.sort(key=lambda lead: lead.entry.created, reverse=True)
    return tuple(sorted(rows, key=lambda lead: (_ORDER.index(lead.ways[0]), lead.distance)))
