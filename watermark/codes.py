"""Polar code with CRC: a payload as a code word of any length, read back from soft values.

Arikan, "Channel Polarization" (IEEE Trans. Inform. Theory 55, 2009); decoded by successive cancellation lists, the CRC
choosing among them (Tal and Vardy, IEEE Trans. Inform. Theory 61, 2015), in log-likelihoods (Balatsoukas-Stimming et
al., IEEE Trans. Signal Processing 63, 2015). Which positions carry bits is found by Gaussian approximation (Trifonov,
IEEE Trans. Communications 60, 2012).

A code word of `length` bits fills any number of places: repeated in turn where there are more, its first bits left out
where there are fewer. Log-likelihoods are ln P(0) / P(1): positive speaks for a 0.
"""

from __future__ import annotations

import binascii
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
Reals = NDArray[np.float64]

LIST_SIZE = 8
_TINY_MEAN = 1e-5
_DESIGN_RATIO = 0.2
"""Signal to noise power per bit of a code of rate 96 / 1024 at which positions are chosen: where it begins to work."""

_CRCS: dict[int, Callable[[bytes], int]] = {16: lambda data: binascii.crc_hqx(data, 0xFFFF), 32: zlib.crc32}
"""CRC-16/CCITT-FALSE and CRC-32/ISO-HDLC, by their bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolarCode:
    """One code: payload, then CRC over its bytes, at the most reliable of `length` positions."""

    length: int = 1024
    """A power of two."""
    payload_bits: int = 64
    """A multiple of 8, at most 64."""
    crc_bits: int = 32
    """16 or 32."""

    @property
    def message_bits(self) -> int:
        """Payload and CRC together."""
        return self.payload_bits + self.crc_bits

    def places(self, count: int) -> NDArray[np.intp]:
        """Which bit of the code word each of `count` places holds, shape (count,).

        Raises:
            ValueError: There are fewer places than bits of payload and CRC.
        """
        if count < self.message_bits:
            raise ValueError(f"{count} places cannot hold {self.message_bits} bits of payload and CRC")
        return (np.arange(count) + max(0, self.length - count)) % self.length

    def encode(self, payloads: NDArray[np.uint64], places: int, mask: Bits) -> Bits:
        """Code words, one bit a byte, uint8 of shape (rows, length).

        Args:
            payloads: Shape (rows,), each below 2^payload_bits.
            places: How many places the word is to fill; below `length` other positions carry the bits.
            mask: Added to payload and CRC; one bit a byte, shape (message_bits,) or (rows, message_bits).
        """
        words = np.zeros((len(payloads), self.length), np.uint8)
        words[:, self.carriers(places)] = self._messages(payloads) ^ mask
        return _transform(words)

    def decode(self, llrs: Reals, mask: Bits) -> int | None:
        """The payload whose CRC holds, the most likely one on the list; None where none does.

        Args:
            llrs: Log-likelihood of each place, shape (count,); 0 where nothing is known.
            mask: As in `encode`, shape (message_bits,).
        """
        count = len(llrs)
        soft = self.gather(llrs)
        carriers = self.carriers(count)
        frozen = np.ones(self.length, bool)
        frozen[carriers] = False
        words, costs = _decode_list(soft, frozen)
        messages = _transform(words)[:, carriers] ^ mask
        payloads = _to_integers(messages[:, : self.payload_bits])
        holds = (self._messages(payloads) == messages).all(axis=1)
        found = np.flatnonzero(holds & np.isfinite(costs))
        return int(payloads[found[0]]) if len(found) else None

    def gather(self, values: Reals) -> Reals:
        """The sum over the places of each bit of the code word, shape (length,)."""
        sums: Reals = np.bincount(self.places(len(values)), weights=values, minlength=self.length).astype(np.float64)
        return sums

    def carriers(self, places: int) -> NDArray[np.intp]:
        """The positions of the input that carry payload and CRC, ascending, shape (message_bits,)."""
        return _carriers(self.length, self.message_bits, min(places, self.length))

    def _messages(self, payloads: NDArray[np.uint64]) -> Bits:
        octets = payloads.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - self.payload_bits // 8 :]
        checks = _crc(octets, self.crc_bits).astype(f">u{self.crc_bits // 8}").view(np.uint8).reshape(len(payloads), -1)
        return np.unpackbits(np.concatenate([octets, checks], axis=1), axis=1)


def log10_chance_of_payload(list_size: int, crc_bits: int, tries: int = 1) -> float:
    """log10 of a bound on the chance that noise yields a payload: tries x list size x 2^-crc_bits, at most 1.

    It holds for words whose message was masked by a uniform secret. The decoder finds its list without the mask; where
    nothing was written, the list is independent of it, so each entry is a uniform message once unmasked, whatever the
    noise was, and passes the CRC with probability 2^-crc_bits.
    """
    return min(0.0, math.log10(tries) + math.log10(list_size) - crc_bits * math.log10(2))


# --- the check --------------------------------------------------------------------------------------------------------


def _crc(octets: Bits, width: int) -> NDArray[np.uint32]:
    """The CRC of each row, by table: a CRC is affine, so the bytes' parts are added by XOR."""
    start, tables = _crc_tables(octets.shape[1], width)
    parts = np.take_along_axis(tables, octets.T.astype(np.intp), axis=1)
    checks: NDArray[np.uint32] = np.bitwise_xor.reduce(parts, axis=0) ^ np.uint32(start)
    return checks


@lru_cache(maxsize=4)
def _crc_tables(size: int, width: int) -> tuple[int, NDArray[np.uint32]]:
    crc = _CRCS[width]
    start = crc(bytes(size))
    tables = [
        [crc(bytes(at) + bytes([value]) + bytes(size - 1 - at)) ^ start for value in range(256)] for at in range(size)
    ]
    return start, np.array(tables, np.uint32)


def _to_integers(messages: Bits) -> NDArray[np.uint64]:
    octets = np.packbits(messages, axis=1)
    padded = np.concatenate([np.zeros((len(octets), 8 - octets.shape[1]), np.uint8), octets], axis=1)
    return padded.view(">u8").ravel().astype(np.uint64)


# --- the code ---------------------------------------------------------------------------------------------------------


def _transform(bits: Bits) -> Bits:
    """Multiply each row by the n-th Kronecker power of [[1, 0], [1, 1]] over GF(2); the product is its own inverse."""
    words = np.packbits(bits, axis=1, bitorder="little")
    size = bits.shape[1]
    for shift, mask in ((1, 0x55), (2, 0x33), (4, 0x0F)):
        words ^= (words >> shift) & mask
    half = 1
    while half < size // 8:
        pairs = words.reshape(len(words), -1, 2, half)
        pairs[:, :, 0] ^= pairs[:, :, 1]
        half *= 2
    return np.unpackbits(words, axis=1, bitorder="little")


@lru_cache(maxsize=32)
def _carriers(length: int, message_bits: int, places: int) -> NDArray[np.intp]:
    """The most reliable positions by Gaussian approximation, the first `length - places` bits of the word unknown."""
    means = np.full(length, 2 * _DESIGN_RATIO * (1024 / 96) * message_bits / places)
    means[: length - places] = 0
    # Equal reliabilities are among positions without hope, or without error: the later one has the better channel.
    order = np.lexsort((np.arange(length), _polarise(means)))
    carriers = np.sort(order[-message_bits:])
    carriers.setflags(write=False)
    return carriers


def _polarise(means: Reals) -> Reals:
    """Mean log-likelihoods of the bits of the word -> of the bits of its input, given all bits before."""
    if len(means) == 1:
        return means
    a, b = np.split(means, 2)
    grid, quality = _quality_table()
    parity = np.interp(a, grid, quality) + np.interp(b, grid, quality)
    worse = np.where(np.minimum(a, b) > 0, np.interp(parity, quality, grid), 0)
    return np.concatenate([_polarise(worse), _polarise(a + b)])


@lru_cache(maxsize=1)
def _quality_table() -> tuple[Reals, Reals]:
    """Means m, and ln E[tanh(X / 2)] for X ~ N(m, 2m): what adds up where two bits are known by their parity only."""
    means = np.exp(np.linspace(-25, 8, 1500))
    steps = np.linspace(-9, 9, 721)
    at = steps * np.minimum(np.sqrt(2 * means), 9)[:, None]
    weights = np.exp(-at * at / (4 * means[:, None])) / np.cosh(at / 2)
    missing = np.exp(-means / 4) * np.trapezoid(weights, at, axis=1) / np.sqrt(4 * np.pi * means)
    return means, np.where(means < _TINY_MEAN, np.log(means / 2), np.log1p(-np.minimum(missing, 1 - 1e-12)))


# --- list decoding ----------------------------------------------------------------------------------------------------


def _decode_list(llrs: Reals, frozen: NDArray[np.bool_]) -> tuple[Bits, Reals]:
    """The likeliest code words, shape (LIST_SIZE, length), and their costs, ascending; infinite for an empty entry."""
    costs = np.full(LIST_SIZE, np.inf)
    costs[0] = 0
    words, _, costs = _descend(np.tile(llrs, (LIST_SIZE, 1)), costs, frozen)
    order = np.argsort(costs, kind="stable")
    return words[order], costs[order]


def _descend(llrs: Reals, costs: Reals, frozen: NDArray[np.bool_]) -> tuple[Bits, NDArray[np.intp], Reals]:
    """One node of the tree, for all paths at once.

    Returns:
        The node's bits (paths, size); which of the paths that came in each of them continues; their costs.
    """
    size = len(frozen)
    if frozen.all():
        return np.zeros(llrs.shape, np.uint8), _ALL_PATHS, costs + _softplus(-llrs).sum(axis=1)
    if frozen[:-1].all():  # one bit, repeated: both values cost what all places say together
        return _fork(llrs, costs)
    a, b = llrs[:, : size // 2], llrs[:, size // 2 :]
    left, parents, costs = _descend(_parity(a, b), costs, frozen[: size // 2])
    a, b = a[parents], b[parents]
    right, heirs, costs = _descend(b + np.where(left, -a, a), costs, frozen[size // 2 :])
    return np.concatenate([left[heirs] ^ right, right], axis=1), parents[heirs], costs


_ALL_PATHS = np.arange(LIST_SIZE)


def _fork(llrs: Reals, costs: Reals) -> tuple[Bits, NDArray[np.intp], Reals]:
    both = np.concatenate([costs + _softplus(-llrs).sum(axis=1), costs + _softplus(llrs).sum(axis=1)])
    best = np.argsort(both, kind="stable")[:LIST_SIZE]
    bits = (best >= LIST_SIZE).astype(np.uint8)
    return np.repeat(bits[:, None], llrs.shape[1], axis=1), best % LIST_SIZE, both[best]


def _softplus(values: Reals) -> Reals:
    """ln(1 + e^x)."""
    softened: Reals = np.maximum(values, 0) + np.log1p(np.exp(-np.abs(values)))
    return softened


def _parity(a: Reals, b: Reals) -> Reals:
    """The log-likelihood of a sum of two bits: 2 artanh(tanh(a / 2) tanh(b / 2)), exactly and for all sizes."""
    smaller = np.sign(a) * np.sign(b) * np.minimum(np.abs(a), np.abs(b))
    parity: Reals = smaller + np.log1p(np.exp(-np.abs(a + b))) - np.log1p(np.exp(-np.abs(a - b)))
    return parity
