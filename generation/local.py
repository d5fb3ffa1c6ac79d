"""Models of one's own: a folder in diffusers' format or a single checkpoint, and LoRA files. Without torch.

The name that goes into the ledger says where each file was and what it held, so that a mark is read back with exactly
these weights, or not at all:

    MODEL[&config=FOLDER#sha256=DIGEST][&lora=PATH#sha256=DIGEST[:STRENGTH]]...

where MODEL is a known name, or PATH#sha256=DIGEST. Nothing in such files is run: weights are safetensors, and code
beside them is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, get_args

from assay.errors import ConfigurationError
from generation.models import SPECS, Lora, ModelSpec, Prediction
from generation.single_file import own_configuration, pipeline_of
from generation.tensors import PICKLES, SUFFIX, layout

MARKER = "#sha256="
_PARTS = re.compile(r"&(config|lora)=")
_STRENGTH = re.compile(r"(.+):(-?\d{1,2}(?:\.\d{1,4})?)")  # no more digits than a name repeats
_INDEX = "model_index.json"
_LIKE = {
    "StableDiffusionPipeline": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "StableDiffusionXLPipeline": "stabilityai/stable-diffusion-xl-base-1.0",
    "StableDiffusion3Pipeline": "stabilityai/stable-diffusion-3.5-medium",
    "FluxPipeline": "black-forest-labs/FLUX.1-dev",
    "Flux2Pipeline": "black-forest-labs/FLUX.2-dev",
    "PixArtAlphaPipeline": "PixArt-alpha/PixArt-XL-2-1024-MS",
    "PixArtSigmaPipeline": "PixArt-alpha/PixArt-Sigma-XL-2-1024-MS",
}
"""The known model of each pipeline that says what a folder's own files leave open: steps, guidance, packing."""
_IGNORED = frozenset({".md", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".py", ".msgpack", ".onnx", *PICKLES})
"""Suffixes of files that are not loaded, and do not count as what a folder holds."""


# --- names ------------------------------------------------------------------------------------------------------------


def is_local(name: str) -> bool:
    """Whether a name leads to files, and is not just one of a known model."""
    if name in SPECS:
        return False
    return MARKER in name or name.startswith(("/", "./", "../", "~")) or Path(name).exists()


def shown(name: str) -> str:
    """A model's name as the public may see it: the last part of a path and the beginning of the digest."""
    base, *rest = _PARTS.split(name)
    loras = (text for kind, text in _pairs(rest) if kind == "lora")
    return " + ".join([_shown_part(base), *(f"LoRA {_shown_part(text)}" for text in loras)])


def _shown_part(text: str) -> str:
    path, marker, digest = text.partition(MARKER)
    if not marker:
        return text
    digest, _, strength = digest.partition(":")
    return f"{Path(path).name} (sha256 {digest[:16]}{f', at {strength}' if strength else ''})"


def without_paths(text: str, name: str) -> str:
    """A sentence about a model as the public may see it: of the paths in its name only the last parts."""
    texts = [part for part in _PARTS.split(name) if MARKER in part]
    for path in sorted((part.partition(MARKER)[0] for part in texts), key=len, reverse=True):
        text = text.replace(path, Path(path).name)
    return text


def _pairs(rest: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Kinds and texts of what follows the model in a name."""
    return zip(rest[::2], rest[1::2], strict=True)


# --- models -----------------------------------------------------------------------------------------------------------


def local_spec(name: str, *, config: str | None = None, loras: Sequence[str] = ()) -> ModelSpec:
    """The model that a name leads to.

    Args:
        name: A path, or a known model that LoRA files go with; or what `id` of the result says, with the digests of
            what has to be there.
        config: Of a single checkpoint: the folder of a pipeline of the same kind, which describes it.
        loras: Files, or folders that hold one, and perhaps a strength behind a colon.

    Raises:
        ConfigurationError: A path is gone, holds something else than it did, or is no model that can be opened.
    """
    spec = described(name, config=config, loras=loras)
    base, config, loras = _taken_apart(name, config, loras)
    parts = [base if base in SPECS else _named(base, name)]
    parts += [f"&config={_named(config, name)}"] if config is not None else []
    for text in loras:
        path, strength = _with_strength(text)
        parts.append(f"&lora={_named(path, name)}{'' if strength == 1 else f':{strength:g}'}")
    return replace(spec, id="".join(parts))


def described(name: str, *, config: str | None = None, loras: Sequence[str] = ()) -> ModelSpec:
    """The same without a look at its weights: cheap, and digests are neither checked nor part of its `id`.

    Raises:
        ConfigurationError: As for `local_spec`, but for what the files hold.
    """
    base, config, loras = _taken_apart(name, config, loras)
    for text in (base, *loras) if config is None else (base, config, *loras):
        if MARKER in text and not _path(text).exists():
            raise ConfigurationError(f"{name}: its weights are not here", hint="Put them back where they were.")
    path = _path(base)
    if base in SPECS or path.is_dir():
        if config is not None:
            raise ConfigurationError(f"{config}: a configuration for {base}, which has one", hint="Leave --config out.")
        spec = SPECS[base] if base in SPECS else _of_folder(path)
    elif path.exists():
        spec = _of_file(path, None if config is None else _path(config))
    else:
        raise _nothing_at(path)
    return replace(spec, loras=tuple(_lora(text) for text in loras))


def _taken_apart(name: str, config: str | None, loras: Sequence[str]) -> tuple[str, str | None, tuple[str, ...]]:
    """The model itself, and what its name and the caller say of configuration and LoRA files."""
    base, *rest = _PARTS.split(name)
    stated = next((text for kind, text in _pairs(rest) if kind == "config"), config)
    return base, stated, (*(text for kind, text in _pairs(rest) if kind == "lora"), *loras)


def _of_file(path: Path, config: Path | None) -> ModelSpec:
    """A checkpoint, as a configuration describes it."""
    pipeline = pipeline_of(path)
    folder = config or own_configuration(path)
    spec = _of_folder(folder)
    if spec.pipeline != pipeline:
        raise ConfigurationError(
            f"{folder}: describes a {spec.pipeline}, and {path.name} holds weights for a {pipeline}",
            hint="Name with --config the folder of a pipeline of the same kind.",
        )
    return replace(spec, id=str(path), path=path, config=folder)


def _of_folder(path: Path) -> ModelSpec:
    """What the folder's own files say of it, and where they say nothing the known model of that pipeline."""
    pipeline = _read(path / _INDEX).get("_class_name")
    if pipeline not in _LIKE:
        raise ConfigurationError(
            f"{path}: {pipeline} is no pipeline that Assay draws with", hint=f"Known are {', '.join(_LIKE)}."
        )
    vae, scheduler = _read(path / "vae" / "config.json"), _read(path / "scheduler" / "scheduler_config.json")
    network = _read(path / ("unet" if (path / "unet").is_dir() else "transformer") / "config.json")
    is_schnell = pipeline == "FluxPipeline" and not network.get("guidance_embeds")
    like = SPECS["black-forest-labs/FLUX.1-schnell" if is_schnell else _LIKE[pipeline]]
    try:
        downscale = 1 << len(vae["block_out_channels"]) - 1
        sample = network.get("sample_size")
        return replace(
            like,
            id=str(path),
            licence="not known",
            non_commercial=False,
            revision=None,
            path=path,
            channels=int(vae["latent_channels"]),
            downscale=downscale,
            scaling_factor=vae.get("scaling_factor"),
            shift_factor=vae.get("shift_factor") or 0.0,
            prediction=_prediction(scheduler, like),
            scheduler=str(scheduler["_class_name"]),
            size=sample * downscale if isinstance(sample, int) else like.size,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: its VAE or scheduler is not described: {error}", hint=_AGAIN) from error


_AGAIN = "Save the pipeline again with save_pretrained."


def _prediction(scheduler: dict[str, Any], like: ModelSpec) -> Prediction:
    stated = scheduler.get("prediction_type", like.prediction)
    return like.prediction if like.prediction == "flow" or stated not in get_args(Prediction) else stated


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path}: is missing, so this is no model in diffusers' format", hint=_AGAIN
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}", hint=_AGAIN) from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: is no description of a model", hint=_AGAIN)
    return found


# --- LoRA -------------------------------------------------------------------------------------------------------------


def _lora(text: str) -> Lora:
    """A LoRA by its path and strength.

    Raises:
        ConfigurationError: There is none, or more than one in a folder.
    """
    stated, strength = _with_strength(text)
    path = _path(stated)
    settings = path / "adapter_config.json"
    if path.is_dir():
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() == SUFFIX)
        if len(inside) != 1:
            raise ConfigurationError(
                f"{path}: holds {len(inside) or 'no'} {SUFFIX} files, and one is looked for", hint="Name the file."
            )
        (path,) = inside
    elif not path.exists():
        raise _nothing_at(path)
    if not any("lora" in name for name in layout(path).shapes):
        raise ConfigurationError(
            f"{path}: no LoRA: none of its tensors is named as one", hint="A whole model is named with --model."
        )
    return Lora(path=path, settings=settings if settings.is_file() else None, strength=strength)


def _with_strength(text: str) -> tuple[str, float]:
    """`PATH:0.8`, or a path alone, which is meant at its full strength."""
    found = _STRENGTH.fullmatch(text)
    return (text, 1.0) if found is None or (MARKER not in text and Path(text).exists()) else (found[1], float(found[2]))


# --- what is there ----------------------------------------------------------------------------------------------------


def _path(text: str) -> Path:
    return Path(text.partition(MARKER)[0]).expanduser().absolute()


def _nothing_at(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path}: there is no such file or folder", hint="Check the spelling.")


def _named(text: str, whole: str) -> str:
    """A path with the digest of what is there, which has to be the one that the text states, if it states any.

    Raises:
        ConfigurationError: There is something else, or the path cannot stand in a name.
    """
    path, (_, marker, wanted) = _path(text), text.partition(MARKER)
    if _PARTS.search(str(path)) or MARKER in str(path):
        raise ConfigurationError(
            f"{path}: a path that reads as a part of a model's name", hint="Rename it without & and #."
        )
    digest = _digest(path, _inventory(path))
    if marker and digest != wanted:
        raise ConfigurationError(
            f"{whole}: its weights are not here: {path.name} holds others now",
            hint="Put back those that the ledger names.",
        )
    return f"{path}{MARKER}{digest}"


def _inventory(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of each file that counts, in a stable order; of a file itself under an empty name."""
    if path.is_file():
        return (("", path.stat().st_size, path.stat().st_mtime_ns),)
    files = [each for each in path.rglob("*") if each.is_file() and each.suffix.lower() not in _IGNORED]
    visible = (each for each in files if not any(part.startswith(".") for part in each.relative_to(path).parts))
    stated = ((each.relative_to(path).as_posix(), each.stat()) for each in visible)
    return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in stated))


@lru_cache(maxsize=64)
def _digest(path: Path, inventory: tuple[tuple[str, int, int], ...]) -> str:
    """SHA-256 of a file; of a folder over the name and the SHA-256 of each file."""
    if path.is_file():
        return _sha256(path)
    whole = sha256()
    for name, _, _ in inventory:
        whole.update(f"{_sha256(path / name)}  {name}\n".encode())
    return whole.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
