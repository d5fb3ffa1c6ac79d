"""Key streams: ChaCha20 (RFC 8439) as bits, magnitudes and permutations.

Every purpose has a key of its own (`assay.keys.derive`), so one nonce may serve several streams. All of it is the same
on every machine, but for the last bit of a magnitude, where the inverse normal may differ.
"""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import sha256

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray
from scipy.special import ndtri

NONCE_BYTES = 12
NO_NONCE = bytes(NONCE_BYTES)
"""For streams that are the same for every image of a key."""

_COUNTER_FROM_ZERO = bytes(4)


def keystream(key: bytes, nonce: bytes, size: int) -> bytes:
    """The first bytes of a ChaCha20 key stream, block counter from 0.

    Args:
        key: 32 bytes.
        nonce: 12 bytes. The same key and nonce give the same stream: two images that share both share their mark.
        size: In bytes, less than 256 GiB.

    Raises:
        ValueError: Key or nonce have another length.
    """
    cipher = Cipher(algorithms.ChaCha20(key, _COUNTER_FROM_ZERO + nonce), mode=None)
    return cipher.encryptor().update(bytes(size))


def bits(key: bytes, nonce: bytes, count: int) -> NDArray[np.uint8]:
    """Uniform bits, uint8 of shape (count,): the stream's bytes, the lowest bit of each first."""
    stream = np.frombuffer(keystream(key, nonce, math.ceil(count / 8)), np.uint8)
    return np.unpackbits(stream, count=count, bitorder="little")


def magnitudes(key: bytes, nonce: bytes, count: int) -> NDArray[np.float64]:
    """Half-normal values, the magnitudes of N(0, 1): float64 of shape (count,), positive.

    By inverse CDF from 52-bit uniforms at the middle of their cells, so the distribution function is exact to 2^-53
    everywhere; the largest possible value is 8.29, which N(0, 1) exceeds once in 10^16 draws.
    """
    words = np.frombuffer(keystream(key, nonce, 8 * count), "<u8")
    tail = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-53
    values: NDArray[np.float64] = -ndtri(tail)
    return values


def permutation(key: bytes, count: int) -> NDArray[np.intp]:
    """A pseudorandom order of `count` positions: the ranks of 64-bit words, so it is uniform but for count^2 / 2^65."""
    words = np.frombuffer(keystream(key, NO_NONCE, 8 * count), "<u8")
    return np.argsort(words, kind="stable")


@lru_cache(maxsize=8)
def interleaver(count: int) -> NDArray[np.intp]:
    """The public order in which `count` positions are filled, the same for all keys; read-only.

    It spreads damage in one place over the whole code word. It hides nothing and need not: the key stream does.
    """
    order = permutation(sha256(f"assay|watermark|interleaver|{count}".encode()).digest(), count)
    order.setflags(write=False)
    return order
