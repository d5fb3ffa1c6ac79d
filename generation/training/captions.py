"""Captions made from what can be measured: the kind of flower, its colour, how it is framed.

The same measure of colour judges later whether a drawn picture follows its prompt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

KINDS = ("daisy", "dandelion", "rose", "sunflower", "tulip")
COLOURS = ("white", "yellow", "orange", "red", "pink", "purple")
_SIDE = 32
_HUES = (("red", -18, 14), ("orange", 14, 38), ("yellow", 38, 68), ("purple", 245, 310), ("pink", 310, 342))
"""Degrees of hue of saturated flower colours; between yellow and purple lies what is leaf, water or sky."""
_LEAST_SHARE = 0.12
_CLOSE, _SMALL = 0.5, 0.16
"""Shares of the weighted picture from which on, and up to which, the flower is close or far."""


def colour_shares(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """The share of each flower colour in a picture of shape (H, W, 3), weighted towards its middle; in [0, 1]."""
    small = np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32) / np.float32(
        255
    )
    highest, lowest = small.max(2), small.min(2)
    saturation = (highest - lowest) / np.maximum(highest, 1e-6)
    hue = _hue(small, highest, highest - lowest)
    vivid = (saturation > 0.35) & (highest > 0.25)
    masks = {name: vivid & (hue >= low) & (hue < high) for name, low, high in _HUES}
    pale = (saturation > 0.12) & (saturation <= 0.35) & (highest > 0.5) & ((hue < 10) | (hue > 290))
    bright_red = masks["red"] & (saturation < 0.6) & (highest > 0.6) & (hue < 6)
    masks["pink"] |= pale | bright_red
    masks["red"] &= ~bright_red
    masks["white"] = (saturation < 0.18) & (highest > 0.62) & ~pale
    masks["orange"] &= highest > 0.55  # darker, it is soil
    return {name: float((_WEIGHT * masks[name]).sum()) for name in COLOURS}


def colour(pixels: NDArray[np.uint8]) -> str | None:
    """The flower's colour; None where no colour takes enough of the picture."""
    shares = colour_shares(pixels)
    best = max(COLOURS, key=shares.__getitem__)
    return best if shares[best] >= _LEAST_SHARE else None


def colour_in(text: str) -> str | None:
    """The colour that a caption names; None where it names none."""
    return next((word for word in text.split() if word in COLOURS), None)


def kind_in(text: str) -> str | None:
    """The kind of flower that a caption names, as captions spell one; None where it names none."""
    words = (word.replace("daisies", "daisy").removesuffix("s") for word in text.split())
    return next((word for word in words if word in KINDS), None)


def caption(kind: str, pixels: NDArray[np.uint8]) -> str:
    """Words for a photograph of this kind of flower, such as `a close-up of a pink tulip`."""
    found = colour(pixels)
    share = sum(colour_shares(pixels).values())
    words = f"{found} {kind}" if found else kind
    plural = "daisies" if kind == "daisy" else f"{kind}s"
    if share >= _CLOSE:
        return f"a close-up of {_article(words)} {words}"
    if share <= _SMALL:
        return f"{words.removesuffix(kind)}{plural} in a field"
    return f"{_article(words)} {words}"


def phrasings(text: str) -> tuple[str, ...]:
    """Ways to say a caption: as it is, as a photograph, without its article, and as the bare words."""
    bare = text.removeprefix("a close-up of ").removeprefix("an ").removeprefix("a ")
    return tuple(dict.fromkeys((text, f"a photo of {text}", bare, f"{_article(bare)} {bare}")))


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"


def _hue(rgb: NDArray[np.float32], highest: NDArray[np.float32], chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Degrees in [-18, 342): reds lie in one piece."""
    red, green, blue = np.moveaxis(rgb, 2, 0)
    safe = np.maximum(chroma, 1e-6)
    sector = np.where(
        highest == red,
        ((green - blue) / safe) % 6,
        np.where(highest == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    degrees = 60 * sector
    shifted: NDArray[np.float32] = np.where(degrees >= 342, degrees - 360, degrees).astype(np.float32)
    return shifted


def _weight() -> NDArray[np.float32]:
    axis = np.linspace(-1, 1, _SIDE)
    weight = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 0.55**2))
    return np.asarray(weight / weight.sum(), np.float32)


_WEIGHT = _weight()
