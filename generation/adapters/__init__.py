"""One API over U-Nets and transformers, diffusion and flow matching.

An adapter wraps a diffusers pipeline that was already built. It draws from noise that we give, and offers what an
inversion needs: clean latents from an image, and the network's output for the empty prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.errors import ConfigurationError
from generation.adapters.base import Adapter, Conditions
from generation.adapters.flux import Flux, Flux2
from generation.adapters.pixart import PixArt
from generation.adapters.stable_diffusion import StableDiffusion, StableDiffusion3, StableDiffusionXL
from generation.adapters.steps import Step
from generation.models import ModelSpec

ADAPTERS: Mapping[str, type[Adapter]] = {
    "StableDiffusionPipeline": StableDiffusion,
    "StableDiffusionXLPipeline": StableDiffusionXL,
    "StableDiffusion3Pipeline": StableDiffusion3,
    "FluxPipeline": Flux,
    "Flux2Pipeline": Flux2,
    "PixArtAlphaPipeline": PixArt,
    "PixArtSigmaPipeline": PixArt,
}
"""The adapter for each class of pipeline."""

__all__ = ["ADAPTERS", "Adapter", "Conditions", "Step", "adapter_for"]


def adapter_for(pipeline: Any, spec: ModelSpec, *, null: Conditions | None = None) -> Adapter:
    """Wrap a pipeline.

    Args:
        pipeline: A diffusers pipeline of the class that the spec names.
        spec: What the model is supposed to be.
        null: The conditions of the empty prompt, batch size 1, where they were kept (`Adapter.null`); a pipeline that
            is only read from then needs no text encoder.

    Raises:
        ConfigurationError: The pipeline is not what the spec says.
    """
    if spec.pipeline not in ADAPTERS:
        raise ConfigurationError(f"{spec.pipeline}: there is no adapter for it", hint=f"Known: {', '.join(ADAPTERS)}.")
    return ADAPTERS[spec.pipeline](pipeline, spec, null=null)
