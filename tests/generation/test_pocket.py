from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch

from assay.errors import ConfigurationError
from generation import pocket
from generation.adapters import adapter_for
from generation.invert import invert_images
from generation.loading import open_model
from generation.models import spec_named
from generation.training.evaluate import card

LIMIT = 35 * 2**20
SHARD = 15 * 2**20


def test_the_weights_are_within_bounds_and_half_precision() -> None:
    files = list(pocket.WEIGHTS.rglob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) <= LIMIT
    assert all(file.stat().st_size <= SHARD for file in files)
    for file in files:
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        assert {entry["dtype"] for name, entry in header.items() if name != "__metadata__"} == {"F16"}


def test_the_card_names_every_file_by_its_hash() -> None:
    text = (pocket.WEIGHTS / "README.md").read_text()
    named = dict(re.findall(r"\| `(\S+\.safetensors)` \| `([0-9a-f]{64})` \|", text))
    found = {
        str(file.relative_to(pocket.WEIGHTS)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in pocket.WEIGHTS.rglob("*.safetensors")
    }
    assert named == found
    assert all(digest in card(pocket.WEIGHTS, {"a": "b"}) for digest in found.values())


def test_it_is_an_ordinary_pipeline_of_the_stated_shape() -> None:
    pipeline = pocket.load()
    assert type(pipeline).__name__ == "StableDiffusionPipeline"
    assert pipeline.tokenizer.model_max_length == 32
    adapter = adapter_for(pipeline, spec_named("pocket"))
    assert adapter.latent_shape(128, 128) == (4, 32, 32)
    assert 3e6 <= sum(p.numel() for p in pipeline.vae.parameters()) <= 4e6
    assert 9e6 <= sum(p.numel() for p in pipeline.unet.parameters()) <= 12e6


def test_noise_comes_back_out_of_a_picture() -> None:
    torch.manual_seed(0)
    adapter = open_model(spec_named("pocket"))
    noise = torch.randn(2, 4, 32, 32)
    images = adapter.draw(["a red rose", "a white daisy"], noise, steps=10, guidance=3.0)
    assert images.shape == (2, 3, 128, 128)
    estimate = invert_images(adapter, images).noise
    signs = (estimate.sign() == noise.sign()).float().mean()
    assert signs > 0.6  # a known code word of this length needs .555 for p < 1e-6


def test_another_scheduler_draws_from_the_same_noise() -> None:
    torch.manual_seed(0)
    noise = torch.randn(1, 4, 32, 32)
    ddim, multistep = (
        open_model(spec_named("pocket"), scheduler=name).draw([""], noise, steps=20, guidance=1.0)
        for name in ("ddim", "dpm++")
    )
    assert (ddim - multistep).abs().mean() < 0.05


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="weights are not there"):
        pocket.load(tmp_path)
