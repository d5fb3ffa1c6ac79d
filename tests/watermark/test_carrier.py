from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from tests.pictures import photograph
from watermark.carrier import (
    BASE,
    CELL,
    CELLS,
    COLOUR,
    LONG,
    PSNR,
    SHORT,
    TILE,
    amplitude,
    box,
    carrier,
    cell_size,
    code_for,
    spread_out,
)

SECRET = sha256(b"a key").digest()


def test_every_cell_has_one_use() -> None:
    one = carrier(SECRET)
    assert sorted([*one.sync, *one.coded]) == list(range(CELLS))
    assert set(np.unique(one.signs)) == {-1, 1}


def test_keys_share_nothing() -> None:
    one, other = carrier(SECRET), carrier(sha256(b"another").digest())
    assert abs((one.tile(1, LONG) * other.tile(1, LONG)).mean()) < 0.25
    assert not np.array_equal(one.sync, other.sync)


def test_only_coded_cells_depend_on_the_payload() -> None:
    one = carrier(SECRET)
    changed = np.flatnonzero(one.tile(1, LONG).ravel() != one.tile(2, LONG).ravel())
    assert set(changed) <= set(one.coded)
    assert len(changed) > 40


def test_tiles_look_like_coin_tosses() -> None:
    tiles = np.stack([carrier(sha256(bytes([n])).digest()).tile(7, SHORT).ravel() for n in range(200)])
    assert abs(tiles.mean()) < 0.02
    assert np.abs(tiles.mean(axis=0)).max() < 0.33  # of 324 means of 200 tosses, one beyond 4.6 deviations is rare


def test_the_pattern_repeats_the_tile() -> None:
    tile = torch.arange(CELLS, dtype=torch.float32).reshape(TILE, TILE)
    pattern = spread_out(tile, np.eye(3), 200, 300)
    assert torch.equal(pattern[::CELL, ::CELL][:TILE, :TILE], tile)
    assert torch.equal(pattern[:100, : 300 - TILE * CELL], pattern[:100, TILE * CELL :])
    assert torch.equal(spread_out(tile, np.eye(3), 200, 300, slice(50, 60)), pattern[50:60])


@pytest.mark.parametrize(("height", "width", "size"), [(128, 128, 4), (BASE, BASE, 4), (2 * BASE, 2 * BASE, 8)])
def test_cells_grow_with_large_pictures(height: int, width: int, size: float) -> None:
    assert cell_size(height, width) == size


def test_small_pictures_take_the_short_code() -> None:
    assert code_for(255, 2000) is SHORT
    assert code_for(256, 256) is LONG


def test_the_box_is_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    assert np.allclose(box(torch.from_numpy(values), 9).numpy(), uniform_filter(values, 9, mode="mirror"), atol=1e-5)


def test_the_amplitude_keeps_the_psnr_and_prefers_busy_parts() -> None:
    brightness = torch.from_numpy(photograph(0).astype(np.float32)).mean(dim=2)
    strength = amplitude(brightness)
    assert 255**2 / float((strength**2).mean()) >= 10 ** (PSNR / 10) * (1 - 1e-5)
    half = torch.full((100, 200), 128.0)
    half[:, 100:] += 40 * torch.randn(100, 100, generator=torch.Generator().manual_seed(0))
    flat, busy = amplitude(half).chunk(2, dim=1)
    assert float(busy.mean()) > 1.5 * float(flat[:, :90].mean())


def test_the_colour_has_unit_power() -> None:
    assert float((COLOUR**2).mean()) == pytest.approx(1)
