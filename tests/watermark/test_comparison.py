from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from assay.fingerprint import thumbnail
from assay.perturb import Matrix, perturbation, translation
from assay.vocabulary import Pixels
from watermark.comparison import Comparison, Shows, compare

CHINA, FLOWER = (np.ascontiguousarray(load_sample_image(name)[:400, :600]) for name in ("china.jpg", "flower.jpg"))
SIZE, PERIOD = (400, 600), (72.0, 80.0)
STORED = thumbnail(CHINA)
OFF = translation(3 * PERIOD[1], -2 * PERIOD[0])
"""As a mark says where a picture lies: but for whole tiles."""


def compared(pixels: Pixels, matrix: Matrix | None = None, stored: bytes = STORED) -> Comparison:
    """Of a picture at a place that is known, but for whole tiles."""
    place = np.eye(3) if matrix is None else matrix
    return compare(np.ascontiguousarray(pixels), stored, SIZE, place @ OFF, period=PERIOD)


def test_the_same_after_a_codec_is_found_at_its_place() -> None:
    seen = compared(perturbation("jpeg-30").apply(CHINA))
    assert seen.shows is Shows.SAME
    assert not any((seen.is_inside, seen.is_detail, seen.is_covered, seen.is_negative))
    assert seen.matrix is not None
    assert np.allclose(seen.matrix, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("top", [0, 120])
def test_a_tight_crop_is_a_detail(top: int) -> None:
    seen = compared(CHINA[top : top + 130, 200:400], translation(-200, -top))
    assert (seen.shows, seen.is_detail, seen.is_covered) == (Shows.SAME, True, False)
    assert seen.reach == pytest.approx(130 * 200 / (400 * 600), abs=0.02)


def test_bars_around_a_picture_make_a_larger_one_and_are_drawn() -> None:
    screen = np.zeros((1000, 600, 3), np.uint8)
    screen[300:700] = CHINA
    seen = compared(screen, translation(0, 300))
    assert (seen.shows, seen.is_inside, seen.is_detail) == (Shows.SAME, True, False)
    assert seen.around == pytest.approx(0.6, abs=0.02)
    drawn = _map(seen, screen)
    assert drawn[:70].max() == 0
    assert drawn[85:170].mean() > 200


def test_a_covered_half_is_named_and_drawn() -> None:
    covered = CHINA.copy()
    covered[:, 300:] = FLOWER[:, 300:]
    seen = compared(covered)
    assert (seen.shows, seen.is_covered, seen.is_detail) == (Shows.SAME, True, False)
    drawn = _map(seen, covered)
    width = drawn.shape[1]
    assert drawn[:, : width // 2 - 20].mean() > 200
    assert drawn[:, width // 2 + 20 :].mean() < 50


def test_light_and_dark_may_be_exchanged() -> None:
    seen = compared(255 - CHINA)
    assert (seen.shows, seen.is_negative) == (Shows.SAME, True)


def test_something_else_is_said_of_a_whole_picture_only() -> None:
    assert compared(FLOWER).shows is Shows.OTHER
    cut = compared(FLOWER[100:230, 200:400], translation(-200, -100))
    assert cut.shows is Shows.UNKNOWN


@pytest.mark.parametrize(
    ("pixels", "stored"), [(CHINA, b""), (np.full_like(CHINA, 200), thumbnail(np.full_like(CHINA, 90)))]
)
def test_without_a_thumbnail_or_contrast_nothing_can_be_told(pixels: Pixels, stored: bytes) -> None:
    assert compared(pixels, stored=stored).shows is Shows.UNKNOWN


def test_a_geometry_without_an_end_cannot_be_compared() -> None:
    horizon = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.01, 0.0, 1.0]])
    seen = compared(CHINA, horizon)
    assert (seen.shows, seen.map(SIZE, SIZE)) == (Shows.UNKNOWN, None)


def test_a_place_that_is_known_is_not_searched_for() -> None:
    assert compare(CHINA, STORED, SIZE, np.eye(3)).shows is Shows.SAME
    assert compare(CHINA, STORED, SIZE, OFF).shows is not Shows.SAME


def _map(seen: Comparison, pixels: Pixels) -> Pixels:
    data = seen.map((pixels.shape[0], pixels.shape[1]), SIZE)
    assert data is not None
    return np.asarray(Image.open(BytesIO(data)))
