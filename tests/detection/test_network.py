from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from assay.errors import ConfigurationError
from detection.network import PatchNetwork, Shape, load, pooled, pretrained, save

SMALL = Shape(backbone="mobilenetv3_small_050", taps=(2,))


def _pictures(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 96, 128, generator=torch.Generator().manual_seed(0))


def test_an_untrained_head_says_nothing() -> None:
    network = PatchNetwork(SMALL).eval()
    patches = network(_pictures())
    assert patches.shape == (2, 12, 16)
    assert not patches.any()


def test_what_is_saved_is_read_to_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = PatchNetwork(SMALL).eval()
    torch.nn.init.normal_(network.head.weight)
    save(network, tmp_path / "weights.safetensors", steps="3")
    again = load(tmp_path / "weights.safetensors")
    assert again.shape == SMALL
    with torch.inference_mode():
        assert torch.allclose(network(_pictures()), again(_pictures()), atol=0.05, rtol=0.02)


def test_a_made_patch_counts_more_than_its_area() -> None:
    quiet = torch.full((1, 10, 10), -2.0)
    spot = quiet.clone()
    spot[0, :3, :3] = 6
    assert pooled(quiet).item() == pytest.approx(-2)
    assert pooled(spot).item() > pooled(quiet).item() + 2
    assert pooled(spot).item() == pytest.approx((float(spot.mean()) + (9 * 6 - 2) / 10) / 2, rel=1e-5)


def test_statistics_of_normalisation_do_not_move() -> None:
    network = PatchNetwork(SMALL).train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(_pictures(4))
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())


def test_the_trunk_of_a_timm_checkpoint_is_taken(tmp_path: Path) -> None:
    torch.manual_seed(1)
    whole = timm.create_model(SMALL.backbone, num_classes=10).eval()
    save_file(whole.state_dict(), tmp_path / "whole.safetensors")
    network = pretrained(SMALL, tmp_path / "whole.safetensors").eval()
    with torch.inference_mode():
        expected = whole.forward_intermediates(_pictures() * 2 - 1, indices=(2,), intermediates_only=True)[0]
        assert torch.allclose(network.backbone(_pictures() * 2 - 1)[0], expected, atol=1e-5)


def test_the_packaged_weights_are_those_of_imagenet() -> None:
    network = pretrained(Shape()).eval()
    with torch.inference_mode():
        features = network.backbone(_pictures() * 2 - 1)[0]
    assert features.shape == (2, 112, 6, 8)
    assert float(features.std()) > 0.1


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no package brings"):
        pretrained(Shape(backbone="mobilenetv3_small_050"))
    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ConfigurationError, match="lacks"):
        pretrained(SMALL, tmp_path / "other.safetensors")
    with pytest.raises(ConfigurationError, match=r"other\.safetensors"):
        load(tmp_path / "other.safetensors")
    (tmp_path / "text").write_text("no")
    with pytest.raises(ConfigurationError, match="text"):
        load(tmp_path / "text")


def test_pooling_is_the_mean_for_a_single_patch() -> None:
    assert np.allclose(pooled(torch.tensor([[[3.0]]])), 3)
