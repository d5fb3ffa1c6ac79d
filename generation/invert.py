"""An image -> an estimate of the noise that it was drawn from.

The prompt is not known, so the empty one is used, without guidance: what is followed backwards is the model's
unconditional path. The estimate is rough, and that is enough: a mark is spread over thousands of values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from assay.errors import ConfigurationError
from assay.vocabulary import Latents, Pixels
from generation.adapters import Adapter
from generation.pictures import to_tensor
from generation.schedulers import Path, path_of

Method: TypeAlias = Literal["naive", "fixed_point"]

STEPS = 10
"""More steps hardly read more: 5 to 100 steps differ by less than one per cent of the bits under attack."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inversion:
    """What an inversion came to."""

    noise: Tensor
    """The estimate, float32 of shape (B, C, h, w), in the scale of the noise that was given to `Adapter.draw`."""
    residual: Tensor | None
    """Of shape (B,): by how much, as root mean square, the worst step fails to lead back to where it came from.
    None for the naive method, which does not ask."""
    evaluations: int
    """How often the network was evaluated."""


def estimate(adapter: Adapter, pictures: Sequence[Pixels]) -> list[Latents]:
    """The noise behind pictures of one size, float32 of shape (C, h, w) each: what watermarks are read from."""
    return list(invert_images(adapter, to_tensor(pictures)).noise.cpu().numpy())


def invert_images(
    adapter: Adapter, images: Tensor, *, steps: int | None = None, method: Method = "naive", iterations: int = 20
) -> Inversion:
    """Estimate the noise of images of shape (B, 3, H, W) in [0, 1]; otherwise as `invert`."""
    return invert(adapter, adapter.encode(images), steps=steps, method=method, iterations=iterations)


def invert(
    adapter: Adapter, latents: Tensor, *, steps: int | None = None, method: Method = "naive", iterations: int = 20
) -> Inversion:
    """Estimate the noise that clean latents were drawn from.

    Args:
        adapter: The model that drew them.
        latents: Clean latents of shape (B, C, h, w), as `Adapter.encode` or `Adapter.draw` returns them.
        steps: By default 10, or the model's own number where it is distilled to a few.
        method: `naive` evaluates the network once a step, at the cleaner end of it (DDIM inversion, arXiv 2105.05233
            appendix F; Euler's method backwards for flow matching). `fixed_point` solves each step for the value that
            the scheduler's own step leads from, and is exact where that converges and the same steps were drawn.
        iterations: How often `fixed_point` evaluates the network for one step, at most.

    Raises:
        ConfigurationError: The latents do not fit the model, or `fixed_point` cannot work with its kind of prediction.
    """
    height, width = adapter.image_size(latents)
    steps = steps or (adapter.spec.steps if adapter.spec.few_step else STEPS)
    path = path_of(adapter.schedule(steps, height, width))
    if method == "fixed_point" and path.prediction == "sample":
        raise ConfigurationError(
            "a model that predicts the sample has steps that forget where they came from", hint="Use the naive method."
        )
    x = latents.float()
    worst = x.new_zeros(len(x))
    evaluations = 0
    for i in reversed(range(len(path.timesteps))):
        output = _network(adapter, path.timesteps[i])
        x, low = naive_step(path, i, x, output), x
        evaluations += 1
        if method == "fixed_point":
            x, residual, used = solve(_backward(path, i, low, output), x, iterations)
            worst, evaluations = torch.maximum(worst, residual), evaluations + used
    residuals = worst if method == "fixed_point" else None
    return Inversion(noise=x * path.start, residual=residuals, evaluations=evaluations)


def _network(adapter: Adapter, timestep: float) -> Callable[[Tensor], Tensor]:
    return lambda x: adapter.predict(x, timestep)


def naive_step(path: Path, i: int, low: Tensor, output: Callable[[Tensor], Tensor]) -> Tensor:
    """From position i + 1 to i, as if the network said the same at both.

    The clean latents and the noise are taken from the output at position i + 1 and put together again for position i.
    """
    predicted = output(low)
    signal, noise, clean, left = path.signal[i], path.noise[i], path.signal[i + 1], path.noise[i + 1]
    match path.prediction:
        case "epsilon":
            return signal * (low - left * predicted) / clean + noise * predicted
        case "v_prediction":
            return signal * (clean * low - left * predicted) + noise * (left * low + clean * predicted)
        case "sample":
            return signal * predicted + noise * (low - clean * predicted) / left
        case "flow":
            return low + (noise - left) * predicted


def _backward(path: Path, i: int, low: Tensor, output: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The map whose fixed point is the value that step i led from to `low`."""
    a, b = path.step(i)
    return lambda x: (low - b * output(x)) / a


ENOUGH = 1e-5
"""A residual this small, in units of the noise, is not worth another evaluation."""
MEMORY = 3
"""How many differences between iterates are looked back at."""


def solve(backward: Callable[[Tensor], Tensor], x: Tensor, iterations: int) -> tuple[Tensor, Tensor, int]:
    """Find x = backward(x), each item of the batch for itself, by Anderson's acceleration.

    Plain iteration leads there only if the map contracts, which it does not where a step is long. The iterate with the
    smallest residual is returned, so the answer is never worse than the first guess.

    Args:
        backward: Maps (B, ...) to (B, ...).
        x: The first guess.
        iterations: How often to evaluate the map, at most; 1 at least.

    Returns:
        The best x; its residual, the root mean square of backward(x) - x, of shape (B,); the number of evaluations.
    """
    best, least = x, x.new_full((len(x),), torch.inf)
    history: list[tuple[Tensor, Tensor]] = []
    used = 0
    while used < iterations and bool((least > ENOUGH).any()):
        change = backward(x) - x
        used += 1
        residual = change.flatten(1).square().mean(dim=1).sqrt()
        best = torch.where(_each(residual < least, x), x, best)
        least = torch.minimum(residual, least)
        history = [*history[-MEMORY:], (x.flatten(1), change.flatten(1))]
        x = _accelerated(history).view_as(x)
    return best, least, used


def _accelerated(history: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The next iterate, from pairs of iterate and change, oldest first, each (B, D) (Walker and Ni, 2011, eq. 1.2).

    Of all combinations of the last iterates, the one whose change would be least, moved by that change.
    """
    x, change = history[-1]
    if len(history) == 1:
        return x + change
    moves = torch.stack([later[0] - earlier[0] for earlier, later in pairwise(history)], dim=2)
    turns = torch.stack([later[1] - earlier[1] for earlier, later in pairwise(history)], dim=2)
    # The pseudo-inverse, because nothing moves any more where an item has arrived before the others.
    weights: Tensor = torch.linalg.pinv(turns.mT @ turns, rtol=1e-6, hermitian=True) @ (turns.mT @ change.unsqueeze(2))
    following: Tensor = x + change - ((moves + turns) @ weights).squeeze(2)
    return following


def _each(values: Tensor, like: Tensor) -> Tensor:
    """Values of shape (B,), to go with a tensor of shape (B, ...)."""
    return values.view(-1, *[1] * (like.ndim - 1))
