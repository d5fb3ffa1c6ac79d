"""How pictures reach a detector: the same chain for both classes, so that the way never tells them apart.

Everything is a name of `assay.perturb`, so a row of a table can be made again from its name alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

NATIVE = "native"
DELIVERIES: Mapping[str, str] = {
    NATIVE: "",
    "Q90": "jpeg-90",
    "web": "fit-768+jpeg-75",
    "hard": "fit-512+jpeg-40",
    "chain": "fit-1024+jpeg-85+crop-area-90+webp-70+scale-0.75+jpeg-60",
    "screenshot": "fit-1080+screenshot",
}
"""What every table is measured under: by name, the perturbation; empty for the file as it is."""

STABILITY = ("jpeg-95", "jpeg-80", "webp-80", "scale-0.9+jpeg-90", "scale-0.75+jpeg-85", "blur-0.5+jpeg-90")
"""Re-encodings that change nothing a person sees; a finding that does not survive them is no finding."""

_AS_IT_IS, _RESCALED, _SOFTENED, _NOISY, _ENCODED, _TWICE = 0.15, 0.6, 0.1, 0.1, 0.85, 0.3


def drawn(random: np.random.Generator) -> str:
    """A chain for training, by name; the codec comes last. Empty for none.

    Rescaling by .6 to 1.4, blur, noise, JPEG or WebP of quality 30 to 97, in three of ten cases after an earlier JPEG.
    """
    if random.random() < _AS_IT_IS:
        return ""
    steps = []
    if random.random() < _TWICE:
        steps.append(f"jpeg-{random.integers(50, 98)}")
    if random.random() < _RESCALED:
        steps.append(f"scale-{math.exp(random.uniform(math.log(0.6), math.log(1.4))):.3f}")
    if random.random() < _SOFTENED:
        steps.append(f"blur-{random.uniform(0.3, 1.2):.2f}")
    if random.random() < _NOISY:
        steps.append(f"noise-{random.uniform(0.003, 0.03):.4f}")
    if random.random() < _ENCODED:
        codec = "webp" if random.random() < 0.25 else "jpeg"  # noqa: PLR2004 - a share
        steps.append(f"{codec}-{random.integers(30, 98)}")
    return "+".join(steps)


REFERENCE = "fit-1024+jpeg-90"
"""The delivery of the first draw, the same for every picture."""
_CROPPED, _EARLIER, _RESIZED, _SCREEN, _SAVED = 0.3, 0.35, 0.7, 0.1, 0.9
_CODECS = (("jpeg", 0.6), ("webp", 0.25), ("avif", 0.15))


def shared(random: np.random.Generator) -> str:
    """A chain as pictures go through when people share them, by name; the codec comes last.

    A crop that keeps 60 to 99 per cent of the area, an earlier JPEG, a reduction to 448 to 1,024 pixels or a factor of
    .6 to 1.2, a screenshot, and a JPEG, WebP or AVIF of quality 35 to 97; each may be left out.
    """
    steps = []
    if random.random() < _CROPPED:
        steps.append(f"crop-area-{random.integers(60, 100)}")
    if random.random() < _EARLIER:
        steps.append(f"jpeg-{random.integers(60, 98)}")
    if random.random() < _RESIZED:
        fitted = random.random() < 0.5  # noqa: PLR2004 - a coin
        steps.append(f"fit-{random.integers(448, 1025)}" if fitted else f"scale-{random.uniform(0.6, 1.2):.3f}")
    if random.random() < _SCREEN:
        steps.append("screenshot")
    if random.random() < _SAVED or not steps:
        codec = random.choice([name for name, _ in _CODECS], p=[share for _, share in _CODECS])
        steps.append(f"{codec}-{random.integers(35, 98)}")
    return "+".join(steps)
