"""PixArt: a diffusion transformer with a T5 encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from generation.adapters.base import Adapter, Conditions, named
from generation.adapters.steps import Progress, Trail

_NAMES = ("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask")


class PixArt(Adapter):
    """Alpha and Sigma; at 1024 pixels alpha is also told the size of the image."""

    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:
        """See `Adapter.condition`."""
        with torch.no_grad():
            encoded = self.pipeline.encode_prompt(list(prompts), guided, negative or "", device=self.device)
        return named(_NAMES, encoded)

    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:
        output: Tensor = self._network(
            latents,
            encoder_hidden_states=conditions["prompt_embeds"].to(self.dtype),
            encoder_attention_mask=conditions["prompt_attention_mask"],
            timestep=times,
            added_cond_kwargs=self._size_conditions(latents, size),
            return_dict=False,
        )[0]
        return output[:, : self.spec.channels]  # the rest is the learned variance

    def _size_conditions(self, latents: Tensor, size: tuple[int, int]) -> dict[str, Tensor | None]:
        if not self._network.use_additional_conditions:
            return {"resolution": None, "aspect_ratio": None}
        batch = len(latents)
        return {
            "resolution": latents.new_tensor([size]).expand(batch, 2),
            "aspect_ratio": latents.new_tensor([[size[0] / size[1]]]).expand(batch, 1),
        }

    def _reporting(self, progress: Progress | None, noise: Tensor) -> dict[str, Any]:
        # Binning would draw another size than the noise has, and resize the image, which moves the mark.
        arguments: dict[str, Any] = {"use_resolution_binning": False, "negative_prompt": None}
        if progress is None:
            return arguments
        scheduler = self.pipeline.scheduler
        trail = Trail(noise, stride=scheduler.order)

        def after_step(step: int, _timestep: Any, latents: Tensor) -> None:
            progress(trail.after(step, scheduler, latents))

        return {**arguments, "callback": after_step}
