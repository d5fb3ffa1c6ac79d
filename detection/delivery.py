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
