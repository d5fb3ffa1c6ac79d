"""Stable Diffusion 1, 2, turbo and the pocket model; XL; 3 and 3.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import calculate_shift
from torch import Tensor

from generation.adapters.base import Adapter, Conditions, named

_POOLED = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")


class StableDiffusion(Adapter):
    """A U-Net with one text encoder."""

    network: ClassVar[str] = "unet"

    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:
        """See `Adapter.condition`."""
        negatives = [negative or ""] * len(prompts)
        with torch.no_grad():
            encoded = self.pipeline.encode_prompt(list(prompts), self.device, 1, guided, negatives)
        return named(("prompt_embeds", "negative_prompt_embeds"), encoded)

    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:  # noqa: ARG002
        output: Tensor = self._network(
            latents, times, encoder_hidden_states=conditions["prompt_embeds"].to(self.dtype), return_dict=False
        )[0]
        return output


class StableDiffusionXL(Adapter):
    """A U-Net with two text encoders, which is also told the size of the image."""

    network: ClassVar[str] = "unet"

    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:
        """See `Adapter.condition`."""
        negatives = None if negative is None else [negative] * len(prompts)  # None: zeros, as it was trained
        with torch.no_grad():
            encoded = self.pipeline.encode_prompt(
                list(prompts), device=self.device, do_classifier_free_guidance=guided, negative_prompt=negatives
            )
        return named(_POOLED, encoded)

    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:
        pooled = conditions["pooled_prompt_embeds"].to(self.dtype)
        ids = self.pipeline._get_add_time_ids(
            size, (0, 0), size, dtype=self.dtype, text_encoder_projection_dim=pooled.shape[-1]
        )
        output: Tensor = self._network(
            latents,
            times,
            encoder_hidden_states=conditions["prompt_embeds"].to(self.dtype),
            added_cond_kwargs={"text_embeds": pooled, "time_ids": ids.to(self.device).expand(len(latents), -1)},
            return_dict=False,
        )[0]
        return output

    def _normalise(self, raw: Tensor) -> Tensor:
        mean, spread = self._statistics(raw)
        normal: Tensor = (raw - mean) * self.pipeline.vae.config.scaling_factor / spread
        return normal

    def _denormalise(self, latents: Tensor) -> Tensor:
        mean, spread = self._statistics(latents)
        raw: Tensor = latents * spread / self.pipeline.vae.config.scaling_factor + mean
        return raw

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel; some VAEs for XL come with them."""
        config = self.pipeline.vae.config
        means, spreads = config.get("latents_mean"), config.get("latents_std")
        if means is None or spreads is None:
            return like.new_zeros(1), like.new_ones(1)
        return like.new_tensor(means).view(1, -1, 1, 1), like.new_tensor(spreads).view(1, -1, 1, 1)


class StableDiffusion3(Adapter):
    """A multimodal transformer with three text encoders, trained by flow matching."""

    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:
        """See `Adapter.condition`."""
        texts = list(prompts)
        with torch.no_grad():
            encoded = self.pipeline.encode_prompt(
                texts, texts, texts, self.device, do_classifier_free_guidance=guided,
                negative_prompt=[negative or ""] * len(texts),
            )  # fmt: skip
        return named(_POOLED, encoded)

    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:  # noqa: ARG002
        output: Tensor = self._network(
            hidden_states=latents,
            timestep=times,
            encoder_hidden_states=conditions["prompt_embeds"].to(self.dtype),
            pooled_projections=conditions["pooled_prompt_embeds"].to(self.dtype),
            return_dict=False,
        )[0]
        return output

    def _shifting(self, scheduler: Any, steps: int, height: int, width: int) -> dict[str, Any]:  # noqa: ARG002
        config = scheduler.config
        if not config.get("use_dynamic_shifting"):
            return {}
        patch = self.spec.downscale * self._network.config.patch_size
        tokens = (height // patch) * (width // patch)
        return {"mu": calculate_shift(tokens, *shift_bounds(config, max_shift=1.16))}


def shift_bounds(config: Any, *, max_shift: float) -> tuple[int, int, float, float]:
    """The line along which a time shift grows with the number of tokens, with the pipelines' defaults."""
    return (
        config.get("base_image_seq_len", 256),
        config.get("max_image_seq_len", 4096),
        config.get("base_shift", 0.5),
        config.get("max_shift", max_shift),
    )
