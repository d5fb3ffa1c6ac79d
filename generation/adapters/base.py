"""What all adapters share: checks, drawing, encoding and decoding."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from assay.errors import ConfigurationError
from generation.adapters.steps import Progress, Trail
from generation.local import shown
from generation.models import ModelSpec
from generation.schedulers import require_deterministic, scheduler_named

Conditions: TypeAlias = Mapping[str, Tensor]
"""What a network is told of the prompts, as arguments of the pipeline's call; the first dimension is the batch."""


class Adapter(ABC):
    """A diffusers pipeline, seen as noise -> image and image -> noise.

    Latents are always unpacked here: float32 of shape (B, C, h, w), scaled and shifted as the network wants them.
    Images are float32 of shape (B, 3, H, W) in [0, 1].

    Attributes:
        pipeline: The pipeline, whose scheduler may be replaced.
        spec: The model's facts.
    """

    pipeline: Any
    spec: ModelSpec
    network: ClassVar[str] = "transformer"
    """Name of the pipeline's component that is evaluated at every step."""
    takes_negative: ClassVar[bool] = True
    """Whether the model is guided away from another prompt; not so where guidance is distilled into it."""

    def __init__(self, pipeline: Any, spec: ModelSpec, *, null: Conditions | None = None) -> None:
        self.pipeline, self.spec, self._null = pipeline, spec, null
        found = self._facts()
        stated = (spec.pipeline, spec.channels, spec.downscale, spec.scaling_factor or found[3], spec.shift_factor)
        if found != stated:
            raise ConfigurationError(
                f"{shown(spec.id)}: expected {stated} of its pipeline, channels, downscale, scaling and shift, "
                f"found {found}",
                hint="The weights are not those of this model, or not at this revision.",
            )

    # --- shapes -------------------------------------------------------------------------------------------------------

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape (C, h, w) of the noise for an image of that size.

        Raises:
            ConfigurationError: The model cannot draw that size.
        """
        unit = self.spec.downscale * (2 if self.spec.packing else 1)
        if height <= 0 or width <= 0 or height % unit or width % unit:
            raise ConfigurationError(
                f"{width}x{height}: not a size that {shown(self.spec.id)} draws",
                hint=f"Use multiples of {unit} pixels.",
            )
        return self.spec.channels, height // self.spec.downscale, width // self.spec.downscale

    def image_size(self, latents: Tensor) -> tuple[int, int]:
        """Height and width in pixels of the images that belong to latents of shape (B, C, h, w).

        Raises:
            ConfigurationError: The model has no latents of that shape.
        """
        height, width = latents.shape[-2] * self.spec.downscale, latents.shape[-1] * self.spec.downscale
        if latents.ndim != 4 or latents.shape[1:] != self.latent_shape(height, width):  # noqa: PLR2004 - (B, C, h, w)
            raise ConfigurationError(
                f"{tuple(latents.shape)}: not the shape of latents of {shown(self.spec.id)}",
                hint=f"It takes (batch, {self.spec.channels}, height / {self.spec.downscale}, ...).",
            )
        return height, width

    def pack(self, latents: Tensor) -> Tensor:
        """Latents as the pipeline takes them."""
        return latents

    def unpack(self, packed: Tensor, height: int, width: int) -> Tensor:  # noqa: ARG002 - others need the size
        """The inverse of `pack`, for images of that size in pixels."""
        return packed

    # --- prompts ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def condition(self, prompts: Sequence[str], *, negative: str | None = None, guided: bool = False) -> Conditions:
        """Encode prompts.

        Args:
            prompts: B of them.
            negative: What to be guided away from, for all of them; None is the model's own empty prompt.
            guided: Whether the conditions for classifier-free guidance are wanted, too.

        Raises:
            ConfigurationError: A negative prompt was given to a model that has no use for one.
        """

    def null(self, batch: int) -> Conditions:
        """What the model is told when it is told nothing, as it was trained for guidance."""
        if self._null is None:
            self._null = self._empty()
        return {name: value.expand(batch, *value.shape[1:]) for name, value in self._null.items()}

    def _empty(self) -> Conditions:
        """Conditions of the empty prompt, batch size 1."""
        guided = self.condition([""], guided=True)
        return {
            name: guided[f"negative_{name}"]
            for name in guided
            if not name.startswith("negative_") and f"negative_{name}" in guided
        }

    # --- drawing ------------------------------------------------------------------------------------------------------

    def draw(
        self,
        prompts: Sequence[str] | Conditions,
        noise: Tensor,
        *,
        steps: int,
        guidance: float,
        negative: str | None = None,
        output: Literal["pixels", "latents"] = "pixels",
        progress: Progress | None = None,
    ) -> Tensor:
        """Draw images from noise.

        Args:
            prompts: One for each image; or what `condition` or `null` made of them.
            noise: N(0, 1), float32 of shape (B, C, h, w); its shape decides the size of the images. The pipeline scales
                it where its scheduler asks for that.
            steps: Number of steps, 1 at least.
            guidance: Scale of classifier-free guidance; none at 1 or below.
            negative: See `condition`.
            output: What to return.
            progress: Told of each step.

        Returns:
            Images, or clean latents, on the device of the noise.

        Raises:
            ConfigurationError: The scheduler is stochastic, or the noise or the prompts do not fit.
        """
        require_deterministic(self.pipeline.scheduler)
        height, width = self.image_size(noise)
        conditions = (
            prompts if isinstance(prompts, Mapping) else self.condition(prompts, negative=negative, guided=guidance > 1)
        )
        self._require_batch(conditions, len(noise))
        self.pipeline.set_progress_bar_config(disable=True)
        with torch.no_grad():
            drawn: Tensor = self.pipeline(
                **conditions,
                latents=self.pack(noise.to(self.device, self.dtype)),
                height=height,
                width=width,
                num_inference_steps=steps,
                guidance_scale=guidance,
                output_type="latent" if output == "latents" else "pt",
                return_dict=False,
                **self._reporting(progress, noise),
            )[0]
        if output == "latents":
            drawn = self.unpack(drawn, height, width)
        return drawn.to(noise.device, torch.float32)

    def _require_batch(self, conditions: Conditions, batch: int) -> None:
        found = len(conditions["prompt_embeds"])
        if found != batch:
            raise ConfigurationError(f"{found} prompts for {batch} images", hint="Give one prompt for each image.")

    def _reporting(self, progress: Progress | None, noise: Tensor) -> dict[str, Any]:
        """Arguments of the pipeline's call that make it report its steps."""
        if progress is None:
            return {}
        trail, size = Trail(noise), self.image_size(noise)

        def after_step(pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            progress(trail.after(step, pipeline.scheduler, self.unpack(tensors["latents"], *size)))
            return {}

        return {"callback_on_step_end": after_step}

    # --- the VAE ------------------------------------------------------------------------------------------------------

    def encode(self, images: Tensor) -> Tensor:
        """Clean latents of images: the mode of the VAE's distribution, scaled and shifted.

        Args:
            images: (B, 3, H, W) in [0, 1], of a size that the model draws.

        Raises:
            ConfigurationError: The model has no latents for images of that size.
        """
        self.latent_shape(*images.shape[-2:])
        with torch.no_grad(), self._vae() as vae:
            pixels = images.to(self.device, vae.dtype) * 2 - 1
            return self._normalise(vae.encode(pixels).latent_dist.mode().float()).to(images.device)

    def decode(self, latents: Tensor) -> Tensor:
        """Images of clean latents of shape (B, C, h, w)."""
        self.image_size(latents)
        with torch.no_grad(), self._vae() as vae:
            raw = self._denormalise(latents.to(self.device).float())
            pixels: Tensor = vae.decode(raw.to(vae.dtype), return_dict=False)[0]
        return (pixels.float() / 2 + 0.5).clamp(0, 1).to(latents.device)

    @contextmanager
    def _vae(self) -> Iterator[Any]:
        """The VAE, in float32 for as long as it is used where half precision would overflow, as in SDXL's."""
        vae = self.pipeline.vae
        overflows = vae.dtype == torch.float16 and vae.config.get("force_upcast", False)
        if overflows:
            vae.to(torch.float32)
        try:
            yield vae
        finally:
            if overflows:
                vae.to(torch.float16)

    def _normalise(self, raw: Tensor) -> Tensor:
        """From the VAE's latents to the network's."""
        config = self.pipeline.vae.config
        normal: Tensor = (raw - (config.get("shift_factor") or 0.0)) * config.scaling_factor
        return normal

    def _denormalise(self, latents: Tensor) -> Tensor:
        """The inverse of `_normalise`."""
        config = self.pipeline.vae.config
        raw: Tensor = latents / config.scaling_factor + (config.get("shift_factor") or 0.0)
        return raw

    # --- inversion ----------------------------------------------------------------------------------------------------

    def use_scheduler(self, name: str) -> None:
        """Replace the pipeline's scheduler by one of `generation.models.SCHEDULERS`.

        Raises:
            ConfigurationError: There is none of that name, or it does not go with this model.
        """
        scheduler = scheduler_named(name, self.pipeline.scheduler.config)
        given = self._shifting(scheduler, self.spec.steps, self.spec.size, self.spec.size)
        if not given.keys() <= inspect.signature(scheduler.set_timesteps).parameters.keys():
            raise ConfigurationError(
                f"{name}: cannot shift its steps by the size of the image, as {shown(self.spec.id)} asks for",
                hint="Use another scheduler.",
            )
        self.pipeline.scheduler = scheduler

    def schedule(self, steps: int, height: int, width: int) -> Any:
        """A copy of the pipeline's scheduler with its steps set as for drawing an image of that size."""
        own = self.pipeline.scheduler
        scheduler = type(own).from_config(own.config)
        scheduler.set_timesteps(steps, **self._shifting(scheduler, steps, height, width))
        return scheduler

    def _shifting(self, scheduler: Any, steps: int, height: int, width: int) -> dict[str, Any]:  # noqa: ARG002
        """What the pipeline's call gives to `set_timesteps` beside the number of steps."""
        return {}

    def predict(self, latents: Tensor, timestep: float) -> Tensor:
        """The network's output for the empty prompt, without guidance.

        Args:
            latents: (B, C, h, w), of variance 1 as the network sees them.
            timestep: In the network's units, 0 to 1000.

        Returns:
            The prediction, float32 of the same shape, on the same device.
        """
        size = self.image_size(latents)
        device = self.device
        inputs = latents.to(device, self.dtype)
        conditions = self.null(len(latents))
        times = torch.full((len(latents),), timestep, device=device, dtype=torch.float32)
        with torch.no_grad():
            return self._evaluate(inputs, times, conditions, size).to(latents.device, torch.float32)

    @abstractmethod
    def _evaluate(self, latents: Tensor, times: Tensor, conditions: Conditions, size: tuple[int, int]) -> Tensor:
        """Evaluate the network as the pipeline does.

        Args:
            latents: (B, C, h, w) on the network's device, in its precision.
            times: (B,), float32.
            conditions: Of the batch.
            size: Height and width of the image in pixels.

        Returns:
            (B, C, h, w).
        """

    @property
    def device(self) -> torch.device:
        """Where the network's inputs have to be."""
        return torch.device(self.pipeline._execution_device)

    @property
    def dtype(self) -> torch.dtype:
        """The network's precision."""
        dtype: torch.dtype = self._network.dtype
        return dtype

    @property
    def _network(self) -> Any:
        return getattr(self.pipeline, self.network)

    def _facts(self) -> tuple[str, int, int, float | None, float]:
        """What the spec has to agree with: pipeline, channels, downscale, scaling and shift."""
        config = self.pipeline.vae.config
        return (
            type(self.pipeline).__name__,
            config.latent_channels,
            self.pipeline.vae_scale_factor,
            config.get("scaling_factor"),
            config.get("shift_factor") or 0.0,
        )


def named(names: Sequence[str], values: Sequence[Tensor | None]) -> Conditions:
    """Conditions from what an `encode_prompt` returned; what it left out is left out."""
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}
