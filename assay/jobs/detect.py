"""The `detector` check: do the pixels look as if a generative model had made them?

Where areas meet: the catalog names the experts, `detection` weighs them. Torch is imported with the first picture.
"""

# ruff: noqa: PLC0415 - torch and timm only where there is a picture to look at

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from hashlib import sha256
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image

from assay import catalog
from assay.errors import ConfigurationError
from assay.vocabulary import (
    Basis,
    Claim,
    Detail,
    Detector,
    Exhibit,
    Measurement,
    Outcome,
    Pixels,
    Settings,
    Skipped,
)

if TYPE_CHECKING:
    from detection.panel import Finding, Panel
    from detection.viewer import Viewer

WEIGHTS = Path(__file__).parents[2] / "detection" / "weights"
PANEL = "panel.json"
VIEWER, VIEWER_PANEL = "clip.safetensors", "clip.json"
_NULL = "unknown; the ratio was calibrated on {photographs:,} photographs and {made:,} pictures that models made"


class LearnedDetector:
    """Learned detectors: how much more often pictures that models made look like this one than photographs do.

    What it means: the ratio compares two propositions, that a model of the kinds it was measured on made or remade the
    picture, and that a camera recorded it and ordinary processing followed. It is bounded by the pictures that it was
    calibrated on, and withheld where the picture is small, compressed or no photograph at all, where more than one
    photograph in a hundred looks the same, and, where CLIP takes no part, where encoding the picture again turns it.

    With CLIP's weights (`assay models add clip`) a head on CLIP alone answers; without them the experts on squares of
    pixels do. Each has its own calibration, and every finding says who answered, by the sha256 of the weights.

    What it does not mean: a ratio is no probability that the picture was generated, which depends on where it comes
    from. A ratio below one does not show that a camera took it: newer generators than those it was measured on, and
    generated parts of a photograph, often look like photographs.
    """

    id: ClassVar[str] = "detector"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.GENERATED})

    def __init__(self, settings: Settings) -> None:
        """Loads nothing yet."""
        self._settings = settings

    @cached_property
    def idle(self) -> str | None:
        """Why nobody looks; None where somebody does."""
        if any(find_spec(name) is None for name in ("torch", "timm", "scipy")):
            return "Detectors need models: pip install 'assay[models]'."
        if not (WEIGHTS / PANEL).exists():
            return f"There are no weights in {WEIGHTS}."
        return None

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Look at upright pixels."""
        if self.idle is not None:
            return (Skipped(check=self.id, reason=self.idle),)
        from detection.quality import quality, unfit

        reason = unfit(quality(exhibit.pixels))
        if reason is not None:
            return (Skipped(check=self.id, reason=f"Not measured: {reason}."),)
        try:
            viewing = _viewing(self._settings.home)
        except ConfigurationError as error:
            return (Skipped(check=self.id, reason=f"{error}. {error.hint}"),)
        return (_by_experts(exhibit.pixels) if viewing is None else _by_viewer(exhibit.pixels, *viewing),)


def open_experts(folder: Path, device: str) -> list[Detector]:
    """The experts whose weights a folder has."""
    return [
        catalog.detector(name, path, device)
        for name in catalog.DETECTORS
        if (path := folder / f"{name}.safetensors").exists()
    ]


@cache
def _shipped() -> tuple[Panel, Sequence[Detector]]:
    """Loaded once for each process."""
    from assay.device import available
    from detection import panel

    return panel.load(WEIGHTS / PANEL), open_experts(WEIGHTS, available()[0])


@cache
def _viewing(home: Path) -> tuple[Panel, Viewer] | None:
    """What looks with CLIP, loaded once for each process; None where CLIP's weights are not here."""
    from assay.device import available
    from detection import clip, panel, viewer

    if not clip.place(home).exists():
        return None
    return panel.load(WEIGHTS / VIEWER_PANEL), viewer.opened(WEIGHTS / VIEWER, home, available()[0])


def _by_viewer(pixels: Pixels, known: Panel, viewer: Viewer) -> Measurement:
    from detection.panel import judged
    from detection.pictures import limited
    from detection.quality import quality
    from detection.viewer import NAME

    finding = judged(known, quality(limited(pixels)), {NAME: viewer.logit(pixels)})
    who = f"a head on CLIP ViT-B/16, sha256 {viewer.sha256[:12]} on {viewer.backbone.sha256[:12]}"
    return _measurement(known, finding, None, who)


def _by_experts(pixels: Pixels) -> Measurement:
    from detection import panel
    from detection.clip import COMMAND

    known, experts = _shipped()
    finding = panel.examine(known, pixels, experts)
    names = ", ".join(f"{name}, sha256 {digest[:12]}" for name, digest in _digests().items())
    who = f"{names}; CLIP took no part, its weights are not here: {COMMAND}"
    return _measurement(known, finding, _map(pixels, experts, finding), who)


@cache
def _digests() -> Mapping[str, str]:
    """The sha256 of each expert's weights, by its name."""
    paths = {name: WEIGHTS / f"{name}.safetensors" for name in catalog.DETECTORS}
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.exists()}


def _measurement(panel: Panel, finding: Finding, where: bytes | None, who: str) -> Measurement:
    return Measurement(
        check=LearnedDetector.id,
        claim=Claim.GENERATED,
        basis=Basis.MEASURED,
        statistic=finding.logit,
        null=_NULL.format(photographs=panel.photographs, made=panel.made),
        p_value=None,
        log10_lr=finding.log10_lr,
        summary=_summary(finding),
        details=tuple(_details(panel, finding, who)),
        map=where,
    )


def _summary(finding: Finding) -> str:
    if finding.log10_lr is None:
        return f"No finding: {finding.reason}."
    if finding.log10_lr >= 0:
        return f"Pictures that models made look like this {10**finding.log10_lr:.1f} times as often as photographs do."
    return f"Photographs look like this {10**-finding.log10_lr:.1f} times as often as pictures that models made."


def _details(panel: Panel, finding: Finding, who: str) -> Iterator[Detail]:
    low, high = panel.calibrator.bounds
    yield Detail(name="Who looked", value=who)
    yield Detail(name="Bounds of the ratio", value=f"10^{low:.1f} to 10^{high:.1f}, by the size of the calibration set")
    yield Detail(name="Detail left in the picture", value=f"{finding.quality.detail:.0%} of block coefficients")
    if finding.flips is not None:
        yield Detail(name="Re-encodings that turn it", value=f"{finding.flips} of 6")
    for name, logit in finding.logits.items():
        yield Detail(name=f"Logit of the expert “{name}”", value=f"{logit:.2f}")
    yield Detail(name="Newest generator it has seen", value=panel.newest)
    yield Detail(name="Does not cover", value="newer generators, generated parts of photographs, drawings, screenshots")


def _map(pixels: Pixels, experts: Sequence[Detector], finding: Finding) -> bytes | None:
    """Where, as an 8-bit PNG with one pixel for a patch: only beside a finding that speaks for a model."""
    from detection.panel import side_of
    from detection.patches import Patches
    from detection.pictures import limited

    looking = next((expert for expert in experts if isinstance(expert, Patches)), None)
    if looking is None or finding.log10_lr is None or side_of(finding.log10_lr) <= 0:
        return None
    (logits,) = looking.patches(limited(pixels)[None])
    stream = BytesIO()
    Image.fromarray((255 / (1 + np.exp(-logits))).round().astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()
