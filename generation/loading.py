"""A model by name -> an adapter, ready to draw and to read."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from assay.errors import ConfigurationError
from generation import pocket
from generation.adapters import Adapter, adapter_for
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
) -> Adapter:
    """Load a model.

    Args:
        spec: Which one; see `generation.models`.
        device: `cpu`, `cuda` or `mps`.
        precision: A key of `PRECISIONS`; float32 on the CPU and bfloat16 on CUDA by default.
        scheduler: A key of `generation.models.SCHEDULERS`; the model's own by default.
        revision: Commit of a hub model.
        weights: Folder of the pocket model.

    Raises:
        ConfigurationError: The model cannot be loaded, or its scheduler draws fresh noise on the way.
    """
    dtype = PRECISIONS[precision or ("bfloat16" if device == "cuda" else "float32")]
    if spec.local:
        pipeline: Any = pocket.load(weights, device=device, dtype=dtype)
    else:
        pipeline = _from_hub(spec, dtype, revision or spec.revision).to(device)
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
) -> Adapter:
    """The model with that name, opened once per process; otherwise as `open_model`.

    Whoever gets it shares it: its scheduler stays as it is, and one picture is drawn at a time.
    """
    with _opening:
        return _kept(name, device, precision, scheduler, revision)


@lru_cache(maxsize=KEPT)
def _kept(name: str, device: str, precision: str | None, scheduler: str | None, revision: str | None) -> Adapter:
    return open_model(spec_named(name), device=device, precision=precision, scheduler=scheduler, revision=revision)


def _from_hub(spec: ModelSpec, dtype: torch.dtype, revision: str | None) -> Any:
    import diffusers  # noqa: PLC0415 - all pipelines at once take seconds

    factory = getattr(diffusers, spec.pipeline)
    try:
        return factory.from_pretrained(spec.id, torch_dtype=dtype, revision=revision, use_safetensors=True)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"{spec.id}: cannot be loaded: {reason}",
            hint="Models other than pocket come from the hub: fetch it once with network and, where its licence asks "
            "for that, an account.",
        ) from error
