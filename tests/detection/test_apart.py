from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from assay.discrimination import auc
from detection.apart import Told, calibrated, left_out, lines, matched_mean, panel
from detection.featured import Cache
from detection.head import Recipe
from detection.manifest import Label
from detection.quality import Quality
from tests.detection import known


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return known.cache(tmp_path_factory.mktemp("features") / "cache", each=30)


@pytest.fixture(scope="module")
def found(cache: Cache) -> list[Told]:
    return list(left_out(cache, Recipe(freedom=0.01)))


def _told(label: Label, logit: float, source: str, found: list[Told]) -> Told:
    one = next(one for one in found if one.item.source == source and one.item.label is label)
    return Told(item=one.item, draw=0, logit=logit)


def test_every_picture_is_told_once_in_every_draw(cache: Cache, found: list[Told]) -> None:
    assert Counter((one.item.id, one.draw) for one in found) == Counter(
        (item.id, draw) for item in cache.items for draw in (0, 1)
    )


def test_what_every_source_shares_is_learnt_from_the_others(found: list[Told]) -> None:
    made, others = ([one.logit for one in found if one.item.label is label] for label in (Label.AI, Label.REAL))
    assert auc(made, others) > 0.9
    assert matched_mean(found) > 0.9


def test_what_a_source_alone_shows_is_of_no_use(tmp_path: Path) -> None:
    """A feature that tells the labels of each source in a direction of its own is learnt only where leaking happens."""
    blind = known.cache(tmp_path / "cache", skill=0, each=30)
    random = np.random.default_rng(1)
    directions = {item.source: random.normal(0, 2, known.PLAN.width) for item in blind.items}
    for path in (tmp_path / "cache").glob("round-*/*.npz"):
        with np.load(path) as part:
            ids, features = part["ids"], part["features"].astype(np.float32)
        for row, item in enumerate(blind.items):
            features[row] += directions[item.source] * (1 if item.label is Label.AI else -1)
        np.savez(path, ids=ids, features=features.astype(np.float16))
    told = list(left_out(blind, Recipe(freedom=0.01)))
    means = [matched_mean(told, draw) for draw in (0, 1)]
    assert min(means) < 0.9
    assert len(told) == 2 * len(blind.items)


def test_only_some_sources_can_be_asked_for(cache: Cache) -> None:
    some = list(left_out(cache, Recipe(), ["owner/source-2", "owner/nobody"]))
    assert {one.item.source for one in some} == {"owner/source-2"}


def test_the_mean_goes_by_the_size_of_matched_sets(found: list[Told]) -> None:
    own: list[Told] = []
    for source, right, count in (("owner/source-0", True, 10), ("owner/source-2", False, 5)):
        own += [_told(Label.AI, 1.0 if right else 0.0, source, found)] * count
        own += [_told(Label.REAL, 0.0, source, found)] * count
    assert matched_mean(own) == pytest.approx((20 * 1.0 + 10 * 0.5) / 30)
    with pytest.raises(ValueError, match="no matched set"):
        matched_mean([one for one in own if one.item.label is Label.AI])


def test_lines_are_of_matched_sets_and_of_what_is_pooled(found: list[Told]) -> None:
    made = list(lines(found))
    names = {line.group for line in made if line.draw == 0}
    assert {f"owner/source-{number}" for number in (0, 2, 4)} <= names
    assert {"all", "galleries against photographs", "matched photorealistic sets together"} <= names
    assert "galleries against graphics by people" not in names  # there are none
    for line in made:
        assert line.auc.low <= line.auc.value <= line.auc.high
        assert line.cllr_min <= line.cllr + 1e-9
        assert line.tpr_1 is None  # fewer than 300 photographs cannot tell
    everything = next(line for line in made if line.group == "all" and line.draw == 0)
    assert (everything.made, everything.others) == (90, 90)


def test_a_ratio_does_not_depend_on_its_own_source(found: list[Told]) -> None:
    own = [one for one in found if one.item.source == "owner/source-1"]
    turned = [Told(item=one.item, draw=one.draw, logit=-one.logit if one in own else one.logit) for one in found]
    before, after = calibrated(found), calibrated(turned)
    straight = {one.logit: before[one.item.id, one.draw] for one in own}
    again = {-one.logit: after[one.item.id, one.draw] for one in own}
    logits = sorted({*straight, *again})
    ratios = [straight.get(logit, again.get(logit, 0.0)) for logit in logits]
    assert ratios == sorted(ratios)


def test_a_panel_counts_pictures_and_one_photograph_in_a_hundred_exceeds_its_threshold(found: list[Told]) -> None:
    source = found[0].item.source
    made = [_told(Label.AI, 3 + 0.01 * number, source, found) for number in range(60)]
    others = {one.item.id: one for one in found if one.item.label is Label.REAL}.values()
    people = [
        Told(item=one.item, draw=draw, logit=number - draw) for number, one in enumerate(others) for draw in (0, 1)
    ]
    made_of = panel([*made, *people], "x", "the newest")
    assert (made_of.photographs, made_of.made, made_of.newest) == (len(others), 1, "the newest")
    assert made_of.fusion.logit({"x": 1.5}, Quality(longest=9, shortest=9, detail=0.9, flat=0.0)) == 1.5
    (threshold,) = set(made_of.thresholds.values())
    assert sum(number > threshold for number in range(len(others))) <= len(others) / 100
