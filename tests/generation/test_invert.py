import itertools
from functools import cache

import diffusers
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from assay.errors import ConfigurationError
from generation.adapters import Adapter, adapter_for
from generation.invert import invert, invert_images, solve
from generation.models import SPECS
from generation.schedulers import FlowMatchEulerInverseScheduler
from generation.toy import toy_pipeline

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

EPSILON = "stable-diffusion-v1-5/stable-diffusion-v1-5"
VELOCITY = "stabilityai/stable-diffusion-2-1"
FLOW = "stabilityai/stable-diffusion-3.5-medium"
SHIFTED_FLOW = "black-forest-labs/FLUX.1-dev"
TURBO = "stabilityai/sd-turbo"
SCHNELL = "black-forest-labs/FLUX.1-schnell"


@cache
def adapter(name: str) -> Adapter:
    return adapter_for(toy_pipeline(SPECS[name], invertible=True), SPECS[name])


def fresh(name: str) -> Adapter:
    return adapter_for(toy_pipeline(SPECS[name]), SPECS[name])


def noise_for(model: Adapter, batch: int = 1) -> Tensor:
    return torch.randn(batch, *model.latent_shape(64, 64), generator=torch.Generator().manual_seed(3))


def agreement(estimate: Tensor, noise: Tensor) -> float:
    return ((estimate > 0) == (noise > 0)).float().mean().item()


# --- against references -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [EPSILON, VELOCITY])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_naive_inversion_is_that_of_diffusers(name: str, spacing: str) -> None:
    model = fresh(name)
    source = {**model.pipeline.scheduler.config, "timestep_spacing": spacing, "set_alpha_to_one": False}
    model.pipeline.scheduler = diffusers.DDIMScheduler.from_config(source, clip_sample=False)
    inverse = diffusers.DDIMInverseScheduler.from_config(source, clip_sample=False)
    latents = x = noise_for(model)

    inverse.set_timesteps(5)
    for timestep in inverse.timesteps:
        x = inverse.step(model.predict(x, float(timestep)), timestep, x).prev_sample

    assert torch.allclose(invert(model, latents, steps=5).noise, x, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", [FLOW, SHIFTED_FLOW])
def test_naive_inversion_is_the_inverse_scheduler_of_flow_matching(name: str) -> None:
    model = adapter(name)
    latents = x = noise_for(model)
    inverse = FlowMatchEulerInverseScheduler.from_config(model.pipeline.scheduler.config)

    inverse.set_timesteps(5, **model._shifting(inverse, 5, 64, 64))
    for timestep in inverse.timesteps:
        x = inverse.step(model.predict(x, float(timestep)), timestep, x).prev_sample

    assert torch.allclose(invert(model, latents, steps=5).noise, x, atol=1e-5)


def test_a_path_can_be_walked_to_the_image_and_back_by_hand() -> None:
    """Euler's method written out, with nothing of diffusers' schedulers but the levels."""
    model = adapter(FLOW)
    noise = x = noise_for(model)
    sigmas = model.schedule(4, 64, 64).sigmas.tolist()
    for now, then in itertools.pairwise(sigmas):
        x = x + (then - now) * model.predict(x, 1000 * now)

    drawn = model.draw(model.null(1), noise, steps=4, guidance=1.0, output="latents")

    assert torch.allclose(drawn, x, atol=1e-4)
    assert torch.allclose(invert(model, x, steps=4, method="fixed_point").noise, noise, atol=1e-3)


# --- what is promised -------------------------------------------------------------------------------------------------


def test_more_steps_than_were_drawn_still_read() -> None:
    model = adapter(FLOW)
    noise = noise_for(model)
    latents = model.draw(model.null(1), noise, steps=20, guidance=1.0, output="latents")
    assert agreement(invert(model, latents).noise, noise) > 0.9


def test_a_guided_prompt_that_the_reader_does_not_know_still_reads() -> None:
    model = adapter(FLOW)
    noise = noise_for(model)
    latents = model.draw(["a pink tulip"], noise, steps=10, guidance=4.0, output="latents")
    assert agreement(invert(model, latents).noise, noise) > 0.75


def test_ten_steps_are_the_default_and_few_step_models_keep_their_own() -> None:
    assert invert(adapter(FLOW), noise_for(adapter(FLOW))).evaluations == 10
    assert invert(adapter(SCHNELL), noise_for(adapter(SCHNELL))).evaluations == 4
    assert invert(adapter(TURBO), noise_for(adapter(TURBO))).evaluations == 1


@pytest.mark.parametrize(
    ("name", "steps", "naive", "fixed_point"),
    [(TURBO, 1, 0.7, 0.9), (TURBO, 4, 0.8, 0.99), (SCHNELL, 1, 0.75, 0.9), (SCHNELL, 4, 0.9, 0.99)],
)
def test_what_reads_back_from_few_steps(name: str, steps: int, naive: float, fixed_point: float) -> None:
    """One step from pure noise does not contract backwards: most of the signs are found, and the residual tells."""
    model = adapter(name)
    noise = noise_for(model)
    latents = model.draw(model.null(1), noise, steps=steps, guidance=0.0, output="latents")

    assert agreement(invert(model, latents, steps=steps).noise, noise) > naive
    found = invert(model, latents, steps=steps, method="fixed_point")
    assert agreement(found.noise, noise) > fixed_point
    assert found.residual is not None
    assert (found.residual.item() > 1e-3) == (steps == 1)


def test_pixels_are_encoded_first() -> None:
    model = adapter(FLOW)
    images = model.draw(model.null(1), noise_for(model), steps=4, guidance=1.0)
    expected = invert(model, model.encode(images), steps=4).noise
    assert torch.equal(invert_images(model, images, steps=4).noise, expected)


def test_a_model_that_predicts_the_sample_is_read_naively_only() -> None:
    model = fresh(EPSILON)
    model.pipeline.scheduler = diffusers.DDIMScheduler.from_config(
        model.pipeline.scheduler.config, prediction_type="sample", clip_sample=False, set_alpha_to_one=True
    )
    latents = noise_for(model)
    assert invert(model, latents, steps=4).noise.isfinite().all()
    with pytest.raises(ConfigurationError, match="forget"):
        invert(model, latents, steps=4, method="fixed_point")


def test_latents_of_another_model_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="not the shape"):
        invert(adapter(FLOW), torch.zeros(1, 4, 8, 8))


# --- fixed points -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slope", [0.0, 0.5, -0.9, -3.0, 5.0])
def test_a_fixed_point_is_found_even_where_iteration_would_run_away(slope: float) -> None:
    target = torch.tensor([[2.0, -1.0], [0.5, 4.0]])
    found, residual, used = solve(lambda x: target + slope * (x - target), torch.zeros(2, 2), 20)
    assert torch.allclose(found, target, atol=1e-3)
    assert residual.max() < 1e-3
    assert used < 20


@given(st.integers(0, 10**6))
def test_a_linear_map_is_solved_as_by_elimination(seed: int) -> None:
    """As many evaluations as unknowns would do, had the method memory for all; it has for three."""
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    offset = torch.randn(1, 3, generator=generator, dtype=torch.float64)
    assume(torch.linalg.cond(torch.eye(3) - matrix) < 50)
    expected = torch.linalg.solve(torch.eye(3, dtype=torch.float64) - matrix, offset[0])

    found, _, _ = solve(lambda x: x @ matrix.T + offset, torch.zeros(1, 3, dtype=torch.float64), 60)

    assert torch.allclose(found[0], expected, atol=1e-3)


def test_nothing_worse_than_the_first_guess_is_returned() -> None:
    start = torch.full((1, 3), 0.5)
    found, residual, used = solve(lambda x: x + 1 + x.abs(), start, 7)  # has no fixed point
    assert residual.item() <= 1.5
    assert residual.item() == pytest.approx((1 + found.abs()).square().mean().sqrt().item())
    assert used == 7


def test_each_image_is_solved_for_itself() -> None:
    """One whose map contracts is not disturbed by one whose map does not."""
    slopes = torch.tensor([[0.5], [-3.0]])
    start = torch.zeros(2, 1)
    found, _, _ = solve(lambda x: 1 + slopes * (x - 1), start, 20)
    alone, _, _ = solve(lambda x: 1 + slopes[:1] * (x - 1), start[:1], 20)
    assert torch.allclose(found, torch.ones(2, 1), atol=1e-4)
    assert torch.allclose(found[:1], alone, atol=1e-6)
