"""Schedulers: which of them can be read backwards, how to get one by name, and the path that one walks.

The latent mark lives in the noise that an image is drawn from. A scheduler that adds fresh noise at every step
overwrites it, so that nothing can be read back; those are refused.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from diffusers import FlowMatchEulerDiscreteScheduler

from assay.errors import ConfigurationError
from generation.models import SCHEDULERS, Prediction

_DETERMINISTIC = frozenset(SCHEDULERS.values()) | {
    "DDIMInverseScheduler",
    "DDIMParallelScheduler",
    "FlowMatchEulerInverseScheduler",
    "TCDScheduler",
}
"""Known to draw nothing of their own, with the settings that `_added_noise` looks at."""

_ALWAYS_STOCHASTIC = frozenset(
    {
        "CMStochasticIterativeScheduler",
        "CosineDPMSolverMultistepScheduler",
        "DDPMParallelScheduler",
        "DDPMScheduler",
        "DDPMWuerstchenScheduler",
        "DPMSolverSDEScheduler",
        "EulerAncestralDiscreteScheduler",
        "FlowMatchLCMScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "LCMScheduler",
        "RePaintScheduler",
        "SASolverScheduler",
        "SCMScheduler",
        "ScoreSdeVeScheduler",
        "UnCLIPScheduler",
    }
)


def require_deterministic(scheduler: Any, *, eta: float = 0.0) -> None:
    """Refuse a scheduler that would overwrite what the noise carries.

    Args:
        scheduler: A diffusers scheduler.
        eta: Share of fresh noise that the pipeline asks DDIM or TCD for, in [0, 1].

    Raises:
        ConfigurationError: It draws noise of its own, or is not known to draw none.
    """
    reason = _added_noise(scheduler, eta)
    if reason is not None:
        raise ConfigurationError(
            f"{type(scheduler).__name__}: {reason}", hint=f"Use one of {', '.join(SCHEDULERS)} with --scheduler."
        )


def _added_noise(scheduler: Any, eta: float) -> str | None:
    """Why the scheduler cannot be trusted with the mark; None where it can."""
    name = type(scheduler).__name__
    if name in _ALWAYS_STOCHASTIC:
        return _OVERWRITES.format("draws fresh noise at every step")
    if str(scheduler.config.get("algorithm_type", "")).startswith("sde-"):
        return _OVERWRITES.format("solves the stochastic equation, which draws fresh noise at every step")
    if scheduler.config.get("stochastic_sampling", False):
        return _OVERWRITES.format("was set to stochastic_sampling, which draws fresh noise at every step")
    if eta > 0 and "eta" in inspect.signature(scheduler.step).parameters:
        return _OVERWRITES.format(f"would draw fresh noise at every step with eta = {eta:g}")
    if name not in _DETERMINISTIC:
        return "not known to be deterministic, and a scheduler that draws noise overwrites the mark"
    return None


_OVERWRITES = "{}, which overwrites the mark that the first noise carries"


def scheduler_named(name: str, config: Mapping[str, Any]) -> Any:
    """A deterministic scheduler for a pipeline.

    Args:
        name: One of `generation.models.SCHEDULERS`.
        config: The configuration of the pipeline's own scheduler: its betas, prediction type and time shift are kept.

    Returns:
        The diffusers scheduler. It neither clips nor thresholds, which could not be undone.

    Raises:
        ConfigurationError: No scheduler has that name, it belongs to the other kind of model, or it is not installed.
    """
    if name not in SCHEDULERS:
        raise ConfigurationError(f"{name}: not a scheduler that can be asked for", hint=f"Use {', '.join(SCHEDULERS)}.")
    is_flow = name.startswith("flow-")
    if is_flow != _is_flow(config):
        kind = "flow matching" if is_flow else "diffusion"
        wanted = ", ".join(other for other in SCHEDULERS if other.startswith("flow-") != is_flow)
        raise ConfigurationError(f"{name}: is for {kind} models, and this is not one", hint=f"Use {wanted}.")
    factory = getattr(import_module("diffusers"), SCHEDULERS[name])
    kept = {key: value for key, value in config.items() if key in inspect.signature(factory.__init__).parameters}
    try:
        return factory.from_config({**kept, **_overrides(name, factory, config)})
    except ImportError as error:  # lms integrates with SciPy
        raise ConfigurationError(f"{name}: {error}", hint="Install scipy, or use another scheduler.") from error


def _is_flow(config: Mapping[str, Any]) -> bool:
    """Whether the pipeline's scheduler is one for flow matching: it has no betas, or says so."""
    return config.get("prediction_type") == "flow_prediction" or (
        "prediction_type" not in config and "beta_schedule" not in config
    )


def _overrides(name: str, factory: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    # With "linspace" the steps of DDIM and PNDM overlap: each ends where the next does not begin.
    spacing = config.get("timestep_spacing", "trailing")
    wanted = {
        "clip_sample": False,
        "thresholding": False,
        "stochastic_sampling": False,
        "skip_prk_steps": True,
        "algorithm_type": "deis" if name == "deis" else "dpmsolver++",
        "timestep_spacing": "trailing" if spacing == "linspace" else spacing,
        "final_sigmas_type": "zero",
        "lower_order_final": True,
        "shift": _shift(config),
    }
    if name.startswith("flow-") and "use_flow_sigmas" in inspect.signature(factory.__init__).parameters:
        wanted |= {
            "use_flow_sigmas": True,
            "prediction_type": "flow_prediction",
            "flow_shift": _shift(config),
        }
    return {key: value for key, value in wanted.items() if key in inspect.signature(factory.__init__).parameters}


def _shift(config: Mapping[str, Any]) -> float:
    """The time shift of flow matching, under either of its names."""
    return float(config.get("shift", config.get("flow_shift", 1.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The way from noise to clean latents in N steps: at position i, x = signal[i] * clean + noise[i] * noise.

    Positions run from the noisiest, 0, to the clean end, N.
    """

    prediction: Prediction
    timesteps: tuple[float, ...]
    """N values: what the network is told about positions 0 to N - 1."""
    signal: tuple[float, ...]
    """N + 1 values in [0, 1], rising."""
    noise: tuple[float, ...]
    """N + 1 values in [0, 1], falling."""
    start: float = 1.0
    """What x at position 0 is multiplied by to be the noise that the pipeline was given."""

    def step(self, i: int) -> tuple[float, float]:
        """The coefficients (a, b) of the step x[i + 1] = a * x[i] + b * output(x[i]).

        DDIM with eta = 0 (arXiv 2010.02502, eq. 12) for the predictions of diffusion, Euler's method for flow matching.
        """
        signal, noise, clean, left = self.signal[i], self.noise[i], self.signal[i + 1], self.noise[i + 1]
        match self.prediction:
            case "epsilon":
                return clean / signal, left - clean * noise / signal
            case "v_prediction":
                return clean * signal + left * noise, left * signal - clean * noise
            case "sample":
                return left / noise, clean - left * signal / noise
            case "flow":
                return 1.0, left - noise


def path_of(scheduler: Any) -> Path:
    """The path of a scheduler whose steps were set.

    A multistep or second-order scheduler is answered with the first-order path over the same levels of noise where it
    shows them, else with that of DDIM: it solves the same equation, and its own steps cannot be undone one by one.

    Args:
        scheduler: A deterministic diffusers scheduler after `set_timesteps`.
    """
    sigmas = getattr(scheduler, "sigmas", None)
    if _is_flow(scheduler.config):
        levels, timesteps = _falling(scheduler)
        return Path(prediction="flow", timesteps=timesteps, signal=tuple(1 - level for level in levels), noise=levels)
    prediction = cast("Prediction", scheduler.config["prediction_type"])
    if sigmas is None:
        return _ddim_path(scheduler, prediction)
    levels, timesteps = _falling(scheduler)
    return Path(
        prediction=prediction,
        timesteps=timesteps,
        signal=tuple(1 / math.hypot(1.0, level) for level in levels),
        noise=tuple(level / math.hypot(1.0, level) for level in levels),
        start=_start(float(scheduler.init_noise_sigma), levels[0]),
    )


def levels_of(scheduler: Any) -> tuple[tuple[float, float], ...]:
    """Signal and noise, as in `Path`, before the first of a scheduler's timesteps and after each of them.

    Unlike the path's levels these may come twice, as second-order schedulers list them. The last is always clean: what
    the last step leaves is taken for it.

    Args:
        scheduler: A deterministic diffusers scheduler after `set_timesteps`.
    """
    count = len(scheduler.timesteps)
    if _is_flow(scheduler.config):
        levels = [(1 - float(sigma), float(sigma)) for sigma in scheduler.sigmas[:count]]
    elif getattr(scheduler, "sigmas", None) is not None:
        sigmas = [float(sigma) for sigma in scheduler.sigmas[:count]]
        levels = [(1 / math.hypot(1.0, sigma), sigma / math.hypot(1.0, sigma)) for sigma in sigmas]
    else:
        alphas = [float(scheduler.alphas_cumprod[int(timestep)]) for timestep in scheduler.timesteps]
        levels = [(math.sqrt(alpha), math.sqrt(1 - alpha)) for alpha in alphas]
    return (*levels, (1.0, 0.0))


def _falling(scheduler: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The levels of noise, N + 1 of them, and their timesteps, N; second-order schedulers list most of them twice."""
    sigmas = [float(sigma) for sigma in scheduler.sigmas]
    steps = [i for i in range(len(scheduler.timesteps)) if sigmas[i + 1] < sigmas[i]]
    levels = (*(sigmas[i] for i in steps), sigmas[steps[-1] + 1])
    return levels, tuple(float(scheduler.timesteps[i]) for i in steps)


def _start(init_noise_sigma: float, first: float) -> float:
    """Where the scheduler's x is clean + sigma * noise, the pipeline scales the noise; elsewhere it does not."""
    return 1.0 if init_noise_sigma == 1.0 else math.hypot(1.0, first) / init_noise_sigma


def _ddim_path(scheduler: Any, prediction: Prediction) -> Path:
    steps = scheduler.num_inference_steps
    ddim = scheduler if type(scheduler).__name__ == "DDIMScheduler" else scheduler_named("ddim", scheduler.config)
    ddim.set_timesteps(steps)
    timesteps = [int(timestep) for timestep in ddim.timesteps]
    alphas = [float(ddim.alphas_cumprod[timestep]) for timestep in timesteps]
    # The scheduler's last step goes as far below its last timestep as any other: mostly to the clean end.
    after = timesteps[-1] - ddim.config.num_train_timesteps // steps
    last = float(ddim.alphas_cumprod[after] if after >= 0 else ddim.final_alpha_cumprod)
    # A step that lands on the sample itself cannot be taken back: it is read as if it ended just before.
    alphas.append(min(last, float(ddim.alphas_cumprod[0])) if prediction == "sample" else last)
    return Path(
        prediction=prediction,
        timesteps=tuple(float(timestep) for timestep in timesteps),
        signal=tuple(math.sqrt(alpha) for alpha in alphas),
        noise=tuple(math.sqrt(1 - alpha) for alpha in alphas),
    )


class FlowMatchEulerInverseScheduler(FlowMatchEulerDiscreteScheduler):  # type: ignore[misc]
    """Flow matching by Euler's method, run backwards: from clean latents to the noise they were drawn from.

    An ordinary diffusers scheduler, with the same configuration as the one that it undoes; diffusers has inverses for
    DDIM and DPM-Solver only. It is the naive inverse: the velocity is evaluated at the cleaner end of each step, where
    the step that it undoes had it at the noisier end. `generation.invert` solves for the exact one.
    """

    def set_timesteps(self, *args: Any, **kwargs: Any) -> None:
        """As for the scheduler that this one undoes (steps, sigmas, mu); the order is then turned around.

        `timesteps` (N values) tell the network of the noisier end of each step. `sigmas` (N + 1 values) rise from 0, so
        that the steps of Euler's method, which are inherited, lead towards the noise.

        Raises:
            ConfigurationError: The scheduler to undo adds noise at every step.
        """
        require_deterministic(self)
        super().set_timesteps(*args, **kwargs)
        own: Any = self
        own.timesteps, own.sigmas = own.timesteps.flip(0), own.sigmas.flip(0)
