"""Sealed seed: noise that is N(0, 1) to anyone without the key, and to the key a code word.

Signs are a ChaCha20 key stream, XORed with the polar code word of the payload; magnitudes are half-normal. Nothing is
added to the noise, it is drawn this way: the idea is that of Gaussian Shading (Yang et al., CVPR 2024), whose repeated
bits and reused keys are replaced here by a code and by a fresh nonce for every image.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assay.keys import derive
from assay.stats import log10_bonferroni, log10_normal_tail
from assay.vocabulary import Latents, Reading, Seal
from watermark import stream
from watermark.codes import LIST_SIZE, PolarCode, Reals, log10_chance_of_payload
from watermark.estimate import TRIES, Cover, Preparation, cover_of, hide, level, read, signs_of

CODE = PolarCode()
SALT_CODE = PolarCode(payload_bits=32, crc_bits=16)
SALT_BYTES = 4
SALT_SHARE = 0.4
"""Of the positions. Salt and payload then fail at about the same noise; with a quarter, the salt fails long before."""

SIGNS = "sealed-seed 1: signs"
_MAGNITUDES = "sealed-seed 1: magnitudes"
_POSITIONS = "sealed-seed-stateless 1: positions"
_SALT_SIGNS = "sealed-seed-stateless 1: salt"
_STATELESS_SIGNS = "sealed-seed-stateless 1: signs"
_STATELESS_MAGNITUDES = "sealed-seed-stateless 1: magnitudes"

# --- with a ledger ----------------------------------------------------------------------------------------------------


class SealedSeed:
    """Sealed seed: the whole noise comes from key, nonce and payload; the ledger keeps nonce and payload.

    Guarantees, each with ChaCha20 taken as a random function and each nonce used once:

    - *Marked noise is standard normal*: independent N(0, 1) values, jointly over any number of images, so no test
      without the key tells it from other noise, however many images it sees.
    - *The null is exact*: for any image made without this key and nonce, whoever made it and however, the statistic is
      N(0, 1) over the draw of the key. No image has to be collected to know the rate of false finds.
    - *Preparation keeps the null exact*: whatever is done to the estimate before it is compared, as long as it does not
      depend on the key, gives just another vector that does not.
    - *A payload is read by chance at most once in 2^28 images*: 16 words are looked at, the CRC has 32 bits.

    Args:
        prepare: What is done to an estimate first: `level`, `whiten`, or any function of the estimate alone.
    """

    id: ClassVar[str] = "sealed-seed"

    def __init__(self, prepare: Preparation = level) -> None:
        self.prepare = prepare

    def mark(self, noise: Latents, seal: Seal) -> Latents:
        """The sealed noise of this shape; the values of `noise` are not used.

        Raises:
            ValueError: The noise has fewer than 96 values, or the seal's parts have the wrong length.
        """
        return template(seal, noise.shape)

    def measure(self, noise: Latents, seal: Seal) -> Reading:
        """T = <z, v> / |v|, z the sealed noise and v the prepared estimate.

        With a correlation of r between the two, T is about r sqrt(n) for n values.
        """
        prepared = self.prepare(noise)
        statistic = _correlation(template(seal, noise.shape), prepared)
        return Reading(statistic=statistic, null=_NORMAL_NULL, log10_p=_log10_p(statistic, prepared))

    def decode(self, noise: Latents, secret: bytes, nonce: bytes) -> int | None:
        """The payload, read from soft values; None where no CRC holds."""
        order = stream.interleaver(noise.size)
        values = self.prepare(noise).ravel()[order]
        scales = stream.magnitudes(derive(secret, _MAGNITUDES), nonce, noise.size)[order]
        cover = cover_of(CODE, derive(secret, SIGNS), nonce, noise.size)
        return read(CODE, values, scales, cover, _channels(order, noise))

    def search(self, noise: Latents, seals: Iterable[Seal], *, tried: int | None = None) -> Found | None:
        """The seal that fits best, of any number of rows and keys, with Bonferroni's correction over all of them.

        It costs one template a row; for a large ledger, see `watermark.sign_table`.

        Args:
            noise: Shape (channels, height, width).
            seals: Whose keys, nonces and payloads were fixed before looking.
            tried: How many seals these were chosen from, if they were chosen with this estimate in view; at least as
                many as there are.

        Returns:
            None where there were no seals.
        """
        prepared = self.prepare(noise)
        fits = [(_correlation(template(seal, noise.shape), prepared), seal) for seal in seals]
        if not fits:
            return None
        highest, best = max(fits, key=lambda fit: fit[0])
        tried = max(tried or 0, len(fits))
        log10_p = log10_bonferroni(_log10_p(highest, prepared), tried)
        return Found(seal=best, reading=Reading(statistic=highest, null=largest_of(tried), log10_p=log10_p))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best of many seals."""

    seal: Seal
    reading: Reading
    """Its p-value counts every seal that was tried."""


def template(seal: Seal, shape: tuple[int, ...]) -> Latents:
    """The sealed noise of a seal in registry mode: float32 of that shape."""
    count = math.prod(shape)
    signs = np.empty(count)
    cover = cover_of(CODE, derive(seal.secret, SIGNS), seal.nonce, count)
    signs[stream.interleaver(count)] = signs_of(hide(CODE, seal.payload, cover))
    scales = stream.magnitudes(derive(seal.secret, _MAGNITUDES), seal.nonce, count)
    return (signs * scales).reshape(shape).astype(np.float32)


def largest_of(tried: int) -> str:
    """The null of the largest of several statistics, in words."""
    return f"the largest of {tried:,} standard normals, over the draw of the keys"


_NORMAL_NULL = "standard normal over the draw of the key, for any image that was not made with it"


def _channels(order: NDArray[np.intp], noise: Latents) -> NDArray[np.intp]:
    """Which channel each position, counted through the whole array, lies in."""
    return np.asarray(order // (noise.shape[1] * noise.shape[2]))


def _correlation(sealed: Latents, prepared: Reals) -> float:
    length = float(np.linalg.norm(prepared))
    return float(np.vdot(sealed.astype(np.float64), prepared)) / length if length > 0 else 0.0


def _log10_p(statistic: float, prepared: Reals) -> float:
    """An estimate that holds nothing fits everything: its p-value is 1."""
    return log10_normal_tail(statistic) if prepared.any() else 0.0


# --- without a ledger -------------------------------------------------------------------------------------------------


class StatelessSeed:
    """Sealed seed that can be read with the key alone: the image carries a salt in the place of the stored nonce.

    Two fifths of the positions, chosen by the key, carry a 32-bit salt and its CRC-16 under a pad that is the same for
    every image of the key; the others carry the payload under a stream that depends on the salt.

    Guarantees, weaker than those of `SealedSeed` and named so:

    - *One image is standard normal*: over the draw of key and salt, and with the caller's noise N(0, 1), the marked
      noise of one image has exactly the distribution of unmarked noise.
    - *Many images can be linked*: products of signs within the salt's positions repeat from image to image, because the
      pad does; who has many images can tell that they are marked. It is not secure against chosen plaintexts.
    - *Equal salts repeat noise*: after about 2^16 images of one key two will share their salt, and with it magnitudes
      and, but for the payload, signs at three fifths of the positions.
    - *A mark is found by chance at most once in 2^40 images*: CRC-16 and CRC-32 have to hold, for one of 16 words each.
      The p-value is this bound. A correlation with what was just decoded would have no null, and is never taken.

    Args:
        prepare: As for `SealedSeed`.
    """

    id: ClassVar[str] = "sealed-seed-stateless"

    def __init__(self, prepare: Preparation = level) -> None:
        self.prepare = prepare

    def mark(self, noise: Latents, seal: Seal) -> Latents:
        """Noise that carries the first four bytes of the nonce as salt, and the payload.

        The magnitudes at the salt's positions are those of `noise`; everything else is the key's.

        Raises:
            ValueError: The noise has fewer than 160 values, or the seal's parts have the wrong length. Below some 300
                values the salt cannot always be read.
        """
        salt = seal.nonce[:SALT_BYTES]
        salted, others = _layout(seal.secret, noise.size)
        values = np.abs(noise).ravel().astype(np.float64)
        values[others] = stream.magnitudes(derive(seal.secret, _STATELESS_MAGNITUDES), _nonce_of(salt), len(others))
        values[salted] *= signs_of(hide(SALT_CODE, _number(salt), _salt_cover(seal.secret, len(salted))))
        values[others] *= signs_of(hide(CODE, seal.payload, _payload_cover(seal.secret, salt, len(others))))
        return values.reshape(noise.shape).astype(np.float32)

    def measure(self, noise: Latents, seal: Seal) -> Reading:
        """Whether the seal's salt and payload are what is read; the statistic is the number of check bits that hold."""
        found = self._read(noise, seal.secret) == (seal.nonce[:SALT_BYTES], seal.payload)
        null = f"{_CHECK_BITS} check bits hold by chance at most once in {10**-LOG10_STATELESS_P:.0e} images"
        log10_p = LOG10_STATELESS_P if found else 0.0
        return Reading(statistic=float(_CHECK_BITS if found else 0), null=null, log10_p=log10_p)

    def decode(self, noise: Latents, secret: bytes, nonce: bytes = b"") -> int | None:  # noqa: ARG002 - the image has it
        """The payload; None where a CRC does not hold. The nonce is not needed and not looked at."""
        read = self._read(noise, secret)
        return None if read is None else read[1]

    def _read(self, noise: Latents, secret: bytes) -> tuple[bytes, int] | None:
        values = self.prepare(noise).ravel()
        salted, others = _layout(secret, noise.size)
        cover, typical = _salt_cover(secret, len(salted)), np.full(len(salted), math.sqrt(2 / math.pi))
        found = read(SALT_CODE, values[salted], typical, cover, _channels(salted, noise))
        if found is None:
            return None
        salt = found.to_bytes(SALT_BYTES, "big")
        cover = _payload_cover(secret, salt, len(others))
        scales = stream.magnitudes(derive(secret, _STATELESS_MAGNITUDES), _nonce_of(salt), len(others))
        payload = read(CODE, values[others], scales, cover, _channels(others, noise))
        return None if payload is None else (salt, payload)


_CHECK_BITS = SALT_CODE.crc_bits + CODE.crc_bits
LOG10_STATELESS_P = sum(log10_chance_of_payload(LIST_SIZE, code.crc_bits, TRIES) for code in (SALT_CODE, CODE))
"""Both are events of their own: the stream over the payload is another random function than the pad over the salt."""


def _layout(secret: bytes, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the salt, and all others, each in the order in which the code fills them."""
    order = stream.permutation(derive(secret, _POSITIONS), count)
    salted, others = np.split(order, [round(SALT_SHARE * count)])
    return salted, others


def _salt_cover(secret: bytes, count: int) -> Cover:
    return cover_of(SALT_CODE, derive(secret, _SALT_SIGNS), stream.NO_NONCE, count)


def _payload_cover(secret: bytes, salt: bytes, count: int) -> Cover:
    return cover_of(CODE, derive(secret, _STATELESS_SIGNS), _nonce_of(salt), count)


def _nonce_of(salt: bytes) -> bytes:
    return salt.ljust(stream.NONCE_BYTES, b"\0")


def _number(salt: bytes) -> int:
    return int.from_bytes(salt, "big")
