"""LoRA: W + strength · alpha / rank · B A, under every name that such files give to the matrices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from assay.errors import ConfigurationError
from generation.adapters import ADAPTERS
from generation.loading import open_model
from generation.local import described, local_spec, shown
from generation.lora import fuse
from generation.models import SPECS, Lora, spec_named
from generation.toy import WIDTH, toy_pipeline

SD15 = SPECS["stable-diffusion-v1-5/stable-diffusion-v1-5"]
XL = SPECS["stabilityai/stable-diffusion-xl-base-1.0"]
QUERY = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
RANK = 2


def matrices(inside: tuple[int, ...] = (WIDTH,), outside: int = WIDTH, rank: int = RANK) -> tuple[Tensor, Tensor]:
    """A and B."""
    chance = torch.Generator().manual_seed(1)
    kernel = (1,) * (len(inside) - 1)
    return torch.randn(rank, *inside, generator=chance), torch.randn(outside, rank, *kernel, generator=chance)


def saved(path: Path, tensors: dict[str, Tensor], **metadata: str) -> Path:
    save_file({name: each.clone() for name, each in tensors.items()}, path, metadata or None)
    return path


def weight(network: Any, module: str) -> Tensor:
    found: Tensor = network.get_submodule(module).weight.detach()
    return found.clone()


def fused(pipeline: Any, path: Path, strength: float = 1.0, settings: Path | None = None) -> Any:
    fuse(pipeline, Lora(path=path, settings=settings, strength=strength))
    return pipeline


@pytest.mark.parametrize(
    ("down", "up", "alpha"),
    [
        (f"unet.{QUERY}.lora_A.weight", f"unet.{QUERY}.lora_B.weight", None),
        (f"base_model.model.{QUERY}.lora_A.weight", f"base_model.model.{QUERY}.lora_B.weight", None),
        (f"unet.{QUERY}.lora.down.weight", f"unet.{QUERY}.lora.up.weight", f"unet.{QUERY}.alpha"),
        (
            f"unet.{QUERY.replace('.to_q', '.processor.to_q')}_lora.down.weight",
            f"unet.{QUERY.replace('.to_q', '.processor.to_q')}_lora.up.weight",
            None,
        ),
        *(
            (f"lora_unet_{name}.lora_down.weight", f"lora_unet_{name}.lora_up.weight", f"lora_unet_{name}.alpha")
            for name in (QUERY.replace(".", "_"), "input_blocks_3_1_transformer_blocks_0_attn1_to_q")
        ),
    ],
)
def test_it_is_added_under_every_name(tmp_path: Path, down: str, up: str, alpha: str | None) -> None:
    a, b = matrices()
    tensors = {down: a, up: b} | ({} if alpha is None else {alpha: torch.tensor(0.5)})
    pipeline = toy_pipeline(SD15)
    before, other = weight(pipeline.unet, QUERY), weight(pipeline.unet, QUERY.replace("to_q", "to_k"))
    fused(pipeline, saved(tmp_path / "some.safetensors", tensors), strength=0.8)
    scale = 0.8 * (1.0 if alpha is None else 0.5 / RANK)
    torch.testing.assert_close(weight(pipeline.unet, QUERY), before + scale * b @ a)
    assert torch.equal(weight(pipeline.unet, QUERY.replace("to_q", "to_k")), other)


@pytest.mark.parametrize(
    ("component", "name", "module"),
    [
        ("text_encoder", "lora_te1_text_model_encoder_layers_0_mlp_fc1", "encoder.layers.0.mlp.fc1"),
        ("text_encoder_2", "lora_te2_text_model_encoder_layers_1_mlp_fc2", "text_model.encoder.layers.1.mlp.fc2"),
        ("unet", "lora_unet_output_blocks_1_2_conv", "up_blocks.0.upsamplers.0.conv"),
        ("unet", "lora_unet_middle_block_2_in_layers_2", "mid_block.resnets.1.conv1"),
        ("unet", "lora_unet_input_blocks_2_0_op", "down_blocks.0.downsamplers.0.conv"),
    ],
)
def test_text_encoders_and_convolutions(tmp_path: Path, component: str, name: str, module: str) -> None:
    pipeline = toy_pipeline(XL)
    before = weight(getattr(pipeline, component), module)
    a, b = matrices(tuple(before.shape[1:]), before.shape[0])
    fused(pipeline, saved(tmp_path / "some.safetensors", {f"{name}.lora_down.weight": a, f"{name}.lora_up.weight": b}))
    wanted = before + torch.einsum("or,r...->o...", b.flatten(1), a)
    torch.testing.assert_close(weight(getattr(pipeline, component), module), wanted)


@pytest.mark.parametrize(
    "name", [next(n for n, s in SPECS.items() if s.pipeline == p and not s.local) for p in ADAPTERS]
)
def test_every_pipeline_of_the_adapters_takes_one(tmp_path: Path, name: str) -> None:
    pipeline = toy_pipeline(SPECS[name])
    part = "unet" if hasattr(pipeline, "unet") else "transformer"
    modules = getattr(pipeline, part).named_modules()
    module = next(key for key, each in modules if isinstance(each, torch.nn.Linear) and "blocks" in key)
    before = weight(getattr(pipeline, part), module)
    a, b = matrices((before.shape[1],), before.shape[0])
    tensors = {f"{part}.{module}.lora_A.weight": a, f"{part}.{module}.lora_B.weight": b}
    fused(pipeline, saved(tmp_path / "some.safetensors", tensors))
    torch.testing.assert_close(weight(getattr(pipeline, part), module), before + b @ a)


def test_stacked_matrices_of_flux_are_taken_apart(tmp_path: Path) -> None:
    pipeline = toy_pipeline(SPECS["black-forest-labs/FLUX.1-dev"])
    before = [weight(pipeline.transformer, f"transformer_blocks.0.attn.to_{part}") for part in "qkv"]
    a, b = matrices((before[0].shape[1],), 3 * before[0].shape[0])
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    tensors = {f"{name}.lora_down.weight": a, f"{name}.lora_up.weight": b, f"{name}.alpha": torch.tensor(float(RANK))}
    fused(pipeline, saved(tmp_path / "some.safetensors", tensors))
    after = [weight(pipeline.transformer, f"transformer_blocks.0.attn.to_{part}") for part in "qkv"]
    torch.testing.assert_close(torch.cat(after), torch.cat(before) + b @ a)


def test_peft_states_its_scale_in_the_file_or_beside_it(tmp_path: Path) -> None:
    a, b = matrices()
    tensors = {f"unet.{QUERY}.lora_A.weight": a, f"unet.{QUERY}.lora_B.weight": b}
    stated = json.dumps({"unet.lora_alpha": 8, "unet.r": RANK, "unet.use_dora": False})
    inside = saved(tmp_path / "inside.safetensors", tensors, lora_adapter_metadata=stated)
    folder = tmp_path / "beside"
    folder.mkdir()
    saved(folder / "adapter_model.safetensors", tensors)
    (folder / "adapter_config.json").write_text(json.dumps({"lora_alpha": 8, "r": RANK}))
    for text in (inside, folder):
        pipeline = toy_pipeline(SD15)
        before = weight(pipeline.unet, QUERY)
        (lora,) = described("pocket", loras=[str(text)]).loras
        fuse(pipeline, lora)
        torch.testing.assert_close(weight(pipeline.unet, QUERY), before + 8 / RANK * b @ a)
    (folder / "adapter_config.json").write_text(json.dumps({"lora_alpha": 8, "r": RANK, "use_dora": True}))
    (lora,) = described("pocket", loras=[str(folder)]).loras
    with pytest.raises(ConfigurationError, match="a LoRA with use_dora, which is not read"):
        fuse(toy_pipeline(SD15), lora)


def test_what_fits_only_in_part_changes_nothing(tmp_path: Path) -> None:
    a, b = matrices()
    good = {f"unet.{QUERY}.lora_A.weight": a, f"unet.{QUERY}.lora_B.weight": b}
    for further, problem in (
        ({"unet.nowhere.lora_A.weight": a}, r"1 of its tensors fit nothing of this StableDiffusionPipeline: unet\.now"),
        ({f"lora_unet_{QUERY.replace('.', '_')}.hada_w1_a": a}, "1 of its tensors fit nothing"),
        ({"unet.conv_in.lora_A.weight": a}, r"half of a change is missing, beside unet\.conv_in"),
        (
            {"unet.conv_in.lora_A.weight": a, "unet.conv_in.lora_B.weight": b},
            r"does not fit the weight that it changes, which is of shape \(32, 4, 3, 3\)",
        ),
    ):
        pipeline = toy_pipeline(SD15)
        before = weight(pipeline.unet, QUERY)
        with pytest.raises(ConfigurationError, match=f"some.safetensors: .*{problem}") as caught:
            fused(pipeline, saved(tmp_path / "some.safetensors", good | further))
        assert caught.value.hint
        assert torch.equal(weight(pipeline.unet, QUERY), before)


def test_it_is_part_of_the_name_with_its_strength(tmp_path: Path) -> None:
    a, b = matrices((192,), 192)
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    path = saved(tmp_path / "dots.safetensors", {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b})
    spec = spec_named("pocket", loras=[f"{path}:0.8"])
    digest = spec.id.partition("#sha256=")[2].partition(":")[0]
    assert spec.id == f"pocket&lora={path}#sha256={digest}:0.8"
    assert spec_named(spec.id) == spec
    assert spec.loras == (Lora(path=path, settings=None, strength=0.8),)
    assert shown(spec.id) == f"pocket + LoRA dots.safetensors (sha256 {digest[:16]}, at 0.8)"
    assert local_spec("pocket", loras=[str(path)]).loras[0].strength == 1
    adapter, plain = open_model(spec), open_model(SPECS["pocket"])
    changed = weight(adapter.pipeline.unet, name.removeprefix("unet.")) - weight(
        plain.pipeline.unet, name.removeprefix("unet.")
    )
    torch.testing.assert_close(changed, 0.8 * b @ a, atol=1e-5, rtol=1e-5)
    saved(path, {f"{name}.lora_A.weight": b, f"{name}.lora_B.weight": a})
    with pytest.raises(ConfigurationError, match=r"its weights are not here: dots\.safetensors holds others now"):
        spec_named(spec.id)
    path.unlink()
    with pytest.raises(ConfigurationError, match="its weights are not here"):
        spec_named(spec.id)


@pytest.mark.parametrize(
    ("stated", "strength"), [("", 1.0), (":0.0001", 0.0001), (":-0.5", -0.5), (":12.3456", 12.3456)]
)
def test_a_strength_is_the_same_after_a_name(tmp_path: Path, stated: str, strength: float) -> None:
    path = saved(tmp_path / "a:2.safetensors", {"unet.conv_in.lora_A.weight": torch.zeros(1)})
    spec = spec_named("pocket", loras=[f"{path}{stated}"])
    assert spec.loras == spec_named(spec.id).loras == (Lora(path=path, settings=None, strength=strength),)


def test_what_is_no_lora_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.ckpt").write_bytes(b"\x80\x04.")
    saved(tmp_path / "whole.safetensors", {"model.weight": torch.zeros(1)})
    for name, problem in {
        "a.ckpt": "a pickle, which runs code",
        "whole.safetensors": "no LoRA: none of its tensors is named as one",
        "empty": "holds no .safetensors files, and one is looked for",
        "gone.safetensors:0.5": "there is no such file or folder",
    }.items():
        with pytest.raises(ConfigurationError, match=f"{name.partition(':')[0]}: {problem}"):
            spec_named("pocket", loras=[str(tmp_path / name)])
