"""What can be said of a picture while it is drawn: how far it is, and what it is going to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from torch import Tensor

from generation.schedulers import levels_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One step that is done."""

    number: int
    """From 1."""
    total: int
    estimate: Callable[[], Tensor]
    """Computes the clean latents that the path leads to, as far as it shows: float32 of shape (B, C, h, w)."""


Progress: TypeAlias = Callable[[Step], None]
"""Told of each step; it may look, and changes nothing."""


class _Point(NamedTuple):
    """Latents x = signal * clean + noise * N(0, 1)."""

    signal: float
    noise: float
    x: Tensor


class Trail:
    """Latents at the last two levels of noise that a pipeline went through.

    The pipelines keep their estimate of the clean latents to themselves, but two points tell it: a step of DDIM or of
    Euler's method mixes the same clean latents and noise anew, so both follow from the latents before and after it. Of
    a step of a higher order this is an estimate of the same kind.

    Args:
        noise: As the pipeline was given it, unpacked.
        stride: How many of the scheduler's timesteps the pipeline calls one step.
    """

    def __init__(self, noise: Tensor, *, stride: int = 1) -> None:
        self._start, self._stride = noise, stride
        self._levels: tuple[tuple[float, float], ...] = ()
        self._points: list[_Point] = []

    def after(self, step: int, scheduler: Any, latents: Tensor) -> Step:
        """What to say after a step.

        Args:
            step: Its number, from 0.
            scheduler: The pipeline's, with its steps set.
            latents: As the pipeline has them now, unpacked.
        """
        sigma = float(getattr(scheduler, "init_noise_sigma", 1.0))
        if not self._points:
            self._levels = levels_of(scheduler)
            self._add(0, self._start.to(latents.device) * sigma, grown=sigma != 1)
        last = len(self._levels) - 1
        number = min((step + 1) * self._stride, last)
        self._add(number, latents, grown=sigma != 1)
        earlier, later = self._points
        return Step(number=step + 1, total=-(-last // self._stride), estimate=lambda: _clean(earlier, later))

    def _add(self, number: int, latents: Tensor, *, grown: bool) -> None:
        """Remember a point, in place of one at the same level: steps of a higher order go there twice.

        Args:
            number: Of the level.
            latents: At this level.
            grown: Whether the noise was added to the clean latents, instead of mixed with them (variance exploding).
        """
        signal, noise = self._levels[number]
        point = _Point(signal, noise, latents.float() * (signal if grown else 1.0))
        kept = self._points[:-1] if self._points and self._points[-1].noise == noise else self._points
        self._points = [*kept[-1:], point]


def _clean(earlier: _Point, later: _Point) -> Tensor:
    mixed = later.noise * earlier.x - earlier.noise * later.x
    return mixed / (later.noise * earlier.signal - earlier.noise * later.signal)
