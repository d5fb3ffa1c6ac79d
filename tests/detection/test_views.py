from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from detection.views import LONGEST, VIEWS, most_detailed, square, views
from tests.pictures import photograph


def test_a_picture_is_cut_to_the_square_in_its_middle() -> None:
    picture = photograph(0)
    height, width = picture.shape[:2]
    left = (width - height) // 2
    assert np.array_equal(square(picture), picture[:, left : left + height])
    assert np.array_equal(square(picture.swapaxes(0, 1)), square(picture).swapaxes(0, 1))
    large = np.asarray(Image.fromarray(picture).resize((2_000, 1_500)))
    assert square(large).shape == (LONGEST, LONGEST, 3)


@pytest.mark.parametrize("shape", [(300, 300), (340, 400), (100, 120), (1, 1), (64, 300)])
def test_every_view_has_the_size_that_is_asked_for(shape: tuple[int, int]) -> None:
    picture = np.asarray(Image.fromarray(photograph(1)).resize(shape[::-1]))
    found = views(picture, list(VIEWS), 96)
    assert found.shape == (len(VIEWS), 96, 96, 3)
    assert found.dtype == np.uint8


def test_the_whole_is_all_of_it_and_the_grid_is_its_quarters() -> None:
    picture = square(photograph(0))
    whole, *quarters = views(picture, ["whole", "grid-1", "grid-2", "grid-3", "grid-4"], 80)
    assert np.array_equal(whole, np.asarray(Image.fromarray(picture).resize((80, 80), Image.Resampling.BICUBIC)))
    laid = np.vstack([np.hstack(quarters[:2]), np.hstack(quarters[2:])])
    assert np.array_equal(laid, np.asarray(Image.fromarray(picture).resize((160, 160), Image.Resampling.BICUBIC)))


def test_crops_are_native_pixels_where_the_detail_is() -> None:
    random = np.random.default_rng(0)
    picture = np.full((400, 400, 3), 128, np.uint8)
    picture[240:, 200:320] = random.integers(0, 256, (160, 120, 3))
    picture[:90, :90] = random.integers(100, 156, (90, 90, 3))
    first, second = views(picture, ["crop-1", "crop-2"], 100)
    assert first.std() > 60
    ((top, left), (further, beside), (_, _)) = most_detailed(picture, 100, 3)
    assert np.array_equal(first, picture[top : top + 100, left : left + 100])
    assert np.array_equal(second, picture[further : further + 100, beside : beside + 100])
    assert max(0, 100 - abs(top - further)) * max(0, 100 - abs(left - beside)) <= 5_000


def test_a_picture_no_larger_than_a_crop_gives_the_same_crop_again() -> None:
    picture = photograph(2)[:90, :80]
    first, second = views(picture, ["crop-1", "crop-2"], 96)
    assert np.array_equal(first, second)
    assert np.array_equal(first[:90, :80], picture)
