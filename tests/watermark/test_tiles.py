from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from assay.perturb import translation
from watermark.carrier import CELL, LONG, SYNC, TILE, Layout, carrier, spread_out
from watermark.geometry import pose
from watermark.tiles import SIDE, decode, folded, improved, log10_chance, place_at, places

KEY = carrier(sha256(b"a key").digest(), Layout.FIRST)
PAYLOAD = 0x0123456789AB


def pattern(height: int = 300, width: int = 340, noise: float = 1.0) -> torch.Tensor:
    tile = torch.from_numpy(KEY.tile(PAYLOAD, LONG))
    generator = torch.Generator().manual_seed(0)
    return spread_out(tile, KEY.grid, height, width) + noise * torch.randn(height, width, generator=generator)


def test_a_tile_is_found_where_it_begins() -> None:
    best = places(folded(pattern(), np.eye(3)), KEY, 1)[0]
    assert best.sync > 6
    assert np.allclose(best.matrix, np.eye(3))
    assert decode(best, KEY, LONG) == PAYLOAD


@settings(deadline=None, max_examples=20)
@given(posture=st.integers(0, 7), down=st.integers(0, 71), across=st.integers(0, 71))
def test_postures_and_shifts_are_undone(posture: int, down: int, across: int) -> None:
    whole = pattern()[down : down + 220, across : across + 220]
    turned = torch.rot90(whole.flip(1) if posture >= 4 else whole, posture % 4, (0, 1))
    best = places(folded(turned.contiguous(), np.eye(3)), KEY, 1)[0]
    assert decode(best, KEY, LONG) == PAYLOAD
    back = best.matrix @ pose(posture, (220, 220)) @ translation(-across, -down)
    assert np.allclose(np.abs(back[:2, :2]), np.eye(2))
    moved = back[:2, 2] % SIDE
    assert np.allclose(np.minimum(moved, SIDE - moved), 0)


def test_a_geometry_that_is_a_little_off_is_improved() -> None:
    whole = pattern(noise=0.5)
    off = np.diag([1.01, 0.994, 1.0])
    place = places(folded(whole, off), KEY, 1)[0]
    better = improved(whole, place, KEY)
    assert better.sync > place.sync
    assert decode(better, KEY, LONG) == PAYLOAD


def test_sync_of_another_key_is_about_normal() -> None:
    """The sum over the sync cells of a place fixed before looking, over fresh keys: about normal.

    Signs are fair coins, so tails are at most those of Hoeffding.
    """
    cells = folded(pattern(), np.eye(3)).tiles[0][::CELL, ::CELL].numpy().ravel()
    cells /= np.sqrt((cells**2).mean())
    random = np.random.default_rng(0)
    draws = 20_000
    chosen = np.argsort(random.random((draws, TILE * TILE)), axis=1)[:, :SYNC]
    statistics = (random.choice([-1.0, 1.0], (draws, SYNC)) * cells[chosen]).sum(axis=1) / np.sqrt(SYNC)
    for level, bound in ((2.0, 0.02275), (3.0, 0.00135)):
        low, high = binom.interval(0.999, draws, bound)
        assert 0.8 * low <= (statistics > level).sum() <= 1.2 * high
    assert (statistics > 4.5).mean() <= np.exp(-(4.5**2) / 2)


def test_the_chance_of_a_place_is_that_of_fair_coins() -> None:
    """Over fresh keys, at a place that is fixed: never more often than the bound says, and not much more seldom."""
    one = folded(pattern(), np.eye(3))
    place = place_at(one, is_negative=False)
    keys = [carrier(sha256(bytes(divmod(number, 256))).digest(), Layout.FIRST) for number in range(3000)]
    chances = np.array([log10_chance(place, key) for key in keys])
    for level in (-1.0, -2.0):
        low, high = binom.interval(0.999, len(keys), 10**level)
        assert low / (3 * 3.18) <= (chances <= level).sum() <= high
    assert log10_chance(place, KEY) < -10


def test_nothing_is_decoded_in_noise() -> None:
    noise = torch.randn(300, 300, generator=torch.Generator().manual_seed(1))
    for place in places(folded(noise, np.eye(3)), KEY, 20):
        assert decode(place, KEY, LONG) is None


def test_places_do_not_overlap() -> None:
    found = places(folded(pattern(), np.eye(3)), KEY, 6)
    assert [place.sync for place in found] == sorted((place.sync for place in found), reverse=True)
    assert len({tuple(place.matrix.ravel()) for place in found}) == 6


@pytest.mark.parametrize("shape", [(40, 50), (72, 72)])
def test_less_than_a_tile_is_no_trouble(shape: tuple[int, int]) -> None:
    assert len(places(folded(torch.zeros(shape), np.eye(3)), KEY, 2)) == 2
