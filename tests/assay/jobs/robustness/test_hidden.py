from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.jobs.robustness import hidden
from assay.jobs.robustness.bench import Bench
from generation.training.judge import frechet_distance

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning:diffusers")


def test_a_reused_pad_is_told_apart_and_sealed_seed_is_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "JUDGED", 400)
    monkeypatch.setattr(hidden, "LOOKED_AT", 50)
    sealed = hidden.told_apart(bench, "sealed-seed", "fresh", 200)
    fixed = hidden.told_apart(bench, "gaussian-shading-fixed", "fixed", 200)

    assert (sealed.train, sealed.judged, sealed.looked_at) == (200, 400, 50)
    assert 150 < sealed.correct < 250
    assert fixed.correct > 360
    assert sealed.textbook_p > 1e-4
    assert fixed.textbook_p < 1e-12


def test_pairs_are_compared_by_their_features_and_colours(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def features(pictures: np.ndarray) -> np.ndarray:
        return pictures.mean((1, 2)).astype(np.float32)

    monkeypatch.setattr(hidden, "lite2_features", features)
    monkeypatch.setattr(hidden, "RESAMPLES", 20)
    fresh = replace(bench, work=tmp_path / "work")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    chance = np.random.default_rng(0)
    for number in range(5):
        Image.fromarray(chance.integers(0, 255, (64, 64, 3), np.uint8)).save(photographs / f"{number}.png")

    found = hidden.compared(fresh, "sealed-seed", photographs, 6)

    reference = features(np.stack([np.asarray(Image.open(path)) for path in sorted(photographs.iterdir())]))
    for value, method in zip(found.frechet, ("sealed-seed", "none"), strict=True):
        expected = frechet_distance(features(np.stack(fresh.images(method, 6))), reference)
        assert value == pytest.approx(expected, rel=1e-3, abs=2e-3)
    assert (found.count, found.photographs) == (6, 5)
    for difference, low, high in (found.frechet_difference, found.agreement_difference):
        assert low <= difference <= high
    assert found.frechet_difference[0] == pytest.approx(found.frechet[0] - found.frechet[1], abs=2e-3)
