from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assay.fingerprint import HASH_BITS, dhash, distance
from tests.forensics.metadata_files import PHOTOGRAPHS, photograph


def _reference(image: Image.Image) -> int:
    """The same definition, with the area averages taken in floating point from the grey picture."""
    grey = np.asarray(image.convert("L"), float)
    rows = np.array_split(grey, 8, axis=0)
    cells = np.array([[cell.mean() for cell in np.array_split(row, 9, axis=1)] for row in rows])
    return int("".join(str(int(bit)) for bit in (cells[:, :-1] < cells[:, 1:]).ravel()), 2)


@pytest.mark.parametrize("which", PHOTOGRAPHS)
def test_it_agrees_with_the_definition(which: str) -> None:
    image = photograph(which).crop((0, 0, 639, 424))  # sides that divide by 9 and by 8: no cell shares a pixel
    assert distance(dhash(image), _reference(image)) <= 2  # rounding may turn cells of equal brightness


@pytest.mark.parametrize("which", PHOTOGRAPHS)
def test_it_survives_scaling_recompression_and_brightness(which: str) -> None:
    image = photograph(which)
    stream = BytesIO()
    image.save(stream, "JPEG", quality=40)
    for changed in (image.resize((320, 200)), image.convert("L"), image.point(lambda v: v // 2), Image.open(stream)):
        assert distance(dhash(image), dhash(changed)) <= 6


def test_different_pictures_are_far_apart() -> None:
    china, flower = (dhash(photograph(which)) for which in PHOTOGRAPHS)
    assert 20 <= distance(china, flower) <= 44


def test_a_ramp_sets_every_bit_and_its_mirror_none() -> None:
    ramp = Image.linear_gradient("L").rotate(90)
    assert dhash(ramp) == 2**HASH_BITS - 1
    assert dhash(ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0
    assert dhash(Image.new("RGB", (3, 1))) == 0


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_distance_is_a_metric(a: int, b: int, c: int) -> None:
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a) == sum(x != y for x, y in zip(f"{a:064b}", f"{b:064b}", strict=True))
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_pictures_of_every_mode_have_a_hash(mode: str) -> None:
    assert 0 <= dhash(photograph("china").convert(mode)) < 2**HASH_BITS
