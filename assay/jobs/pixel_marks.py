"""The `pixel-watermark` check: does a picture carry a mark in its pixels by a key of this installation, and whose?

Unlike the mark in the noise it needs no model and no row to be read: the payload is in the picture. It begins the id of
the image's row in the ledger, which says what was marked and what it looked like.
"""

# ruff: noqa: PLC0415 - torch and the databases only where there are keys

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from assay import catalog
from assay.errors import KeyStoreError
from assay.jobs.marks import FOUND_LOG10_P, Sighting, likeness, outcome
from assay.vocabulary import (
    Basis,
    Claim,
    Detail,
    Exhibit,
    Measurement,
    Nothing,
    Outcome,
    PixelReading,
    Pixels,
    Reading,
    Settings,
)

if TYPE_CHECKING:
    from assay.fingerprint import Likeness
    from assay.keys import WatermarkKey
    from assay.ledger import Entry

METHOD = "spread"
ID_BITS = 64
"""Of an image's id, whose first bits are the payload."""
TELLING_BITS = 32
"""Bits of payload from which on a row that begins with them is the one that was meant."""


def put(pixels: Pixels, key: WatermarkKey, image_id: int) -> Pixels:
    """A picture that carries the beginning of an image's id."""
    watermark = catalog.pixel_watermark(METHOD)
    bits = watermark.bits((pixels.shape[0], pixels.shape[1]))
    return watermark.mark(pixels, key.secret, image_id >> ID_BITS - bits)


def read_back(pixels: Pixels, key: WatermarkKey, image_id: int) -> PixelReading | None:
    """What is read in a picture; None where it is not the beginning of the image's id."""
    found = catalog.pixel_watermark(METHOD).read(pixels, [key.secret])
    return found if found is not None and found.payload == image_id >> ID_BITS - found.bits else None


class PixelMark:
    """Our mark in the pixels: finds pictures that were marked here, after crops, turns and screenshots, too.

    What it means: a payload and its check bits stand in the pixels under one of our keys; the p-value bounds how often
    a picture without the mark would yield any payload, over all keys, sizes and geometries tried. The payload begins
    the id of a row in the ledger, and the picture is compared with that row's thumbnail.

    What it does not mean: that a picture without it was not marked, for strong edits remove it; that one with it is
    generated, for photographs can be marked, too; or that it shows what was marked. A mark can be copied onto another
    picture, which is then called *transplanted*.
    """

    id: ClassVar[str] = "pixel-watermark"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.OURS})

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet."""
        self._settings = settings

    @property
    def idle(self) -> str | None:
        """Why there is nothing to look for; None where there is."""
        try:
            keys = self._keys
        except KeyStoreError:
            return None  # looking for a mark then fails, and says why; the other checks go on
        if not keys:
            return "No watermark key here: nothing was marked by this installation."
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
        read = None if self.idle else self._read(exhibit.pixels)
        if read is None:
            return (Nothing(check=self.id),)
        found, key = read
        if (sighting := self._sighting(found, key, exhibit.pixels)) is not None:
            return (outcome(sighting, exhibit),)
        if found.log10_p <= FOUND_LOG10_P:
            return (_without_row(found, key),)
        return (Nothing(check=self.id),)

    def row_of(self, pixels: Pixels) -> Entry | None:
        """The row of a picture that still shows what was marked; None for a mark on other content, too."""
        sighting = None if self.idle else self.find(pixels)
        return sighting.entry if sighting is not None and sighting.likeness.agrees else None

    def find(self, pixels: Pixels) -> Sighting | None:
        """The row whose mark a picture carries; None where it carries none, or one without a row."""
        read = self._read(pixels)
        return None if read is None else self._sighting(*read, pixels)

    def _read(self, pixels: Pixels) -> tuple[PixelReading, WatermarkKey] | None:
        """What stands in a picture, and under which key."""
        keys = self._keys
        found = catalog.pixel_watermark(METHOD).read(pixels, [key.secret for key in keys])
        return None if found is None else (found, keys[found.key])

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
        rows = [(entry, _likeness(entry, pixels)) for entry in entries if entry.key_id == key.id]
        if not rows:
            return None
        log10_p = found.log10_p + min(0.0, math.log10(count) - found.bits * math.log10(2))
        entry, alike = max(rows, key=lambda row: row[1].correlation)
        if log10_p > FOUND_LOG10_P or (found.bits < TELLING_BITS and not alike.agrees):
            return None
        return Sighting(
            check=self.id,
            method=METHOD,
            entry=entry,
            log10_p=log10_p,
            reading=Reading(statistic=float(found.bits), null=_null(found), log10_p=log10_p),
            tried=found.tries,
            likeness=alike,
            undone=in_words(found),
        )


def _likeness(entry: Entry, pixels: Pixels) -> Likeness:
    return likeness(pixels, entry.thumbnail, (entry.height, entry.width))


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
    return Measurement(
        check=PixelMark.id,
        claim=Claim.OURS,
        basis=Basis.MARKED,
        statistic=float(found.bits),
        null=_null(found),
        p_value=10**found.log10_p,
        log10_lr=None,
        summary=f"Marked with our key {key.id}. The ledger has no row for it, so nothing says what was marked.",
        details=(
            Detail(name="Payload", value=f"{found.payload:0{found.bits // 4}x}"),
            Detail(name="Undone before reading", value=in_words(found)),
        ),
    )
