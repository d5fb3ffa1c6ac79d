"""Generators by the way they make pictures, and the five groups that are held out together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Family(StrEnum):
    """How a generator makes pictures, as far as its makers say."""

    GAN = "GAN"
    AUTOREGRESSIVE = "autoregressive"
    PIXEL_DIFFUSION = "diffusion, early or in pixels"
    LATENT_DIFFUSION = "latent diffusion"
    FLOW = "flow matching, diffusion transformer"
    UNDISCLOSED = "undisclosed"


FAMILIES: Mapping[str, Family] = {
    "stylegan": Family.GAN,
    "progan": Family.GAN,
    "dalle-mini": Family.AUTOREGRESSIVE,
    "mindall-e": Family.AUTOREGRESSIVE,
    "gpt": Family.AUTOREGRESSIVE,
    "gemini": Family.AUTOREGRESSIVE,
    "nano-banana": Family.AUTOREGRESSIVE,
    "grok": Family.AUTOREGRESSIVE,
    "glide": Family.PIXEL_DIFFUSION,
    "disco": Family.PIXEL_DIFFUSION,
    "dalle-2": Family.PIXEL_DIFFUSION,
    "simulacra": Family.PIXEL_DIFFUSION,
    "majesty": Family.PIXEL_DIFFUSION,
    "latent-majesty": Family.PIXEL_DIFFUSION,
    "latent-diffusion": Family.PIXEL_DIFFUSION,
    "midjourney-v3": Family.PIXEL_DIFFUSION,
    "2022": Family.PIXEL_DIFFUSION,
    "sd3": Family.FLOW,
    "sd": Family.LATENT_DIFFUSION,
    "sdxl": Family.LATENT_DIFFUSION,
    "flux": Family.FLOW,
    "qwen": Family.FLOW,
    "seedream": Family.FLOW,
    "z-image": Family.FLOW,
    "hidream": Family.FLOW,
}
"""By how the generator's name begins; the longest beginning counts, and what is not here is undisclosed."""

GROUPS: Mapping[Family, int] = {
    Family.GAN: 0,
    Family.PIXEL_DIFFUSION: 1,
    Family.LATENT_DIFFUSION: 2,
    Family.FLOW: 3,
    Family.UNDISCLOSED: 3,
    Family.AUTOREGRESSIVE: 4,
}
"""The fold in which a family is measured."""


def family(generator: str) -> Family:
    """The family of a generator, by its name."""
    name = generator.lower()
    fitting = [beginning for beginning in FAMILIES if name.startswith(beginning)]
    return FAMILIES[max(fitting, key=len)] if fitting else Family.UNDISCLOSED
