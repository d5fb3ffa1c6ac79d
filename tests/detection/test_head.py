from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigurationError
from detection.featured import Cache
from detection.head import Head, Recipe, Rule, Shown, fit, read, shown, told, write
from detection.manifest import Label
from tests.detection import known


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return known.cache(tmp_path_factory.mktemp("features") / "cache")


def _views(cache: Cache, recipe: Recipe) -> dict[str, Shown]:
    return {kind: shown(cache, kind, recipe) for kind in recipe.kinds}


def test_features_are_gathered_over_draws_and_views(cache: Cache) -> None:
    whole = shown(cache, "whole", Recipe())
    assert len(whole.items) == 2 * len(cache.items)  # draws 0 and 1
    assert whole.values.shape[1] == 3 * 16
    both = shown(cache, "whole", Recipe(blocks=(5, 1), patches=True))
    indices, features = cache.of(1, "whole")
    rows = both.values[both.draws == 1]
    assert np.array_equal(both.items[both.draws == 1], indices)
    assert np.array_equal(rows.reshape(len(rows), 2, 2, 16), features[:, [2, 0]].astype(np.float32))


def test_a_head_finds_what_is_there_and_logits_have_a_spread_of_one(cache: Cache) -> None:
    recipe = Recipe(freedom=0.1)
    views = _views(cache, recipe)
    head = fit(cache, views, recipe)
    logits = head.rules["whole"].logits(views["whole"].values)
    assert logits.std() == pytest.approx(1, rel=0.01)
    labels = np.array([cache.items[item].label is Label.AI for item in views["whole"].items])
    assert logits[labels].mean() > logits[~labels].mean() + 1


def test_logits_are_means_over_views_added_over_kinds() -> None:
    rule = Rule(weights=np.array([1.0, 0.0], np.float32), bias=0.5)
    head = Head(recipe=Recipe(), backbone="x", sha256="0", rules={"whole": rule, "crop": rule})

    def rows(*entries: tuple[int, int, float]) -> Shown:
        items, draws, values = zip(*entries, strict=True)
        return Shown(
            items=np.array(items), draws=np.array(draws), values=np.array([[value, 9] for value in values], np.float32)
        )

    views = {"whole": rows((0, 0, 1), (0, 1, 2), (1, 0, 3)), "crop": rows((0, 0, 4), (0, 0, 6), (1, 0, 0), (2, 0, 1))}
    assert told(head, views) == {(0, 0): 1.5 + 5.5, (1, 0): 3.5 + 0.5}


def test_what_is_written_is_read_and_the_same_head_is_the_same_file(cache: Cache, tmp_path: Path) -> None:
    recipe = Recipe(blocks=(1, 3), patches=True, freedom=0.01)
    views = _views(cache, recipe)
    for name in ("one", "other"):
        write(fit(cache, views, recipe), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    again = read(tmp_path / "one")
    assert (again.recipe, again.backbone, again.sha256) == (recipe, known.PLAN.backbone, known.PLAN.sha256)
    assert told(again, views) == told(fit(cache, views, recipe), views)


def test_what_is_not_there_is_named(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no features of block 2"):
        shown(cache, "whole", Recipe(blocks=(1, 2)))
    with pytest.raises(ConfigurationError, match="no views of the kind 'grid'"):
        shown(cache, "grid", Recipe())
    (tmp_path / "text").write_text("no head")
    for name in ("text", "gone"):
        with pytest.raises(ConfigurationError, match=f"{name}: no head"):
            read(tmp_path / name)
