"""Gaussian Shading (Yang, Zeng, Chen, Fang, Zhang, Yu, CVPR 2024): an encrypted message in the signs of the noise.

A baseline to compare with. In the paper's terms, with one bit a value (l = 1):

1. Diffuse: the message is a block of 8 x 8 bits, repeated over the whole latents and all channels (section 3.2).
2. Randomise: XOR with a ChaCha20 stream, so that each bit is fair to whoever lacks the key.
3. Sample: a bit says which half of the normal distribution a value is drawn from (formula 4). Here its magnitude is the
   given noise's, which comes to the same.
4. Read: signs, XOR, majority over the copies of each message bit (section 3.3).

The p-value is P[Bin(k, 1/2) >= matches] for k message bits; the published threshold leaves out the equal sign and is
off by one. It is exact for any image that was made without the key and the nonce.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from assay.keys import derive
from assay.vocabulary import Latents, Reading, Seal
from watermark.stream import NO_NONCE, bits

BLOCK = 8
PAYLOAD_BITS = BLOCK * BLOCK
FALSE_DECODE = 1e-6
"""How often, at most, noise that was made without the key yields a payload."""


class GaussianShading:
    """Gaussian Shading: the payload, repeated and encrypted, in the signs of the noise; one nonce an image."""

    id: ClassVar[str] = "gaussian-shading"

    def mark(self, noise: Latents, seal: Seal) -> Latents:
        """The magnitudes of the noise with the signs of the encrypted payload: N(0, 1) to whoever lacks the key."""
        message = _bits_of(seal.payload)[_slots(noise)]
        signs = 2.0 * (message ^ self._pad(noise, seal.secret, seal.nonce)) - 1
        marked: Latents = np.copysign(noise, signs).astype(np.float32)
        return marked

    def measure(self, noise: Latents, seal: Seal) -> Reading:
        """How many bits of the payload the majority of their copies agrees with.

        Over the draw of the stream, each bit is decided right with chance 1/2 whatever the noise is, independently.
        """
        copies, slots = self._copies(noise, seal.secret, seal.nonce), _slots(noise)
        present = np.unique(slots)
        right = _majority(copies, slots)[present] == _bits_of(seal.payload)[present]
        matches, count = int(right.sum()), present.size
        log10_p = math.log10(binom.sf(matches - 1, count, 0.5))
        return Reading(statistic=float(matches), null=f"Binomial({count}, 1/2) matching bits", log10_p=log10_p)

    def decode(self, noise: Latents, secret: bytes, nonce: bytes) -> int | None:
        """The payload that the majority of the copies spells, if the copies agree enough.

        The published reader always answers. Here, a payload has to fit the n signs so well that none of all 2^64 would
        in unmarked noise (union bound, `FALSE_DECODE`).
        """
        copies, slots = self._copies(noise, secret, nonce), _slots(noise)
        if np.unique(slots).size < PAYLOAD_BITS:
            return None
        message = _majority(copies, slots)
        matches = int((copies == message[slots]).sum())
        if 2.0**PAYLOAD_BITS * binom.sf(matches - 1, slots.size, 0.5) > FALSE_DECODE:
            return None
        return int.from_bytes(np.packbits(message).tobytes())

    def _copies(self, noise: Latents, secret: bytes, nonce: bytes) -> NDArray[np.uint8]:
        return (noise > 0).astype(np.uint8) ^ self._pad(noise, secret, nonce)

    def _pad(self, noise: Latents, secret: bytes, nonce: bytes) -> NDArray[np.uint8]:
        return bits(derive(secret, "gaussian-shading"), nonce, noise.size).reshape(noise.shape)


class FixedPadGaussianShading(GaussianShading):
    """Gaussian Shading with one stream for all images: what happens where no nonce is kept for each image.

    Each image alone is as before. Together they are not: for one payload, every image has the same signs.
    """

    id: ClassVar[str] = "gaussian-shading-fixed"

    def _pad(self, noise: Latents, secret: bytes, nonce: bytes) -> NDArray[np.uint8]:  # noqa: ARG002
        return super()._pad(noise, secret, NO_NONCE)


def _bits_of(payload: int) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(payload.to_bytes(PAYLOAD_BITS // 8), np.uint8))


def _slots(noise: Latents) -> NDArray[np.intp]:
    """Which bit of the message each value carries; latents of any size, with some bits once more often than others."""
    _, height, width = noise.shape
    channel = BLOCK * (np.arange(height)[:, None] % BLOCK) + np.arange(width)[None, :] % BLOCK
    return np.broadcast_to(channel, noise.shape)


def _majority(copies: NDArray[np.uint8], slots: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Vote on each bit: uint8 of shape (64,). A tie goes to the first copy, which keeps the null exactly 1/2."""
    signs = 2.0 * copies.ravel() - 1
    _, first = np.unique(slots, return_index=True)
    signs[first] *= 1.5
    return (np.bincount(slots.ravel(), weights=signs, minlength=PAYLOAD_BITS) > 0).astype(np.uint8)
