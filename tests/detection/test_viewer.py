from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigurationError
from detection import head, viewer
from detection.backbone import Backbone, opened
from detection.featured import compute, load
from detection.folders import items_of
from detection.head import Recipe, fit, shown, told
from detection.pictures import opened as pixels_of
from detection.viewer import Viewer
from tests.detection.small_vit import NAME, checkpoint


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return opened(checkpoint(tmp_path_factory.mktemp("network")), "cpu", name=NAME, taps=(1, 5))


@pytest.mark.parametrize("patches", [False, True])
def test_a_picture_is_judged_as_its_features_are(
    patches: bool, folder: Path, backbone: Backbone, tmp_path: Path
) -> None:
    list(compute(items_of(folder), folder, backbone, tmp_path / "cache", rounds=2))
    cache = load(tmp_path / "cache")
    recipe = Recipe(blocks=backbone.taps, patches=patches, freedom=0.01)
    views = {kind: shown(cache, kind, recipe) for kind in recipe.kinds}
    learnt = fit(cache, views, recipe)
    looking = Viewer(backbone=backbone, head=learnt, sha256="")
    for (number, _), logit in list(told(learnt, views).items())[:6]:
        picture = pixels_of((folder / cache.items[number].path).read_bytes())
        assert picture is not None
        assert looking.logit(picture) == pytest.approx(logit, abs=0.05)


def test_a_head_of_another_network_is_refused(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = {"whole": head.Rule(weights=np.zeros(2 * backbone.width, np.float32), bias=0.0)}
    recipe = Recipe(blocks=backbone.taps, kinds=("whole",))
    head.write(
        head.Head(recipe=recipe, backbone=backbone.name, sha256="0" * 64, rules=rules), tmp_path / "head.safetensors"
    )
    weights = checkpoint(tmp_path)
    monkeypatch.setattr(viewer.clip, "require", lambda _: weights)
    monkeypatch.setattr(
        viewer.backbone, "opened", lambda path, device, taps: opened(path, device, name=NAME, taps=taps)
    )
    with pytest.raises(ConfigurationError, match="learnt on other weights"):
        viewer.opened(tmp_path / "head.safetensors", tmp_path, "cpu")
