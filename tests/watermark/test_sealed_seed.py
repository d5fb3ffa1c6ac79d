"""Tests of the guarantees bear their names, as the docstrings of the two classes state them."""

from __future__ import annotations

import math
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare, kstest, norm

from assay.stats import log10_normal_tail
from assay.vocabulary import Latents, Seal
from watermark.estimate import level, whiten
from watermark.sealed_seed import LOG10_STATELESS_P, SALT_BYTES, SealedSeed, StatelessSeed, template

SECRET = bytes(range(32))
SHAPE = (4, 32, 32)
SMALL = (4, 8, 8)
IMAGES = 10_000


def seal(number: int = 0, payload: int = 0xFEDC_BA98_7654_3210, secret: bytes = SECRET) -> Seal:
    """The seal of image `number`; nonces as bad as a counter, since a key stream must not mind."""
    return Seal(secret=secret, nonce=number.to_bytes(12, "big"), payload=payload)


def key(number: int) -> bytes:
    return sha256(number.to_bytes(8, "big")).digest()


def noise(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> Latents:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def estimate(sealed: Latents, correlation: float, seed: int = 1) -> Latents:
    """What a noisy inversion gives back."""
    blurred = correlation * sealed + math.sqrt(1 - correlation**2) * noise(seed, sealed.shape)  # type: ignore[arg-type]
    return blurred.astype(np.float32)


@pytest.fixture(scope="module")
def many() -> NDArray[np.float64]:
    """10,000 images of one key and one payload, the hardest case: shape (images, 256)."""
    return np.stack([template(seal(number), SMALL).ravel() for number in range(IMAGES)]).astype(np.float64)


def anderson_darling(values: NDArray[np.float64]) -> float:
    """A^2 against N(0, 1), nothing estimated: above 6.0 with probability 0.001 (Marsaglia and Marsaglia, 2004)."""
    ordered = np.sort(values.ravel())
    count = ordered.size
    odd = 2 * np.arange(1, count + 1) - 1
    return float(-count - np.mean(odd * (norm.logcdf(ordered) + norm.logsf(ordered[::-1]))))


# --- marked noise is standard normal ----------------------------------------------------------------------------------


def test_marked_noise_is_standard_normal_in_its_moments(many: NDArray[np.float64]) -> None:
    root = math.sqrt(many.size)
    assert abs(many.mean()) * root < 4
    assert abs((many**2).mean() - 1) * root / math.sqrt(2) < 4
    assert abs((many**3).mean()) * root / math.sqrt(15) < 4
    assert abs((many**4).mean() - 3) * root / math.sqrt(96) < 4


def test_marked_noise_is_standard_normal_by_anderson_and_darling(many: NDArray[np.float64]) -> None:
    assert anderson_darling(many) < 6.0
    by_place = [anderson_darling(many[:, place]) for place in range(0, 256, 8)]
    assert np.mean(by_place) == pytest.approx(1, abs=0.5)
    assert max(by_place) < 9.0


def test_marked_noise_is_standard_normal_jointly_over_places(many: NDArray[np.float64]) -> None:
    """No two places go together over the images of one key, although they hold the same payload."""
    for values in (many, np.sign(many), np.abs(many) - math.sqrt(2 / math.pi)):
        correlations = np.corrcoef(values.T)[np.triu_indices(256, 1)] * math.sqrt(IMAGES)
        assert np.abs(correlations).max() < 5.5
        assert np.var(correlations) == pytest.approx(1, abs=0.03)


def test_marked_noise_is_standard_normal_jointly_over_images(many: NDArray[np.float64]) -> None:
    for lag in (1, 2, 256, 5000):
        products = many[lag:] * many[:-lag]
        assert abs(products.mean()) * math.sqrt(products.size) < 4


def test_marked_noise_is_standard_normal_in_space() -> None:
    images = np.stack([template(seal(number), SHAPE) for number in range(200)])
    for shift in ((0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1)):
        autocorrelation = float(np.mean(images * np.roll(images, shift, axis=(1, 2, 3))))
        assert abs(autocorrelation) * math.sqrt(images.size) < 4


def test_signs_are_fair_at_every_place(many: NDArray[np.float64]) -> None:
    negative = (many < 0).sum(axis=0)
    assert chisquare(np.concatenate([negative, IMAGES - negative]), ddof=255).pvalue > 0.01


# --- the null is exact ------------------------------------------------------------------------------------------------

AWKWARD = {
    "constant": np.ones(SMALL, np.float32),
    "one value": np.eye(1, 256, 7, dtype=np.float32).reshape(SMALL),
    "heavy tails": np.random.default_rng(0).standard_cauchy(SMALL).astype(np.float32),
    "marked by another": template(seal(0, secret=key(1)), SMALL),
    "negative template": -template(seal(0, secret=key(2)), SMALL),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_the_null_is_exact(name: str, many: NDArray[np.float64]) -> None:
    """T over the draw of the key stream, for one fixed vector, whatever it is."""
    vector = AWKWARD[name].astype(np.float64).ravel()
    statistics = many @ vector / np.linalg.norm(vector)
    assert kstest(statistics, norm.cdf).pvalue > 0.01
    for level_of in (0.1, 0.01, 0.001):
        above = int((statistics > norm.isf(level_of)).sum())
        assert abs(above - IMAGES * level_of) < 4 * math.sqrt(IMAGES * level_of)


@pytest.mark.parametrize("prepare", [level, whiten, lambda values: np.sign(values).astype(np.float64)])
def test_preparation_keeps_the_null_exact(prepare: object) -> None:
    assert callable(prepare)
    mark = SealedSeed(prepare=prepare)
    fixed = noise(3, SMALL) ** 3 + 2
    log10_ps = [mark.measure(fixed, seal(number)).log10_p for number in range(1500)]
    assert kstest(np.power(10, log10_ps), "uniform").pvalue > 0.01


def test_measure_is_the_statistic_that_it_says() -> None:
    mark = SealedSeed(prepare=lambda values: values.astype(np.float64))
    vector, sealed = noise(5), template(seal(), SHAPE)
    reading = mark.measure(vector, seal())
    expected = float(np.sum(sealed.astype(float) * vector.astype(float)) / np.sqrt(np.sum(vector.astype(float) ** 2)))
    assert reading.statistic == pytest.approx(expected, rel=1e-12)
    assert reading.log10_p == log10_normal_tail(reading.statistic)


@pytest.mark.parametrize("correlation", [0.05, 0.1, 0.3, 0.7, 1.0])
def test_power_is_that_of_the_closed_form(correlation: float) -> None:
    """T is about r sqrt(n), with standard deviation sqrt(1 + r^2) before the estimate is scaled to its length."""
    mark = SealedSeed()
    statistics = [
        mark.measure(estimate(template(seal(number), SHAPE), correlation, number), seal(number)).statistic
        for number in range(100)
    ]
    expected = correlation * math.sqrt(4096)
    assert np.mean(statistics) == pytest.approx(expected, abs=0.4 + 0.003 * expected)
    assert np.std(statistics) < 1.2 * math.sqrt(1 + correlation**2)


# --- reading ----------------------------------------------------------------------------------------------------------


@given(
    payload=st.integers(0, 2**64 - 1),
    nonce=st.binary(min_size=12, max_size=12),
    secret=st.binary(min_size=32, max_size=32),
    shape=st.sampled_from([(3, 32, 32), (4, 32, 32), (16, 9, 9), (4, 5, 7), (2, 1, 99)]),
)
@settings(max_examples=25, deadline=None)
def test_a_payload_comes_back(payload: int, nonce: bytes, secret: bytes, shape: tuple[int, int, int]) -> None:
    given_seal = Seal(secret=secret, nonce=nonce, payload=payload)
    for mark in (SealedSeed(), StatelessSeed())[: 1 if math.prod(shape) < 300 else 2]:
        marked = mark.mark(noise(0, shape), given_seal)
        assert marked.dtype == np.float32
        assert marked.shape == shape
        assert mark.decode(marked, secret, nonce) == payload


@pytest.mark.parametrize(("shape", "accuracy"), [((4, 64, 64), 0.55), ((4, 32, 32), 0.59), ((3, 32, 32), 0.61)])
def test_a_payload_comes_back_through_noise(shape: tuple[int, int, int], accuracy: float) -> None:
    """At signs that are right with this probability, r = sin(pi (p - 1/2))."""
    correlation = math.sin(math.pi * (accuracy - 0.5))
    mark = SealedSeed()
    for number in range(15):
        heard = estimate(template(seal(number, payload=number), shape), correlation, number)
        assert mark.decode(heard, SECRET, seal(number).nonce) == number


def test_a_cropped_estimate_is_read() -> None:
    cropped = estimate(template(seal(), SHAPE), 0.6)
    cropped[:, :, 12:] = np.nan
    assert SealedSeed().decode(cropped, SECRET, seal().nonce) == seal().payload
    assert SealedSeed().measure(cropped, seal()).log10_p < -50


def test_a_payload_is_not_read_by_chance() -> None:
    mark, marked = SealedSeed(), template(seal(), SHAPE)
    assert mark.decode(marked, key(9), seal().nonce) is None
    assert mark.decode(marked, SECRET, seal(1).nonce) is None
    assert all(mark.decode(noise(at), SECRET, seal().nonce) is None for at in range(10))


@pytest.mark.parametrize("mark", [SealedSeed(), StatelessSeed()], ids=["registry", "stateless"])
@pytest.mark.parametrize(
    "hopeless", [np.zeros(SHAPE, np.float32), np.full(SHAPE, np.nan, np.float32)], ids=["0", "nan"]
)
def test_a_hopeless_estimate_says_nothing(mark: SealedSeed | StatelessSeed, hopeless: Latents) -> None:
    reading = mark.measure(hopeless, seal())
    assert reading.statistic == 0
    assert reading.log10_p == 0
    assert mark.decode(hopeless, SECRET, seal().nonce) is None


def test_noise_that_is_too_small_is_refused() -> None:
    for mark in (SealedSeed(), StatelessSeed()):
        with pytest.raises(ValueError, match="places cannot hold"):
            mark.mark(noise(0, (1, 9, 9)), seal())


def test_the_mark_stays_what_it_is() -> None:
    """What was marked once has to be found for ever: a change of these numbers is a new method, with a new id."""
    sealed = template(seal(), SHAPE)
    assert sha256(np.packbits(sealed < 0)).hexdigest()[:16] == "5e9fc7cc528f6355"
    np.testing.assert_allclose(sealed.ravel()[:4], [0.343949, -0.747047, 0.520117, -0.607515], rtol=1e-5)
    stateless = StatelessSeed().mark(np.ones(SHAPE, np.float32), seal(2**90))
    assert sha256(np.packbits(stateless < 0)).hexdigest()[:16] == "452823597089547f"


# --- searching --------------------------------------------------------------------------------------------------------


def test_a_search_finds_the_row_and_counts_all() -> None:
    seals = [seal(number, secret=key(number % 3)) for number in range(300)]
    heard = estimate(template(seals[123], SHAPE), 0.3)
    found = SealedSeed().search(heard, iter(seals))
    assert found is not None
    assert found.seal == seals[123]
    assert found.reading.statistic == SealedSeed().measure(heard, seals[123]).statistic
    assert found.reading.log10_p == pytest.approx(
        SealedSeed().measure(heard, seals[123]).log10_p + math.log10(300), rel=1e-12
    )


def test_a_search_among_chosen_rows_counts_those_they_were_chosen_from() -> None:
    heard = estimate(template(seal(), SHAPE), 0.3)
    few = SealedSeed().search(heard, [seal(), seal(1)])
    chosen = SealedSeed().search(heard, [seal(), seal(1)], tried=10**6)
    assert few is not None
    assert chosen is not None
    assert chosen.reading.log10_p == pytest.approx(few.reading.log10_p + math.log10(10**6 / 2))
    assert "1,000,000" in chosen.reading.null


def test_a_search_without_a_mark_finds_nothing_rare() -> None:
    log10_ps = []
    for at in range(40):
        found = SealedSeed().search(noise(at, SMALL), (seal(number) for number in range(50)))
        assert found is not None
        log10_ps.append(found.reading.log10_p)
    assert kstest(np.power(10, log10_ps), "uniform", alternative="greater").pvalue > 0.01
    assert SealedSeed().search(noise(), []) is None


# --- without a ledger -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def single() -> NDArray[np.float64]:
    """One image of each of 2,000 keys: shape (keys, 256)."""
    mark, rng = StatelessSeed(), np.random.default_rng(11)
    images = []
    for number in range(2000):
        fresh = Seal(secret=key(number), nonce=rng.bytes(12), payload=number)
        images.append(mark.mark(rng.normal(size=SMALL).astype(np.float32), fresh).ravel())
    return np.stack(images).astype(np.float64)


def test_one_image_is_standard_normal(single: NDArray[np.float64]) -> None:
    assert anderson_darling(single) < 6.0
    correlations = np.corrcoef(single.T)[np.triu_indices(256, 1)] * math.sqrt(len(single))
    assert np.abs(correlations).max() < 5.5
    assert np.var(correlations) == pytest.approx(1, abs=0.03)


def test_many_images_can_be_linked() -> None:
    """The weakness that the docstring names is there: repeated bits of the salt's word betray the key. If this fails,
    the method has become better than it says."""
    mark, rng = StatelessSeed(), np.random.default_rng(12)
    images = [mark.mark(noise(at), Seal(secret=SECRET, nonce=rng.bytes(12), payload=at)) for at in range(300)]
    signs = np.sign(np.stack(images).reshape(300, -1)[:, :1500])
    together = np.abs(signs.T @ signs) / 300
    np.fill_diagonal(together, 0)
    assert together.max() == 1


def test_equal_salts_repeat_noise() -> None:
    mark = StatelessSeed()
    a = mark.mark(noise(1), seal(1, payload=5))
    b = mark.mark(noise(2), seal(2, payload=6))
    assert seal(1).nonce[:SALT_BYTES] == seal(2).nonce[:SALT_BYTES]
    same = np.abs(a) == np.abs(b)
    assert same.mean() == pytest.approx(0.6, abs=0.01)


def test_a_mark_is_not_found_by_chance() -> None:
    mark, marked = StatelessSeed(), StatelessSeed().mark(noise(), seal(2**95))
    assert pytest.approx(math.log10(16 * 2.0**-16 * 16 * 2.0**-32)) == LOG10_STATELESS_P
    assert mark.measure(marked, seal(2**95)).log10_p == LOG10_STATELESS_P < -12
    for other in (seal(2**94), seal(2**95, payload=1), seal(2**95, secret=key(1))):
        assert mark.measure(marked, other).log10_p == 0
    assert all(mark.decode(noise(at), SECRET) is None for at in range(20))


def test_it_is_read_without_the_nonce() -> None:
    mark = StatelessSeed()
    heard = estimate(mark.mark(noise(), seal(2**95)), math.sin(math.pi * 0.14))
    assert mark.decode(heard, SECRET) == mark.decode(heard, SECRET, b"anything") == seal().payload


def test_magnitudes_at_the_salt_are_fresh() -> None:
    given_noise = noise(4)
    marked = StatelessSeed().mark(given_noise, seal())
    assert (np.abs(marked) == np.abs(given_noise)).mean() == pytest.approx(0.4, abs=0.01)
