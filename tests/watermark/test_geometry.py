from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from assay.perturb import about_centre, perturbation, rotation, translation
from assay.vocabulary import Latents, Pixels
from tests.watermark.transforms import texture
from watermark.geometry import pose, read_undone, undo

ORIGINAL = texture(1, 96, 128)


@pytest.mark.parametrize(
    "name",
    [
        "rotate-20",
        "crop-60",
        "scale-2",
        "scale-0.5",
        "turn-90",
        "flip-vertical",
        "flip-vertical+crop-80",
        "perspective-8",
    ],
)
def test_undoing_what_was_done_brings_the_picture_back(name: str) -> None:
    done = perturbation(name).trace(ORIGINAL, 3)
    straight, mask = undo(done.pixels, np.linalg.inv(done.matrix), (96, 128))
    inner = mask.copy()
    for axis in (0, 1):  # away from what was black before the picture was filtered
        inner &= np.roll(mask, 3, axis) & np.roll(mask, -3, axis)
    differences = np.abs(straight.astype(float) - ORIGINAL)[inner]
    assert mask.mean() > 0.3
    assert differences.mean() < (4 if name == "scale-0.5" else 2.5)
    assert np.abs(texture(2, 96, 128).astype(float) - ORIGINAL).mean() > 40


def test_the_mask_is_what_the_received_picture_shows() -> None:
    done = perturbation("crop-50").trace(ORIGINAL, 0)
    _, mask = undo(done.pixels, np.linalg.inv(done.matrix), (96, 128))
    left, top = (round(done.matrix[axis, 2]) for axis in (0, 1))
    expected = np.zeros((96, 128), dtype=bool)
    expected[top : top + 48, left : left + 64] = True
    assert np.array_equal(mask, expected)


def test_a_warp_agrees_with_scipy() -> None:
    matrix = about_centre(rotation(9.0), (96, 128)) @ translation(2.5, -1.25)
    straight, mask = undo(ORIGINAL, matrix, (96, 128))
    y, x = np.mgrid[:96, :128] + 0.5
    u, v = matrix[:2, :2] @ np.stack([x.ravel(), y.ravel()]) + matrix[:2, 2:]
    expected = map_coordinates(ORIGINAL[..., 1].astype(float), [v - 0.5, u - 0.5], order=3, mode="nearest")
    assert np.abs(straight[..., 1].ravel() - expected)[mask.ravel()].mean() < 1.5  # cubic convolution, not splines
    assert np.abs(np.roll(straight[..., 1], 1, 1).ravel() - expected)[mask.ravel()].mean() > 4


def test_nothing_known_continues_the_edge() -> None:
    plain = np.full((20, 30, 3), 77, np.uint8)
    straight, mask = undo(plain, translation(-10, 0), (20, 30))
    assert (straight == 77).all()
    assert not mask[:, :10].any()
    assert mask[:, 10:].all()


@pytest.mark.parametrize("posture", range(8))
def test_postures_are_mirrors_and_turns(posture: int) -> None:
    posed = np.rot90(ORIGINAL[:, ::-1] if posture >= 4 else ORIGINAL, posture % 4)
    straight, mask = undo(np.ascontiguousarray(posed), pose(posture, (96, 128)), (96, 128))
    assert np.array_equal(straight, ORIGINAL)
    assert mask.all()


def test_estimates_are_unknown_where_the_picture_is() -> None:
    asked: list[Pixels] = []

    def read(pictures: list[Pixels]) -> list[Latents]:
        asked.extend(pictures)
        return [np.ones((2, 24, 32), np.float32) for _ in pictures]

    whole, shifted = read_undone(ORIGINAL, [np.eye(3), translation(-16, 0)], (96, 128), read)
    assert [picture.shape for picture in asked] == [(96, 128, 3)] * 2
    assert np.isfinite(whole).all()
    assert np.isnan(shifted[:, :, :4]).all()
    assert np.isfinite(shifted[:, :, 4:]).all()
