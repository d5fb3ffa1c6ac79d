"""The `watermark` check: does an image carry a mark of this installation, and is it still the image that was made?

Where areas meet: the keys and the ledger say what to look for, `generation` estimates the noise behind the picture,
`watermark` compares. Nothing heavy is imported, and no pixel decoded, where there is nothing to look for.
"""

# ruff: noqa: PLC0415 - torch, diffusers and the databases only where there is a ledger

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from PIL import Image

from assay import fingerprint
from assay.binding import pixel_sha256
from assay.errors import ConfigurationError, KeyStoreError
from assay.jobs import inversions
from assay.keys import KeyState
from assay.perturb import Matrix
from assay.policy import MAX_P_VALUE
from assay.stats import log10_bonferroni
from assay.vocabulary import (
    Basis,
    Claim,
    Detail,
    Exhibit,
    Latents,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Pixels,
    Reading,
    Settings,
    Skipped,
)
from generation.local import shown, without_paths
from watermark.comparison import OTHER_REACH, Comparison, Shows, compare

if TYPE_CHECKING:
    from assay.jobs.registry import Fit, Registry
    from assay.keys import WatermarkKey
    from assay.ledger import Entry, Ledger
    from generation.adapters import Adapter

FOUND_LOG10_P = math.log10(MAX_P_VALUE)
"""The policy's bound, over everything that was tried."""
_AT_ONCE = 2**19
"""Pixels whose noise is estimated at once: small pictures take half the time together, large ones the memory."""
_FINER = 3
"""So many times the size that a mark is read at, a picture is fine enough, also where half of it was cut off."""
_SMALLEST_P = 1e-300
_COPIED = "A mark can be copied by whoever has a marked picture; this one does not vouch for what is seen here."
LEDGER_ROW = "Ledger row"
"""The detail of a finding that names its row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A mark that was found."""

    check: str
    method: str
    """Of the mark, as the catalog has it."""
    entry: Entry
    key: WatermarkKey
    """The row's, as it is now."""
    log10_p: float
    """Over all rows, models and geometries that were tried."""
    reading: Reading
    """Of this row alone."""
    tried: int
    comparison: Comparison
    """With the ledger's thumbnail, laid over it as the mark was read."""
    undone: str
    """What was undone before the mark was read, in words."""
    is_in_pixels: bool = False
    """Whether the mark in the pixels says the same, read where the one in the noise lies."""


def without_keys(settings: Settings) -> str | None:
    """That a ledger is here and the keys of its rows are not, in a sentence; None where there are keys, or no rows."""
    from assay.keys import key_store
    from assay.ledger import location, open_ledger

    place = location(settings)
    try:
        if key_store(settings.home).keys() or (isinstance(place, Path) and not place.exists()):
            return None
    except KeyStoreError:
        return None  # looking for a mark then fails, and says why; the other checks go on
    with open_ledger(place) as ledger:
        count = ledger.count()
    rows = f"{count:,} rows, whose keys are" if count > 1 else "a row, whose key is"
    where = settings.home / "keys" / "watermark"
    return f"The ledger has {rows} not here. To read their marks, restore {where}." if count else None


class Looked(NamedTuple):
    """What a search through the ledger came to."""

    sighting: Sighting | None
    untried: tuple[str, ...]
    """Which rows the picture was not held against, and why, in sentences."""
    is_blind: bool
    """Whether there are rows, and it was held against none."""


class Watermark:
    """Our own watermark: finds images that were made here, and says whether they still are what was made.

    What it means: a picture whose noise fits a row of the ledger was drawn from that row's sealed noise, or made to
    look so by somebody who had such a picture; the p-value says how often a picture made without the key would fit as
    well, over everything that was tried. *Unaltered* is said only of equal bytes or equal pixels.

    What it does not mean: that a picture without a mark was not made here, for strong edits remove it, and nothing is
    fetched to read rows of a model whose weights are not here: they are named as not tried. Nor does it mean that one
    with a mark shows what was made. So it is compared with the ledger's thumbnail, and *transplanted* where they
    disagree. Where the two cannot be compared, this is noted, and the mark counts for nothing.
    """

    id: ClassVar[str] = "watermark"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.OURS})

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet."""
        self._settings = settings
        self._registry: Registry | None = None

    @property
    def idle(self) -> str | None:
        """Why there is nothing to look for, now; None where there is."""
        from assay.ledger import location

        place = location(self._settings)
        if isinstance(place, Path) and not place.exists():
            return "No ledger here: nothing was generated by this installation."
        if (reason := without_keys(self._settings)) is not None:
            return reason
        if find_spec("diffusers") is None or find_spec("torch") is None:
            return "Reading our watermark needs models: pip install 'assay[models]'."
        return None

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Look for a mark in upright pixels."""
        if self.idle is not None:
            return (Nothing(check=self.id),)
        looked = self.look(exhibit.pixels)
        untried = tuple(Skipped(check=self.id, reason=reason) for reason in looked.untried)
        if looked.sighting is not None:
            return (outcome(looked.sighting, exhibit), *untried)
        return untried if looked.is_blind else (Nothing(check=self.id), *untried)

    def look(self, pixels: Pixels) -> Looked:
        """The row whose mark a picture carries, and what was not tried."""
        from assay.keys import key_store
        from assay.ledger import location, open_ledger

        keys = key_store(self._settings.home).keys()
        with open_ledger(location(self._settings)) as ledger:
            registry, known = self._current(ledger, keys), {key.id: key for key in keys}
            search = _Search(ledger, registry, known, pixels, thorough=self._settings.thorough)
            sighting = search.as_it_is() or search.laid_like(self._in_pixels(pixels)) or search.laid_over_alike()
        untried = (*search.strange, *search.refused, *(search.left_out if sighting is None else ()))
        return Looked(sighting, untried, is_blind=search.is_blind)

    def _in_pixels(self, pixels: Pixels) -> Sighting | None:
        """What the mark in the pixels says, unless that is left out."""
        from assay.jobs.pixel_marks import PixelMark

        check = PixelMark(self._settings)
        return None if PixelMark.id in self._settings.skip or check.idle else check.find(pixels)

    def find(self, pixels: Pixels) -> Sighting | None:
        """The row whose mark a picture carries; None where it carries none."""
        return self.look(pixels).sighting

    def row_of(self, pixels: Pixels) -> Entry | None:
        """The row of a picture that still shows what was made; None for a mark on other content, too."""
        found = None if self.idle else self.find(pixels)
        return found.entry if found is not None and found.comparison.shows is Shows.SAME else None

    def _current(self, ledger: Ledger, keys: tuple[WatermarkKey, ...]) -> Registry:
        """Read once, and then only what is new."""
        from assay.jobs.registry import Registry

        secrets = {key.id: key.secret for key in keys}
        if self._registry is None or self._registry.secrets != secrets:
            self._registry = Registry(ledger, secrets, self._settings.home / "keys")
        elif self._registry.head != ledger.head():
            self._registry.read(ledger)
        return self._registry


class _Search:
    """One picture against what of the ledger is worth it: as it is, then laid over rows whose colours it shares."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        keys: Mapping[str, WatermarkKey],
        pixels: Pixels,
        *,
        thorough: bool,
    ) -> None:
        self.ledger, self.registry, self.keys = ledger, registry, keys
        self._refused: dict[str, str] = {}
        longest = max((side for kind in registry.kinds for side in (kind.height, kind.width)), default=1)
        self.pixels = _reduced(pixels, _FINER * longest)
        self._scale = self.pixels.shape[1] / pixels.shape[1], self.pixels.shape[0] / pixels.shape[0]
        rows = sum(registry.count(kind.latent_shape) for kind in registry.kinds)
        self.tried = rows + inversions.THOROUGH_LAID + 1
        size = (pixels.shape[0], pixels.shape[1])
        self._worth = inversions.worth(registry, ledger, self.pixels, size, thorough=thorough)

    def as_it_is(self) -> Sighting | None:
        """Read the whole picture at each kind that is worth it: the first finding that holds."""
        for kind in self._worth.whole:
            if (adapter := self._opened(kind.model)) is None:
                continue
            best = self.registry.best(_read_all(adapter, [fitted(self.pixels, (kind.height, kind.width))])[0])
            if best is not None and self._corrected(best) <= FOUND_LOG10_P:
                return self._sighting(best, "nothing", _stretched(self.pixels, (kind.height, kind.width)))
        return None

    def laid_like(self, seen: Sighting | None) -> Sighting | None:
        """Read where the mark in the pixels lies, for the row that it leads to.

        That row and place depend on the key, but on bits of it that the noise has nothing of, and they are one try.
        """
        if seen is None or seen.comparison.matrix is None or not self.registry.has(seen.entry.image_id):
            return None
        matrix = np.diag([*self._scale, 1.0]) @ seen.comparison.matrix
        return self._read_at([(seen.entry, matrix)], f"{seen.undone}, as the mark in the pixels lies")

    @property
    def strange(self) -> tuple[str, ...]:
        """That there are rows whose keys are not here, in a sentence, if any."""
        count = self.registry.strange
        rows = f"{count:,} rows were not tried: their keys are" if count > 1 else "A row was not tried: its key is"
        return (f"{rows} not here.",) if count else ()

    @property
    def refused(self) -> tuple[str, ...]:
        """Of which models no row could be tried, and why, in sentences."""
        models = dict.fromkeys(kind.model for kind in self.registry.kinds)
        away = [model for model in models if not self._is_here(model)]
        return tuple(f"Rows of {shown(model)} were not tried: {self._refused[model]}" for model in away)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Which kinds were left out for their cost, in a sentence, if any."""
        kinds = [kind for kind in self.registry.kinds if kind not in self._worth.whole and self._is_here(kind.model)]
        return (inversions.in_words(kinds),) if kinds else ()

    @property
    def is_blind(self) -> bool:
        """Whether there are rows, and it was held against none."""
        kinds = self.registry.kinds
        return bool(kinds or self.registry.strange) and all(kind.model in self._refused for kind in kinds)

    def _opened(self, model: str) -> Adapter | None:
        """What reads a model's noise; None, and noted, where it cannot be opened without the network."""
        try:
            return _adapter(model) if self._is_here(model) else None
        except ConfigurationError as error:
            self._refuse(model, error)
            return None

    def _is_here(self, model: str) -> bool:
        """Whether a model may be opened without the network; noted where not."""
        if model not in self._refused:
            try:
                _require_here(model)
            except ConfigurationError as error:
                self._refuse(model, error)
        return model not in self._refused

    def _refuse(self, model: str, error: ConfigurationError) -> None:
        reason = f"{str(error).removeprefix(f'{model}: ')}. {error.hint}"
        self._refused[model] = without_paths(reason, model)

    def _corrected(self, fit: Fit) -> float:
        return log10_bonferroni(fit.reading.log10_p, self.tried)

    def laid_over_alike(self) -> Sighting | None:
        """Lay the picture over the thumbnails that share its colours, and read it there."""
        from watermark.registration import register_all

        for kind in self.registry.kinds:
            entries, size = [row for row in self._worth.laid if inversions.is_of(row, kind)], (kind.height, kind.width)
            laid = register_all(self.pixels, [entry.thumbnail for entry in entries], size)
            fitting = [
                (entry, each.matrix)
                for entry, each in zip(entries, laid, strict=True)
                if each.likeness.correlation >= self._worth.least_correlation
            ]
            found = self._read_at(fitting, "rotation, scale or crop, found with the ledger's thumbnail")
            if found is not None:
                return replace(found, is_in_pixels=self._is_in_pixels(found))
        return None

    def _is_in_pixels(self, found: Sighting) -> bool:
        """Whether the mark in the pixels says the same, once the picture is laid back over the original."""
        from assay.jobs.pixel_marks import read_back
        from watermark.geometry import undo

        if found.comparison.matrix is None:
            return False
        straight, _ = undo(self.pixels, found.comparison.matrix, (found.entry.height, found.entry.width))
        return read_back(straight, found.key, found.entry.image_id) is not None

    def _read_at(self, placed: Sequence[tuple[Entry, Matrix]], undone: str) -> Sighting | None:
        """Read rows of one kind where the picture lies on them: the first finding that holds."""
        from watermark.geometry import read_undone

        if not placed or (adapter := self._opened(placed[0][0].model)) is None:
            return None
        size = (placed[0][0].height, placed[0][0].width)
        noises = read_undone(self.pixels, [matrix for _, matrix in placed], size, partial(_read_all, adapter))
        for (entry, matrix), noise in zip(placed, noises, strict=True):
            fit = self.registry.fit(entry.image_id, noise)
            if self._corrected(fit) <= FOUND_LOG10_P:
                return self._sighting(fit, undone, matrix)
        return None

    def _sighting(self, fit: Fit, undone: str, matrix: Matrix) -> Sighting:
        entry = self.ledger.get(fit.image_id)
        if entry is None:
            raise LookupError(f"{fit.image_id:016x} was in the ledger a moment ago")
        return Sighting(
            check=Watermark.id,
            method=entry.watermark,
            entry=entry,
            key=self.keys[entry.key_id],
            log10_p=self._corrected(fit),
            reading=fit.reading,
            tried=self.tried,
            comparison=_compared(self.pixels, entry, matrix),
            undone=undone,
        )


def _stretched(pixels: Pixels, size: tuple[int, int]) -> Matrix:
    """From a picture of a size to one that was only brought to another."""
    return np.diag([pixels.shape[1] / size[1], pixels.shape[0] / size[0], 1.0])


def _compared(pixels: Pixels, entry: Entry, matrix: Matrix) -> Comparison:
    """A picture beside a row's thumbnail, as the mark in the noise was read; a slight crop is told by laying it over.

    The detail comes from the noise, which another picture can be drawn from, so the colours have to agree, too.
    """
    from watermark.registration import register

    size = (entry.height, entry.width)
    found = compare(pixels, entry.thumbnail, size, matrix)
    if found.shows is not Shows.SAME and entry.thumbnail:
        laid = register(pixels, entry.thumbnail, size)
        if laid.likeness.agrees:
            found = compare(pixels, entry.thumbnail, size, laid.matrix)
    return _held_to_colours(found, pixels, entry)


def _held_to_colours(found: Comparison, pixels: Pixels, entry: Entry) -> Comparison:
    if found.shows is not Shows.SAME or found.matrix is None or found.grid is None:
        return found
    from watermark.geometry import undo

    size = (entry.height, entry.width)
    straight, known = undo(pixels, found.matrix, size)
    agrees = Image.fromarray(found.grid * np.uint8(255)).resize(size[::-1], Image.Resampling.NEAREST)
    layout = fingerprint.likeness(straight, entry.thumbnail, known & (np.asarray(agrees) > 0)).layout
    return found if layout >= fingerprint.AGREE_LAYOUT else replace(found, shows=Shows.OTHER)


def likeness(pixels: Pixels, thumbnail: bytes, size: tuple[int, int]) -> fingerprint.Likeness:
    """With the thumbnail of an image of that size: as the picture is, or laid over it where that shows more."""
    from watermark.registration import register

    plain = fingerprint.likeness(fitted(pixels, size), thumbnail)
    if plain.agrees:
        return plain
    registered = register(pixels, thumbnail, size).likeness
    return max(plain, registered, key=lambda likeness: likeness.correlation)


def _read_all(adapter: Adapter, pictures: list[Pixels]) -> list[Latents]:
    from generation.invert import estimate

    height, width = pictures[0].shape[:2]
    several = max(1, _AT_ONCE // (height * width))
    parts = (pictures[at : at + several] for at in range(0, len(pictures), several))
    return [noise for part in parts for noise in estimate(adapter, part)]


@cache
def _adapter(model: str) -> Adapter:
    _require_here(model)  # before torch is imported
    from assay import device
    from generation.loading import kept_model

    return kept_model(model, device=device.available()[0], fetch=False)


def _require_here(model: str) -> None:
    """That weights are where the ledger says; what they hold is looked at once they are opened."""
    from generation.hub import require_here
    from generation.local import described, is_local
    from generation.models import spec_named

    require_here(described(model) if is_local(model) else spec_named(model))


def _reduced(pixels: Pixels, side: int) -> Pixels:
    """By a whole factor, to a longer side of `side` at least: no mark is read that finely, and all else is slower."""
    factor = max(pixels.shape[:2]) // side
    return pixels if factor < 2 else np.asarray(Image.fromarray(pixels).reduce(factor))  # noqa: PLR2004


def fitted(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A picture brought to a size: height and width."""
    if pixels.shape[:2] == size:
        return pixels
    resized: Pixels = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.LANCZOS))
    return resized


# --- saying -----------------------------------------------------------------------------------------------------------


def outcome(found: Sighting, exhibit: Exhibit) -> Outcome:
    """What a mark that leads to a row is worth."""
    details = tuple(_details(found))
    row = row_in_words(found.entry)
    shows = Shows.SAME if _is_unaltered(found.entry, exhibit) else found.comparison.shows
    if shows is Shows.UNKNOWN:
        return Observation(
            check=found.check,
            signal="mark-on-unknown-content",
            claim=None,
            summary=f"Cannot tell what it shows: it carries the mark of {row}, and {_why_unknown(found)}. {_COPIED}"
            f"{_ended(found.key)}",
            details=details,
        )
    if shows is Shows.OTHER:
        return Observation(
            check=found.check,
            signal="transplanted-watermark",
            claim=Claim.OURS,
            summary=f"Transplanted: it carries the mark of {row}, and shows something else. {_COPIED}"
            f"{_ended(found.key)}",
            details=details,
            contradiction=True,
        )
    return Measurement(
        check=found.check,
        claim=Claim.OURS,
        basis=Basis.MARKED,
        statistic=found.reading.statistic,
        null=found.reading.null,
        p_value=max(_SMALLEST_P, 10**found.log10_p),
        log10_lr=None,
        summary=_state(found, exhibit, row) + _ended(found.key),
        details=details,
        map=_map(found, exhibit),
    )


def _state(found: Sighting, exhibit: Exhibit, row: str) -> str:
    """Whether a picture that shows what was marked was changed since, and how; a reduced one cannot tell."""
    if _is_unaltered(found.entry, exhibit):
        return f"Ours, unaltered: the pixels are those of {row}."
    seen, picture = found.comparison, exhibit.facts.picture
    larger = ", inside a larger picture" if seen.is_inside else ""
    covered = " A part was covered or changed." if seen.is_covered else ""
    negative = " Light and dark are exchanged." if seen.is_negative else ""
    if seen.is_detail:
        return f"Ours, edited: a detail of {row}{larger}.{covered}{negative}"
    if picture is not None and picture.reduced > 1 and not (larger or covered or negative):
        return f"Ours: it carries the mark of {row}, and shows the same. Whether it was changed since is not known."
    return (
        f"Ours, edited: it carries the mark of {row}, shows the same{larger}, and was changed since.{covered}{negative}"
    )


def _why_unknown(found: Sighting) -> str:
    if not found.entry.thumbnail:
        return "the ledger keeps no thumbnail to compare with"
    if found.comparison.matrix is None:
        return "it cannot be laid over the ledger's thumbnail"
    if found.comparison.reach < OTHER_REACH:
        return "too little of that is here to compare with the ledger's thumbnail"
    return "the ledger's thumbnail neither agrees nor disagrees clearly"


def _map(found: Sighting, exhibit: Exhibit) -> bytes | None:
    """Where the picture shows what was marked; None where that is everywhere."""
    seen = found.comparison
    if _is_unaltered(found.entry, exhibit) or not (seen.is_inside or seen.is_covered):
        return None
    return seen.map(exhibit.pixels.shape[:2], (found.entry.height, found.entry.width))


def _ended(key: WatermarkKey) -> str:
    """A sentence about a key that marks no more, behind others; nothing about a current one."""
    standing = key.standing(datetime.now(UTC))
    return "" if standing == KeyState.CURRENT else f" Its key is {standing}."


def key_detail(key: WatermarkKey) -> Detail:
    """Which key, and what it may still do, for every finding."""
    return Detail(name="Key", value=f"{key.id}, {key.standing(datetime.now(UTC))}")


def row_in_words(entry: Entry) -> str:
    """A row of the ledger, as a sentence goes on."""
    came = (
        f"made {entry.created} with {shown(entry.model)}" if entry.model else f"marked {entry.created}, not made here"
    )
    return f"image {entry.image_id:016x}, {came}"


def _is_unaltered(entry: Entry, exhibit: Exhibit) -> bool:
    return exhibit.facts.sha256 == entry.file_sha256 or pixel_sha256(exhibit.pixels) == entry.pixel_sha256


def _details(found: Sighting) -> Iterator[Detail]:
    entry = found.entry
    yield Detail(name=LEDGER_ROW, value=f"{entry.image_id:016x}")
    if entry.model:
        yield Detail(
            name="Made", value=f"{entry.created}, {shown(entry.model)}, {entry.scheduler}, {entry.steps} steps"
        )
    else:
        yield Detail(name="Marked", value=entry.created)
    yield Detail(name="Delivered as", value=entry.name, private=True)
    yield Detail(name="Watermark", value=found.method)
    yield key_detail(found.key)
    yield Detail(name="Chance", value=f"10^{math.ceil(found.log10_p)} or less, over {found.tried:,} tries")
    yield Detail(name="Undone before reading", value=found.undone)
    if found.is_in_pixels:
        yield Detail(name="Mark in the pixels", value="says the same, read where the mark in the noise lies")
    yield Detail(name="Beside the ledger's thumbnail", value=_in_words(found.comparison))
    if entry.manifest:
        yield Detail(name="Credentials", value="the ledger keeps them: assay recover FILE -o OUT puts them back")


def _in_words(seen: Comparison) -> str:
    if seen.matrix is None:
        return "nothing to compare"
    where = f", {seen.around:.0%} of this picture lies around it" if seen.is_inside else ""
    return f"{seen.share:.0%} of the detail agrees, over {seen.reach:.0%} of the original{where}"
