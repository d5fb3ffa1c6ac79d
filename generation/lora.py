"""LoRA files, added to a model's weights: W + strength · alpha / rank · B A (Hu et al., 2021, arXiv 2106.09685, §4.1).

Three families of names are known: those of diffusers and PEFT, the older ones of diffusers, and kohya's, where dots are
underscores and the network's modules may go by their original names. For FLUX diffusers' own translation is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from assay.errors import ConfigurationError
from generation.models import Lora
from generation.original_names import original_names
from generation.tensors import layout

Changeable: TypeAlias = nn.Linear | nn.Conv2d

_PART = re.compile(
    r"(?P<module>.+?)(?:\.lora_(?P<peft>[AB])(?:\.default)?|[._]lora[._](?P<side>down|up))\.weight|(?P<scaled>.+)\.alpha"
)
_KOHYA = {"lora_unet_": "", "lora_transformer_": "", "lora_te1_": "text_encoder", "lora_te2_": "text_encoder_2",
          "lora_te_": "text_encoder"}  # fmt: skip
_ENCODERS = ("text_encoder_2", "text_encoder")
_WRAPPED = "base_model.model."
_PEFT_METADATA = "lora_adapter_metadata"
_UNREAD = ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern")
"""Settings of PEFT that change the formula."""
_SHOWN = 3


@dataclass(slots=True)
class _Pair:
    """The two matrices of a module."""

    down: Tensor | None = None
    """A, of shape (rank, in, ...)."""
    up: Tensor | None = None
    """B, of shape (out, rank, ...)."""
    alpha: float | None = None
    names: list[str] = field(default_factory=list)


def fuse(pipeline: Any, lora: Lora) -> None:
    """Add a LoRA to the weights of a pipeline, for good.

    Raises:
        ConfigurationError: It fits nothing of the model, or not all of it does, or is of a kind that is not read.
    """
    pairs, unread = _read(lora, _translated(pipeline, load_file(lora.path)))
    modules = _modules(pipeline)
    unread += [name for key, pair in pairs.items() if key not in modules for name in pair.names]
    if unread:
        some = ", ".join(unread[:_SHOWN])
        raise ConfigurationError(
            f"{lora.path}: {len(unread)} of its tensors fit nothing of this {type(pipeline).__name__}: {some}",
            hint="Use a LoRA that was trained for this kind of model; LoHa, LoKr and DoRA are not read.",
        )
    changes = [(modules[key], _change(pair, lora, modules[key])) for key, pair in pairs.items()]
    with torch.no_grad():
        for module, change in changes:
            module.weight += (lora.strength * change).to(module.weight)


def _translated(pipeline: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names of FLUX's original code, whose matrices are stacked, into those of diffusers."""
    is_flux = type(pipeline).__name__.startswith("Flux")
    if not is_flux or any(name.startswith("transformer.") for name in tensors):
        return tensors
    try:
        translated: dict[str, Tensor] = pipeline.lora_state_dict(dict(tensors))
    except (KeyError, ValueError, RuntimeError):
        return tensors  # what fits nothing is then named
    return translated


def _read(lora: Lora, tensors: Mapping[str, Tensor]) -> tuple[dict[str, _Pair], list[str]]:
    """The matrices by the module that they belong to, and the names of what is no matrix of a LoRA."""
    pairs: dict[str, _Pair] = {}
    unread = []
    for name, tensor in tensors.items():
        found = _PART.fullmatch(name)
        if found is None:
            unread.append(name)
            continue
        pair = pairs.setdefault(_key(found["module"] or found["scaled"]), _Pair())
        pair.names.append(name)
        if found["scaled"]:
            pair.alpha = float(tensor)
        elif found["peft"] == "A" or found["side"] == "down":
            pair.down = tensor.float()
        else:
            pair.up = tensor.float()
    stated = _alphas(lora)
    for key, pair in pairs.items():
        component = key.partition(":")[0]
        pair.alpha = pair.alpha if pair.alpha is not None else stated.get(component, stated.get("*"))
    return pairs, unread


def _key(name: str) -> str:
    """Component and module, with underscores for dots: `text_encoder:encoder_layers_0_mlp_fc1`, `:mid_block_…`."""
    for prefix, component in _KOHYA.items():
        if name.startswith(prefix):
            return f"{component}:{name.removeprefix(prefix)}"
    name = name.removeprefix(_WRAPPED).replace(".processor.", ".")
    component = next((each for each in _ENCODERS if name.startswith(f"{each}.")), "")
    for prefix in (component, "unet", "transformer", "diffusion_model"):
        name = name.removeprefix(f"{prefix}.") if prefix else name
    return f"{component}:{name.removesuffix('_lora').replace('.', '_')}"


def _alphas(lora: Lora) -> dict[str, float]:
    """The alpha of each component as PEFT states it: in the file itself, or beside it for all (`*`).

    Raises:
        ConfigurationError: It is scaled in a way that is not read.
    """
    settings = {}
    if lora.settings is not None:
        settings = {f"*.{name}": value for name, value in json.loads(lora.settings.read_text()).items()}
    settings |= json.loads(layout(lora.path).metadata.get(_PEFT_METADATA, "{}"))
    alphas = {}
    for name, value in settings.items():
        component, _, setting = name.rpartition(".")
        if setting in _UNREAD and value:
            raise ConfigurationError(
                f"{lora.path}: a LoRA with {setting}, which is not read", hint="Fuse it into a folder and name that."
            )
        if setting == "lora_alpha":
            alphas["" if component in ("unet", "transformer") else component] = float(value)
    return alphas


def _modules(pipeline: Any) -> dict[str, Changeable]:
    """What a LoRA can change, by all keys that it may go by."""
    network = pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer
    found: dict[str, Changeable] = {}
    for name, module in _changeable(network).items():
        found[f":{name.replace('.', '_')}"] = module
    if hasattr(pipeline, "unet"):
        for name, original in original_names(_changeable(network), network.config.layers_per_block).items():
            found[f":{original.replace('.', '_')}"] = found[f":{name.replace('.', '_')}"]
    for component in _ENCODERS:
        for name, module in _changeable(getattr(pipeline, component, None)).items():
            bare = name.removeprefix("text_model.").replace(".", "_")
            found[f"{component}:{bare}"] = found[f"{component}:text_model_{bare}"] = module
    return found


def _changeable(network: nn.Module | None) -> dict[str, Changeable]:
    modules = () if network is None else network.named_modules()
    return {name: module for name, module in modules if isinstance(module, Changeable)}


def _change(pair: _Pair, lora: Lora, module: Changeable) -> Tensor:
    """What a pair of matrices adds to a weight, of its shape.

    Raises:
        ConfigurationError: One is missing, or they have another shape.
    """
    weight, down, up = module.weight, pair.down, pair.up
    if down is None or up is None:
        raise ConfigurationError(
            f"{lora.path}: half of a change is missing, beside {pair.names[0]}", hint="Fetch it again."
        )
    up, down = up.flatten(1), down.flatten(1)
    if (up.shape[0], up.shape[1], down.shape[1]) == (weight.shape[0], down.shape[0], weight[0].numel()):
        scale = 1.0 if pair.alpha is None else pair.alpha / len(down)
        return scale * (up @ down).reshape(weight.shape)
    raise ConfigurationError(
        f"{lora.path}: {pair.names[0]} does not fit the weight that it changes, which is of shape "
        f"{tuple(weight.shape)}",
        hint="Use a LoRA that was trained for this model.",
    )
