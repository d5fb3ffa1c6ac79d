"""The `pixel-watermark` check: does a picture carry a mark in its pixels by a key of this installation, and whose?

Unlike the mark in the noise it needs no model and no row to be read: the payload is in the picture. It begins the id of
the image's row in the ledger, which says what was marked and what it looked like.
"""

# ruff: noqa: PLC0415 - torch and the databases only where there are keys

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay import catalog
from assay.binding import SoftBinding
from assay.errors import KeyStoreError
from assay.jobs.marks import FOUND_LOG10_P, Sighting, key_detail, outcome, without_keys
from assay.jobs.once import Once
from assay.keys import KeyState
from assay.vocabulary import (
    Basis,
    Claim,
    Detail,
    Exhibit,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    PixelReading,
    Pixels,
    PixelSearch,
    PixelTrace,
    Reading,
    Settings,
)
from watermark.comparison import Comparison, Shows, compare

if TYPE_CHECKING:
    from assay.keys import WatermarkKey
    from assay.ledger import Entry
    from assay.ledger.chain import Head

METHOD = "spread"
FIRST = "spread"
"""What rows of the ledger call the first version of the mark."""
WRITTEN = "spread.2"
"""What they call the version that is written now."""
ID_BITS = 64
"""Of an image's id, whose first bits are the payload."""
TELLING_BITS = 32
"""Bits of payload from which on a row that begins with them is the one that was meant."""


def put(pixels: Pixels, key: WatermarkKey, image_id: int) -> Pixels:
    """A picture that carries the beginning of an image's id."""
    watermark = catalog.pixel_watermark(METHOD)
    bits = watermark.bits((pixels.shape[0], pixels.shape[1]))
    return watermark.mark(pixels, key.secret, image_id >> ID_BITS - bits)


def binding(image_id: int) -> SoftBinding:
    """What a manifest says of the mark that `put` puts in."""
    return SoftBinding(scheme=METHOD, image_id=image_id, version=catalog.pixel_watermark(METHOD).version)


def read_back(pixels: Pixels, key: WatermarkKey, image_id: int) -> PixelReading | None:
    """What is read in a picture; None where it is not the beginning of the image's id."""
    found = catalog.pixel_watermark(METHOD).read(pixels, [key.secret])
    return found if found is not None and found.payload == image_id >> ID_BITS - found.bits else None


_search_once = Once[PixelSearch]()
"""The mark in the noise is read where this one lies, so that two checks ask for it."""


class PixelMark:
    """Our mark in the pixels: finds pictures that were marked here, after crops, turns and screenshots, too.

    What it means: a payload and its check bits stand in the pixels under one of our keys, and its state is named; one
    that was revoked, or has ended, is only noted where the ledger has no row. The p-value bounds how often
    a picture without the mark would yield any payload, over all keys, sizes and geometries tried. The payload begins
    the id of a row in the ledger, and the picture is compared with that row's thumbnail. Where the pattern of a key
    stands out and no payload can be read, that is noted.

    What it does not mean: that a picture without it was not marked, for strong edits remove it; that one with it is
    generated, for photographs can be marked, too; or that it shows what was marked. A mark can be copied onto another
    picture, which is then called *transplanted*.
    """

    id: ClassVar[str] = "pixel-watermark"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.OURS})

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet."""
        self._settings = settings
        self._earlier: tuple[Head, bool] | None = None

    @property
    def idle(self) -> str | None:
        """Why there is nothing to look for; None where there is."""
        try:
            keys = self._keys
        except KeyStoreError:
            return None  # looking for a mark then fails, and says why; the other checks go on
        if not keys:
            return without_keys(self._settings) or "No watermark key here: nothing was marked by this installation."
        if find_spec("torch") is None:
            return "Reading our watermark needs models: pip install 'assay[models]'."
        return None

    @property
    def _keys(self) -> tuple[WatermarkKey, ...]:
        """As they are now: a check outlives the making of a key."""
        from assay.keys import key_store

        return key_store(self._settings.home).keys()

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Look for a mark in upright pixels."""
        if self.idle:
            return (Nothing(check=self.id),)
        keys, found = self._search(exhibit.pixels)
        said = [self._said(one, keys[one.key], exhibit) for one in found.readings]
        traces = [_traced(one, keys[one.key]) for one in found.traces if one.log10_p <= FOUND_LOG10_P]
        return tuple(one for one in (*said, *traces) if one is not None) or (Nothing(check=self.id),)

    def _said(self, found: PixelReading, key: WatermarkKey, exhibit: Exhibit) -> Outcome | None:
        """What one reading is worth; None where it is too likely by chance."""
        if (sighting := self._sighting(found, key, exhibit.pixels)) is not None:
            return outcome(sighting, exhibit)
        return _without_row(found, key) if found.log10_p <= FOUND_LOG10_P else None

    def row_of(self, pixels: Pixels) -> Entry | None:
        """The row of a picture that still shows what was marked; None for a mark on other content, too."""
        sighting = None if self.idle else self.find(pixels)
        return sighting.entry if sighting is not None and sighting.comparison.shows is Shows.SAME else None

    def find(self, pixels: Pixels) -> Sighting | None:
        """A row whose mark a picture carries, the first that is found; None where it carries none with a row."""
        keys, found = self._search(pixels)
        sightings = (self._sighting(one, keys[one.key], pixels) for one in found.readings)
        return next((one for one in sightings if one is not None), None)

    def _search(self, pixels: Pixels) -> tuple[tuple[WatermarkKey, ...], PixelSearch]:
        """The keys, and all that stands in a picture of them."""
        keys, earlier = self._keys, self._has_first_version()
        secrets = tuple(key.secret for key in keys)
        search = partial(catalog.pixel_watermark(METHOD).search, pixels, secrets, earlier=earlier)
        return keys, _search_once.ask(pixels, (secrets, earlier), search)

    def _has_first_version(self) -> bool:
        """Whether the ledger has rows of pictures that were marked in the first version; asked again when it grows."""
        from assay.ledger import location, open_ledger

        place = location(self._settings)
        if isinstance(place, Path) and not place.exists():
            return False
        with open_ledger(place) as ledger:
            if self._earlier is None or self._earlier[0] != ledger.head():
                name = SoftBinding(scheme=METHOD, image_id=0, version=1).algorithm
                self._earlier = ledger.head(), ledger.has_mark(FIRST, name)
        return self._earlier[1]

    def _sighting(self, found: PixelReading, key: WatermarkKey, pixels: Pixels) -> Sighting | None:
        """The row that a payload leads to; where it is short and several begin so, the one that looks most alike.

        A row is more evidence. The payloads on the decoder's list are uniform over the draw of the key, so that one of
        them begins a row's id, too, has the chance of rows / 2^bits on top of its check bits: an installation with many
        keys can still be sure.
        """
        from assay.ledger import location, open_ledger

        place = location(self._settings)
        if isinstance(place, Path) and not place.exists():
            return None
        with open_ledger(place) as ledger:
            count, entries = ledger.count(), ledger.beginning_with(found.payload, found.bits)
        rows = [(entry, compared(found, entry, pixels)) for entry in entries if entry.key_id == key.id]
        if not rows:
            return None
        log10_p = found.log10_p + min(0.0, math.log10(count) - found.bits * math.log10(2))
        if log10_p > FOUND_LOG10_P:
            return None
        entry, alike = max(rows, key=lambda row: row[1].worth)
        if found.bits < TELLING_BITS and alike.shows is Shows.OTHER:
            alike = replace(alike, shows=Shows.UNKNOWN)  # many ids begin so, and another one may have been meant
        return Sighting(
            check=self.id,
            method=METHOD,
            entry=entry,
            key=key,
            log10_p=log10_p,
            reading=Reading(statistic=float(found.bits), null=_null(found), log10_p=log10_p),
            tried=found.tries,
            comparison=alike,
            undone=in_words(found),
        )


def compared(found: PixelReading, entry: Entry, pixels: Pixels) -> Comparison:
    """A picture beside a row's thumbnail, laid over it as the mark was read: whole tiles are left to find."""
    from watermark.carrier import CELL, cell_size

    cell = cell_size(entry.height, entry.width) / CELL
    matrix = found.matrix @ np.diag([1 / cell, 1 / cell, 1.0])
    period = (found.period * cell, found.period * cell)
    return compare(pixels, entry.thumbnail, (entry.height, entry.width), matrix, period=period)


# --- saying -----------------------------------------------------------------------------------------------------------


def in_words(found: PixelReading) -> str:
    """What was done to a marked picture, as far as its lattice tells."""
    (a, b), (c, d) = found.matrix[:2, :2]
    determinant = float(a * d - b * c)
    degrees = math.degrees(math.atan2(-c, a if determinant > 0 else -a))
    parts = ["mirrored"] if determinant < 0 else []
    parts += [f"turned by {degrees:.0f} degrees"] if abs(degrees) >= 1 else []
    return ", ".join(parts) or "nothing but scale and crop"


def _null(found: PixelReading) -> str:
    chance = f"at most once in {10**-found.log10_p:.0e} pictures"
    return f"32 check bits behind {found.bits} bits of payload hold by chance {chance}"


def _without_row(found: PixelReading, key: WatermarkKey) -> Outcome:
    """Of a key that marks no more, nothing but a row says that it was still in use when it marked this."""
    now = datetime.now(UTC)
    details = (
        Detail(name="Payload", value=f"{found.payload:0{found.bits // 4}x}"),
        key_detail(key),
        Detail(name="Undone before reading", value=in_words(found)),
    )
    if key.state(now) is not KeyState.CURRENT:
        return Observation(
            check=PixelMark.id,
            signal="mark-by-ended-key",
            claim=None,
            summary=f"It carries a mark by our key {key.id}, which is {key.standing(now)}. The ledger has no row for "
            "it, so nothing says that the key was still in use when it was put in.",
            details=details,
        )
    return Measurement(
        check=PixelMark.id,
        claim=Claim.OURS,
        basis=Basis.MARKED,
        statistic=float(found.bits),
        null=_null(found),
        p_value=10**found.log10_p,
        log10_lr=None,
        summary=f"Marked with our key {key.id}. The ledger has no row for it, so nothing says what was marked.",
        details=details,
    )


def _traced(found: PixelTrace, key: WatermarkKey) -> Outcome:
    """A pattern without a payload says no more than whose key it was."""
    return Observation(
        check=PixelMark.id,
        signal="mark-without-payload",
        claim=None,
        summary=f"The pattern of our key {key.id} stands in its pixels, but no payload can be read, so nothing says "
        "which image it was.",
        details=(
            key_detail(key),
            Detail(name="By chance", value=f"in at most one of {10**-found.log10_p:.0e} pictures without the mark"),
        ),
    )
