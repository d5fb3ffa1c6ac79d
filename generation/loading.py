"""A model by name -> an adapter, ready to draw and to read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from assay.errors import ConfigurationError
from generation import pocket
from generation.adapters import Adapter, adapter_for
from generation.hub import require_here
from generation.lora import fuse
from generation.models import ModelSpec, spec_named
from generation.schedulers import require_deterministic, scheduler_named

PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
KEPT = 3
"""Models that `kept_model` keeps open; of more, those that were asked for last."""
_opening = Lock()


def open_model(
    spec: ModelSpec,
    *,
    device: str = "cpu",
    precision: str | None = None,
    scheduler: str | None = None,
    revision: str | None = None,
    weights: Path = pocket.WEIGHTS,
    fetch: bool = True,
) -> Adapter:
    """Load a model.

    Args:
        spec: Which one; see `generation.models`.
        device: `cpu`, `cuda` or `mps`.
        precision: A key of `PRECISIONS`; float32 on the CPU and bfloat16 on CUDA by default.
        scheduler: A key of `generation.models.SCHEDULERS`; the model's own by default.
        revision: Commit of a hub model.
        weights: Folder of the pocket model.
        fetch: Whether the hub may be asked for weights that are not here; where not, no connection is opened.

    Raises:
        ConfigurationError: The model cannot be loaded, or its scheduler draws fresh noise on the way.
    """
    dtype = PRECISIONS[precision or ("bfloat16" if device == "cuda" else "float32")]
    if spec.local:
        pipeline: Any = pocket.load(weights, device=device, dtype=dtype)
    elif spec.config is not None:
        pipeline = _from_checkpoint(spec, dtype, revision).to(device)
    else:
        pipeline = _from_hub(spec, dtype, revision or spec.revision, fetch=fetch).to(device)
    for lora in spec.loras:
        fuse(pipeline, lora)
    if scheduler is not None:
        pipeline.scheduler = scheduler_named(scheduler, pipeline.scheduler.config)
    require_deterministic(pipeline.scheduler)
    return adapter_for(pipeline, spec)


def kept_model(
    name: str,
    *,
    device: str = "cpu",
    precision: str | None = None,
    scheduler: str | None = None,
    revision: str | None = None,
    config: str | None = None,
    loras: Sequence[str] = (),
    fetch: bool = True,
) -> Adapter:
    """The model with that name, opened once per process; otherwise as `open_model` and `spec_named`.

    Whoever gets it shares it: its scheduler stays as it is, and one picture is drawn at a time.
    """
    with _opening:
        spec = spec_named(name, config=config, loras=loras)
        return _kept(
            spec,
            device=device,
            precision=precision,
            scheduler=scheduler,
            revision=revision,
            fetch=fetch or spec.local or spec.path is not None,
        )


_kept = lru_cache(maxsize=KEPT)(open_model)


def _from_checkpoint(spec: ModelSpec, dtype: torch.dtype, revision: str | None) -> Any:
    if revision is not None:
        raise ConfigurationError(f"{spec.path}: a file has no revisions", hint="Leave --revision out.")
    from generation.checkpoint import load  # noqa: PLC0415 - only where there is one

    with pocket.quiet():
        return load(spec, dtype)


def _from_hub(spec: ModelSpec, dtype: torch.dtype, revision: str | None, *, fetch: bool) -> Any:
    if spec.path is not None and revision is not None:
        raise ConfigurationError(f"{spec.path}: a folder has no revisions", hint="Leave --revision out.")
    if not fetch:
        require_here(spec, revision)
    import diffusers  # noqa: PLC0415 - all pipelines at once take seconds

    factory = getattr(diffusers, spec.pipeline)
    try:
        return factory.from_pretrained(
            spec.path or spec.id,
            dtype=dtype,
            revision=revision,
            use_safetensors=True,
            local_files_only=spec.path is not None or not fetch,
        )
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        if spec.path is not None:
            raise ConfigurationError(
                f"{spec.path}: cannot be opened: {reason}",
                hint="It has to be a folder in diffusers' format with weights in safetensors; pickles are refused.",
            ) from error
        raise ConfigurationError(
            f"{spec.id}: cannot be loaded: {reason}",
            hint="Models other than pocket come from the hub: fetch it once with network and, where its licence asks "
            "for that, an account.",
        ) from error
