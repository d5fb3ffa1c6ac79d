from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest, norm

from assay.perturb import perturbation
from assay.stats import log10_normal_e
from assay.vocabulary import Latents
from tests.watermark.transforms import embed, error, read, texture
from watermark.blind import Survey, correlate, hypotheses, search, survey

SHAPE, SIZE, GRID = (3, 32, 32), (128, 128), (32, 32)


def _noise(seed: int, shape: tuple[int, ...] = SHAPE) -> Latents:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# --- correlation ------------------------------------------------------------------------------------------------------


def test_correlation_follows_its_definition_at_every_shift() -> None:
    template, noise = _noise(1, (2, 6, 9)), _noise(2, (2, 6, 9))
    noise[:, 1, 3:5] = np.nan
    found = correlate(template, noise, 3)
    for down in range(-3, 4):
        for across in range(-3, 4):
            pairs = [
                (template[c, y - down, x - across], noise[c, y, x])
                for c, y, x in np.ndindex(2, 6, 9)
                if 0 <= y - down < 6 and 0 <= x - across < 9 and np.isfinite(noise[c, y, x])
            ]
            z, v = np.array(pairs, float).T
            assert found[3 + down, 3 + across] == pytest.approx((z * v).sum() / np.sqrt((v * v).sum()))


def test_several_estimates_are_correlated_at_once() -> None:
    template, noises = _noise(1, (2, 8, 8)), _noise(2, (3, 2, 8, 8))
    together = correlate(template, noises, 2)
    assert together.shape == (3, 5, 5)
    assert np.allclose(together, [correlate(template, noise, 2) for noise in noises])


def test_a_shifted_template_peaks_at_its_shift() -> None:
    template = _noise(3)
    found = correlate(template, np.roll(template, (4, -3), (1, 2)), 5)
    assert np.unravel_index(found.argmax(), found.shape) == (9, 2)
    assert found.max() > 45


def test_every_shift_is_standard_normal_over_the_draw_of_the_key() -> None:
    """For one fixed estimate, smooth and far from normal itself."""
    estimate = texture(5, 16, 16).transpose(2, 0, 1)[:1].astype(np.float32) - 60
    estimate[:, :3] = np.nan
    tables = np.array([correlate(_noise(seed, (1, 16, 16)), estimate, 4) for seed in range(1000)])
    for down, across in [(0, 0), (-4, -4), (4, 3), (2, -1)]:
        assert kstest(tables[:, 4 + down, 4 + across], norm.cdf).pvalue > 0.01


def test_nothing_known_is_no_evidence() -> None:
    assert (correlate(_noise(1), np.full(SHAPE, np.nan), 1) == 0).all()


# --- hypotheses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "cell"), [(128, 4), (512, 8), (1024, 8)])
def test_the_list_is_affordable_and_its_weights_sum_to_one(side: int, cell: int) -> None:
    tried = hypotheses((300, 200), (side, side), (side // cell, side // cell))
    assert len(tried) <= 100
    assert math.fsum(one.weight for one in tried) == pytest.approx(1)
    assert tried[0].name == "as it is"
    assert tried[0].weight == 0.5
    assert np.allclose(tried[0].matrix @ (side, side, 1), (200, 300, 1))


@pytest.mark.parametrize(
    "name",
    [*(f"rotate-{degrees}" for degrees in (-15, -8.5, 1.4, 4.4, 13)), *(f"crop-{side}" for side in (76, 80, 90, 97))],
)
def test_some_hypothesis_is_near_any_transform_in_range(name: str) -> None:
    done = perturbation(name).trace(texture(1), 7)
    distances = []
    for one in hypotheses(SIZE, SIZE, GRID):
        for down in range(-one.reach, one.reach + 1):
            for across in range(-one.reach, one.reach + 1):
                moved = np.array([[1, 0, 4 * across], [0, 1, 4 * down], [0, 0, 1]])
                distances.append(error(one.matrix @ moved, done.matrix, SIZE, SIZE))
    assert min(distances) < 0.6 * 4  # pixels: 0.6 of a latent pixel


# --- the search -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("scale-0.5", "scale-2", "turn-90", "turn-180", "flip-horizontal", "turn-270+flip-horizontal", "rotate-15"),
        *("rotate--4.4+jpeg-75", "rotate-10.6", "crop-75", "crop-88+jpeg-75", "crop-area-75", "crop-97"),
    ],
)
def test_the_mark_is_found_and_laid_over_the_template(name: str) -> None:
    template = _noise(11)
    done = perturbation(name).trace(embed(template), 3)
    found = search(survey(done.pixels, SIZE, GRID, read), template)
    assert found.log10_p < -100
    received = (done.pixels.shape[0], done.pixels.shape[1])
    assert error(found.matrix, done.matrix, SIZE, received) < 1.5
    known = np.isfinite(found.noise)
    assert np.corrcoef(found.noise[known], template[known])[0, 1] > 0.6
    assert found.statistic == pytest.approx(correlate(template, found.noise, 0).item(), rel=1e-6)


def test_refinement_helps_between_hypotheses() -> None:
    template = _noise(12)
    surveyed = survey(perturbation("rotate-4.5").apply(embed(template)), SIZE, GRID, read)
    coarse = max(
        correlate(template, noise, one.reach).max()
        for noise, one in zip(surveyed.noises, surveyed.hypotheses, strict=True)
    )
    assert search(surveyed, template).statistic > coarse + 2


def test_the_p_value_counts_everything() -> None:
    """A mark so weak that nothing is refined: the e-values of all hypotheses and shifts, added by hand."""
    template = _noise(13)
    weak = 0.07 * template + _noise(14)
    surveyed = survey(texture(1), SIZE, GRID, lambda pictures: [weak for _ in pictures])
    found = search(surveyed, template)
    total = 0.0
    for noise, one in zip(surveyed.noises, surveyed.hypotheses, strict=True):
        table = correlate(template, noise, one.reach)
        total += 0.5 * one.weight * np.mean([10 ** log10_normal_e(float(t)) for t in table.ravel()])
    assert total > 10
    assert found.log10_p == pytest.approx(-math.log10(total), abs=0.001)


@pytest.fixture(scope="module")
def unmarked() -> Survey:
    return survey(perturbation("rotate-5").apply(texture(9)), SIZE, GRID, read)


def test_without_the_mark_large_e_values_are_as_rare_as_promised(unmarked: Survey) -> None:
    """The tail of the search, which is what they promise: P(E >= x) <= 1 / x, with what chance allows in 400 draws."""
    e_values = np.array([10 ** -search(unmarked, _noise(seed)).log10_p for seed in range(1000, 1400)])
    assert (e_values >= 2).mean() <= 0.5
    assert (e_values >= 10).mean() <= 0.1
    assert (e_values >= 100).sum() <= 12  # 4 expected at most
    assert (e_values > 1).any()
