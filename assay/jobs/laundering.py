"""laundering: one picture through a chain of edits with a strength each, and how the evidence falls as one grows.

The edits are those of `assay.perturb` and the regeneration of `assay attack`; what is said of the result is what
`verify` says of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from assay import catalog
from assay.jobs.attack import regenerated
from assay.jobs.verify import Examiner, Upload
from assay.perturb import perturbation
from assay.policy import is_found
from assay.repaint import encoded_png
from assay.vocabulary import Measurement, Outcome, Pixels, Report, Skipped

LEVELS = 255
"""Noise is stated in grey levels, of which there are so many above black."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laundering:
    """How strong each edit is; as it is by default, nothing happens.

    They come in the order of the fields: geometry, filter and noise, then a model, and a file that is encoded last.
    """

    crop: float = 1.0
    """Part of each side that is kept, in [0.01, 1]; the window is enlarged to the size of the picture."""
    rotation: float = 0.0
    """Degrees counter-clockwise, in [-180, 180]; what no pixel covers is black."""
    blur: float = 0.0
    """Standard deviation of a Gaussian in pixels, in [0, 100]."""
    noise: float = 0.0
    """Standard deviation in grey levels, in [0, 255]."""
    regeneration: float = 0.0
    """Part of the way to pure noise that a model takes the picture before it draws it anew, in [0, 1]."""
    jpeg: int | None = None
    """Quality, in [1, 100]; None is not encoded."""


class Slider(StrEnum):
    """The edits of `Laundering`, by the names of its fields."""

    CROP = "crop"
    ROTATION = "rotation"
    BLUR = "blur"
    NOISE = "noise"
    REGENERATION = "regeneration"
    JPEG = "jpeg"


SWEEPS: Mapping[Slider, tuple[float | None, ...]] = {
    Slider.CROP: (1.0, 0.9, 0.75, 0.6, 0.5, 0.35, 0.25),
    Slider.ROTATION: (0.0, 2.0, 5.0, 10.0, 20.0, 45.0),
    Slider.BLUR: (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
    Slider.NOISE: (0.0, 4.0, 8.0, 13.0, 19.0, 26.0, 38.0),
    Slider.REGENERATION: (0.0, 0.1, 0.2, 0.3, 0.4, 0.6),
    Slider.JPEG: (None, 90, 75, 50, 30, 20, 10),
}
"""Values to try, from nothing to strong."""


def laundered(pixels: Pixels, laundering: Laundering, *, seed: int = 0) -> Pixels:
    """A picture after all edits: uint8 of shape (height, width, 3), the same shape as before.

    Args:
        pixels: Left as it is.
        laundering: What is done.
        seed: Draws the noise, the model's and that of the pixels, and where the window of a crop is.

    Raises:
        ConfigurationError: A strength is out of range.
    """
    for name in _before_model(laundering):
        pixels = perturbation(name).apply(pixels, seed)
    if laundering.regeneration:
        pixels = regenerated(pixels, laundering.regeneration, seed=seed)
    if laundering.jpeg is not None:
        pixels = perturbation(f"jpeg-{laundering.jpeg}").apply(pixels, seed)
    return pixels


def _before_model(laundering: Laundering) -> Iterator[str]:
    """The names of perturbations."""
    if laundering.crop != 1:
        yield f"crop-{_written(100 * laundering.crop)}"
    if laundering.rotation:
        yield f"rotate-{_written(laundering.rotation)}"
    if laundering.blur:
        yield f"blur-{_written(laundering.blur)}"
    if laundering.noise:
        yield f"noise-{_written(laundering.noise / LEVELS)}"


def _written(value: float) -> str:
    """Without an exponent, which names of perturbations know nothing of."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


# --- how the evidence falls -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is left of one check's evidence."""

    check: str
    p_value: float | None
    """None where nothing was measured."""
    log10_lr: float | None
    """None where nothing was measured, of a watermark, and of an abstention."""
    found: bool
    """Whether the policy counts it: a mark that is read on something else than was made, *transplanted*, is not."""
    summary: str
    """In the check's words; empty where it found nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """One value of a slider, and what is said of the picture there."""

    value: float | None
    pixels: Pixels
    """The picture as it was examined."""
    report: Report
    """As from `verify`."""
    standings: tuple[Standing, ...]
    """Of every check that looked at the pixels, in the order of the catalog."""


def fall(
    examiner: Examiner,
    pixels: Pixels,
    slider: Slider,
    *,
    others: Laundering | None = None,
    values: Sequence[float | None] | None = None,
    seed: int = 0,
) -> Iterator[Point]:
    """Move one slider, and examine the picture at every value.

    Args:
        examiner: Says what `verify` says; its settings decide which checks look.
        pixels: The picture before anything.
        slider: Which one.
        others: Where the other sliders are; at rest by default.
        values: Of the slider; those of `SWEEPS` by default.
        seed: See `laundered`.

    Yields:
        A point for every value, in their order, as soon as it is known.

    Raises:
        ConfigurationError: A value is out of range.
    """
    for value in SWEEPS[slider] if values is None else values:
        moved: dict[str, Any] = {slider.value: value}
        changed = laundered(pixels, replace(others or Laundering(), **moved), seed=seed)
        report = examined(examiner, changed, f"{slider}-{value}.png")
        yield Point(value=value, pixels=changed, report=report, standings=standings(report))


def examined(examiner: Examiner, pixels: Pixels, name: str) -> Report:
    """What `verify` says of pixels that came as a PNG of that name."""
    (found,) = examiner.examine([Upload(name=name, data=encoded_png(pixels))])
    return found.report


def standings(report: Report) -> tuple[Standing, ...]:
    """What is left of the evidence in the pixels: nothing of checks that were left out, or had nothing to look for."""
    return tuple(
        _standing(outcome)
        for outcome in report.outcomes
        if outcome.check in catalog.PIXEL_CHECKS and not isinstance(outcome, Skipped)
    )


def _standing(outcome: Outcome) -> Standing:
    summary = getattr(outcome, "summary", "")
    if isinstance(outcome, Measurement):
        return Standing(
            check=outcome.check,
            p_value=outcome.p_value,
            log10_lr=outcome.log10_lr,
            found=is_found(outcome),
            summary=summary,
        )
    return Standing(check=outcome.check, p_value=None, log10_lr=None, found=False, summary=summary)
