from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assay.errors import ConfigurationError
from assay.perturb import BATTERY, KINDS, perturbation
from assay.vocabulary import Pixels
from tests.seeds import photograph

PICTURE: Pixels = np.array(photograph("china"))
STILL = (
    *("jpeg", "webp", "avif", "resize", "blur", "median", "noise", "salt"),
    *("brightness", "contrast", "gamma", "grey", "hue"),
)


def _sample(pixels: Pixels, x: float, y: float) -> np.ndarray:
    """The mean over a 7 x 7 neighbourhood of a point, by another route than the library's transforms."""
    at = int(np.floor(y)), int(np.floor(x))
    return pixels[at[0] - 3 : at[0] + 4, at[1] - 3 : at[1] + 4].reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize("name", BATTERY)
def test_each_is_a_pure_function_of_picture_name_and_seed(name: str) -> None:
    before = PICTURE.copy()
    first, again = perturbation(name).trace(PICTURE, 5), perturbation(name).trace(PICTURE, 5)
    assert first.pixels.dtype == np.uint8
    assert first.pixels.shape[2] == 3
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.matrix, again.matrix)
    assert np.array_equal(PICTURE, before)
    assert np.array_equal(perturbation(name).apply(PICTURE, 5), first.pixels)
    assert first.pixels.shape != PICTURE.shape or not np.array_equal(first.pixels, PICTURE)


def test_the_battery_has_every_kind() -> None:
    assert {kind for kind in KINDS if any(name.startswith(kind) for name in BATTERY)} == set(KINDS)


@pytest.mark.parametrize(
    "name",
    [
        *("crop-75", "crop-area-50", "rotate-15", "rotate--40", "turn-90", "turn-180", "turn-270", "flip-horizontal"),
        *("flip-vertical", "scale-2", "aspect-1.2", "perspective-10", "crop-75+rotate-5", "turn-90+crop-60+aspect-1.3"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_matrix_says_where_each_point_came_from(name: str, seed: int) -> None:
    done = perturbation(name).trace(PICTURE, seed)
    height, width = done.pixels.shape[:2]
    differences, contrast = [], []
    for x, y in np.random.default_rng(seed).uniform((8, 8), (width - 8, height - 8), (60, 2)):
        u, v, w = done.matrix @ (x, y, 1)
        if 12 < u / w < PICTURE.shape[1] - 12 and 12 < v / w < PICTURE.shape[0] - 12:
            came, wrong = _sample(PICTURE, u / w, v / w), _sample(PICTURE, u / w + 4, v / w + 4)
            differences.append(np.abs(_sample(done.pixels, x, y) - came).mean())
            contrast.append(np.abs(_sample(done.pixels, x, y) - wrong).mean())
    assert len(differences) > 10
    assert np.mean(differences) < 0.6 * np.mean(contrast)


def test_turns_and_flips_take_corners_to_corners() -> None:
    """Counter-clockwise: the top right corner of the picture before is the top left one afterwards."""
    top_right, top_left = (PICTURE.shape[1], 0, 1), (0, 0, 1)
    turned = perturbation("turn-90").trace(PICTURE)
    assert turned.pixels.shape[:2] == PICTURE.shape[1::-1]
    assert np.array_equal(turned.pixels[0, 0], PICTURE[0, -1])
    assert tuple(turned.matrix @ top_left) == top_right
    assert tuple(perturbation("flip-horizontal").trace(PICTURE).matrix @ top_left) == top_right
    twice = perturbation("turn-90+turn-270").trace(PICTURE)
    assert np.array_equal(twice.pixels, PICTURE)
    assert np.array_equal(twice.matrix, np.eye(3))


@pytest.mark.parametrize("kind", STILL)
def test_what_moves_nothing_says_so(kind: str) -> None:
    name = next(name for name in BATTERY if name.startswith(kind) and "+" not in name)
    done = perturbation(name).trace(PICTURE)
    assert np.array_equal(done.matrix, np.eye(3))
    assert done.pixels.shape == PICTURE.shape


def test_noise_has_the_stated_amplitude() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    noisy = perturbation("noise-0.05").apply(grey).astype(float)
    assert noisy.std() / 255 == pytest.approx(0.05, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.2)


def test_blur_has_the_stated_width() -> None:
    point = np.zeros((101, 101, 3), np.uint8)
    point[50, 50] = 255
    spread = (
        perturbation("blur-2").apply(np.tile(point.max(axis=0, keepdims=True), (101, 1, 1)))[50, :, 0].astype(float)
    )
    variance = (spread * (np.arange(101) - 50) ** 2).sum() / spread.sum()
    assert variance**0.5 == pytest.approx(2, rel=0.1)


def test_shares_are_those_stated() -> None:
    white = np.full((100, 200, 3), 255, np.uint8)
    black = {name: float((perturbation(name).apply(white) == 0).mean()) for name in ("crop-in-place-60", "drop-80")}
    assert black == pytest.approx({"crop-in-place-60": 0.64, "drop-80": 0.64})
    assert (perturbation("overlay-10").apply(white) < 250).any(axis=2).mean() == pytest.approx(0.1, abs=0.01)
    grains = perturbation("salt-0.05").apply(np.full((200, 200, 3), 99, np.uint8))
    assert (grains != 99).all(axis=2).mean() == pytest.approx(0.05, abs=0.005)
    crop = perturbation("crop-area-50").trace(white)
    assert np.linalg.det(crop.matrix[:2, :2]) == pytest.approx(0.5, rel=0.02)


def test_light_follows_its_formula() -> None:
    assert perturbation("brightness-1.5").apply(PICTURE)[9, 9, 0] == min(255, round(1.5 * int(PICTURE[9, 9, 0])))
    assert perturbation("gamma-2").apply(PICTURE)[9, 9, 0] == round(int(PICTURE[9, 9, 0]) ** 2 / 255)
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert np.abs(perturbation("hue-120").apply(red)[0, 0].astype(int) - (0, 255, 0)).max() <= 6


def test_the_quality_of_a_jpeg_is_that_of_the_file() -> None:
    stream = BytesIO()
    Image.fromarray(PICTURE).save(stream, "JPEG", quality=50, subsampling="4:2:0")
    assert np.array_equal(perturbation("jpeg-50").apply(PICTURE), np.array(Image.open(stream)))
    assert not np.array_equal(perturbation("jpeg-50-444").apply(PICTURE), perturbation("jpeg-50-420").apply(PICTURE))


def test_a_step_draws_the_same_alone_and_before_a_codec() -> None:
    alone = perturbation("crop-75").trace(PICTURE, 3)
    chained = perturbation("crop-75+jpeg-95").trace(PICTURE, 3)
    assert np.array_equal(alone.matrix, chained.matrix)
    assert np.abs(alone.pixels.astype(int) - chained.pixels).mean() < 6
    assert not np.array_equal(alone.matrix, perturbation("crop-75").trace(PICTURE, 4).matrix)


@pytest.mark.parametrize(
    "name",
    ["", "jpeg", "jpeg-0", "jpeg-101", "jpeg-5-5-5", "blur-x", "smear-2", "crop-75+", "grey-1", "rotate-15+nothing"],
)
def test_a_name_that_says_nothing_is_refused_with_the_usage(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        perturbation(name)
    assert caught.value.hint.startswith(("The kinds are: ", "Write "))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(BATTERY), st.integers(0, 9))
def test_pictures_of_any_size_pass(height: int, width: int, name: str, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    done = perturbation(name).trace(pixels, seed)
    assert done.pixels.shape[2] == 3
    assert abs(np.linalg.det(done.matrix)) > 0
