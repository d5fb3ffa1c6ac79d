"""All experts together: one picture in, one finding out, or the reason why there is none.

A finding says how much more often pictures made by models look like this one than photographs do. It abstains where
the picture gives too little to go on, where the experts' answer lies within what one photograph in a hundred reaches,
and where it changes when the picture is encoded again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.perturb import perturbation
from assay.vocabulary import Detector, Pixels
from detection.calibrate import Calibrator
from detection.delivery import STABILITY
from detection.fusion import Fusion
from detection.measuring import measure
from detection.pictures import limited
from detection.quality import Quality, unfit

FULL, TRIAGE, QUICK = 8, 1, 2
"""Squares: for one picture, for many, and for each re-encoding."""
SPEAKS_FOR, SPEAKS_AGAINST = 1.0, math.log10(0.5)
"""log10 ratios from which a finding says something: ten for, and two against (ENFSI, 2015: weak support)."""
FALSE_ALARMS = 0.01
MOST_FLIPS = 1
"""Re-encodings, at most, that may change the side of a finding."""
BINS: Mapping[str, tuple[float, float]] = {"little": (0, 0.15), "some": (0.15, 0.35), "much": (0.35, 2)}
"""Quality bins by the detail that is left: each has its own bound on false alarms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What turns experts' logits into a finding."""

    fusion: Fusion
    calibrator: Calibrator
    thresholds: Mapping[str, float]
    """By quality bin: the fused logit that one photograph in a hundred exceeds; infinite where too few were seen."""
    photographs: int
    """In the calibration set."""
    made: int
    newest: str
    """The newest generator that the weights have seen, and when its pictures were made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the panel says of one picture."""

    quality: Quality
    logits: Mapping[str, float]
    logit: float
    """Fused."""
    ratio: float
    """log10 of the likelihood ratio, whether it is stated or not."""
    log10_lr: float | None
    """The same where it is stated; None is an abstention."""
    reason: str
    """Of the abstention; empty otherwise."""
    flips: int | None
    """Re-encodings that change the side of the finding; None where they were not made."""


def bin_of(quality: Quality) -> str:
    """The quality bin of a picture."""
    return next(name for name, (least, most) in BINS.items() if least <= quality.detail < most)


def judged(panel: Panel, quality: Quality, logits: Mapping[str, float]) -> Finding:
    """A finding from what was measured, before re-encodings."""
    logit = panel.fusion.logit(logits, quality)
    log10_lr = float(panel.calibrator.log10_lr(logit))
    reason = unfit(quality) or _within_bound(panel, quality, logit, log10_lr)
    return Finding(
        quality=quality,
        logits=logits,
        logit=logit,
        ratio=log10_lr,
        log10_lr=None if reason else log10_lr,
        reason=reason or "",
        flips=None,
    )


def _within_bound(panel: Panel, quality: Quality, logit: float, log10_lr: float) -> str | None:
    if log10_lr < SPEAKS_FOR or logit > panel.thresholds[bin_of(quality)]:
        return None
    return "more than one in a hundred photographs of this quality look as much so"


def examine(
    panel: Panel, pixels: Pixels, experts: Sequence[Detector], *, count: int = FULL, stable: bool = True
) -> Finding:
    """Look at one picture.

    Args:
        panel: What to make of the logits.
        pixels: uint8 of shape (height, width, 3).
        experts: All that the panel weighs.
        count: Squares, at most.
        stable: Encode a finding that speaks for a model again, in six ways, and abstain where that changes it.
    """
    quality, logits = measure(pixels, experts, count)
    finding = judged(panel, quality, logits)
    if not stable or finding.log10_lr is None or side_of(finding.log10_lr) == 0:
        return finding
    flips = sum(_flipped(panel, finding, again, experts) for again in re_encoded(pixels))
    if flips <= MOST_FLIPS:
        return _with(finding, flips=flips)
    reason = f"unstable: {flips} of {len(STABILITY)} re-encodings, which nobody sees, change the finding"
    return _with(finding, flips=flips, log10_lr=None, reason=reason)


def re_encoded(pixels: Pixels) -> list[Pixels]:
    """The picture as services would hand it on, in six ways."""
    picture = limited(pixels)
    return [perturbation(name).apply(picture) for name in STABILITY]


def _flipped(panel: Panel, finding: Finding, pixels: Pixels, experts: Sequence[Detector]) -> bool:
    """Whether the picture, encoded again, would lead to the other side, or to none."""
    quality, logits = measure(pixels, experts, QUICK)
    log10_lr = float(panel.calibrator.log10_lr(panel.fusion.logit(logits, quality)))
    return finding.log10_lr is not None and log10_lr * finding.log10_lr < 0


def side_of(log10_lr: float) -> int:
    """1 where a ratio speaks for a model, -1 where it speaks against, 0 where it says nothing."""
    return 1 if log10_lr >= SPEAKS_FOR else -1 if log10_lr <= SPEAKS_AGAINST else 0


def _with(finding: Finding, **changes: Any) -> Finding:
    return replace(finding, **changes)


# --- the file ---------------------------------------------------------------------------------------------------------


def save(panel: Panel, path: Path) -> None:
    """Write a panel, as JSON that can be read."""
    fields = asdict(panel)
    fields["thresholds"] = {name: value if math.isfinite(value) else None for name, value in panel.thresholds.items()}
    write_whole(path, (json.dumps(fields, indent=1) + "\n").encode())


def load(path: Path) -> Panel:
    """A panel that was saved.

    Raises:
        ConfigurationError: The file cannot be read, or is none.
    """
    try:
        fields = json.loads(path.read_text())
        stated = fields["calibrator"]
        weights = {name: (float(pair[0]), float(pair[1])) for name, pair in fields["fusion"]["weights"].items()}
        return Panel(
            fusion=Fusion(weights=weights, bias=float(fields["fusion"]["bias"])),
            calibrator=Calibrator(
                method=stated["method"],
                knots=tuple(stated["knots"]),
                log10_lrs=tuple(stated["log10_lrs"]),
                bounds=(float(stated["bounds"][0]), float(stated["bounds"][1])),
            ),
            thresholds={
                name: np.inf if value is None else float(value) for name, value in fields["thresholds"].items()
            },
            **{name: fields[name] for name in ("photographs", "made", "newest")},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not a panel: {error}", hint="Calibrate, or fetch it again.") from error
