from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.datasets import load_sample_image

from generation.training.judge import frechet_distance, frechet_resampled, lite2_features


def test_frechet_distance_is_the_textbook_formula() -> None:
    chance = np.random.default_rng(0)
    first = chance.normal(size=(300, 24)).astype(np.float32)
    second = (chance.normal(size=(200, 24)) @ chance.normal(size=(24, 24)) + 0.3).astype(np.float32)
    a, b = np.cov(first.T), np.cov(second.T)
    mean = first.mean(0) - second.mean(0)
    expected = mean @ mean + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-3)


def test_features_of_like_pictures_are_alike() -> None:
    china, flower = load_sample_image("china.jpg"), load_sample_image("flower.jpg")
    pictures = np.stack([flower[:128, :128], flower[2:130, 2:130], china[:128, :128]])
    features = lite2_features(pictures)
    assert features.shape == (3, 1280)
    near, far = (np.linalg.norm(features[0] - features[other]) for other in (1, 2))
    assert near < far / 2


def test_resampled_frechet_distance_is_that_of_the_repeated_rows() -> None:
    chance = np.random.default_rng(3)
    features, reference = (chance.standard_normal((count, 6)).astype(np.float32) for count in (9, 40))
    once, repeated = np.ones(9, np.int64), np.array([2, 0, 1, 0, 3, 1, 0, 1, 1])
    plain, resampled = frechet_resampled(features, reference, [once, repeated])

    assert plain == pytest.approx(frechet_distance(features, reference), rel=1e-4)
    assert resampled == pytest.approx(frechet_distance(np.repeat(features, repeated, axis=0), reference), rel=1e-4)
