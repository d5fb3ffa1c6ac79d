from collections.abc import Mapping

import numpy as np
import pytest
import torch
from scipy.stats import goodness_of_fit, kstest, norm

from assay.stats import clopper_pearson
from assay.vocabulary import LatentWatermark
from watermark.gaussian_shading import FixedPadGaussianShading, GaussianShading
from watermark.prc import Prc
from watermark.steganalysis import Batch, Look, Sampler, _anderson_darling_p, distinguish, fresh, looks, marked
from watermark.tree_ring import TreeRing

SHAPE = (4, 16, 16)
SECRET = bytes(range(32))


def _marked(watermark: LatentWatermark, payload: int | None = 7) -> Sampler:
    return marked(watermark, secret=SECRET, shape=SHAPE, payload=payload)


def _looks(latents: Batch) -> Mapping[str, Look]:
    return {look.name: look for look in looks(latents)}


# --- the distinguisher ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("watermark", "train"), [(FixedPadGaussianShading(), 100), (TreeRing(), 400)])
def test_what_repeats_itself_is_caught(watermark: LatentWatermark, train: int) -> None:
    found = distinguish(_marked(watermark), train=train, held_out=600, seed=0)
    assert found.accuracy >= 0.9
    assert (found.low, found.high) == clopper_pearson(round(found.accuracy * 600), 600)
    assert not found.is_chance


@pytest.mark.parametrize("sampler", [fresh(SHAPE), _marked(GaussianShading())])
def test_nothing_is_found_where_nothing_is(sampler: Sampler) -> None:
    found = distinguish(sampler, train=100, held_out=2000, seed=0)
    assert found.is_chance
    assert found.low < found.accuracy < found.high < found.low + 0.05


def test_correlated_neighbours_are_caught_by_the_convolutions() -> None:
    """Wherever they are: no position has a mean, so the weights by position see nothing."""

    def smooth(count: int, chance: np.random.Generator) -> Batch:
        noise = fresh((2, 8, 8))(count, chance)
        return np.asarray((noise + np.roll(noise, 1, axis=3)) / np.sqrt(2), np.float32)

    assert distinguish(smooth, train=1000, held_out=400, seed=0).accuracy > 0.9


def test_a_seed_gives_one_answer_and_disturbs_no_other_chance() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = (distinguish(fresh((1, 5, 7)), train=50, held_out=101, seed=3) for _ in range(2))
    assert first == second
    assert first.n == 100
    assert torch.rand(1) == expected


# --- textbook tests ---------------------------------------------------------------------------------------------------


def test_p_values_are_uniform_on_noise() -> None:
    chance = np.random.default_rng(1)
    piles = [looks(fresh((3, 8, 9))(40, chance)) for _ in range(60)]
    for number, look in enumerate(piles[0]):
        assert kstest([pile[number].p_value for pile in piles], "uniform").pvalue > 0.005, look.name


@pytest.mark.parametrize("watermark", [GaussianShading(), Prc()])
def test_marks_with_fresh_signs_pass_every_look(watermark: LatentWatermark) -> None:
    latents = _marked(watermark)(100, np.random.default_rng(2))
    assert min(look.p_value for look in looks(latents)) > 0.001


@pytest.mark.parametrize("watermark", [FixedPadGaussianShading(), TreeRing()])
def test_the_average_shows_what_repeats(watermark: LatentWatermark) -> None:
    latents = _marked(watermark)(100, np.random.default_rng(3))
    assert _looks(latents)["average over images"].p_value < 1e-9


def test_fresh_payloads_under_a_fixed_pad_show_between_channels() -> None:
    """Each value alone is fair; the same message bit under the same two pad bits is not."""
    latents = _marked(FixedPadGaussianShading(), payload=None)(100, np.random.default_rng(4))
    found = _looks(latents)
    assert found["channels"].p_value < 1e-9
    assert found["average over images"].p_value > 0.001


def _bent(name: str, noise: Batch) -> Batch:
    wrong = {
        "mean": noise + 0.05,
        "variance": 1.05 * noise,
        "skewness": noise + 0.05 * (noise**2 - 1),
        "kurtosis": np.sign(noise) * np.abs(noise) ** 1.1,
        "row neighbours": noise + 0.05 * np.roll(noise, 1, axis=3),
        "column neighbours": noise + 0.05 * np.roll(noise, 1, axis=2),
        "diagonal neighbours": noise + 0.05 * np.roll(noise, (1, 1), axis=(2, 3)),
        "channels": noise + 0.05 * np.roll(noise, 1, axis=1),
        "average over images": noise + 0.5 * noise[0],
        "Kolmogorov-Smirnov": np.abs(noise),
        "Anderson-Darling": np.abs(noise),
    }
    return np.asarray(wrong[name], np.float32)


def test_each_look_sees_what_it_is_for() -> None:
    noise = fresh(SHAPE)(100, np.random.default_rng(5))
    assert len(_looks(noise)) == 11
    for name in _looks(noise):
        assert _looks(_bent(name, noise))[name].p_value < 1e-6, name


@pytest.mark.parametrize(("statistic", "p_value"), [(1.933, 0.1), (2.492, 0.05), (3.878, 0.01)])
def test_anderson_darling_agrees_with_the_tables(statistic: float, p_value: float) -> None:
    """Lewis, Ann. Math. Stat. 32 (1961), table 1: percentage points where nothing is estimated."""
    assert _anderson_darling_p(statistic) == pytest.approx(p_value, rel=1e-3)


def test_anderson_darling_agrees_with_simulation() -> None:
    values = fresh((1, 20, 20))(1, np.random.default_rng(6)) + np.float32(0.03)
    found = _looks(values)["Anderson-Darling"]
    known, chance = {"loc": 0, "scale": 1}, np.random.default_rng(7)
    other = goodness_of_fit(norm, values.ravel(), known_params=known, statistic="ad", n_mc_samples=3999, rng=chance)
    assert found.statistic == pytest.approx(other.statistic, rel=1e-6)
    assert found.p_value == pytest.approx(other.pvalue, abs=0.02)
    assert 0.02 < found.p_value < 0.5
