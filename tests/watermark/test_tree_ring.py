import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import kstest, ncx2, t

from assay.vocabulary import Latents, Seal
from watermark.tree_ring import TreeRing

SHAPE = (4, 32, 32)
RING = TreeRing()


def seal_of(chance: np.random.Generator) -> Seal:
    return Seal(secret=chance.bytes(32), nonce=chance.bytes(12), payload=0)


def noise_of(chance: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Latents:
    return chance.standard_normal(shape, dtype=np.float32)


def _pattern(seal: Seal) -> NDArray[np.float64]:
    """In space, not in frequency: what silence is marked with."""
    return RING.mark(np.zeros(SHAPE, np.float32), seal)[-1].astype(np.float64)


def _replaced(noise: Latents, seal: Seal) -> NDArray[np.float64]:
    """The part of the noise that marking takes out, in space."""
    return noise[-1] - RING.mark(noise, seal)[-1] + _pattern(seal)


def test_the_statistic_is_a_cosine_in_space() -> None:
    """Parseval: frequencies that come in conjugate pairs are counted once each, as one real dimension."""
    chance = np.random.default_rng(1)
    seal, noise = seal_of(chance), noise_of(chance)
    pattern, part = _pattern(seal), _replaced(noise, seal)
    cosine = np.sum(pattern * part) / np.linalg.norm(pattern) / np.linalg.norm(part)
    assert RING.measure(noise, seal).statistic == pytest.approx(cosine, abs=1e-5)


def test_the_p_value_is_that_of_student() -> None:
    """The cosine of a random direction is Student's t in disguise: 81 coefficients lie within 5 of the middle."""
    chance = np.random.default_rng(2)
    for strength in (0, 0.5, 1, 3):
        seal, noise = seal_of(chance), noise_of(chance)
        noise[-1] += strength * _pattern(seal).astype(np.float32)
        reading = RING.measure(noise, seal)
        assert "81 dimensions" in reading.null
        student = reading.statistic * math.sqrt(80 / (1 - reading.statistic**2))
        assert reading.log10_p == pytest.approx(t.logsf(student, 80) / math.log(10), abs=1e-6)


@pytest.mark.parametrize("scale", [0.3, 1, 5])
def test_p_values_are_uniform_for_white_noise_of_any_strength(scale: float) -> None:
    chance = np.random.default_rng(3)
    p = [10 ** RING.measure(scale * noise_of(chance), seal_of(chance)).log10_p for _ in range(800)]
    assert kstest(p, "uniform").pvalue > 0.01


def _published_p(noise: Latents, seal: Seal) -> float:
    pattern, part = _pattern(seal), _replaced(noise, seal)
    variance = np.sum(part**2) / 81
    return float(ncx2.cdf(np.sum((part - pattern) ** 2) / variance, 81, np.sum(pattern**2) / variance))


@pytest.mark.parametrize("deviation", [0.5, 1, 2])
def test_the_published_p_value_is_timid(deviation: float) -> None:
    """It takes an estimated variance for a known one, and so is larger than the exact one wherever it is small."""
    chance, compared = np.random.default_rng(4), 0
    for _ in range(25):
        seal = seal_of(chance)
        noisy = RING.mark(noise_of(chance), seal) + deviation * noise_of(chance)
        published = _published_p(noisy, seal)
        if published < 0.2:
            assert RING.measure(noisy, seal).log10_p < math.log10(published)
            compared += 1
    assert compared >= 15


def test_power_grows_with_the_correlation() -> None:
    chance = np.random.default_rng(5)
    medians = []
    for deviation in (8, 4, 2, 1, 0.5, 0):
        seals = [seal_of(chance) for _ in range(40)]
        noisy = [RING.mark(noise_of(chance), seal) + deviation * noise_of(chance) for seal in seals]
        medians.append(np.median([RING.measure(one, seal).log10_p for one, seal in zip(noisy, seals, strict=True)]))
    assert medians == sorted(medians, reverse=True)
    assert medians[0] > -2
    assert medians[3] < -6


def test_the_rings_survive_turning_and_mirroring() -> None:
    chance = np.random.default_rng(6)
    seal = seal_of(chance)
    marked = RING.mark(noise_of(chance), seal)
    turned = (np.rot90(marked, 1, (1, 2)), np.rot90(marked, 2, (1, 2)), marked[..., ::-1], marked[:, ::-1])
    assert max(RING.measure(one, seal).log10_p for one in turned) < -6


@given(st.tuples(st.integers(1, 5), st.integers(3, 40), st.integers(3, 40)), st.integers(0, 2**32))
def test_any_size_holds_the_whole_pattern(shape: tuple[int, int, int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    seal, noise = seal_of(chance), noise_of(chance, shape)
    marked = RING.mark(noise, seal)
    assert marked.dtype == np.float32
    assert marked.shape == shape
    np.testing.assert_array_equal(marked[:-1], noise[:-1])
    assert RING.measure(marked, seal).statistic == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(RING.mark(marked, seal), marked, atol=1e-5)


def test_the_radius_follows_the_size() -> None:
    """10 of 64: the disc of that radius has 317 coefficients, that of half the radius 81."""
    seal = seal_of(np.random.default_rng(7))
    for side, coefficients in ((32, 81), (64, 317)):
        reading = RING.measure(np.ones((1, side, side), np.float32), seal)
        assert f"{coefficients} dimensions" in reading.null


def test_marking_keeps_the_energy() -> None:
    chance = np.random.default_rng(8)
    energies = [np.sum(_pattern(seal_of(chance)) ** 2) for _ in range(5)]
    assert energies == pytest.approx([81] * 5, rel=1e-4)


def test_every_image_of_a_key_has_the_same_rings_and_no_other_key_has_them() -> None:
    chance = np.random.default_rng(9)
    one = seal_of(chance)
    again = Seal(secret=one.secret, nonce=chance.bytes(12), payload=99)
    np.testing.assert_array_equal(_pattern(one), _pattern(again))
    assert RING.measure(RING.mark(noise_of(chance), one), again).log10_p < -100
    others = [RING.measure(RING.mark(noise_of(chance), one), seal_of(chance)).statistic for _ in range(20)]
    assert max(others) < 0.99


def test_silence_reads_as_nothing() -> None:
    assert RING.measure(np.zeros(SHAPE, np.float32), seal_of(np.random.default_rng(10))).log10_p == math.log10(0.5)


def test_there_is_no_payload() -> None:
    chance = np.random.default_rng(11)
    seal = seal_of(chance)
    assert RING.decode(RING.mark(noise_of(chance), seal), seal.secret, seal.nonce) is None
