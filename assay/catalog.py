"""Everything that can be plugged in, by name. One line registers a method; the contract tests cover it from then on.

Values are `module:attribute` and are imported only when asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from assay.vocabulary import (
    Check,
    Claim,
    Detector,
    Exhibit,
    Format,
    LatentWatermark,
    Outcome,
    PixelWatermark,
    Settings,
    Skipped,
)

FILE_CHECKS: Mapping[str, str] = {
    "credentials": "forensics.credentials:Credentials",
    "metadata": "forensics.metadata:Metadata",
}
"""Checks that read the bytes as received. They parse untrusted input, so they run in guarded workers, without torch."""

PIXEL_CHECKS: Mapping[str, str] = {
    "watermark": "assay.jobs.marks:Watermark",
    "pixel-watermark": "assay.jobs.pixel_marks:PixelMark",
    "legacy-watermark": "assay.jobs.legacy_marks:LegacyWatermark",
    "detector": "assay.jobs.detect:LearnedDetector",
}
"""Checks that look at pixels. They run in the calling process, on what a guarded worker decoded."""

CHECKS = (*FILE_CHECKS, *PIXEL_CHECKS)
"""All of them, in the order in which reports show them."""

LATENT_WATERMARKS: Mapping[str, str] = {
    "sealed-seed": "watermark.sealed_seed:SealedSeed",
    "sealed-seed-stateless": "watermark.sealed_seed:StatelessSeed",
    "tree-ring": "watermark.tree_ring:TreeRing",
    "gaussian-shading": "watermark.gaussian_shading:GaussianShading",
    "gaussian-shading-fixed": "watermark.gaussian_shading:FixedPadGaussianShading",
    "prc": "watermark.prc:Prc",
}
"""Marks in the noise from which a diffusion model draws. All but the first two are there to be compared with."""

PIXEL_WATERMARKS: Mapping[str, str] = {
    "spread": "watermark.spread:Spread",
}
"""Marks in the pixels of finished pictures."""

DETECTORS: Mapping[str, str] = {
    "patches": "detection.patches:opened",
    "handmade": "detection.handmade:opened",
}
"""Experts on pictures that models make: functions of a file of weights and a device."""

FORMATS: Mapping[str, str] = {
    "text": "assay.report.as_text:render",
    "json": "assay.report.as_json:render",
    "jsonl": "assay.report.as_json:render_lines",
    "sarif": "assay.report.as_sarif:render",
    "junit": "assay.report.as_junit:render",
    "markdown": "assay.report.as_markdown:render",
    "html": "assay.report.as_html:render",
    "pdf": "assay.report.as_pdf:render",
}


def load(reference: str) -> object:
    """Import what `module:attribute` names.

    Raises:
        ImportError: The module does not exist.
        AttributeError: The module has no such attribute.
    """
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def check_types() -> dict[str, type[Check]]:
    """Every check's class by its id, in the order in which reports show them."""
    return {name: cast("type[Check]", load(reference)) for name, reference in {**FILE_CHECKS, **PIXEL_CHECKS}.items()}


def explanation(check: str) -> str:
    """What a check does, what a finding of it means, and what it does not mean.

    Raises:
        KeyError: No check has that id.
    """
    return inspect.getdoc(load({**FILE_CHECKS, **PIXEL_CHECKS}[check])) or ""


def make(references: Mapping[str, str], settings: Settings) -> tuple[Check, ...]:
    """One instance of each of these checks; one that only says so for each that the settings leave out.

    Raises:
        ConfigurationError: A check cannot work with these settings.
    """
    return tuple(
        _left_out(name) if name in settings.skip else cast("Callable[[Settings], Check]", load(reference))(settings)
        for name, reference in references.items()
    )


def _left_out(name: str) -> Check:
    """A check that the user does not want: it says so, and looks at nothing."""

    class LeftOut:
        id = name
        claims: frozenset[Claim] = frozenset()
        idle = "Left out on request (--skip)."

        def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:  # noqa: ARG002
            return (Skipped(check=name, reason=self.idle),)

    return cast("Check", LeftOut())


def latent_watermark(name: str) -> LatentWatermark:
    """The latent watermark with that name.

    Raises:
        KeyError: No watermark has that name.
    """
    return cast("Callable[[], LatentWatermark]", load(LATENT_WATERMARKS[name]))()


def pixel_watermark(name: str) -> PixelWatermark:
    """The pixel watermark with that name.

    Raises:
        KeyError: No watermark has that name.
    """
    return cast("Callable[[], PixelWatermark]", load(PIXEL_WATERMARKS[name]))()


def detector(name: str, weights: Path, device: str) -> Detector:
    """The expert with that name.

    Raises:
        KeyError: No expert has that name.
        ConfigurationError: The weights cannot be used.
    """
    return cast("Callable[[Path, str], Detector]", load(DETECTORS[name]))(weights, device)


def format_named(name: str) -> Format:
    """The format with that name.

    Raises:
        KeyError: No format has that name.
        ConfigurationError: What it needs is not installed.
    """
    return cast("Format", load(FORMATS[name]))
