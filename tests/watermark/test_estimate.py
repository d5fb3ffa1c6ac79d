from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watermark.codes import PolarCode
from watermark.estimate import cover_of, hide, level, read, signs_of, whiten

if TYPE_CHECKING:
    from numpy.typing import NDArray

CODE = PolarCode()
KEY, NONCE = bytes(32), bytes(12)


def noise(shape: tuple[int, ...] = (4, 32, 32), seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@given(shift=st.floats(-100, 100), scale=st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_levelling_undoes_shift_and_scale(shift: float, scale: float) -> None:
    plain = noise()
    moved = plain.copy()
    moved[2] = moved[2] * scale + shift
    np.testing.assert_allclose(level(moved), level(plain), atol=2e-3)


def test_levelling_cuts_wild_values() -> None:
    wild = noise()
    wild[0, 0, 0] = 1e6
    assert np.abs(level(wild)).max() == 3


def test_levelling_leaves_noise_as_it_is() -> None:
    plain = noise()
    assert np.corrcoef(level(plain).ravel(), plain.ravel())[0, 1] > 0.998


def test_what_is_unknown_becomes_zero_and_changes_nothing_else() -> None:
    cropped = noise()
    cropped[:, :8] = np.nan
    cropped[1, 20, 20] = np.inf
    levelled = level(cropped)
    assert not levelled[:, :8].any()
    assert levelled[1, 20, 20] == 0
    np.testing.assert_allclose(levelled[0, 8:], level(noise()[:1, 8:])[0])


def test_hopeless_estimates_are_levelled_without_a_warning() -> None:
    for hopeless in (np.full((4, 8, 8), np.nan, np.float32), np.full((4, 8, 8), 3.0, np.float32)):
        assert not level(hopeless).any()
        assert not whiten(hopeless).any()


def test_weights_weigh_channels() -> None:
    weighed = level(noise(), weights=(2, 1, 0, 1))
    np.testing.assert_allclose(weighed[0], 2 * level(noise())[0])
    assert not weighed[2].any()


def test_whitening_flattens_a_smooth_error() -> None:
    smooth = np.fft.irfft2(
        np.fft.rfft2(noise()) / (1 + 50 * np.hypot(*np.meshgrid(np.fft.rfftfreq(32), np.fft.fftfreq(32))))
    )
    sealed = noise(seed=1)
    estimate = (0.3 * sealed + 8 * smooth).astype(np.float32)

    def correlation(prepared: NDArray[np.float64]) -> float:
        return float(np.corrcoef(prepared.ravel(), sealed.ravel())[0, 1])

    assert correlation(whiten(estimate)) > 1.15 * correlation(level(estimate)) > 0.1


def test_a_channel_that_was_spared_is_enough() -> None:
    """Three of four channels hold nothing. Weighed alike, they drown the fourth; weighed by what they hold, not."""
    rng = np.random.default_rng(3)
    channels = np.repeat(np.arange(4), 1024)
    order = rng.permutation(4096)
    cover = cover_of(CODE, KEY, NONCE, 4096)
    scales = np.abs(rng.normal(size=4096))
    shares = np.where(channels[order] == 0, 0.7, 0.0)
    signal = scales * signs_of(hide(CODE, 99, cover))
    values = shares * signal + np.sqrt(1 - shares**2) * rng.normal(size=4096)
    assert read(CODE, values, scales, cover, channels[order]) == 99
    assert read(CODE, values, scales, cover, np.zeros(4096, int)) is None


@pytest.mark.parametrize("keep", [0, 40, 700])
def test_unknown_values_are_left_out(keep: int) -> None:
    cover = cover_of(CODE, KEY, NONCE, 4096)
    scales = np.ones(4096)
    values = signs_of(hide(CODE, 7, cover))
    values[np.random.default_rng(0).permutation(4096)[keep:]] = 0
    assert read(CODE, values, scales, cover, np.zeros(4096, int)) == (7 if keep == 700 else None)
