"""Single checkpoints: told by their names, described by a configuration, whole or refused."""

from __future__ import annotations

import json
import shutil
import socket
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.errors import ConfigurationError
from generation.adapters import adapter_for
from generation.loading import open_model
from generation.local import described, local_spec, shown
from generation.models import SPECS, spec_named
from generation.single_file import ARCHITECTURES
from generation.toy import toy_pipeline
from tests.generation.checkpoints import as_checkpoint

SD15, XL, SD3 = (
    SPECS[name]
    for name in (
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "stabilityai/stable-diffusion-xl-base-1.0",
        "stabilityai/stable-diffusion-3.5-medium",
    )
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint and the folder that describes it, without weights; never written to."""
    place = tmp_path_factory.mktemp("checkpoint")
    return _saved(toy_pipeline(SD15), place)


def _saved(pipeline: Any, place: Path) -> Path:
    pipeline.save_pretrained(place / "like")
    for weights in (place / "like").rglob("*.safetensors"):
        weights.unlink()
    as_checkpoint(pipeline, place / "toy.safetensors")
    return place


@pytest.fixture
def place(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "models"))


def without(path: Path, *beginnings: str) -> None:
    save_file({name: each for name, each in load_file(path).items() if not name.startswith(beginnings)}, path)


def opened(place: Path) -> Any:
    return open_model(spec_named(str(place / "toy.safetensors"), config=str(place / "like")), fetch=False)


@pytest.mark.parametrize("spec", [SD15, XL, SD3], ids=lambda spec: spec.pipeline)
def test_a_checkpoint_draws_what_its_pipeline_draws(tmp_path: Path, spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was asked for")

    pipeline = toy_pipeline(spec)
    _saved(pipeline, tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    noise = torch.randn(1, spec.channels, 16, 16, generator=torch.Generator().manual_seed(1))
    wanted = adapter_for(pipeline, spec).draw(["tulip"], noise, steps=2, guidance=2.0)
    assert torch.equal(opened(tmp_path).draw(["tulip"], noise, steps=2, guidance=2.0), wanted)


def test_file_and_folder_are_part_of_its_name(place: Path) -> None:
    checkpoint, folder = place / "toy.safetensors", place / "like"
    spec = spec_named(str(checkpoint), config=str(folder))
    digest = sha256(checkpoint.read_bytes()).hexdigest()
    assert spec.id.startswith(f"{checkpoint}#sha256={digest}&config={folder}#sha256=")
    assert spec_named(spec.id) == spec
    assert shown(spec.id) == f"toy.safetensors (sha256 {digest[:16]})"
    settings = folder / "scheduler" / "scheduler_config.json"
    before = settings.read_text()
    settings.write_text(json.dumps(json.loads(before) | {"beta_end": 0.013}))
    with pytest.raises(ConfigurationError, match="its weights are not here: like holds others now"):
        spec_named(spec.id)
    settings.write_text(before)
    assert spec_named(spec.id) == spec
    without(checkpoint, "cond_stage_model.")
    with pytest.raises(ConfigurationError, match=r"its weights are not here: toy\.safetensors holds others now"):
        spec_named(spec.id)
    checkpoint.unlink()
    with pytest.raises(ConfigurationError, match="its weights are not here"):
        spec_named(spec.id)


def test_what_it_lacks_comes_from_the_folder_or_is_asked_for(place: Path) -> None:
    without(place / "toy.safetensors", "cond_stage_model.")
    with pytest.raises(ConfigurationError, match=r"toy\.safetensors: holds no text_encoder, and .*like has no weights"):
        opened(place)
    toy_pipeline(SD15).text_encoder.save_pretrained(place / "like" / "text_encoder")
    assert opened(place).pipeline.text_encoder is not None
    weights = place / "like" / "text_encoder" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(ConfigurationError, match="no weights of one in safetensors"):
        opened(place)


def test_nothing_is_left_as_it_was_drawn_by_chance(place: Path) -> None:
    without(place / "toy.safetensors", "model.diffusion_model.middle_block.1.norm")
    with pytest.raises(ConfigurationError, match="lacks 2 tensors of its unet, such as mid_block"):
        opened(place)


def test_a_folder_of_another_kind_is_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="describes a StableDiffusionXLPipeline, and toy"):
        spec_named(str(place / "toy.safetensors"), config=str(ARCHITECTURES / "stable-diffusion-xl"))
    with pytest.raises(ConfigurationError, match="its network is not that of stable-diffusion-1"):
        spec_named(str(place / "toy.safetensors"))
    with pytest.raises(ConfigurationError, match=r"like: a configuration for pocket, which has one"):
        spec_named("pocket", config=str(place / "like"))
    with pytest.raises(ConfigurationError, match="a file has no revisions"):
        open_model(spec_named(str(place / "toy.safetensors"), config=str(place / "like")), revision="main")
    settings = place / "like" / "unet" / "config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"cross_attention_dim": 64}))
    with pytest.raises(ConfigurationError, match=r"toy\.safetensors: its unet does not fit .*like: size mismatch"):
        opened(place)


UNET = "model.diffusion_model."
WHOLE = {
    f"{UNET}input_blocks.0.0.weight": (2, 4),
    f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (2, 768),
    "first_stage_model.quant_conv.weight": (2, 2),
    "cond_stage_model.transformer.text_model.final_layer_norm.weight": (2,),
}


def _sketch(path: Path, shapes: dict[str, tuple[int, ...]]) -> str:
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path)
    return str(path)


def test_public_architectures_need_no_folder(tmp_path: Path) -> None:
    spec = described(_sketch(tmp_path / "sd.safetensors", WHOLE))
    assert (spec.pipeline, spec.size, spec.scheduler, spec.prediction) == (
        SD15.pipeline, SD15.size, SD15.scheduler, SD15.prediction,
    )  # fmt: skip
    assert "config" not in local_spec(str(tmp_path / "sd.safetensors")).id
    wide = WHOLE | {
        f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (2, 2048),
        f"{UNET}label_emb.0.0.weight": (2, 2816),
        "conditioner.embedders.1.model.ln_final.weight": (2,),
    }
    spec = described(_sketch(tmp_path / "xl.safetensors", wide))
    assert (spec.pipeline, spec.size, spec.scaling_factor) == (XL.pipeline, XL.size, XL.scaling_factor)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({f"{UNET}input_blocks.0.0.weight": (2, 9)}, "changes pictures instead of drawing them: it takes 9 channels"),
        ({"conditioner.embedders.0.model.ln_final.weight": (2,)}, "the refiner of Stable Diffusion XL"),
        ({"cond_stage_model.model.ln_final.weight": (2,)}, "does not say whether it predicts the noise"),
        ({"v_pred": (1,)}, "predicts the velocity"),
        ({"first_stage_model.quant_conv.weight": None}, "holds no VAE"),
        ({"cond_stage_model.transformer.text_model.final_layer_norm.weight": None}, "holds no text encoder"),
        ({f"{UNET}input_blocks.0.0.weight": None, f"{UNET}joint_blocks.0.x": (1,)}, "for StableDiffusion3Pipeline"),
        ({f"{UNET}input_blocks.0.0.weight": None, "double_blocks.0.img_attn.x": (1,)}, "for FluxPipeline"),
        ({f"{UNET}input_blocks.0.0.weight": None, "a.lora_A.weight": (1,)}, "a LoRA, not a whole model"),
        ({f"{UNET}input_blocks.0.0.weight": None}, "no checkpoint whose architecture Assay knows"),
    ],
)
def test_what_cannot_be_drawn_with_gets_a_sentence(
    tmp_path: Path, changes: dict[str, tuple[int, ...] | None], problem: str
) -> None:
    shapes = {name: shape for name, shape in (WHOLE | changes).items() if shape is not None}
    with pytest.raises(ConfigurationError, match=rf"some\.safetensors: .*{problem}") as caught:
        described(_sketch(tmp_path / "some.safetensors", shapes))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("architecture", "component", "count"),
    [  # as published with the weights
        ("stable-diffusion-1", "unet", 859_520_964),
        ("stable-diffusion-1", "vae", 83_653_863),
        ("stable-diffusion-1", "text_encoder", 123_060_480),
        ("stable-diffusion-xl", "unet", 2_567_463_684),
        ("stable-diffusion-xl", "vae", 83_653_863),
        ("stable-diffusion-xl", "text_encoder", 123_060_480),
        ("stable-diffusion-xl", "text_encoder_2", 694_659_840),
    ],
)
def test_the_configurations_are_those_of_the_public_weights(architecture: str, component: str, count: int) -> None:
    import diffusers
    import transformers

    folder = ARCHITECTURES / architecture
    library, name = json.loads((folder / "model_index.json").read_text())[component]
    class_ = getattr({"diffusers": diffusers, "transformers": transformers}[library], name)
    settings = json.loads((folder / component / "config.json").read_text())
    with torch.device("meta"):
        model = class_.from_config(settings) if library == "diffusers" else class_(class_.config_class(**settings))
    assert sum(each.numel() for each in model.parameters()) == count
