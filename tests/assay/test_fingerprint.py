from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from assay.fingerprint import AGREE_CORRELATION, HASH_BITS, THUMBNAIL_SIDE, dhash, distance, likeness, opened, thumbnail
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from tests import seeds
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


def _picture(which: str) -> Pixels:
    return np.array(seeds.photograph(which))


def _texture(seed: int, side: int = 128) -> Pixels:
    """Blobs in shades of one colour: pictures of one kind that show different things."""
    values = gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), 4)
    values = (values - values.min()) / np.ptp(values)
    return np.rint(values[..., None] * (230, 90, 120) + (10, 20, 30)).astype(np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(107, 160, (43, 64)), (512, 512, (64, 64)), (3, 300, (1, 64))]
)
def test_a_thumbnail_is_small_and_exact(height: int, width: int, expected: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = thumbnail(picture)
    assert opened(data).shape == (*expected, 3)
    assert max(expected) == THUMBNAIL_SIDE
    assert len(data) < 16_000  # noise is the worst case
    if height == width:
        blocks = picture.reshape(64, 8, 64, 8, 3).mean(axis=(1, 3))
        assert np.abs(opened(data) - blocks).max() <= 1


@pytest.mark.parametrize("which", PHOTOGRAPHS)
@pytest.mark.parametrize(
    "name",
    [
        *(
            "jpeg-25",
            "jpeg-10",
            "webp-50",
            "noise-0.05",
            "blur-2",
            "resize-0.5",
            "scale-2",
            "brightness-1.5",
            "gamma-2",
        ),
        *("contrast-2", "grey", "hue-30", "overlay-10", "resize-0.5+jpeg-25", "noise-0.1+jpeg-50"),
    ],
)
def test_the_same_picture_agrees(which: str, name: str) -> None:
    picture = _picture(which)
    found = likeness(perturbation(name).apply(picture, 1), thumbnail(picture))
    assert found.agrees
    assert found.overlap == 1


def test_different_pictures_disagree() -> None:
    china, flower = (_picture(which) for which in PHOTOGRAPHS)
    apart = [(china, flower), (flower, china), (china, china[:, ::-1]), (flower, flower[:, ::-1])]
    apart += [(_texture(seed), _texture(seed + 100)) for seed in range(40)]
    found = [likeness(a, thumbnail(np.ascontiguousarray(b))) for a, b in apart]
    assert max(one.correlation for one in found) < AGREE_CORRELATION - 0.1
    assert not any(one.agrees for one in found)
    assert np.mean([one.hash_distance for one in found]) > 20


def test_what_is_masked_does_not_count() -> None:
    picture = _texture(3)
    half = picture.copy()
    half[:, 64:] = _texture(4)[:, 64:]
    mask = np.zeros((128, 128), dtype=bool)
    mask[:, :64] = True
    masked, whole = likeness(half, thumbnail(picture), mask), likeness(half, thumbnail(picture))
    assert masked.agrees
    assert masked.correlation > 0.98
    assert masked.overlap == 0.5
    assert masked.hash_distance <= 4
    assert not likeness(half, thumbnail(picture), ~mask).agrees
    mask[64:] = mask[:60] = False  # a patch this small fits somewhere in most pictures
    patch = likeness(half, thumbnail(picture), mask)
    assert patch.correlation > 0.98
    assert not patch.agrees
    assert whole.correlation < masked.correlation


def test_a_small_shift_is_found() -> None:
    picture = _texture(5)
    assert likeness(np.roll(picture, (2, -2), (0, 1)), thumbnail(picture)).correlation > 0.95
    assert likeness(np.roll(picture, (24, 0), (0, 1)), thumbnail(picture)).correlation < AGREE_CORRELATION


def test_where_nothing_can_be_compared_nothing_agrees() -> None:
    flat, picture = np.full((64, 64, 3), 90, np.uint8), _texture(6, 64)
    assert likeness(flat, thumbnail(picture)).correlation == pytest.approx(0, abs=1e-6)
    assert likeness(picture, thumbnail(flat)).correlation == pytest.approx(0, abs=1e-6)
    assert likeness(picture, thumbnail(picture), np.zeros((64, 64), dtype=bool)).correlation == 0
    assert likeness(picture, thumbnail(picture), np.zeros((64, 64), dtype=bool)).overlap == 0


def test_the_correlation_follows_its_definition() -> None:
    """The same definition with SciPy's filters, for a picture of 64 x 64 cells that is compared without a shift."""
    a, b = (_texture(seed, 64)[..., [0]].repeat(3, axis=2) for seed in (7, 7))
    a = np.clip(a + np.random.default_rng(0).integers(-40, 41, (64, 64, 1)), 0, 255).astype(np.uint8)

    def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
        options = {"mode": "constant", "truncate": 12}
        return gaussian_filter(values, sigma, **options) / gaussian_filter(np.ones_like(values), sigma, **options)

    first, second = (smooth(x[..., 0] * 1.0, 1.0) - smooth(x[..., 0] * 1.0, 2.0) for x in (a, b))
    powers = smooth(first**2, 5.0) * smooth(second**2, 5.0)
    local, weights = (smooth(first * second, 5.0) / np.sqrt(powers)).ravel(), np.sqrt(powers).ravel()
    expected = np.quantile(local, 0.5, weights=weights, method="inverted_cdf")
    assert likeness(a, thumbnail(b)).correlation == pytest.approx(expected, abs=0.01)


def test_the_same_detail_in_another_layout_is_another_picture() -> None:
    """As when another prompt is drawn from the same noise."""
    picture = _texture(8)
    coarse = np.asarray(Image.fromarray(picture).resize((8, 8), Image.Resampling.BOX).resize((128, 128)), float)
    detail = picture - coarse
    shuffled = np.roll(coarse, (48, 32), (0, 1))
    other = np.clip(shuffled + detail, 0, 255).astype(np.uint8)
    found = likeness(other, thumbnail(picture))
    assert found.layout < 0.9
    assert not found.agrees
    assert likeness(picture, thumbnail(picture)).layout == pytest.approx(1, abs=0.01)


@given(st.lists(st.floats(-0.6, 0.6), min_size=9, max_size=9), st.integers(0, 60))
def test_a_linear_change_of_colours_keeps_the_layout(values: list[float], box: int) -> None:
    picture = _texture(9, 64) * 0.5 + 60
    changed = picture.reshape(-1, 3) @ (np.eye(3) + 0.3 * np.reshape(values, (3, 3)))
    painted = np.clip(changed.reshape(picture.shape), 0, 255).astype(np.uint8)
    painted[: box // 3, : box // 3] = (255, 0, 0)  # a tenth of the picture, at most
    assert likeness(painted, thumbnail(picture.astype(np.uint8))).layout > 0.97
