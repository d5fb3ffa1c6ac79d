"""A single checkpoint -> a pipeline in diffusers. Every tensor that the pipeline has must be in it, or in the folder.

The names are translated by diffusers' own conversions. Its `from_single_file` is not used: it asks the hub for what it
does not find, and leaves random whatever a checkpoint lacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES
from diffusers.loaders.single_file_utils import convert_ldm_clip_checkpoint, convert_open_clip_checkpoint
from safetensors.torch import load_file
from torch import Tensor

from assay.errors import ConfigurationError
from generation.models import ModelSpec
from generation.single_file import PREFIXES

_NEVER = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Components that nothing is drawn with here."""
_OPEN_CLIP = ".model."
"""Names of OpenCLIP's own code end so; others are those of transformers, behind a prefix."""
_CLIP_L = "text_encoders.clip_l.transformer."
_T5 = PREFIXES["T5EncoderModel"][0]


def load(spec: ModelSpec, dtype: torch.dtype) -> Any:
    """The pipeline of a checkpoint, on the CPU.

    Args:
        spec: With `path`, the checkpoint, and `config`, a folder that describes it.
        dtype: What it computes in.

    Raises:
        ConfigurationError: Something is neither in the checkpoint nor in the folder, or does not fit.
    """
    path, folder = spec.path, spec.config
    if path is None or folder is None:
        raise ValueError(f"{spec.id} is no checkpoint")
    index = json.loads((folder / "model_index.json").read_text())
    tensors = load_file(path)
    options = {name: value for name, value in index.items() if not (name.startswith("_") or isinstance(value, list))}
    options |= {"requires_safety_checker": False} if "requires_safety_checker" in options else {}
    parts: dict[str, Any] = dict.fromkeys(_NEVER & index.keys())
    for name, class_ in _components(index):
        try:
            parts[name] = _component(name, class_, tensors, path, folder)
            if isinstance(parts[name], torch.nn.Module):
                parts[name].to(dtype).eval()
        except (OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
            raise ConfigurationError(
                f"{path}: its {name} does not fit {folder}: {_first_line(error)}",
                hint="Name the folder of a pipeline of the same kind: --config FOLDER.",
            ) from error
    return getattr(import_module("diffusers"), spec.pipeline)(**options, **parts)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _components(index: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and classes of what a pipeline is made of."""
    for name, value in index.items():
        if isinstance(value, list) and value[0] in ("diffusers", "transformers") and name not in _NEVER:
            yield name, getattr(import_module(value[0]), value[1])


def _component(name: str, class_: Any, tensors: Mapping[str, Tensor], path: Path, folder: Path) -> Any:
    place = folder / name
    if not issubclass(class_, torch.nn.Module):
        return _described(class_, place)
    prefix = _prefix(name, class_.__name__, tensors)
    if prefix is not None:
        return _filled(class_, tensors, prefix, place, path)
    if not any(place.glob("*.safetensors")):
        raise ConfigurationError(
            f"{path}: holds no {name}, and {folder} has no weights of one in safetensors",
            hint="Name the folder of a whole pipeline of the same kind: --config FOLDER.",
        )
    return class_.from_pretrained(place, use_safetensors=True, local_files_only=True)


def _described(class_: Any, place: Path) -> Any:
    """A scheduler or a tokenizer; CLIP's words need not be there."""
    if class_.__name__.startswith("CLIPTokenizer") and not any(place.glob("vocab*")) and not any(place.glob("*r.json")):
        from generation.clip_words import tokenizer  # noqa: PLC0415 - only where the folder has none

        return tokenizer(**json.loads((place / "tokenizer_config.json").read_text()))
    return class_.from_pretrained(place, local_files_only=True)


def _prefix(name: str, class_name: str, tensors: Mapping[str, Tensor]) -> str | None:
    """How the tensors of a component begin; None where there are none."""
    known = PREFIXES.get(name) or PREFIXES.get(class_name, ())
    fitting = [prefix for prefix in known if any(each.startswith(prefix) for each in tensors)]
    if name == "text_encoder_2" and len(fitting) > 1:  # of the two that SD 3 has
        return fitting[-1]
    return fitting[0] if fitting else None


def _filled(class_: Any, tensors: Mapping[str, Tensor], prefix: str, place: Path, path: Path) -> Any:
    """A network with the checkpoint's weights; every one of them.

    Raises:
        ConfigurationError: Some are missing.
    """
    is_text = class_.__name__ not in SINGLE_FILE_LOADABLE_CLASSES
    if is_text:
        model = class_(class_.config_class.from_pretrained(place, local_files_only=True))
        state = _text(model, tensors, prefix)
    else:
        config = class_.load_config(place)
        model = class_.from_config(config)
        convert = SINGLE_FILE_LOADABLE_CLASSES[class_.__name__]["checkpoint_mapping_fn"]
        state = convert(config=config, checkpoint=dict(tensors))
    missing, _ = model.load_state_dict(state, strict=False)
    lacking = [each for each in missing if not each.endswith("position_ids")]
    if lacking:
        raise ConfigurationError(
            f"{path}: lacks {len(lacking)} tensors of its {place.name}, such as {lacking[0]}",
            hint="Fetch it again; or name the folder of a pipeline of the same kind: --config FOLDER.",
        )
    return model


def _text(model: Any, tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights of a text encoder under the names of transformers."""
    own = {name: value for name, value in tensors.items() if name.startswith(prefix)}
    if prefix == _T5:
        state = {name.removeprefix(prefix): value for name, value in own.items()}
        return state | {"encoder.embed_tokens.weight": state["shared.weight"]}
    if prefix.endswith(_OPEN_CLIP):
        state = convert_open_clip_checkpoint(model, own, prefix=prefix)
    else:
        state = convert_ldm_clip_checkpoint(own, prefix)
        if prefix == _CLIP_L and "text_projection.weight" in model.state_dict():
            state.setdefault("text_projection.weight", torch.eye(model.config.projection_dim))
    if not hasattr(model, "text_model"):
        state = {name.removeprefix("text_model."): value for name, value in state.items()}
    return state
