from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from assay.errors import ConfigurationError
from detection.backbone import opened
from tests.detection.small_vit import DEPTH, NAME, SIDE, WIDTH, checkpoint, network


def _views(count: int) -> np.ndarray[tuple[int, int, int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)


def test_features_are_what_the_blocks_say(tmp_path: Path) -> None:
    backbone = opened(checkpoint(tmp_path), "cpu", name=NAME)
    assert (backbone.side, backbone.width, backbone.taps) == (SIDE, WIDTH, tuple(range(DEPTH)))
    views = _views(11)  # more than a batch
    found = backbone.features(views)
    assert found.shape == (11, DEPTH, 2, WIDTH)
    assert found.dtype == np.float16
    whole = network()
    heard: list[torch.Tensor] = []
    for block in whole.blocks:
        block.register_forward_hook(lambda _module, _input, output: heard.append(output))
    mean, deviation = (torch.tensor(whole.default_cfg[name])[:, None, None] for name in ("mean", "std"))
    with torch.inference_mode():
        whole((torch.from_numpy(views).permute(0, 3, 1, 2) / 255 - mean) / deviation)
    for tap, tokens in enumerate(heard):
        assert np.allclose(found[:, tap, 0], tokens[:, 0], atol=0.01, rtol=0.01)
        assert np.allclose(found[:, tap, 1], tokens[:, 1:].mean(1), atol=0.01, rtol=0.01)


def test_some_blocks_will_do_and_no_views_are_none(tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    some, every = opened(path, "cpu", name=NAME, taps=(1, 4)), opened(path, "cpu", name=NAME)
    assert np.array_equal(some.features(_views(2)), every.features(_views(2))[:, [1, 4]])
    assert some.features(_views(0)).shape == (0, 2, 2, WIDTH)


def test_the_mean_stands_in_for_a_class_token(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(timm.create_model(NAME, num_classes=3, class_token=False, global_pool="avg").state_dict(), tmp_path / "a")
    with pytest.raises(ConfigurationError, match="not the weights of"):
        opened(tmp_path / "a", "cpu", name=NAME)
    save_file(timm.create_model("test_vit4", num_classes=3).state_dict(), tmp_path / "b")
    backbone = opened(tmp_path / "b", "cpu", name="test_vit4")
    features = backbone.features(_views(1))
    assert np.array_equal(features[:, :, 0], features[:, :, 1]) is not bool(backbone.network.num_prefix_tokens)


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    with pytest.raises(ConfigurationError, match="no network of timm's"):
        opened(path, "cpu", name="no_such_network")
    with pytest.raises(ConfigurationError, match="no vision transformer"):
        opened(path, "cpu", name="mobilenetv3_small_050")
    with pytest.raises(ConfigurationError, match="blocks 0 to 5"):
        opened(path, "cpu", name=NAME, taps=(6,))
    with pytest.raises(ConfigurationError, match=r"gone\.safetensors"):
        opened(tmp_path / "gone.safetensors", "cpu", name=NAME)
    weights = load_file(path)
    for broken in ({**weights, "further": torch.zeros(1)}, dict(list(weights.items())[1:])):
        save_file(broken, tmp_path / "broken.safetensors")
        with pytest.raises(ConfigurationError, match=r"broken\.safetensors: not the weights of test_vit"):
            opened(tmp_path / "broken.safetensors", "cpu", name=NAME)
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(ConfigurationError, match=r"text\.safetensors"):
        opened(tmp_path / "text.safetensors", "cpu", name=NAME)
