"""Labelled pictures to train and measure on, made of two photographs that scikit-learn brings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from assay.vocabulary import Pixels


def photograph(number: int) -> Pixels:
    """A part of a photograph."""
    whole = load_sample_image(("china.jpg", "flower.jpg")[number % 2])
    top, left = np.random.default_rng(number).integers(0, (80, 200))
    cut: Pixels = whole[top : top + 340, left : left + 400]
    return cut


def smoothed(pixels: Pixels) -> Pixels:
    """What a crude decoder would leave of it: blocks of two pixels, blended."""
    image = Image.fromarray(pixels)
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    return np.array(half.resize(image.size, Image.Resampling.BILINEAR))


def labelled(root: Path) -> Path:
    """A folder: photographs of two cameras, and what two generators made of the same scenes."""
    for number in range(12):
        pixels = photograph(number)
        for name, content in (("real/camera", pixels), ("ai/decoder", smoothed(pixels))):
            place = root / f"{name}-{number % 2}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(place / f"{number}.png")
    return root
