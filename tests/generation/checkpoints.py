"""Pipelines as single checkpoints: the names of the code that published the weights, from those of diffusers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from generation.original_names import original_names

UNET = "model.diffusion_model."
_VAE = (
    (r"(en|de)coder\.conv_norm_out", r"\1coder.norm_out"),
    (r"(en|de)coder\.mid_block\.resnets\.0", r"\1coder.mid.block_1"),
    (r"(en|de)coder\.mid_block\.resnets\.1", r"\1coder.mid.block_2"),
    (r"(en|de)coder\.mid_block\.attentions\.0\.group_norm", r"\1coder.mid.attn_1.norm"),
    (r"(en|de)coder\.mid_block\.attentions\.0\.to_out\.0", r"\1coder.mid.attn_1.proj_out"),
    (r"(en|de)coder\.mid_block\.attentions\.0\.to_", r"\1coder.mid.attn_1."),
    (r"encoder\.down_blocks\.(\d)\.resnets", r"encoder.down.\1.block"),
    (r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample"),
    (r"conv_shortcut", "nin_shortcut"),
)
_OPEN_CLIP = (
    (r"^text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"^text_model\.embeddings\.position_embedding\.weight", "positional_embedding"),
    (r"^text_model\.embeddings\.token_embedding", "token_embedding"),
    (r"^text_model\.final_layer_norm", "ln_final"),
    (r"\.layer_norm(\d)", r".ln_\1"),
    (r"\.fc1", ".c_fc"),
    (r"\.fc2", ".c_proj"),
    (r"\.self_attn\.", ".attn."),
)
_SD3 = (
    (r"^pos_embed\.pos_embed", "pos_embed"),
    (r"^pos_embed\.proj", "x_embedder.proj"),
    (r"^time_text_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
    (r"^time_text_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
    (r"^time_text_embed\.text_embedder\.linear_1", "y_embedder.mlp.0"),
    (r"^time_text_embed\.text_embedder\.linear_2", "y_embedder.mlp.2"),
    (r"^proj_out", "final_layer.linear"),
    (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
    (r"^transformer_blocks", "joint_blocks"),
    (r"attn(2?)\.to_out\.0", r"x_block.attn\1.proj"),
    (r"attn\.to_add_out", "context_block.attn.proj"),
    (r"attn(2?)\.norm_(q|k)\.", r"x_block.attn\1.ln_\2."),
    (r"attn\.norm_added_(q|k)\.", r"context_block.attn.ln_\1."),
    (r"norm1\.linear", "x_block.adaLN_modulation.1"),
    (r"norm1_context\.linear", "context_block.adaLN_modulation.1"),
    (r"ff\.net\.0\.proj", "x_block.mlp.fc1"),
    (r"ff\.net\.2", "x_block.mlp.fc2"),
    (r"ff_context\.net\.0\.proj", "context_block.mlp.fc1"),
    (r"ff_context\.net\.2", "context_block.mlp.fc2"),
)
_STACKED = {
    "attn.to_{}": "x_block.attn.qkv",
    "attn2.to_{}": "x_block.attn2.qkv",
    "attn.add_{}_proj": "context_block.attn.qkv",
}


def as_checkpoint(pipeline: Any, path: Path, **further: Tensor) -> Path:
    """Save the weights of a Stable Diffusion 1, XL or 3 as one file."""
    tensors = dict(_tensors(pipeline))
    save_file({name: tensor.contiguous().clone() for name, tensor in (tensors | further).items()}, path)
    return path


def _tensors(pipeline: Any) -> Iterator[tuple[str, Tensor]]:
    yield from ((f"first_stage_model.{name}", tensor) for name, tensor in _vae(pipeline.vae))
    match type(pipeline).__name__:
        case "StableDiffusionPipeline":
            yield from _unet(pipeline.unet)
            yield from _clip(pipeline.text_encoder, "cond_stage_model.transformer.")
        case "StableDiffusionXLPipeline":
            yield from _unet(pipeline.unet)
            yield from _clip(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
            yield from _open_clip(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
        case "StableDiffusion3Pipeline":
            yield from ((f"{UNET}{name}", tensor) for name, tensor in _sd3(pipeline.transformer))
            yield from _clip(pipeline.text_encoder, "text_encoders.clip_l.transformer.")
            yield from _clip(pipeline.text_encoder_2, "text_encoders.clip_g.transformer.")
            t5 = pipeline.text_encoder_3.state_dict().items()
            yield from ((f"text_encoders.t5xxl.transformer.{name}", tensor) for name, tensor in t5)


def _renamed(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _unet(unet: Any) -> Iterator[tuple[str, Tensor]]:
    state = unet.state_dict()
    names = original_names({name.rpartition(".")[0] for name in state}, unet.config.layers_per_block)
    for name, tensor in state.items():
        module, _, kind = name.rpartition(".")
        yield f"{UNET}{names[module]}.{kind}", tensor


def _vae(vae: Any) -> Iterator[tuple[str, Tensor]]:
    last = len(vae.config.up_block_types) - 1
    for name, tensor in vae.state_dict().items():
        renamed = _renamed(name, _VAE)
        if found := re.match(r"decoder\.up_blocks\.(\d)\.(resnets|upsamplers\.0)", renamed):
            place = {"resnets": "block", "upsamplers.0": "upsample"}[found[2]]
            renamed = f"decoder.up.{last - int(found[1])}.{place}{renamed[found.end() :]}"
        is_attention = ".attn_1." in renamed and ".norm." not in renamed and tensor.ndim == 2
        yield renamed, tensor[..., None, None] if is_attention else tensor


def _clip(model: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in model.state_dict().items():
        bare = name.removeprefix("text_model.")
        yield f"{prefix}{bare if bare.startswith('text_projection') else f'text_model.{bare}'}", tensor


def _open_clip(model: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    state = dict(model.state_dict())
    yield f"{prefix}text_projection", state.pop("text_projection.weight").T
    for name in [name for name in state if ".q_proj." in name]:
        stack = torch.cat([state.pop(name.replace(".q_proj.", f".{part}_proj.")) for part in "qkv"])
        yield f"{prefix}{_renamed(name, _OPEN_CLIP).replace('.q_proj.', '.in_proj_')}", stack
    yield from ((f"{prefix}{_renamed(name, _OPEN_CLIP)}", tensor) for name, tensor in state.items())


def _sd3(transformer: Any) -> Iterator[tuple[str, Tensor]]:
    state = dict(transformer.state_dict())
    last = f"transformer_blocks.{transformer.config.num_layers - 1}.norm1_context."
    for pattern, stacked in _STACKED.items():
        for name in [name for name in state if f".{pattern.format('q')}." in name]:
            parts = [state.pop(name.replace(pattern.format("q"), pattern.format(part))) for part in "qkv"]
            yield _renamed(name.replace(pattern.format("q"), stacked), _SD3), torch.cat(parts)
    for name, tensor in state.items():
        is_swapped = name.startswith((last, "norm_out."))
        yield _renamed(name, _SD3), torch.cat(tensor.chunk(2)[::-1]) if is_swapped else tensor
