from __future__ import annotations

import numpy as np
import pytest

from assay.jobs.robustness.quality import lpips, psnr, ssim
from tests.pictures import photograph, smoothed


def test_psnr_is_that_of_the_mean_error() -> None:
    before = np.full((20, 30, 3), 100, np.uint8)
    assert psnr(before, before) == float("inf")
    assert psnr(before, before + np.uint8(5)) == pytest.approx(20 * np.log10(255 / 5))


def test_ssim_of_a_constant_shift_is_its_luminance_term() -> None:
    before = np.full((40, 40, 3), 100, np.uint8)
    first = (0.01 * 255) ** 2
    expected = (2 * 100 * 120 + first) / (100**2 + 120**2 + first)
    assert ssim(before, before + np.uint8(20)) == pytest.approx(expected)


def test_equal_pictures_are_equal() -> None:
    pixels = photograph(0)
    assert ssim(pixels, pixels) == pytest.approx(1)
    assert lpips(pixels, pixels) == pytest.approx(0, abs=1e-6)


def test_more_change_is_less_like() -> None:
    pixels = photograph(0)
    noisy = np.clip(pixels + np.random.default_rng(0).normal(0, 25, pixels.shape), 0, 255).astype(np.uint8)
    assert ssim(pixels, noisy) < ssim(pixels, smoothed(pixels)) < 1
    assert lpips(pixels, noisy) > lpips(pixels, pixels) + 0.05
