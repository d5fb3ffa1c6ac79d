"""Rows as an expert of known skill would leave them."""

from __future__ import annotations

import numpy as np

from detection.manifest import Label
from detection.measuring import Row
from detection.quality import Quality

GOOD = Quality(longest=1024, shortest=768, detail=0.3, flat=0.01)
POOR = Quality(longest=512, shortest=384, detail=0.1, flat=0.05)


def rows(count: int, seed: int = 0, *, skill: float = 2.0) -> list[Row]:
    """Half made, half photographed, in five folds; the first expert knows something, the second guesses."""
    random = np.random.default_rng(seed)
    return [row(number, random, skill) for number in range(count)]


def row(number: int, random: np.random.Generator, skill: float) -> Row:
    label = Label.AI if number % 2 else Label.REAL
    quality = (GOOD, POOR)[number // 4 % 2]
    shift = skill * (1 if quality is GOOD else 0.4)
    logit = random.normal(shift if label is Label.AI else -shift, 1.5)
    return Row(
        id=f"{number:x}",
        path=f"{number}.png",
        label=label,
        kind=f"kind-{number % 4}",
        source=f"source-{number % 7}",
        fold=number // 8 % 5,
        delivery="native" if quality is GOOD else "hard",
        quality=quality,
        logits={"patches": logit, "handmade": random.normal()},
    )
