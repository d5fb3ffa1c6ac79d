import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import binomtest, kstest, norm

from assay.errors import ConfigurationError
from assay.vocabulary import Latents, Seal
from watermark.prc import CHANNEL_VARIANCE, Prc, _believe, _Code, _code, _expected_signs

SHAPE, SMALL = (4, 32, 32), (4, 9, 11)
PRC = Prc()


def seal_of(chance: np.random.Generator, secret: bytes | None = None) -> Seal:
    payload = int.from_bytes(chance.bytes(8))
    return Seal(secret=secret or chance.bytes(32), nonce=chance.bytes(12), payload=payload)


def noise_of(chance: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Latents:
    return chance.standard_normal(shape, dtype=np.float32)


def noisy(latents: Latents, accuracy: float, chance: np.random.Generator) -> Latents:
    """Gaussian noise that leaves that share of signs right: arctan(1 / deviation) / pi is above one half."""
    return latents + noise_of(chance, latents.shape) / np.float32(np.tan(np.pi * (accuracy - 0.5)))


# --- the code ---------------------------------------------------------------------------------------------------------


def test_parameters_follow_the_paper() -> None:
    code = _code(bytes(32), 4096)
    assert code.random_bits == math.floor(math.log2(math.comb(4096, 3))) == 33
    assert code.message_bits == 20 + 33 + 64
    assert code.checks.shape == (4096 - 117 - 33, 3)
    assert code.noise_rate == pytest.approx(1 - 2 ** (-33 / 33**2))


def test_every_word_satisfies_every_check() -> None:
    code, chance = _code(b"k" * 32, 396), np.random.default_rng(1)
    for _ in range(20):
        word = code.word(int.from_bytes(chance.bytes(20)) % 2**code.message_bits)
        assert not (word[code.checks].sum(axis=1) % 2).any()


def _rank(rows: list[int]) -> int:
    """Over GF(2)."""
    rank = 0
    while rows:
        pivot = rows.pop()
        if pivot:
            rank += 1
            low = pivot & -pivot
            rows = [row ^ pivot if row & low else row for row in rows]
    return rank


def test_checks_are_independent_and_have_three_different_places() -> None:
    """What the null rests on: independent checks of a uniform pad are independent fair coins."""
    code = _code(b"k" * 32, 396)
    assert all(len(set(check)) == 3 for check in code.checks.tolist())
    assert _rank([sum(1 << place for place in check) for check in code.checks.tolist()]) == len(code.checks)
    assert _rank(list(code.rows)) == code.message_bits


def test_the_signs_are_a_noisy_word_under_the_pad() -> None:
    """A check of three fails where an odd number of its bits is flipped."""
    chance = np.random.default_rng(2)
    seal = seal_of(chance)
    code = _code(seal.secret, 4096)
    failed = []
    for _ in range(10):
        marked = PRC.mark(noise_of(chance), replace(seal, nonce=chance.bytes(12)))
        word = (marked.ravel() < 0) ^ code.pad
        failed.append(np.mean(word[code.checks].sum(axis=1) % 2))
    assert np.mean(failed) == pytest.approx((1 - (1 - 2 * code.noise_rate) ** 3) / 2, abs=0.01)


def test_one_payload_never_looks_the_same_twice() -> None:
    chance = np.random.default_rng(3)
    seal = seal_of(chance)
    signs = np.stack([PRC.mark(noise_of(chance), replace(seal, nonce=chance.bytes(12))) > 0 for _ in range(30)])
    agreements = int((signs[1:] == signs[:-1]).sum())
    assert binomtest(agreements, signs[1:].size).pvalue > 0.001


def test_the_noise_stays_normal() -> None:
    """With one key: same magnitudes, fair signs at each place, normal values."""
    chance = np.random.default_rng(4)
    noise = np.stack([noise_of(chance) for _ in range(40)])
    marked = np.stack([PRC.mark(one, seal_of(chance, bytes(32))) for one in noise])
    np.testing.assert_array_equal(np.abs(marked), np.abs(noise))
    assert kstest(marked.ravel(), norm.cdf).pvalue > 0.01
    places = ((marked > 0).sum(axis=0) - 20) / math.sqrt(10)
    assert np.mean(places**2) == pytest.approx(1, abs=5 * math.sqrt(2 / places.size))


def test_latents_without_room_for_checks_are_refused() -> None:
    seal = seal_of(np.random.default_rng(5))
    with pytest.raises(ConfigurationError, match="64 values are too small") as caught:
        PRC.mark(np.zeros((1, 8, 8), np.float32), seal)
    assert "larger" in caught.value.hint


# --- detection --------------------------------------------------------------------------------------------------------


def test_soft_bits_are_posterior_means() -> None:
    """E[sign x | z] for z = x + N(0, v), by integration."""
    noise = np.array([0.1, -0.5, 1.0, 2.0] * 100, np.float32)
    code = _code(bytes(32), noise.size)
    soft = _expected_signs(noise, code) * (1.0 - 2.0 * code.pad) / (1 - 2 * code.noise_rate)
    unit = noise / np.sqrt(np.mean(noise**2)) * math.sqrt(1 + CHANNEL_VARIANCE)
    for z, found in zip(unit[:4], soft[:4], strict=True):
        weights = [_mass(float(z), *ends) for ends in ((0, 12), (-12, 0))]
        assert found == pytest.approx((weights[0] - weights[1]) / sum(weights), abs=1e-6)


def _mass(z: float, low: float, high: float) -> float:
    value, _ = quad(lambda x: norm.pdf(x) * norm.pdf(z - x, scale=math.sqrt(CHANNEL_VARIANCE)), low, high)
    return float(value)


def test_the_p_value_is_where_the_published_threshold_lies() -> None:
    """The paper accepts where sum log((1 + s) / 2) >= sqrt(2 C log(1 / F)) + sum of means; solved for F."""
    chance = np.random.default_rng(6)
    seal = seal_of(chance)
    latents = noisy(PRC.mark(noise_of(chance, SMALL), seal), 0.85, chance)
    code = _code(seal.secret, latents.size)
    soft = np.prod(_expected_signs(latents, code)[code.checks], axis=1)
    plus, minus = np.log((1 + np.abs(soft)) / 2), np.log((1 - np.abs(soft)) / 2)
    constant = 0.5 * np.sum(plus**2 + minus**2 - 0.5 * (plus + minus) ** 2)
    excess = np.sum(np.log((1 + soft) / 2)) - 0.5 * np.sum(plus + minus)
    reading = PRC.measure(latents, seal)
    assert reading.log10_p == pytest.approx(-(excess**2) / (2 * constant) / math.log(10), rel=1e-9)
    assert reading.log10_p < -6


def _hostile() -> dict[str, Latents]:
    ramp = np.linspace(-2, 2, math.prod(SMALL), dtype=np.float32).reshape(SMALL)
    return {
        "all positive": np.ones(SMALL, np.float32),
        "ramp": ramp,
        "noise": noise_of(np.random.default_rng(7), SMALL),
    }


@pytest.mark.parametrize("name", _hostile())
def test_the_null_is_a_sum_of_coins_over_keys_whatever_the_noise(name: str) -> None:
    chance, noise = np.random.default_rng(8), _hostile()[name]
    read = [PRC.measure(noise, seal_of(chance)) for _ in range(400)]
    assert kstest([reading.statistic for reading in read], norm.cdf).pvalue > 0.01
    p = 10 ** np.array([reading.log10_p for reading in read])
    assert all(binomtest(int(np.sum(p <= level)), p.size, level, "greater").pvalue > 0.01 for level in (0.3, 0.1, 0.02))


def test_silence_reads_as_nothing() -> None:
    reading = PRC.measure(np.zeros(SMALL, np.float32), seal_of(np.random.default_rng(9)))
    assert (reading.statistic, reading.log10_p) == (0, 0)


def test_power_grows_with_the_sign_accuracy_and_needs_no_nonce() -> None:
    chance = np.random.default_rng(10)
    medians = []
    for accuracy in (0.5001, 0.65, 0.7, 0.75, 0.85):
        read = []
        for _ in range(15):
            seal = seal_of(chance, bytes(32))
            latents = noisy(PRC.mark(noise_of(chance), seal), accuracy, chance)
            read.append(PRC.measure(latents, replace(seal, nonce=bytes(12), payload=0)))
        medians.append(np.median([reading.log10_p for reading in read]))
    assert medians == sorted(medians, reverse=True)
    assert medians[0] > -1
    assert medians[3] < -6


# --- decoding ---------------------------------------------------------------------------------------------------------


def _exact(code: _Code, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihood ratios by going through every word."""
    mass = np.zeros((2, expected.size))
    for bits in product((0, 1), repeat=expected.size):
        word = np.array(bits)
        if not (word[code.checks].sum(axis=1) % 2).any():
            mass[word, np.arange(expected.size)] += np.prod((1 + (1 - 2 * word) * expected) / 2)
    return np.asarray(np.log(mass[0] / mass[1]))


def test_belief_propagation_is_exact_where_checks_form_a_tree() -> None:
    checks = np.array([[0, 1, 2], [2, 3, 4], [4, 5, 6], [2, 7, 8]])
    code = replace(_code(bytes(32), 396), checks=checks)
    chance, compared = np.random.default_rng(11), 0
    for _ in range(50):
        expected = chance.uniform(-0.6, 0.6, 9)
        exact = _exact(code, expected)
        if ((exact < 0)[checks].sum(axis=1) % 2).any():  # else it may stop early, at a word
            np.testing.assert_allclose(_believe(code, expected), exact, atol=1e-9)
            compared += 1
    assert compared >= 10


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**64 - 1), st.tuples(st.integers(3, 5), st.integers(17, 30), st.integers(19, 30)))
def test_payloads_come_back_from_latents_of_any_size(payload: int, shape: tuple[int, int, int]) -> None:
    chance = np.random.default_rng(12)
    seal = replace(seal_of(chance), payload=payload)
    marked = PRC.mark(noise_of(chance, shape), seal)
    assert marked.dtype == np.float32
    assert PRC.decode(marked, seal.secret, bytes(12)) == payload


def test_a_payload_survives_a_quarter_of_the_signs_wrong() -> None:
    chance = np.random.default_rng(13)
    for _ in range(10):
        seal = seal_of(chance, bytes(32))
        latents = noisy(PRC.mark(noise_of(chance), seal), 0.75, chance)
        assert PRC.decode(latents, seal.secret, seal.nonce) == seal.payload


def test_without_the_key_there_is_no_payload() -> None:
    chance = np.random.default_rng(14)
    seal = seal_of(chance)
    assert PRC.decode(PRC.mark(noise_of(chance), seal), bytes(32), seal.nonce) is None
    assert PRC.decode(noise_of(chance), seal.secret, seal.nonce) is None
    assert PRC.decode(np.zeros(SHAPE, np.float32), seal.secret, seal.nonce) is None
