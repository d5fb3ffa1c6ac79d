from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigurationError
from detection import featured
from detection.backbone import Backbone, opened
from detection.featured import ROUNDS, compute, delivered, load, ordered
from detection.folders import items_of
from detection.manifest import Item, Label
from detection.pictures import opened as pixels_of
from detection.views import VIEWS, square, views
from tests.detection.small_vit import DEPTH, NAME, WIDTH, checkpoint
from tests.detection.test_manifest import item


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return opened(checkpoint(tmp_path_factory.mktemp("network")), "cpu", name=NAME, taps=(1, 5))


@pytest.fixture(scope="module")
def items(folder: Path) -> tuple[Item, ...]:
    return items_of(folder)


@pytest.fixture(scope="module")
def whole(folder: Path, items: tuple[Item, ...], backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cache")
    list(compute(items, folder, backbone, out, rounds=3))
    return out


def test_features_are_those_of_the_views(
    whole: Path, folder: Path, items: tuple[Item, ...], backbone: Backbone
) -> None:
    cache = load(whole)
    assert set(cache.items) == set(items)
    for draw, view in ((0, "whole"), (0, "crop-1"), (1, "whole"), (1, "crop-1")):
        indices, values = cache.of(draw, view)
        assert sorted(indices) == list(range(len(items)))
        assert values.shape == (len(items), 2, 2, WIDTH)
        one = cache.items[indices[3]]
        picture = pixels_of((folder / one.path).read_bytes())
        assert picture is not None
        shown = views(delivered(square(picture), one, draw, 0), [view], backbone.side)
        assert np.allclose(backbone.features(shown)[0], values[3], atol=0.02)
    assert len(cache.of(2, "whole")[0]) == 0
    assert max(backbone.taps) < DEPTH


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(featured, "PART", 5)


@pytest.mark.usefixtures("_small_parts")
def test_a_run_that_was_cut_off_goes_on_and_ends_the_same(
    whole: Path,
    folder: Path,
    items: tuple[Item, ...],
    backbone: Backbone,
    tmp_path: Path,
) -> None:
    _take(compute(items, folder, backbone, tmp_path, rounds=2), 7)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert len(before) == 7
    said = list(compute(items, folder, backbone, tmp_path, rounds=2))
    assert said[-1] == (1, len(items), len(items))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for view in ("whole", "crop-1"):
        again, once = (_by_id(place, view) for place in (tmp_path, whole))
        assert set(again) == set(once)
        assert all(np.allclose(again[name], once[name], atol=0.02) for name in once)
    assert not list(compute(items, folder, backbone, tmp_path, rounds=2))


def test_more_pictures_can_be_added(folder: Path, items: tuple[Item, ...], backbone: Backbone, tmp_path: Path) -> None:
    list(compute(items[:4], folder, backbone, tmp_path, rounds=1))
    list(compute(items[2:9], folder, backbone, tmp_path, rounds=1))
    cache = load(tmp_path)
    assert set(cache.items) == set(items[:9])
    assert sorted(cache.of(0, "whole")[0]) == list(range(9))


def test_absent_and_damaged_files_are_left_out(items: tuple[Item, ...], backbone: Backbone, tmp_path: Path) -> None:
    list(compute(items[:3], tmp_path, backbone, tmp_path / "cache", rounds=1))
    indices, values = load(tmp_path / "cache").of(0, "whole")
    assert (len(indices), values.shape) == (0, (0, 2, 2, WIDTH))


def test_features_of_another_network_do_not_mix(
    whole: Path, folder: Path, items: tuple[Item, ...], backbone: Backbone, tmp_path: Path
) -> None:
    other = opened(checkpoint(tmp_path, seed=1), "cpu", name=NAME, taps=(1, 5))
    with pytest.raises(ConfigurationError, match="another network") as caught:
        list(compute(items, folder, other, whole, rounds=1))
    assert str(whole) in str(caught.value)
    with pytest.raises(ConfigurationError, match="no cache of features"):
        load(tmp_path)


def test_sources_come_by_turns() -> None:
    items = [item(number, source="large") for number in range(50)]
    items += [item(100 + number, source="small", label=Label.REAL) for number in range(3)]
    found = [one.source for one in ordered(items)]
    assert Counter(found) == {"large": 50, "small": 3}
    assert found[:6].count("small") == 3
    assert ordered(items[::-1]) == ordered(items)


def test_a_delivery_depends_on_the_file_and_the_draw_and_not_on_the_label(
    folder: Path, items: tuple[Item, ...]
) -> None:
    one = items[0]
    pixels = pixels_of((folder / one.path).read_bytes())
    assert pixels is not None
    picture = square(pixels)
    other = replace(one, label=Label.REAL if one.label is Label.AI else Label.AI, kind="other", source="other")
    for draw in range(4):
        assert np.array_equal(delivered(picture, one, draw, 0), delivered(picture, other, draw, 0))
    assert not _same(delivered(picture, one, 1, 0), delivered(picture, one, 2, 0))
    assert not _same(delivered(picture, one, 1, 0), delivered(picture, one, 1, 1))


def test_every_view_is_made_in_some_round_once() -> None:
    made = Counter((turn.draw, view) for turn in ROUNDS for view in turn.views)
    assert set(made.values()) == {1}
    assert {view for _, view in made} == set(VIEWS)
    assert {draw for draw, _ in made} == {0, 1, 2}


def _take(made: Iterator[object], count: int) -> None:
    for _ in range(count):
        next(made)


def _by_id(place: Path, view: str) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float16]]]:
    cache = load(place)
    indices, values = cache.of(0, view)
    return {cache.items[index].id: value for index, value in zip(indices, values, strict=True)}


def _same(
    one: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], other: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> bool:
    return one.shape == other.shape and bool((one == other).all())
