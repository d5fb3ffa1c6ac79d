"""FLUX.1 and FLUX.2: transformers over 2 x 2 patches, trained by flow matching, with guidance distilled into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import Flux2Pipeline, FluxPipeline
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu
from torch import Tensor

from assay.errors import ConfigurationError
from generation.adapters.base import Adapter, Conditions, named
from generation.adapters.stable_diffusion import shift_bounds
from generation.local import shown


class _Distilled(Adapter):
    """What both generations share."""

    takes_negative: ClassVar[bool] = False

    def _require_no_negative(self, negative: str | None) -> None:
        if negative:
            raise ConfigurationError(
                f"{shown(self.spec.id)}: guidance is distilled into it, so a negative prompt has no effect",
                hint="Leave --negative out, or choose another model.",
            )

    def _empty(self) -> Conditions:
        return self.condition([""])

    def _shifting(self, scheduler: Any, steps: int, height: int, width: int) -> dict[str, Any]:
        patch = 2 * self.spec.downscale
        shift = self._shift(scheduler, steps, (height // patch) * (width // patch))
        if scheduler.config.get("use_flow_sigmas"):
            return {"mu": shift}
        return {"sigmas": np.linspace(1.0, 1 / steps, steps), "mu": shift}

    def _shift(self, scheduler: Any, steps: int, tokens: int) -> float:
        raise NotImplementedError

    def _guidance(self, batch: int) -> Tensor:
        """A guidance of 1: none."""
        return torch.ones(batch, device=self.device, dtype=torch.float32)


class Flux(_Distilled):
    """FLUX.1, with a CLIP and a T5 encoder."""

    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:  # noqa: ARG002
        """See `Adapter.condition`."""
        self._require_no_negative(negative)
        with torch.no_grad():
            encoded = self.pipeline.encode_prompt(
                list(prompts), device=self.device, max_sequence_length=self.spec.tokens or 512
            )
        return named(("prompt_embeds", "pooled_prompt_embeds"), encoded[:2])

    def pack(self, latents: Tensor) -> Tensor:
        """To tokens: (B, C, h, w) -> (B, h/2 * w/2, 4C)."""
        packed: Tensor = FluxPipeline._pack_latents(latents, *latents.shape)
        return packed

    def unpack(self, packed: Tensor, height: int, width: int) -> Tensor:
        """From tokens."""
        latents: Tensor = FluxPipeline._unpack_latents(packed, height, width, self.spec.downscale)
        return latents

    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:
        embeds = conditions["prompt_embeds"].to(self.dtype)
        rows, columns = latents.shape[-2] // 2, latents.shape[-1] // 2
        output: Tensor = self._network(
            hidden_states=self.pack(latents),
            timestep=times / 1000,
            guidance=self._guidance(len(latents)) if self._network.config.guidance_embeds else None,
            pooled_projections=conditions["pooled_prompt_embeds"].to(self.dtype),
            encoder_hidden_states=embeds,
            txt_ids=torch.zeros(embeds.shape[1], 3, device=self.device, dtype=self.dtype),
            img_ids=FluxPipeline._prepare_latent_image_ids(len(latents), rows, columns, self.device, self.dtype),
            return_dict=False,
        )[0]
        return self.unpack(output, *size)

    def _shift(self, scheduler: Any, steps: int, tokens: int) -> float:  # noqa: ARG002
        return float(calculate_shift(tokens, *shift_bounds(scheduler.config, max_shift=1.15)))


class Flux2(_Distilled):
    """FLUX.2, with a language model as encoder; its latents are normalised by the VAE's batch statistics."""

    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:  # noqa: ARG002
        """See `Adapter.condition`."""
        self._require_no_negative(negative)
        with torch.no_grad():
            embeds, _ = self.pipeline.encode_prompt(list(prompts), device=self.device)
        return {"prompt_embeds": embeds}

    def pack(self, latents: Tensor) -> Tensor:
        """To patches, which the pipeline itself turns into tokens: (B, C, h, w) -> (B, 4C, h/2, w/2)."""
        patches: Tensor = Flux2Pipeline._patchify_latents(latents)
        return patches

    def unpack(self, packed: Tensor, height: int, width: int) -> Tensor:
        """From patches (4 dimensions) or, as the pipeline returns them, from tokens (3 dimensions)."""
        if packed.ndim == 3:  # noqa: PLR2004
            patch = 2 * self.spec.downscale
            packed = packed.transpose(1, 2).reshape(len(packed), -1, height // patch, width // patch)
        latents: Tensor = Flux2Pipeline._unpatchify_latents(packed)
        return latents

    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:
        patches = self.pack(latents)
        embeds = conditions["prompt_embeds"].to(self.dtype)
        output: Tensor = self._network(
            hidden_states=Flux2Pipeline._pack_latents(patches),
            timestep=times / 1000,
            guidance=self._guidance(len(latents)),
            encoder_hidden_states=embeds,
            txt_ids=Flux2Pipeline._prepare_text_ids(embeds).to(self.device),
            img_ids=Flux2Pipeline._prepare_latent_ids(patches).to(self.device),
            return_dict=False,
        )[0]
        return self.unpack(output, *size)

    def _shift(self, scheduler: Any, steps: int, tokens: int) -> float:  # noqa: ARG002
        return float(compute_empirical_mu(tokens, steps))

    def _normalise(self, raw: Tensor) -> Tensor:
        mean, spread = self._statistics(raw)
        normal: Tensor = Flux2Pipeline._unpatchify_latents((self.pack(raw) - mean) / spread)
        return normal

    def _denormalise(self, latents: Tensor) -> Tensor:
        mean, spread = self._statistics(latents)
        raw: Tensor = Flux2Pipeline._unpatchify_latents(self.pack(latents) * spread + mean)
        return raw

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of the patches."""
        vae = self.pipeline.vae
        spread = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps)
        return vae.bn.running_mean.view(1, -1, 1, 1).to(like), spread.view(1, -1, 1, 1).to(like)
