"""Tree-Ring (Wen, Kirchenbauer, Geiping, Goldstein, NeurIPS 2023), the ring variant: a pattern in the noise's spectrum.

A baseline to compare with. One channel's low frequencies are replaced by rings that are constant along the angle, so
the pattern survives turning and mirroring. What to know before using it:

- The same rings are in every image of a key, as published: averaging many images shows them, and whoever has them can
  forge them. The noise is no longer N(0, 1), either.
- It carries no payload, and a nonce changes nothing.
- Its p-value rests on the noise of unmarked images being white, not on the key: a dozen ring values are too few for a
  small p-value over the draw of the key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from assay.keys import derive
from assay.vocabulary import Latents, Reading, Seal
from watermark.stream import NO_NONCE, bits, magnitudes

RADIUS_OF_64 = 10
"""Radius of the outermost ring in latents of 64 x 64 (section 4.1); it scales with the shorter side."""
CHANNEL = -1
LOWEST_LOG10_P = -300.0
"""What is below this is said to be this: a float64 p-value ends there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    inside: NDArray[np.bool_]
    """Which coefficients of a channel's spectrum carry it: shape (height, width), lowest frequency first."""
    values: NDArray[np.float64]
    """What they are set to, in the order of `inside`; real."""


class TreeRing:
    """Tree-Ring: rings in the spectrum of one channel, the same for every image of a key."""

    id: ClassVar[str] = "tree-ring"

    def mark(self, noise: Latents, seal: Seal) -> Latents:
        """Noise whose last channel has the key's rings for low frequencies; nonce and payload are not used."""
        pattern = _pattern(seal.secret, *noise.shape[1:])
        spectrum = np.fft.fft2(noise[CHANNEL], norm="ortho")
        spectrum[pattern.inside] = pattern.values
        marked = noise.astype(np.float32)
        marked[CHANNEL] = np.fft.ifft2(spectrum, norm="ortho").real  # nothing is lost: see `_rings`
        return marked

    def measure(self, noise: Latents, seal: Seal) -> Reading:
        """The cosine between the key's rings k and the same coefficients y of the noise estimate.

        The paper (section 3.3) reads eta = sum |y - k|^2 / s^2, s^2 = mean |y|^2, against a non-central chi-squared law
        with M degrees of freedom and lambda = sum |k|^2 / s^2, as if s were known. But s comes from the same y, so
        eta = M + lambda - 2 sqrt(M lambda) cos(y, k) has less spread than that law. Given |y|, the cosine's own law is
        known: that of a random direction in M dimensions. It is used here, so p-values are uniform, and smaller than
        the published ones where there is a mark. M counts each conjugate pair twice, as its real and imaginary part.
        """
        pattern = _pattern(seal.secret, *noise.shape[1:])
        found = np.fft.fft2(noise[CHANNEL].astype(np.float64), norm="ortho")[pattern.inside]
        length = np.linalg.norm(pattern.values) * np.linalg.norm(found)
        cosine = float(pattern.values @ found.real / length) if length else 0.0
        size = pattern.values.size
        null = f"cosine with a random direction in {size} dimensions, if the noise of unmarked images is white"
        return Reading(statistic=cosine, null=null, log10_p=_log10_cap(cosine, size))

    def decode(self, noise: Latents, secret: bytes, nonce: bytes) -> int | None:  # noqa: ARG002 - the protocol's shape
        """None: there is no payload."""
        return None


def _pattern(secret: bytes, height: int, width: int) -> _Pattern:
    rings = _rings(height, width)
    inside, key, count = rings > 0, derive(secret, "tree-ring"), int(rings.max())
    signs = 1.0 - 2.0 * bits(derive(secret, "tree-ring signs"), NO_NONCE, count)
    values = (signs * magnitudes(key, NO_NONCE, count))[rings[inside] - 1]
    # As much energy as the noise that it replaces: with so few rings, keys would else differ widely in strength.
    return _Pattern(inside=inside, values=values * math.sqrt(values.size / np.sum(values**2)))


def _rings(height: int, width: int) -> NDArray[np.intp]:
    """Each coefficient's ring, from 1 in the middle; 0 outside all rings.

    A ring holds a coefficient together with its conjugate and has one real value. That is what makes the noise real:
    the imaginary half of a complex value would be lost on the way back.
    """
    side = min(height, width)
    distance = side * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    rings: NDArray[np.intp] = np.maximum(np.ceil(np.round(distance, 9)), 1).astype(np.intp)
    rings[rings > max(1, round(side * RADIUS_OF_64 / 64))] = 0
    return rings


def _log10_cap(cosine: float, size: int) -> float:
    """log10 P[cos >= cosine] between a fixed and a random direction in `size` dimensions: cos^2 is Beta distributed."""
    half = 0.5 * float(betainc((size - 1) / 2, 0.5, 1 - min(1.0, cosine**2)))
    p = half if cosine > 0 else 1 - half
    return max(LOWEST_LOG10_P, math.log10(p)) if p > 0 else LOWEST_LOG10_P
