"""The blind probe: how well do things that prove nothing tell made from photographed?

A set that its file sizes, quantisation tables or coarse colours give away teaches those, and reports their accuracy as
its own. So every single number is tried, and a classifier of 8 x 8 thumbnails, on sources that it did not see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.discrimination import auc
from assay.errors import ConfigurationError
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from detection.batches import Batches
from detection.delivery import drawn
from detection.overlap import FOLDS, glanced, thumbnails
from detection.prepare import SIDE, Prepared

CEILING, THUMBNAIL_CEILING = 0.60, 0.65
SHOWN = 6_000
"""Draws of what is shown, at most."""
_QUALITIES = (30, 98)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one thing that proves nothing reaches."""

    name: str
    raw: float | None
    """AUC on the files as listed, in whichever direction is better; None for what is asked of shown squares only."""
    prepared: float | None
    """The same on what a network is shown; None where it is the same for all there."""

    @property
    def is_too_good(self) -> bool:
        """Whether training should refuse the set."""
        ceiling = THUMBNAIL_CEILING if self.name.startswith("thumbnail") else CEILING
        return self.prepared is not None and self.prepared > ceiling


def audit(prepared: Prepared, seed: int = 0) -> tuple[Probe, ...]:
    """Every probe of a set; what is shown is drawn as batches are.

    Args:
        prepared: With pictures of both labels.
        seed: Of the draw, the degradations and the classifier.

    Raises:
        ConfigurationError: One label has too few pictures to hold some back.
    """
    labels = prepared.labels
    if np.bincount(labels, minlength=2).min() < FOLDS:
        raise ConfigurationError("an audit needs both labels", hint="Add photographs, or generated pictures.")
    batches = Batches(prepared, np.arange(len(labels)), side=SIDE)
    chosen = np.array(batches.drawn(np.random.default_rng([seed, 1]), min(SHOWN, 4 * len(labels))))
    shown = [_shown(prepared.crops[item, 0], seed, number) for number, item in enumerate(chosen)]
    listed = np.unique(np.linspace(0, len(labels) - 1, min(SHOWN, len(labels))).astype(int))
    return (*_numbers(prepared, shown, chosen), *_thumbnails(prepared, listed, shown, chosen, seed))


def too_good(probes: Sequence[Probe]) -> str | None:
    """What gives the labels away, in words; None where nothing does."""
    found = [f"{probe.name} ({probe.prepared:.2f})" for probe in probes if probe.is_too_good]
    return f"labels can be told by {', '.join(found)}" if found else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shown:
    """One square as a network is shown it, and as a file."""

    pixels: Pixels
    bytes: int


def _shown(pixels: Pixels, seed: int, number: int) -> _Shown:
    random = np.random.default_rng([seed, number])
    name = drawn(random)
    made = perturbation(name).apply(pixels, number) if name else np.asarray(pixels)
    stream = BytesIO()
    Image.fromarray(made).save(stream, "JPEG", quality=int(random.integers(*_QUALITIES)))
    return _Shown(pixels=made, bytes=stream.tell())


def _numbers(prepared: Prepared, shown: Sequence[_Shown], chosen: NDArray[np.int64]) -> Iterator[Probe]:
    """Single numbers: each by itself, which needs no training."""
    facts, labels, theirs = prepared.facts, prepared.labels, prepared.labels[chosen]

    def probe(name: str, raw: Sequence[float] | None, prepared_: Sequence[float] | None = None) -> Probe:
        return Probe(name=name, raw=_either_way(raw, labels), prepared=_either_way(prepared_, theirs))

    yield probe("width", [fact.width for fact in facts])
    yield probe("height", [fact.height for fact in facts])
    yield probe("aspect", [fact.width / fact.height for fact in facts])
    yield probe("pixels", [fact.width * fact.height for fact in facts])
    yield probe("JPEG quantisation", [fact.quantisation for fact in facts])
    yield probe("EXIF", [fact.has_exif for fact in facts])
    yield probe("colour profile", [fact.has_profile for fact in facts])
    rate = [one.bytes / one.pixels[..., 0].size for one in shown]
    yield probe("bytes a pixel", [fact.bytes / (fact.width * fact.height) for fact in facts], rate)
    for name, measure in _OF_PIXELS.items():
        yield probe(name, None, [measure(one.pixels.astype(np.float32)) for one in shown])


_OF_PIXELS: Mapping[str, Callable[[NDArray[np.float32]], float]] = {
    "brightness": lambda pixels: float(pixels.mean()),
    "contrast": lambda pixels: float(pixels.std()),
    "colourfulness": lambda pixels: float(np.ptp(pixels, axis=-1).mean()),
    "detail": lambda pixels: float(np.abs(np.diff(pixels, axis=1)).mean()),
}


def _either_way(values: Sequence[float] | None, labels: NDArray[np.int64]) -> float | None:
    if values is None:
        return None
    array = np.asarray(values)
    area = auc(array[labels == 1], array[labels == 0])
    return max(area, 1 - area)


def _thumbnails(
    prepared: Prepared, listed: NDArray[np.int64], shown: Sequence[_Shown], chosen: NDArray[np.int64], seed: int
) -> Iterator[Probe]:
    raw = thumbnails(np.asarray(prepared.crops[listed, 0]))
    small = np.concatenate([thumbnails(one.pixels[None]) for one in shown])
    for name, by_source in (("thumbnail, other sources", True), ("thumbnail, same sources", False)):
        if by_source and len(set(prepared.sources)) < 2 * FOLDS:
            continue  # too few to hold some back
        areas = []
        for values, members in ((raw, listed), (small, chosen)):
            labels = prepared.labels[members]
            groups = prepared.sources[members] if by_source else members.astype(str)
            made = glanced(values, labels, groups, seed)
            areas.append(auc(made[labels == 1], made[labels == 0]))
        yield Probe(name=name, raw=areas[0], prepared=areas[1])
