from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from watermark.carrier import TILE
from watermark.upright import LARGEST_CELL, SMALLEST_CELL, Lattice, find

SIDE = 300
UNCLEAR = 7.5
"""What reading asks for before it looks into a lattice, in standard deviations."""


def noise(seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32))


def repeated(across: float, down: float, strength: float = 0.4) -> Tensor:
    """A random tile whose cells have this width and height, repeated, in noise."""
    tile = np.random.default_rng(1).choice([-1.0, 1.0], (TILE, TILE)).astype(np.float32)
    column, row = ((np.arange(SIDE) / cell).astype(int) % TILE for cell in (across, down))
    return noise() + strength * torch.from_numpy(tile[row][:, column])


def cells(lattice: Lattice) -> tuple[float, float]:
    """Width and height of a cell."""
    return float(lattice.sides[0, 0]) / TILE, float(lattice.sides[1, 1]) / TILE


@settings(deadline=None, max_examples=5)
@given(across=st.floats(SMALLEST_CELL + 0.2, 5.5), down=st.floats(SMALLEST_CELL + 0.2, 5.5))
def test_a_tile_of_any_width_and_height_is_found(across: float, down: float) -> None:
    best = find([repeated(across, down)], 1, UNCLEAR)[0]
    assert cells(best) == pytest.approx((across, down), rel=0.02)
    assert best.sides[[0, 1], [1, 0]] == pytest.approx(0, abs=1.5)


def test_the_window_with_the_tile_is_named() -> None:
    windows = [noise(seed) for seed in range(1, 14)]  # more than are held at once
    windows[12] = repeated(4, 3)
    assert {lattice.window for lattice in find(windows, 2, UNCLEAR)} == {12}


def test_the_clearest_comes_first() -> None:
    found = find([repeated(4, 4, 0.3), repeated(3, 5, 0.6)], 1, UNCLEAR)
    assert [lattice.window for lattice in found] == [1, 0]
    assert found[0].clear > found[1].clear


def test_a_tile_that_is_too_large_is_not_found() -> None:
    assert find([repeated(2 * LARGEST_CELL, 2 * LARGEST_CELL)], 4, UNCLEAR) == []


def test_nothing_is_clear_in_noise() -> None:
    assert find([noise(seed) for seed in range(4)], 4, UNCLEAR) == []


def test_candidates_of_a_window_differ() -> None:
    found = find([noise()], 4, -np.inf)
    assert len(found) == 4
    assert len({cells(lattice) for lattice in found}) == 4


def test_constant_windows_are_no_trouble() -> None:
    assert find([torch.zeros(90, 120)], 2, UNCLEAR) == []


def test_no_window_has_no_lattice() -> None:
    assert find([], 2, UNCLEAR) == []
