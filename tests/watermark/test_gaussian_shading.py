import math
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, chisquare, kstest, norm

from assay.keys import derive
from assay.vocabulary import Latents, Seal
from watermark.gaussian_shading import FixedPadGaussianShading, GaussianShading

SHAPE = (4, 32, 32)
SHADING, FIXED = GaussianShading(), FixedPadGaussianShading()


def seal_of(chance: np.random.Generator) -> Seal:
    return Seal(secret=chance.bytes(32), nonce=chance.bytes(12), payload=int.from_bytes(chance.bytes(8)))


def noise_of(chance: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Latents:
    return chance.standard_normal(shape, dtype=np.float32)


def flipped(noise: Latents, kept: float, chance: np.random.Generator) -> Latents:
    """Each sign is kept with that chance."""
    return np.where(chance.random(noise.shape) < kept, noise, -noise).astype(np.float32)


def test_signs_are_the_payload_in_blocks_of_eight_xor_chacha20() -> None:
    """Value by value, in plain Python."""
    chance = np.random.default_rng(1)
    seal, noise = seal_of(chance), noise_of(chance, (3, 11, 19))
    key = derive(seal.secret, "gaussian-shading")
    cipher = Cipher(algorithms.ChaCha20(key, bytes(4) + seal.nonce), mode=None)
    pad = cipher.encryptor().update(bytes(noise.size // 8 + 1))
    marked = SHADING.mark(noise, seal)
    for number, (channel, y, x) in enumerate(np.ndindex(*noise.shape)):
        bit = seal.payload >> (63 - (8 * (y % 8) + x % 8)) & 1
        positive = bit ^ (pad[number // 8] >> (number % 8) & 1)
        assert marked[channel, y, x] == (1 if positive else -1) * abs(noise[channel, y, x])


def test_the_p_value_counts_the_matches_themselves() -> None:
    """P[Bin(64, 1/2) >= m], by counting: with > instead of >=, 64 of 64 would have a p-value of zero."""
    chance = np.random.default_rng(2)
    for wrong_bits in (0, 1, 7, 20, 64):
        seal = seal_of(chance)
        mask = sum(1 << int(bit) for bit in chance.choice(64, wrong_bits, replace=False))
        reading = SHADING.measure(SHADING.mark(noise_of(chance), seal), replace(seal, payload=seal.payload ^ mask))
        assert reading.statistic == 64 - wrong_bits
        tail = sum(math.comb(64, matches) for matches in range(64 - wrong_bits, 65))
        assert reading.log10_p == pytest.approx(math.log10(tail / 2**64), abs=1e-9)


def _hostile() -> dict[str, Latents]:
    ramp = np.linspace(-2, 2, 4 * 9 * 8, dtype=np.float32).reshape(4, 9, 8)
    return {"all positive": np.ones((4, 8, 8), np.float32), "silence": np.zeros((4, 8, 8), np.float32), "ramp": ramp}


@pytest.mark.parametrize("name", _hostile())
@pytest.mark.parametrize("payload", [0, 2**64 - 1, 0x0123456789ABCDEF])
def test_the_null_is_binomial_over_keys_whatever_the_noise(name: str, payload: int) -> None:
    """Four copies of each bit: ties are common, and break so that neither value is favoured."""
    chance, noise = np.random.default_rng(3), _hostile()[name]
    seals = [replace(seal_of(chance), payload=payload) for _ in range(2000)]
    matches = np.array([SHADING.measure(noise, seal).statistic for seal in seals])
    edges = np.arange(24.5, 41)
    observed = np.diff(np.concatenate(([0], [np.sum(matches < edge) for edge in edges], [len(matches)])))
    expected = np.diff(np.concatenate(([0], binom.cdf(edges, 64, 0.5), [1]))) * len(matches)
    assert chisquare(observed, expected).pvalue > 0.001


def test_power_grows_with_the_sign_accuracy() -> None:
    chance = np.random.default_rng(4)
    medians = []
    for accuracy in (0.5, 0.53, 0.56, 0.6, 0.7):
        seals = [seal_of(chance) for _ in range(40)]
        read = [SHADING.measure(flipped(SHADING.mark(noise_of(chance), s), accuracy, chance), s) for s in seals]
        medians.append(np.median([reading.log10_p for reading in read]))
    assert medians == sorted(medians, reverse=True)
    assert medians[0] > -1
    assert medians[3] < -6


@pytest.mark.parametrize("method", [SHADING, FIXED])
def test_one_image_alone_is_normal(method: GaussianShading) -> None:
    """Over keys: same magnitudes, fair signs, normal values."""
    chance = np.random.default_rng(5)
    noise = [noise_of(chance) for _ in range(40)]
    marked = np.stack([method.mark(one, seal_of(chance)) for one in noise])
    np.testing.assert_array_equal(np.abs(marked), np.abs(noise))
    assert kstest(marked.ravel(), norm.cdf).pvalue > 0.01
    assert kstest((marked > 0).mean(axis=(1, 2, 3)), norm(0.5, 0.5 / 64).cdf).pvalue > 0.01


@given(st.integers(0, 2**64 - 1), st.tuples(st.integers(1, 4), st.integers(14, 30), st.integers(14, 30)))
def test_payloads_come_back_from_latents_of_any_size(payload: int, shape: tuple[int, int, int]) -> None:
    chance = np.random.default_rng(6)
    seal = replace(seal_of(chance), payload=payload)
    marked = SHADING.mark(noise_of(chance, shape), seal)
    assert marked.dtype == np.float32
    assert SHADING.decode(marked, seal.secret, seal.nonce) == payload


def test_a_payload_survives_three_signs_in_ten_flipped() -> None:
    chance = np.random.default_rng(7)
    seals = [seal_of(chance) for _ in range(50)]
    noisy = [flipped(SHADING.mark(noise_of(chance), seal), 0.7, chance) for seal in seals]
    right = [SHADING.decode(one, s.secret, s.nonce) == s.payload for one, s in zip(noisy, seals, strict=True)]
    assert np.mean(right) > 0.8  # each bit's 64 copies outvote the flips but for 4 in 10,000 times: 97 % of words


def test_without_key_or_nonce_there_is_no_payload() -> None:
    chance = np.random.default_rng(8)
    seal, other = seal_of(chance), seal_of(chance)
    marked = SHADING.mark(noise_of(chance), seal)
    assert SHADING.decode(marked, other.secret, seal.nonce) is None
    assert SHADING.decode(marked, seal.secret, other.nonce) is None
    assert all(SHADING.decode(noise_of(chance), s.secret, s.nonce) is None for s in (seal, other))
    assert SHADING.decode(np.zeros(SHAPE, np.float32), seal.secret, seal.nonce) is None


def test_latents_without_room_for_every_bit_are_read_for_those_they_hold() -> None:
    chance = np.random.default_rng(9)
    seal = seal_of(chance)
    marked = SHADING.mark(noise_of(chance, (8, 4, 4)), seal)
    reading = SHADING.measure(marked, seal)
    assert reading.statistic == 16
    assert reading.log10_p == pytest.approx(-16 * math.log10(2))
    assert SHADING.decode(marked, seal.secret, seal.nonce) is None


def _signs(method: GaussianShading, secret: bytes, payloads: list[int]) -> NDArray[np.bool_]:
    chance = np.random.default_rng(10)
    seals = [Seal(secret=secret, nonce=chance.bytes(12), payload=payload) for payload in payloads]
    return np.stack([method.mark(noise_of(chance), seal) > 0 for seal in seals])


def test_a_fixed_pad_repeats_itself_and_a_fresh_nonce_does_not() -> None:
    fixed, fresh = _signs(FIXED, bytes(32), [5] * 20), _signs(SHADING, bytes(32), [5] * 20)
    assert (fixed == fixed[0]).all()
    assert abs((fresh[1:] == fresh[0]).mean() - 0.5) < 0.01


def test_a_fixed_pad_shows_through_fresh_payloads() -> None:
    """Values eight apart carry the same bit, so whether their signs agree is the same in every image."""
    signs = _signs(FIXED, bytes(32), [3**number for number in range(40)])
    agree = signs[..., 8:] == signs[..., :-8]
    assert (agree == agree[0]).all()


def test_a_fixed_pad_is_read_without_the_nonce() -> None:
    chance = np.random.default_rng(11)
    seal = seal_of(chance)
    marked = FIXED.mark(noise_of(chance), seal)
    assert FIXED.decode(marked, seal.secret, chance.bytes(12)) == seal.payload
    assert FIXED.measure(marked, replace(seal, nonce=chance.bytes(12))).statistic == 64
