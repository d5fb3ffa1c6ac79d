"""Attacks on marks in the noise that need a model: to remove a mark, and to forge one.

All of them are the attacker's, who has pictures and a model, here the very model that drew them, and no key. Images
are float32 of shape (B, 3, H, W) in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from assay.errors import ConfigurationError
from generation.adapters import Adapter
from generation.invert import invert_images, naive_step
from generation.schedulers import path_of

# --- removal ----------------------------------------------------------------------------------------------------------


def vae_round_trip(adapter: Adapter, images: Tensor) -> Tensor:
    """Encode and decode: what the model's own compression leaves of a picture (Zhao et al., NeurIPS 2024)."""
    return adapter.decode(adapter.encode(images))


def regenerate(adapter: Adapter, images: Tensor, *, strength: float, fresh: Tensor, steps: int = 20) -> Tensor:
    """Add noise to the latents, then remove it with the empty prompt.

    The regeneration attack of Zhao et al., "Invisible Image Watermarks Are Provably Removable Using Generative AI"
    (NeurIPS 2024), in the battery of WAVES (An et al., ICML 2024); here without a caption, by DDIM or Euler steps.

    Args:
        adapter: The model.
        images: What carries a mark.
        strength: Part of the way to pure noise, in (0, 1].
        fresh: The attacker's noise, N(0, 1) of the latents' shape.
        steps: Of the whole way; the strength's part of them is walked, one step at least.

    Raises:
        ConfigurationError: The strength is out of range.
    """
    if not 0 < strength <= 1:
        raise ConfigurationError(f"a strength of {strength:g} is out of range", hint="Use one above 0, up to 1.")
    path = path_of(adapter.schedule(steps, *images.shape[-2:]))
    count = len(path.timesteps)
    start = count - max(1, round(strength * count))
    x = path.signal[start] * adapter.encode(images) + path.noise[start] * fresh
    for i in range(start, count):
        a, b = path.step(i)
        x = a * x + b * adapter.predict(x, path.timesteps[i])
    return adapter.decode(x)


def residual(marked: Tensor, plain: Tensor) -> Tensor:
    """What marked images have on average and unmarked ones have not: shape (3, H, W).

    Yang et al., "Can Simple Averaging Defeat Modern Watermarks?" (NeurIPS 2024), without pairs: the unmarked images
    show other things. Subtracted it removes, added it forges, wherever all images share a pattern.

    Args:
        marked: Images of one key.
        plain: Images without a mark; any number.
    """
    return marked.mean(dim=0) - plain.mean(dim=0)


def shifted(images: Tensor, pattern: Tensor, factor: float) -> Tensor:
    """Images plus a multiple of a `residual`: -1 to remove, 1 to forge."""
    return (images + factor * pattern).clamp(0, 1)


# --- forgery ----------------------------------------------------------------------------------------------------------


def reprompt(adapter: Adapter, images: Tensor, prompts: Sequence[str], *, steps: int, guidance: float) -> Tensor:
    """Draw something else from the noise that marked images are estimated to come from.

    The reprompting attack of Müller et al., "Black-Box Forgery Attacks on Semantic Watermarks for Diffusion Models"
    (CVPR 2025), with the best proxy model there is: the one that drew the image.

    Args:
        adapter: The model.
        images: What carries a mark.
        prompts: What the forgeries are to show, one for each image.
        steps: To draw with.
        guidance: To draw with.
    """
    noise = invert_images(adapter, images).noise
    return adapter.draw(prompts, noise, steps=steps, guidance=guidance)


def imprint(
    adapter: Adapter, covers: Tensor, target: Tensor, *, iterations: int = 30, steps: int = 4, rate: float = 0.02
) -> Tensor:
    """Change other pictures until they seem to come from the noise of marked ones.

    The imprinting attack of Müller et al. (CVPR 2025): the latents of the cover are moved along the gradient of the
    distance between the noise that they are read as, and the target. Cheaper than published: naive inversion in a few
    steps inside the loop, few iterations, and the model that drew the image as proxy.

    Args:
        adapter: The model.
        covers: What the forgeries are to show.
        target: Noise estimated from marked images: shape (B, C, h, w).
        iterations: Steps of Adam.
        steps: Of the inversion inside.
        rate: Adam's, in units of the latents.
    """
    size = (covers.shape[-2], covers.shape[-1])
    adapter.null(1)  # prepared once, outside of what is differentiated
    x = adapter.encode(covers).requires_grad_()
    optimiser = torch.optim.Adam([x], lr=rate)
    for _ in range(iterations):
        optimiser.zero_grad()
        distance = (_read(adapter, x, steps, size) - target).square().sum()
        (x.grad,) = torch.autograd.grad(distance, [x])
        optimiser.step()
    return adapter.decode(x.detach())


def _read(adapter: Adapter, x: Tensor, steps: int, size: tuple[int, int]) -> Tensor:
    """Naive inversion that can be differentiated: each step's answer is taken from its cleaner end."""
    path = path_of(adapter.schedule(steps, *size))
    conditions = adapter.null(len(x))
    for i in reversed(range(len(path.timesteps))):
        times = torch.full((len(x),), path.timesteps[i], device=adapter.device, dtype=torch.float32)

        def output(low: Tensor, times: Tensor = times) -> Tensor:
            predicted = adapter._evaluate(low.to(adapter.device, adapter.dtype), times, conditions, size)
            return predicted.to(low.device, torch.float32)

        x = naive_step(path, i, x, output)
    return x * path.start
