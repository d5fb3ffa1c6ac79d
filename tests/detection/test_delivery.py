from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from assay.perturb import perturbation
from detection.delivery import DELIVERIES, REFERENCE, STABILITY, drawn, shared

CODECS = ("jpeg", "webp", "avif", "screenshot")


def _names(count: int) -> list[str]:
    return [drawn(np.random.default_rng([3, number])) for number in range(count)]


def test_every_chain_that_is_drawn_can_be_made_again() -> None:
    for name in filter(None, _names(500)):
        assert perturbation(name).name == name


def test_some_are_left_alone_and_most_are_encoded_last() -> None:
    names = _names(2_000)
    kinds = Counter("" if not name else name.split("+")[-1].split("-")[0] for name in names)
    assert 0.1 < kinds[""] / len(names) < 0.22
    assert (kinds["jpeg"] + kinds["webp"]) / len(names) > 0.65
    assert all(name.startswith("jpeg") for name in names if name.count("jpeg") == 2)


@pytest.mark.parametrize("name", [name for name in DELIVERIES.values() if name] + list(STABILITY))
def test_deliveries_end_in_a_codec(name: str) -> None:
    assert perturbation(name).name.split("+")[-1].split("-")[0] in CODECS


def test_what_people_share_can_be_made_again_and_goes_through_every_codec() -> None:
    names = [shared(np.random.default_rng([4, number])) for number in range(1_000)]
    assert all(perturbation(name).name == name for name in (*names, REFERENCE))
    ends = Counter(name.split("+")[-1].split("-")[0] for name in names)
    assert {"jpeg", "webp", "avif", "screenshot"} <= set(ends)
    assert sum(ends[codec] for codec in CODECS) / len(names) > 0.9
    steps = Counter(step.split("-")[0] for name in names for step in name.split("+"))
    assert {"crop", "fit", "scale", "screenshot"} <= set(steps)


def test_the_web_and_the_hard_delivery_reduce_and_never_enlarge() -> None:
    large, small = np.zeros((600, 1200, 3), np.uint8), np.zeros((200, 300, 3), np.uint8)
    assert perturbation(DELIVERIES["web"]).apply(large).shape == (384, 768, 3)
    assert perturbation(DELIVERIES["hard"]).apply(large).shape == (256, 512, 3)
    assert perturbation(DELIVERIES["hard"]).apply(small).shape == small.shape
