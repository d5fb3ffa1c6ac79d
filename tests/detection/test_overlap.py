from __future__ import annotations

import numpy as np
import pytest

from assay.discrimination import auc
from assay.errors import ConfigurationError
from detection import audit as module
from detection.audit import audit, too_good
from detection.batches import Batches
from detection.manifest import Label
from detection.overlap import glanced, overlap, thumbnails
from detection.prepare import Facts, Prepared
from tests.detection.test_manifest import item

COUNT = 400


def _squares(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bright pictures are mostly made, dark ones mostly photographed; there are some of each."""
    random = np.random.default_rng(seed)
    labels = np.arange(COUNT) % 2
    brightness = random.normal(128 + 25 * (2 * labels - 1), 25).clip(20, 235)
    noise = random.normal(0, 8, (COUNT, 32, 32, 3))
    return (brightness[:, None, None, None] + noise).clip(0, 255).astype(np.uint8), labels


def _prepared(squares: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Prepared:
    names = (Label.REAL, Label.AI)
    items = [
        item(number, label=names[label], kind="x", source=f"s{number % 10}") for number, label in enumerate(labels)
    ]
    fact = Facts(width=32, height=32, bytes=900, format="PNG", quantisation=0, has_exif=0, has_profile=0)
    crops = np.stack([squares, squares], axis=1)
    return Prepared(items=tuple(items), facts=(fact,) * COUNT, crops=crops, overlap=weights)


def test_what_a_glance_tells_counts_little() -> None:
    squares, labels = _squares()
    weights = overlap(squares, labels)
    brightness = squares.mean((1, 2, 3))
    means = [np.average(brightness[labels == label], weights=weights[labels == label]) for label in (0, 1)]
    plain = [brightness[labels == label].mean() for label in (0, 1)]
    assert plain[1] - plain[0] > 40
    assert abs(means[1] - means[0]) < 10
    assert (weights > 0).all()


def test_without_one_label_all_count_alike() -> None:
    squares, _ = _squares()
    assert (overlap(squares, np.zeros(COUNT, np.int64)) == 1).all()


def test_a_classifier_that_saw_other_sources_only() -> None:
    squares, labels = _squares()
    groups = np.array([f"s{number % 10}" for number in range(COUNT)])
    made = glanced(thumbnails(squares), labels, groups)
    assert auc(made[labels == 1], made[labels == 0]) > 0.8


def test_the_audit_finds_what_gives_labels_away_and_weights_take_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHOWN", 800)
    squares, labels = _squares()
    bad = audit(_prepared(squares, labels, np.ones(COUNT)))
    found = too_good(bad)
    assert found is not None
    assert "brightness" in found
    assert "thumbnail" in found
    weighted = {probe.name: probe for probe in audit(_prepared(squares, labels, overlap(squares, labels)))}
    plain = {probe.name: probe for probe in bad}
    assert weighted["brightness"].prepared is not None
    assert plain["brightness"].prepared is not None
    assert weighted["brightness"].prepared < plain["brightness"].prepared - 0.03


def test_an_audit_needs_both_labels() -> None:
    squares, _ = _squares()
    with pytest.raises(ConfigurationError, match="both labels"):
        audit(_prepared(squares, np.zeros(COUNT, np.int64), np.ones(COUNT)))


def test_batches_are_half_made_and_a_function_of_their_seed() -> None:
    squares, labels = _squares()
    batches = Batches(_prepared(squares, labels, np.ones(COUNT)), np.arange(COUNT), side=32)
    pictures, truth = batches(np.random.default_rng(5), 16)
    again, _ = batches(np.random.default_rng(5), 16)
    assert pictures.shape == (16, 3, 32, 32)
    assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1
    assert truth.tolist() == [0, 1] * 8
    assert bool((pictures == again).all())


def test_batches_draw_from_the_members_only() -> None:
    squares, labels = _squares()
    batches = Batches(_prepared(squares, labels, np.ones(COUNT)), np.arange(40, 60), side=32)
    assert set(batches.drawn(np.random.default_rng(0), 500)) == set(range(40, 60))
