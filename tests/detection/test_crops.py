from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detection.crops import crop, crops, windows

Length = st.integers(1, 900)


@given(Length, Length, st.integers(16, 300), st.integers(1, 12))
def test_squares_lie_inside_and_are_no_more_than_asked_for(height: int, width: int, side: int, count: int) -> None:
    found = windows(height, width, side, count)
    assert 1 <= len(found) <= count
    assert len(set(found)) == len(found)
    for top, left in found:
        assert 0 <= top <= max(0, height - side)
        assert 0 <= left <= max(0, width - side)


def test_squares_are_spread_over_the_picture() -> None:
    assert windows(1024, 1024, 256, 4) == [(128, 128), (128, 640), (640, 128), (640, 640)]
    assert windows(256, 1024, 256, 4) == [(0, 0), (0, 256), (0, 512), (0, 768)]
    assert windows(100, 100, 256, 8) == [(0, 0)]


@given(st.integers(1, 40), st.integers(1, 40))
def test_what_lies_beyond_the_edge_is_mirrored(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    square = crop(pixels, 0, 0, 32)
    assert square.shape == (32, 32, 3)
    assert np.array_equal(square[: min(32, height), : min(32, width)], pixels[:32, :32])
    if height < 32:
        assert np.array_equal(square[height, : min(32, width)], pixels[-1, :32])


def test_native_pixels_are_not_touched() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (300, 500, 3), np.uint8)
    for (top, left), square in zip(windows(300, 500, 128, 6), crops(pixels, 128, 6), strict=True):
        assert np.array_equal(square, pixels[top : top + 128, left : left + 128])
