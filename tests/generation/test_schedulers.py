import math
from typing import Any

import diffusers
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import ConfigurationError
from generation.adapters import Adapter, adapter_for
from generation.invert import invert
from generation.models import SCHEDULERS, SPECS, Prediction
from generation.schedulers import FlowMatchEulerInverseScheduler, Path, path_of, require_deterministic, scheduler_named
from generation.toy import toy_pipeline

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

STABLE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
FLOW = {"shift": 3.0}
STOCHASTIC: list[tuple[str, dict[str, Any]]] = [
    ("CMStochasticIterativeScheduler", {}),
    ("DDPMScheduler", {}),
    ("DDPMParallelScheduler", {}),
    ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    ("EulerAncestralDiscreteScheduler", {}),
    ("FlowMatchEulerDiscreteScheduler", {"stochastic_sampling": True}),
    ("FlowMatchLCMScheduler", {}),
    ("KDPM2AncestralDiscreteScheduler", {}),
    ("LCMScheduler", {}),
    ("SASolverScheduler", {}),
    ("UnCLIPScheduler", {}),
]


def walk(scheduler: Any, seed: int, **arguments: Any) -> torch.Tensor:
    """Three steps with a network that always says zero."""
    torch.manual_seed(seed)
    sample = torch.ones(1, 4, 8, 8)
    scheduler.set_timesteps(8)
    for timestep in scheduler.timesteps[:3]:
        sample = scheduler.step(torch.zeros_like(sample), timestep, sample, **arguments)[0]
    return sample


# --- which are refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "settings"), STOCHASTIC, ids=[name for name, _ in STOCHASTIC])
def test_a_scheduler_that_draws_noise_is_refused_with_the_reason(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="overwrites the mark") as caught:
        require_deterministic(getattr(diffusers, name)(**settings))
    assert "ddim" in caught.value.hint


@pytest.mark.parametrize("name", ["DDPMScheduler", "EulerAncestralDiscreteScheduler", "LCMScheduler"])
def test_those_refused_do_draw_noise(name: str) -> None:
    factory = getattr(diffusers, name)
    assert not torch.equal(walk(factory(), 1), walk(factory(), 2))


@pytest.mark.parametrize("name", ["DDIMScheduler", "TCDScheduler"])
def test_eta_decides(name: str) -> None:
    scheduler = getattr(diffusers, name)()
    require_deterministic(scheduler)
    assert torch.equal(walk(scheduler, 1, eta=0.0), walk(scheduler, 2, eta=0.0))

    with pytest.raises(ConfigurationError, match=r"eta = 0\.3"):
        require_deterministic(scheduler, eta=0.3)
    assert not torch.equal(walk(scheduler, 1, eta=0.3), walk(scheduler, 2, eta=0.3))


def test_a_scheduler_that_nobody_looked_at_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not known to be deterministic"):
        require_deterministic(diffusers.IPNDMScheduler())


# --- by name ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_by_name_keeps_the_model_s_settings_and_never_clips(name: str) -> None:
    source = (
        diffusers.FlowMatchEulerDiscreteScheduler(**FLOW)
        if name.startswith("flow-")
        else diffusers.DDIMScheduler(**STABLE, prediction_type="v_prediction")  # clips, by diffusers' default
    )

    scheduler = scheduler_named(name, source.config)

    require_deterministic(scheduler)
    assert type(scheduler).__name__ == SCHEDULERS[name]
    assert not scheduler.config.get("clip_sample", False)
    assert not scheduler.config.get("thresholding", False)
    if name.startswith("flow-"):
        assert 3.0 in {scheduler.config.get("shift"), scheduler.config.get("flow_shift")}
    else:
        assert scheduler.config.prediction_type == "v_prediction"
        assert scheduler.config.beta_end == 0.012


def test_a_scheduler_can_be_changed_back() -> None:
    flow = scheduler_named("flow-dpm++", diffusers.FlowMatchEulerDiscreteScheduler(**FLOW).config)
    assert scheduler_named("flow-euler", flow.config).config.shift == 3.0


@pytest.mark.parametrize(("name", "config"), [("ddim", FLOW), ("flow-euler", STABLE), ("ancestral", STABLE)])
def test_a_scheduler_of_the_wrong_kind_is_refused(name: str, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scheduler_named(name, config)
    assert "flow-euler" in caught.value.hint if config is FLOW else "ddim" in caught.value.hint


def test_steps_do_not_overlap() -> None:
    """With "linspace", diffusers' DDIM ends each step at another timestep than the next begins with."""
    config = {**STABLE, "timestep_spacing": "linspace"}
    assert scheduler_named("ddim", config).config.timestep_spacing == "trailing"


@pytest.mark.parametrize("name", SCHEDULERS)
def test_what_each_draws_reads_back(name: str) -> None:
    """Correlation of the naive estimate with the noise after 10 steps; measured .968 (ddim) to .999 (flow-heun)."""
    flow = name.startswith("flow-")
    spec = SPECS["stabilityai/stable-diffusion-3.5-medium" if flow else "stabilityai/stable-diffusion-2-1"]
    model = adapter_for(toy_pipeline(spec), spec)
    model.use_scheduler(name)
    noise = torch.randn(1, *model.latent_shape(64, 64), generator=torch.Generator().manual_seed(0))

    assert torch.equal(draw(model, noise, steps=3, seed=1), draw(model, noise, steps=3, seed=2))
    drawn = draw(model, noise, steps=10, seed=1)
    estimate = invert(model, drawn).noise
    assert torch.corrcoef(torch.stack([estimate.flatten(), noise.flatten()]))[0, 1] > 0.95


def draw(model: Adapter, noise: torch.Tensor, *, steps: int, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)  # a scheduler that draws noise would show
    return model.draw(model.null(1), noise, steps=steps, guidance=1.0, output="latents")


def test_a_scheduler_that_cannot_shift_by_size_is_refused_where_that_is_needed() -> None:
    spec = SPECS["black-forest-labs/FLUX.1-dev"]
    model = adapter_for(toy_pipeline(spec), spec)
    with pytest.raises(ConfigurationError, match="flow-heun"):
        model.use_scheduler("flow-heun")
    model.use_scheduler("flow-unipc")
    assert type(model.pipeline.scheduler).__name__ == "UniPCMultistepScheduler"


# --- the path ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize(
    ("prediction", "to_one"),
    # Not "sample" to the very end: that step forgets where it came from, so the path stops just before.
    [("epsilon", True), ("epsilon", False), ("v_prediction", True), ("v_prediction", False), ("sample", False)],
)
def test_the_steps_of_the_path_are_those_of_ddim(prediction: Prediction, spacing: str, to_one: bool) -> None:
    scheduler = diffusers.DDIMScheduler(
        **STABLE, prediction_type=prediction, timestep_spacing=spacing, clip_sample=False, set_alpha_to_one=to_one
    )
    scheduler.set_timesteps(5)
    check_steps(scheduler, path_of(scheduler), scale=lambda _: 1.0)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_steps_of_the_path_are_those_of_euler(prediction: Prediction, spacing: str) -> None:
    scheduler = diffusers.EulerDiscreteScheduler(**STABLE, prediction_type=prediction, timestep_spacing=spacing)
    scheduler.set_timesteps(5)
    path = path_of(scheduler)
    sigmas = scheduler.sigmas.tolist()

    check_steps(scheduler, path, scale=lambda i: math.hypot(1.0, sigmas[i]))
    # The pipeline multiplies the noise by this; at position 0, x is that, scaled as the network wants it.
    at_first = scheduler.init_noise_sigma / math.hypot(1.0, sigmas[0])
    assert at_first * path.start == pytest.approx(1.0)


def test_the_steps_of_the_path_are_those_of_flow_matching() -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**FLOW)
    scheduler.set_timesteps(5)
    check_steps(scheduler, path_of(scheduler), scale=lambda _: 1.0)


def check_steps(scheduler: Any, path: Path, *, scale: Any) -> None:
    """One step of the scheduler after the other, from the same sample; `scale` turns x into the scheduler's own."""
    generator = torch.Generator().manual_seed(0)
    x, output = (torch.randn(1, 4, 4, 4, generator=generator) for _ in range(2))
    assert path.timesteps == tuple(float(timestep) for timestep in scheduler.timesteps)
    for i, timestep in enumerate(scheduler.timesteps):
        scheduler.scale_model_input(x, timestep) if hasattr(scheduler, "scale_model_input") else None
        stepped = scheduler.step(output, timestep, x * scale(i)).prev_sample / scale(i + 1)
        a, b = path.step(i)
        assert torch.allclose(stepped, a * x + b * output, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["heun", "kdpm2", "flow-heun"])
def test_second_order_schedulers_are_answered_with_their_own_levels(name: str) -> None:
    flow = name == "flow-heun"
    scheduler = scheduler_named(name, FLOW if flow else STABLE)
    scheduler.set_timesteps(5)
    first = scheduler_named("flow-euler" if flow else "euler", FLOW if flow else STABLE)
    first.set_timesteps(5)

    path, expected = path_of(scheduler), path_of(first)

    assert path.noise == pytest.approx(expected.noise, abs=1e-5)
    assert path.timesteps == pytest.approx(expected.timesteps, abs=1e-2)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.sampled_from(["epsilon", "v_prediction", "sample"]))
def test_a_step_between_true_values_is_exact(now: float, then: float, prediction: Prediction) -> None:
    """Where the network knows clean latents and noise, a step lands on the same mixture at the next level."""
    signal, noise, clean, left = (f(level * math.pi / 2) for level in (now, then) for f in (math.cos, math.sin))
    path = Path(prediction=prediction, timesteps=(1.0,), signal=(signal, clean), noise=(noise, left))
    picture, chance = 0.7, -1.3
    output = {"epsilon": chance, "v_prediction": signal * chance - noise * picture, "sample": picture}[prediction]

    a, b = path.step(0)

    reached = a * (signal * picture + noise * chance) + b * output
    assert reached == pytest.approx(clean * picture + left * chance, abs=1e-9)


# --- the inverse of flow matching -------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.floats(0.5, 4.0))
def test_the_inverse_undoes_a_constant_velocity(steps: int, shift: float) -> None:
    forward = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    inverse = FlowMatchEulerInverseScheduler.from_config(forward.config)
    velocity = torch.linspace(-1, 1, 16).view(1, 1, 4, 4)
    x = noise = torch.ones(1, 1, 4, 4)

    for scheduler in (forward, inverse):
        scheduler.set_timesteps(steps)
        for timestep in scheduler.timesteps:
            x = scheduler.step(velocity, timestep, x).prev_sample

    assert torch.allclose(x, noise, atol=1e-5)


def test_the_inverse_tells_the_network_of_the_noisier_end() -> None:
    inverse = FlowMatchEulerInverseScheduler(shift=1.0)
    inverse.set_timesteps(sigmas=[1.0, 0.5, 0.25])
    assert inverse.timesteps.tolist() == [250.0, 500.0, 1000.0]
    assert inverse.sigmas.tolist() == [0.0, 0.25, 0.5, 1.0]
    require_deterministic(inverse)


def test_the_inverse_of_a_stochastic_scheduler_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="stochastic_sampling"):
        FlowMatchEulerInverseScheduler(stochastic_sampling=True).set_timesteps(4)
