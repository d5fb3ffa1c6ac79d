from __future__ import annotations

import numpy as np
import pytest

from assay.fingerprint import thumbnail
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from tests import seeds
from tests.watermark.transforms import error, texture
from watermark.registration import register, register_all

PICTURES: dict[str, Pixels] = {
    "texture": texture(4),
    "china": np.array(seeds.photograph("china").resize((160, 104))),
    "flower": np.array(seeds.photograph("flower").crop((20, 0, 127, 107)).resize((128, 128))),
}
NAMES = {
    "texture": ("blur-1", "rotate-30", "rotate--7+jpeg-50", "crop-50", "turn-270+crop-80", "aspect-1.2"),
    "china": ("rotate-45+jpeg-50", "crop-area-50+jpeg-50", "scale-0.5+noise-0.05", "flip-horizontal+rotate-12"),
    "flower": ("crop-60+rotate-10+jpeg-75", "scale-2+jpeg-50", "turn-90", "screenshot", "crop-75+overlay-10"),
}


@pytest.mark.parametrize(("which", "name"), [(which, name) for which, names in NAMES.items() for name in names])
def test_the_transform_is_found(which: str, name: str) -> None:
    picture = PICTURES[which]
    size = (picture.shape[0], picture.shape[1])
    done = perturbation(name).trace(picture, 2)
    found = register(done.pixels, thumbnail(picture), size)
    assert error(found.matrix, done.matrix, size, (done.pixels.shape[0], done.pixels.shape[1])) < 1
    assert found.likeness.agrees
    assert found.likeness.overlap == pytest.approx(_shown(done.matrix, size, done.pixels), abs=0.12)


def _shown(matrix: np.ndarray, size: tuple[int, int], pixels: Pixels) -> float:
    """Which part of the original lies within the received picture."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    u, v, w = np.tensordot(np.linalg.inv(matrix), np.stack([x, y, np.ones_like(x)]), axes=1)
    return float(((u > 0) & (u < pixels.shape[1] * w) & (v > 0) & (v < pixels.shape[0] * w)).mean())


def test_another_picture_does_not_agree_however_it_is_laid() -> None:
    for seed in range(2):
        found = register(texture(seed + 50), thumbnail(texture(seed)), (128, 128))
        assert not found.likeness.agrees
    assert not register(PICTURES["china"], thumbnail(PICTURES["flower"]), (128, 128)).likeness.agrees


def test_several_originals_are_laid_as_one_by_one() -> None:
    """Also a dark one among bright ones, below a picture with fill: only for the dark one is that not fill."""
    night = texture(7) // 4
    originals = [thumbnail(picture) for picture in (texture(4), night, PICTURES["flower"])]
    turned = perturbation("rotate-20").apply(PICTURES["flower"])
    together = register_all(turned, originals, (128, 128))
    for one, other in zip(together, (register(turned, original, (128, 128)) for original in originals), strict=True):
        assert np.array_equal(one.matrix, other.matrix)
        assert one.likeness == other.likeness
    assert [each.likeness.agrees for each in together] == [False, False, True]
    assert register_all(turned, [], (128, 128)) == []


def test_a_picture_without_detail_is_laid_somewhere() -> None:
    flat = np.full((64, 64, 3), 30, np.uint8)
    found = register(flat, thumbnail(texture(1)), (128, 128))
    assert np.isfinite(found.matrix).all()
    assert not found.likeness.agrees
    assert np.isfinite(register(texture(1), thumbnail(flat), (128, 128)).matrix).all()
