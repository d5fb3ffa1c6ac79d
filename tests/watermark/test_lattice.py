from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from watermark.carrier import TILE
from watermark.lattice import COARSE, LARGEST_CELL, SMALLEST_CELL, Sides, find, residual


def repeated(side: float, angle: float, size: int = 320, noise: float = 3.0) -> torch.Tensor:
    """A random tile, repeated under a turn and a scale, in noise."""
    random = np.random.default_rng(1)
    tile = random.choice([-1.0, 1.0], (TILE, TILE))
    y, x = np.mgrid[:size, :size] + 0.5
    across = (math.cos(angle) * x + math.sin(angle) * y) / side * TILE
    down = (-math.sin(angle) * x + math.cos(angle) * y) / side * TILE
    pattern = tile[down.astype(int) % TILE, across.astype(int) % TILE]
    return torch.from_numpy((pattern + noise * random.normal(size=(size, size))).astype(np.float32))


def side_and_angle(sides: Sides) -> tuple[float, float]:
    """Of a square lattice; the angle in degrees, up to quarter turns."""
    return math.sqrt(abs(float(np.linalg.det(sides)))), math.degrees(math.atan2(sides[1, 0], sides[0, 0])) % 90


@settings(deadline=None, max_examples=8)
@given(cell=st.floats(SMALLEST_CELL + 0.3, LARGEST_CELL - 0.3), degrees=st.floats(3, 87))
def test_a_hidden_lattice_is_found(cell: float, degrees: float) -> None:
    found = [side_and_angle(sides) for sides in find(repeated(cell * TILE, math.radians(degrees)), 3)]
    assert any(
        abs(side / (cell * TILE) - 1) < 0.01 and abs((angle - degrees + 45) % 90 - 45) < 0.7 for side, angle in found
    )


def test_shear_isfitted() -> None:
    plain = repeated(72, 0.2, size=360, noise=1.0)
    stretched = torch.nn.functional.interpolate(plain[None, None], size=(360, 374), mode="bicubic")[0, 0]
    sides = find(stretched, 1)[0]
    assert abs(np.linalg.det(sides)) == pytest.approx(72 * 72 * 374 / 360, rel=0.01)


def test_candidates_differ() -> None:
    found = find(torch.from_numpy(np.random.default_rng(0).normal(size=(200, 260)).astype(np.float32)), 4)
    assert len(found) == 4
    assert len({side_and_angle(sides) for sides in found}) == 4


def test_a_constant_residual_is_no_trouble() -> None:
    assert len(find(torch.zeros(90, 120), 3)) == 3


def test_the_residual_takes_the_picture_away() -> None:
    smooth = torch.linspace(0, 255, 200).expand(150, 200)
    assert float(residual(smooth, COARSE)[20:-20, 20:-20].abs().max()) < 0.05
    noisy = smooth + torch.randn(150, 200, generator=torch.Generator().manual_seed(0))
    assert float(residual(noisy, COARSE).std()) > 0.005
