"""Likeness of pictures: a perceptual hash and its distance, a thumbnail and the correlation with it."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.vocabulary import Pixels

HASH_BITS = 64
_SIDE = 8

THUMBNAIL_SIDE = 64
"""The longer side of a thumbnail, in pixels."""
AGREE_CORRELATION = 0.8
"""Least `Likeness.correlation` of pictures that show the same.

One picture after a codec, noise, blur or a crop has .95 and more; the best fit of two pictures of one kind of flower,
laid over each other in whichever way suits them, seldom reaches .7.
"""

AGREE_OVERLAP = 0.2
"""Least `Likeness.overlap` of pictures that show the same: a crop to half of each side leaves .22 to .25.

A smaller patch can be laid over some part of almost anything.
"""

AGREE_LAYOUT = 0.96
"""Least `Likeness.layout` of pictures that show the same.

Chosen on 48 pictures of the model that comes with Assay, between what edits leave of them and what another prompt drawn
from the same noise gives; on other pictures, `docs/robustness.md` says whom it accuses and whom it misses.
"""

_BLOCKS, _SPARED = 8, 0.15
"""Blocks a side whose colours make the layout, and the part of them that may be anything: a box, a caption."""
_COLOUR_NOISE = 2.0
"""Standard deviation of a block's colour that means nothing, in grey levels."""
_GRID = 64
_FINE, _COARSE, _LOCAL = 1.0, 2.0, 5.0
"""Standard deviations in cells: of detail that codecs and noise leave alone, of shading, of one neighbourhood."""

_Values: TypeAlias = NDArray[np.float64]


def dhash(image: Image.Image) -> int:
    """The difference hash of a picture: for each of 8 x 8 cells, is it darker than the cell to its right?

    It survives scaling, recompression and changes of brightness or contrast; it does not survive rotation, flips or
    strong crops, and says nothing of a picture without contrast. The method is Neal Krawetz's "Kind of Like That"
    (2013), with area averages as the reduction.

    Args:
        image: A decoded picture of any mode and size, as stored: orientation is not applied.

    Returns:
        64 bits, row by row, the top left cell in the most significant bit.
    """
    values = image.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX).tobytes()
    bits = 0
    for at in range(len(values)):
        if at % (_SIDE + 1) < _SIDE:
            bits = bits << 1 | (values[at] < values[at + 1])
    return bits


def distance(a: int, b: int) -> int:
    """The number of bits, 0 to 64, in which two hashes differ; about 32 for pictures that have nothing in common."""
    return (a ^ b).bit_count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How much of what a thumbnail shows is in a picture that was laid over it."""

    correlation: float
    """In [-1, 1]: the median over places, weighted by contrast, of the local correlation of detail in brightness.

    Near 1 for the same picture after recompression, noise, blur or a change of light, near 0 for another one. A box
    over a small part of the picture moves a mean but not a median.
    """
    hash_distance: int
    """Differing bits of the `dhash`, 0 to 64, over the part that both show."""
    layout: float
    """At most 1: the part of the variance of the picture's coarse colours that those of the thumbnail explain.

    After any linear change of colours, so that light, saturation and loss of colour cost nothing; the worst 15 % of the
    blocks are left out. Detail alone is not enough: it comes from the noise that a picture is drawn from, and another
    prompt drawn from the same noise has the same detail in other colours.
    """
    overlap: float
    """The part of the thumbnail that the picture covers, in [0, 1]."""

    @property
    def agrees(self) -> bool:
        """Whether both show the same: detail and layout agree, over enough of the thumbnail that this is no chance."""
        return self.correlation >= AGREE_CORRELATION and self.layout >= AGREE_LAYOUT and self.overlap >= AGREE_OVERLAP


def thumbnail(pixels: Pixels) -> bytes:
    """A small copy of a picture, as a lossless WebP file of a few kilobytes.

    Args:
        pixels: uint8 of shape (height, width, 3).

    Returns:
        A picture of the same proportions whose longer side has `THUMBNAIL_SIDE` pixels.
    """
    height, width = pixels.shape[:2]
    scale = THUMBNAIL_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    stream = BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BOX).save(stream, "WEBP", lossless=True)
    return stream.getvalue()


def opened(thumbnail: bytes) -> Pixels:
    """The pixels of a thumbnail: uint8 of shape (height, width, 3)."""
    with Image.open(BytesIO(thumbnail), formats=("WEBP",)) as image:
        return np.array(image.convert("RGB"))


def likeness(pixels: Pixels, thumbnail: bytes, mask: NDArray[np.bool_] | None = None) -> Likeness:
    """Compare a picture with a stored thumbnail.

    Args:
        pixels: uint8 of shape (height, width, 3), upright and laid over the original: whoever calls undoes rotation,
            flips and crops first. Small shifts, of one part in `_GRID`, are tried.
        thumbnail: As `thumbnail` made it.
        mask: Of shape (height, width); False where the picture is not known, as after a crop was undone.
    """
    stored = opened(thumbnail)
    known = _cells(np.full(pixels.shape[:2], 255, np.uint8) if mask is None else mask * np.uint8(255)) >= 230  # noqa: PLR2004 - nine tenths
    a, b = _cells(_grey(pixels)), _cells(_grey(stored))
    shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    correlation = max(_correlation(a, np.roll(b, shift, (0, 1)), known & _stays(shift)) for shift in shifts)
    blank = float(b.mean())
    hashes = [dhash(Image.fromarray(np.where(known, values, blank).astype(np.uint8))) for values in (a, b)]
    return Likeness(
        correlation=correlation,
        hash_distance=distance(*hashes),
        layout=_layout(_colours(pixels), _colours(stored), known),
        overlap=float(known.mean()),
    )


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    return np.array(Image.fromarray(pixels).convert("L"))


def _cells(values: NDArray[np.uint8]) -> _Values:
    """Averages over a grid of `_GRID` x `_GRID` cells, whatever the proportions."""
    image = Image.fromarray(values).resize((_GRID, _GRID), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float64)


def _colours(pixels: Pixels) -> _Values:
    """The same of colours: shape (`_GRID`, `_GRID`, 3)."""
    image = Image.fromarray(pixels).resize((_GRID, _GRID), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float64)


def _layout(picture: _Values, stored: _Values, known: NDArray[np.bool_]) -> float:
    """What `Likeness.layout` says, of two grids of colours; 0 where too little is known."""
    weights = _block_sums(known[..., None].astype(float))[:, 0]
    shown = weights >= (_GRID // _BLOCKS) ** 2 / 2
    if shown.sum() <= 2 * (3 + 1):  # twice as many as there are coefficients for each colour
        return 0.0
    a, b = (_block_sums(grid * known[..., None])[shown] / weights[shown, None] for grid in (picture, stored))
    kept = np.ones(len(a), dtype=bool)
    for _ in range(3):
        a, b = a - a[kept].mean(axis=0), b - b[kept].mean(axis=0)
        powers = b[kept].T @ b[kept] + kept.sum() * _COLOUR_NOISE**2 * np.eye(3)
        errors = ((a - b @ np.linalg.solve(powers, b[kept].T @ a[kept])) ** 2).sum(axis=1)
        kept = errors <= np.quantile(errors, 1 - _SPARED)
    total = (a[kept] ** 2).sum() + kept.sum() * 3
    return float(1 - errors[kept].sum() / total)


def _block_sums(grid: _Values) -> _Values:
    """Sums over blocks of a grid of shape (`_GRID`, `_GRID`, channels): shape (blocks, channels)."""
    side = _GRID // _BLOCKS
    sums: _Values = grid.reshape(_BLOCKS, side, _BLOCKS, side, -1).sum(axis=(1, 3))
    return sums.reshape(_BLOCKS**2, -1)


def _stays(shift: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells that did not come around the edge."""
    inside = np.zeros((_GRID, _GRID), dtype=bool)
    rows, columns = (slice(max(0, step), _GRID + min(0, step)) for step in shift)
    inside[rows, columns] = True
    return inside


def _correlation(a: _Values, b: _Values, known: NDArray[np.bool_]) -> float:
    """The weighted median of local correlations of two grids; 0 where there is nothing to compare."""
    a, b = _detail(a, known), _detail(b, known)
    product, powers = _smooth(a * b, _LOCAL), _smooth(a * a, _LOCAL) * _smooth(b * b, _LOCAL)
    weights = np.sqrt(np.maximum(powers, 0.0)) * known
    if weights.sum() == 0:
        return 0.0
    local = (product / np.sqrt(np.maximum(powers, 1e-12))).ravel()
    order = np.argsort(local)
    cumulative = np.cumsum(weights.ravel()[order])
    return float(local[order[np.searchsorted(cumulative, cumulative[-1] / 2)]])


def _detail(values: _Values, known: NDArray[np.bool_]) -> _Values:
    """What is coarser than noise and finer than shading, from known cells only; 0 elsewhere."""
    fine, coarse = (
        _smooth(values * known, sigma) / np.maximum(_smooth(known.astype(float), sigma), 1e-9)
        for sigma in (_FINE, _COARSE)
    )
    return (fine - coarse) * known


def _smooth(values: _Values, sigma: float) -> _Values:
    """A Gaussian average along both axes."""
    at = np.arange(_GRID)
    weights = np.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ values @ weights.T
