"""PRC watermark (Gunn, Zhao, Song, ICLR 2025): a pseudorandom error-correcting code word in the signs of the noise.

A baseline to compare with. The code (Christ and Gunn, CRYPTO 2024) looks random to whoever lacks the key, with no nonce
to remember, because all that the key knows is a set of sparse parity checks, and noise hides them.

1. Key (section 3.1): a random linear code whose word of n bits satisfies r checks of t = 3 bits each, a one-time pad,
   and test bits. Parameters follow the paper's scaling: lambda = log2 C(n, t) bits of security against guessing checks,
   as many random bits in the message, noise rate 1 - 2^(-1/lambda), r = n - k - lambda checks for k message bits.
   For 4 x 32 x 32 latents and a payload of 64 bits: lambda = 33, k = 117, r = 3946, noise 2 %.
2. Encode: test bits, random bits, payload -> code word, XOR pad, XOR noise -> signs; magnitudes are the given noise's.
3. Detect (section 3.2, no payload needed): soft parities, summed; p-value by Hoeffding's inequality.
4. Decode: belief propagation, then the most reliable independent bits are solved for the message. Below 500 values the
   code is too short for its own noise, and even untouched marks often do not decode.

Anybody who finds a few checks can tell marked images; at the size of images t = 3 is within reach of a known attack.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from assay.errors import ConfigurationError
from assay.keys import derive
from assay.vocabulary import Latents, Reading, Seal
from watermark.stream import NO_NONCE, bits, keystream, permutation

WEIGHT = 3
"""t: bits in a check. Each one more squares the work of an attacker, and squares the noise in a check."""
PAYLOAD_BITS = 64
PAYLOAD_MASK = (1 << PAYLOAD_BITS) - 1
TEST_BITS = 20
"""A wrong message is accepted with chance 2^-20, below 1e-6."""
CHANNEL_VARIANCE = 1.5
"""Of the error of a noise estimate, as in the paper: fixed, and used to weigh magnitudes only."""
ITERATIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    """A key for n bits. Bit j of every code word is the parity of `rows[j]` and the message, both k bits."""

    rows: tuple[int, ...] = field(repr=False)
    checks: NDArray[np.intp]
    """Positions whose bits add up to zero: shape (r, 3)."""
    pad: NDArray[np.uint8]
    """One-time pad: shape (n,)."""
    test: int
    """The first bits of every message."""
    random_bits: int
    noise_rate: float

    @property
    def message_bits(self) -> int:
        return TEST_BITS + self.random_bits + PAYLOAD_BITS

    def word(self, message: int) -> NDArray[np.uint8]:
        parities = bytes((row & message).bit_count() & 1 for row in self.rows)
        return np.frombuffer(parities, np.uint8)


class Prc:
    """PRC: a code word with sparse secret parity checks in the signs of the noise; needs no nonce to be read."""

    id: ClassVar[str] = "prc"

    def mark(self, noise: Latents, seal: Seal) -> Latents:
        """The magnitudes of the noise with the signs of a fresh code word for the payload.

        Raises:
            ConfigurationError: The latents have too few values (about 140) for a payload of 64 bits.
        """
        code = _code(seal.secret, noise.size)
        coins = _integer(bits(derive(seal.secret, "prc coins"), seal.nonce, code.random_bits))
        message = ((code.test << code.random_bits | coins) << PAYLOAD_BITS) | seal.payload
        errors = _uniforms(derive(seal.secret, "prc errors"), seal.nonce, noise.size) < code.noise_rate
        word = code.word(message) ^ code.pad ^ errors
        marked: Latents = np.copysign(noise, 1.0 - 2.0 * word.reshape(noise.shape)).astype(np.float32)
        return marked

    def measure(self, noise: Latents, seal: Seal) -> Reading:
        """Whether the noise satisfies more of the key's checks than chance would; nonce and payload are not used.

        Each check contributes atanh of its soft parity, with the sign of the pad's parity over it. The checks are
        linearly independent (each has a position that no earlier one has), so for noise made without the key these
        signs are independent fair coins, and P[sum >= s] <= exp(-s^2 / (2 sum of squares)): the paper's threshold,
        as a p-value.

        Raises:
            ConfigurationError: As `mark`.
        """
        code = _code(seal.secret, noise.size)
        parity = np.arctanh(np.prod(_expected_signs(noise, code)[code.checks], axis=1))
        length = float(np.linalg.norm(parity))
        statistic = float(parity.sum()) / length if length else 0.0
        log10_p = 0.0 - max(0.0, statistic) ** 2 / (2 * math.log(10))
        null = f"sum of {len(parity)} weighted fair coins, scaled to variance 1; p by Hoeffding's inequality"
        return Reading(statistic=statistic, null=null, log10_p=log10_p)

    def decode(self, noise: Latents, secret: bytes, nonce: bytes) -> int | None:  # noqa: ARG002 - none is needed
        """The payload, if belief propagation finds a message with the key's test bits.

        Raises:
            ConfigurationError: As `mark`.
        """
        code = _code(secret, noise.size)
        message = _solve(code, _believe(code, _expected_signs(noise, code)))
        if message is None or message >> (code.message_bits - TEST_BITS) != code.test:
            return None
        return message & PAYLOAD_MASK


# --- 1. key -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _code(secret: bytes, size: int) -> _Code:
    """The same for every image of a key and size, and kept: it takes 30 ms for 4,096 values, a second for 65,536."""
    security = int(math.log2(max(1, math.comb(size, WEIGHT))))
    message_bits = TEST_BITS + security + PAYLOAD_BITS
    free = message_bits + security
    if size <= free:
        hint = "Use larger images, or another watermark."
        raise ConfigurationError(f"latents of {size} values are too small for a PRC watermark", hint=hint)
    sources = _sources(derive(secret, "prc checks"), free, size)
    rows = _rows(derive(secret, "prc code"), free, message_bits, sources)
    order = permutation(derive(secret, "prc order"), size)
    checks = np.column_stack((sources, np.arange(free, size)))
    return _Code(
        rows=tuple(rows[position] for position in np.argsort(order)),
        checks=order[checks],
        pad=bits(derive(secret, "prc pad"), NO_NONCE, size),
        test=_integer(bits(derive(secret, "prc test"), NO_NONCE, TEST_BITS)),
        random_bits=security,
        noise_rate=1 - 2.0 ** (-1 / security),
    )


def _sources(key: bytes, free: int, size: int) -> NDArray[np.intp]:
    """For each bit that is not free, two different earlier bits that it is the sum of: shape (size - free, 2)."""
    newest = np.arange(free, size)
    drawn = _uniforms(key, NO_NONCE, 2 * newest.size).reshape(2, -1)
    one = np.floor(drawn[0] * newest).astype(np.intp)
    other = np.floor(drawn[1] * (newest - 1)).astype(np.intp)
    return np.column_stack((one, other + (other >= one)))


def _rows(key: bytes, free: int, message_bits: int, sources: NDArray[np.intp]) -> list[int]:
    """Free bits are random parities of the message, the others sums of two earlier ones."""
    length, mask = math.ceil(message_bits / 8), (1 << message_bits) - 1
    stream = keystream(key, NO_NONCE, free * length)
    rows = [int.from_bytes(stream[start : start + length]) & mask for start in range(0, len(stream), length)]
    for one, other in sources.tolist():
        rows.append(rows[one] ^ rows[other])
    return rows


def _uniforms(key: bytes, nonce: bytes, count: int) -> NDArray[np.float64]:
    """In [0, 1), 53 bits each."""
    words = np.frombuffer(keystream(key, nonce, 8 * count), "<u8")
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _integer(values: NDArray[np.uint8]) -> int:
    return int("".join(map(str, values.tolist())), 2)


# --- 3. and 4. reading ------------------------------------------------------------------------------------------------


def _expected_signs(noise: Latents, code: _Code) -> NDArray[np.float64]:
    """Posterior mean of each code word bit as a sign (0 is +1), in (-1, 1), with the pad taken off: shape (n,).

    For z = x + N(0, v) with x ~ N(0, 1), E[sign x | z] = erf(z / sqrt(2 v (1 + v))) (section 3.2).
    """
    values = noise.ravel().astype(np.float64)
    scale = math.sqrt(float(np.mean(values**2)) or 1.0)  # to variance 1 + v: inversion need not keep it
    unit = values / scale * math.sqrt(1 + CHANNEL_VARIANCE)
    soft = erf(unit / math.sqrt(2 * CHANNEL_VARIANCE * (1 + CHANNEL_VARIANCE)))
    return np.asarray((1 - 2 * code.noise_rate) * soft * (1.0 - 2.0 * code.pad))


def _believe(code: _Code, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum-product belief propagation: log-likelihood ratios of the code word's bits, positive for 0; shape (n,)."""
    prior = 2 * np.arctanh(expected)
    positions = code.checks.ravel()
    belief, told = prior, np.zeros(code.checks.shape)
    for _ in range(ITERATIONS):
        if not np.any((belief < 0)[code.checks].sum(axis=1) % 2):
            break
        asked = np.tanh(np.clip(belief[code.checks] - told, -30, 30) / 2)
        others = np.stack([asked[:, 1] * asked[:, 2], asked[:, 0] * asked[:, 2], asked[:, 0] * asked[:, 1]], axis=1)
        told = 2 * np.arctanh(np.clip(others, -1 + 1e-12, 1 - 1e-12))
        belief = prior + np.bincount(positions, weights=told.ravel(), minlength=prior.size)
    return belief


def _solve(code: _Code, belief: NDArray[np.float64]) -> int | None:
    """The message that agrees with the most reliable bits that determine it; None where no bits do.

    Gaussian elimination over GF(2): a row with its bit appended below, reduced by rows with a higher leading bit.
    """
    basis: dict[int, int] = {}
    for position in np.argsort(-np.abs(belief)).tolist():
        row = code.rows[position] << 1 | int(belief[position] < 0)
        while (lead := row.bit_length() - 1) in basis:
            row ^= basis[lead]
        if lead > 0:
            basis[lead] = row
        if len(basis) == code.message_bits:
            break
    else:
        return None
    message = 0
    for lead in sorted(basis):  # every bit below the leading one is known by then
        row = basis[lead]
        known = (row >> 1) & message
        message |= ((row & 1) ^ (known.bit_count() & 1)) << (lead - 1)
    return message
