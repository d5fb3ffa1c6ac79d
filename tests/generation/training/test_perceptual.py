from __future__ import annotations

import io
import pickle

import pytest
import torch
from sklearn.datasets import load_sample_image

from generation.training.perceptual import Lpips, _ArraysOnly


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    return Lpips()


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    pixels = load_sample_image("flower.jpg")[100:228, 200:328]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_equal_pictures_are_at_no_distance(lpips: Lpips, picture: torch.Tensor) -> None:
    assert lpips(picture, picture).item() == 0


def test_more_noise_is_further_away(lpips: Lpips, picture: torch.Tensor) -> None:
    torch.manual_seed(0)
    noise = torch.randn_like(picture)
    distances = [lpips(picture, picture + sigma * noise).item() for sigma in (0.05, 0.2, 0.5)]
    assert distances == sorted(distances)
    assert 0.0 < distances[0] < 0.2 < distances[2] < 2.0


def test_a_blur_is_worse_than_a_shift_of_brightness(lpips: Lpips, picture: torch.Tensor) -> None:
    """What the metric is for: squared error ranks these the other way round."""
    blurred = torch.nn.functional.avg_pool2d(picture, 9, 1, 4, count_include_pad=False)
    brighter = picture + 0.3
    assert (blurred - picture).square().mean() < (brighter - picture).square().mean()
    assert lpips(picture, blurred) > lpips(picture, brighter)


def test_only_arrays_are_unpickled() -> None:
    with pytest.raises(pickle.UnpicklingError, match="not an array"):
        _ArraysOnly(io.BytesIO(pickle.dumps(print))).load()
