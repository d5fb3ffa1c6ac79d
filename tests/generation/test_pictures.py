import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from generation.pictures import to_pixels, to_tensor


@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_there_and_back_nothing_is_lost(pictures: np.ndarray) -> None:
    images = to_tensor(list(pictures))
    assert images.shape == (len(pictures), 3, *pictures.shape[1:3])
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    np.testing.assert_array_equal(np.stack(to_pixels(images)), pictures)


def test_what_lies_outside_is_clamped_and_halves_are_rounded() -> None:
    images = torch.tensor([-0.5, 0.0, 0.6 / 255, 1.0, 1.5]).view(1, 1, 1, 5).expand(1, 3, 1, 5)
    (pixels,) = to_pixels(images)
    assert pixels[0, :, 0].tolist() == [0, 0, 1, 255, 255]
