from functools import cache
from typing import Any

import diffusers
import pytest
import torch

from assay.errors import ConfigurationError
from generation.adapters import ADAPTERS, Adapter, Step, adapter_for
from generation.invert import invert
from generation.models import SPECS
from generation.toy import InvertibleVae, toy_pipeline

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

STABLE = "stable-diffusion-v1-5/stable-diffusion-v1-5"
XL = "stabilityai/stable-diffusion-xl-base-1.0"
THREE = "stabilityai/stable-diffusion-3.5-medium"
FLUX = "black-forest-labs/FLUX.1-dev"
FLUX2 = "black-forest-labs/FLUX.2-dev"
ALPHA = "PixArt-alpha/PixArt-XL-2-1024-MS"


@cache
def adapter(name: str) -> Adapter:
    return fresh(name)


def fresh(name: str) -> Adapter:
    return adapter_for(toy_pipeline(SPECS[name]), SPECS[name])


def noise_for(model: Adapter, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, *model.latent_shape(64, 64), generator=torch.Generator().manual_seed(5))


# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "shape"),
    [
        ("pocket", (128, 128), (4, 32, 32)),
        (STABLE, (512, 768), (4, 64, 96)),
        (THREE, (1024, 1024), (16, 128, 128)),
        (FLUX, (1024, 512), (16, 128, 64)),
        (FLUX2, (1024, 512), (32, 128, 64)),
    ],
)
def test_the_shape_of_the_noise(name: str, size: tuple[int, int], shape: tuple[int, ...]) -> None:
    assert adapter(name).latent_shape(*size) == shape


@pytest.mark.parametrize(("name", "size"), [(STABLE, (500, 512)), (FLUX, (1016, 1024)), (STABLE, (0, 512))])
def test_a_size_that_the_model_cannot_draw_is_refused(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match=f"{size[1]}x{size[0]}"):
        adapter(name).latent_shape(*size)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (16, 8, 8), (1, 16, 7, 8)])
def test_noise_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError):
        adapter(FLUX).draw(["tulip"], torch.zeros(shape), steps=1, guidance=1.0)


def test_an_image_that_has_no_latents_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        adapter(STABLE).encode(torch.zeros(1, 3, 60, 64))


# --- which pipeline ---------------------------------------------------------------------------------------------------


def test_every_spec_has_an_adapter() -> None:
    assert {spec.pipeline for spec in SPECS.values()} <= ADAPTERS.keys()


@pytest.mark.parametrize(("built", "named"), [(STABLE, THREE), (STABLE, "pocket"), (XL, STABLE)])
def test_a_pipeline_that_is_not_the_named_model_is_refused(built: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        adapter_for(adapter(built).pipeline, SPECS[named])


def test_an_autoencoder_of_another_scale_is_refused() -> None:
    pipeline = toy_pipeline(SPECS[STABLE])
    pipeline.vae.register_to_config(scaling_factor=0.13025)
    with pytest.raises(ConfigurationError, match=r"0\.13025"):
        adapter_for(pipeline, SPECS[STABLE])


# --- drawing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STABLE, XL, THREE, FLUX, FLUX2, ALPHA])
def test_every_step_is_reported(name: str) -> None:
    steps: list[Step] = []
    adapter(name).draw(["tulip"], noise_for(adapter(name)), steps=3, guidance=1.0, progress=steps.append)
    total = 4 if name == STABLE else 3  # PNDM evaluates its second timestep twice
    assert [(step.number, step.total) for step in steps] == [(number, total) for number in range(1, total + 1)]


@pytest.mark.parametrize("name", [STABLE, XL, THREE, FLUX, FLUX2, ALPHA])
def test_the_last_estimate_is_what_is_drawn(name: str) -> None:
    model, steps, noise = adapter(name), [], noise_for(adapter(name))
    arguments: dict[str, Any] = {"steps": 3, "guidance": 1.0, "output": "latents"}
    drawn = model.draw(["tulip"], noise, progress=steps.append, **arguments)
    estimates = [step.estimate() for step in steps]
    assert all(estimate.shape == drawn.shape and estimate.isfinite().all() for estimate in estimates)
    assert torch.allclose(estimates[-1], drawn, atol=1e-6)
    assert torch.equal(drawn, model.draw(["tulip"], noise, **arguments))


@pytest.mark.parametrize("scheduler", ["ddim", "euler"])
def test_an_estimate_is_the_schedulers_own(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the schedulers that say what they take for the clean latents; the pipelines drop it."""
    model = fresh("pocket")
    model.use_scheduler(scheduler)
    own: list[torch.Tensor] = []
    step = type(model.pipeline.scheduler).step

    def noting(self: Any, *positional: Any, **named: Any) -> Any:
        done = step(self, *positional, **{**named, "return_dict": True})
        own.append(done.pred_original_sample)
        return (done.prev_sample,)

    monkeypatch.setattr(type(model.pipeline.scheduler), "step", noting)
    steps: list[Step] = []
    model.draw(["tulip"], noise_for(model), steps=5, guidance=3.0, progress=steps.append)
    for done, expected in zip(steps[:-1], own[:-1], strict=True):
        assert torch.allclose(done.estimate(), expected, atol=1e-3)


@pytest.mark.parametrize("scheduler", ["heun", "kdpm2", "dpm++", "unipc", "pndm", "lms"])
def test_estimates_of_higher_order_come_closer(scheduler: str) -> None:
    model, steps = fresh("pocket"), []
    model.use_scheduler(scheduler)
    drawn = model.draw(["tulip"], noise_for(model), steps=8, guidance=1.0, output="latents", progress=steps.append)
    away = [float((step.estimate() - drawn).square().mean()) for step in steps]
    assert steps[-1].number == steps[-1].total == len(steps)
    assert away[-1] < 1e-9 < away[0]
    assert away[-3] < away[0]


@pytest.mark.parametrize("name", [STABLE, XL, THREE, ALPHA])
def test_a_negative_prompt_has_an_effect(name: str) -> None:
    model = adapter(name)
    arguments: dict[str, Any] = {"steps": 2, "guidance": 4.0, "output": "latents"}
    plain, negative = (
        model.draw(["tulip"], noise_for(model), negative=negative, **arguments) for negative in (None, "blurry")
    )
    assert not torch.allclose(plain, negative)


@pytest.mark.parametrize("name", [FLUX, FLUX2])
def test_a_negative_prompt_is_refused_where_it_has_none(name: str) -> None:
    assert not ADAPTERS[SPECS[name].pipeline].takes_negative
    with pytest.raises(ConfigurationError, match="distilled"):
        adapter(name).draw(["tulip"], noise_for(adapter(name)), steps=1, guidance=4.0, negative="blurry")


def test_the_pipeline_alone_draws_the_same() -> None:
    """The adapter adds nothing to a call that anybody would make."""
    model = adapter(XL)
    noise = noise_for(model)
    expected = model.pipeline(
        "tulip", latents=noise, height=64, width=64, num_inference_steps=2, guidance_scale=4.0, output_type="pt"
    ).images
    assert torch.allclose(model.draw(["tulip"], noise, steps=2, guidance=4.0), expected, atol=1e-5)


def test_prompts_and_images_have_to_be_as_many() -> None:
    with pytest.raises(ConfigurationError, match="1 prompts for 2 images"):
        adapter(STABLE).draw(["tulip"], noise_for(adapter(STABLE), batch=2), steps=1, guidance=1.0)


def test_a_stochastic_scheduler_is_refused_before_anything_is_drawn() -> None:
    model = fresh(STABLE)
    model.pipeline.scheduler = diffusers.EulerAncestralDiscreteScheduler.from_config(model.pipeline.scheduler.config)
    with pytest.raises(ConfigurationError, match="overwrites the mark"):
        model.draw(["tulip"], noise_for(model), steps=1, guidance=1.0)


def test_the_caller_s_random_state_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    toy_pipeline(SPECS[THREE], seed=1)
    assert torch.equal(torch.get_rng_state(), before)


# --- the empty prompt -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STABLE, THREE, ALPHA, FLUX, FLUX2])
def test_the_empty_prompt_is_what_guidance_leads_away_from(name: str) -> None:
    model = adapter(name)
    expected, found = model.condition([""]), model.null(2)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        assert torch.allclose(found[key].float(), value.expand_as(found[key]).float(), atol=1e-5)


def test_xl_was_trained_with_zeros() -> None:
    assert all(not value.any() for value in adapter(XL).null(1).values())


def test_a_kept_empty_prompt_saves_the_text_encoder() -> None:
    kept = adapter(THREE).null(1)
    pipeline = toy_pipeline(SPECS[THREE])
    pipeline.text_encoder = pipeline.text_encoder_2 = pipeline.text_encoder_3 = None
    reader = adapter_for(pipeline, SPECS[THREE], null=kept)
    latents = noise_for(reader)
    assert torch.equal(invert(reader, latents).noise, invert(adapter(THREE), latents).noise)


# --- the VAE ----------------------------------------------------------------------------------------------------------


def test_channels_are_centred_where_the_vae_says_so() -> None:
    model = fresh(XL)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = model.encode(images)
    means, spreads = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 0.5, 4.0]

    model.pipeline.vae.register_to_config(latents_mean=means, latents_std=spreads)
    centred = model.encode(images)

    scale = SPECS[XL].scaling_factor or 0.0
    mean, spread = (torch.tensor(values).view(1, 4, 1, 1) for values in (means, spreads))
    assert torch.allclose(centred, (plain / scale - mean) / spread * scale, atol=1e-5)
    noise = noise_for(model)
    latents = model.draw(model.null(1), noise, steps=2, guidance=1.0, output="latents")
    assert torch.allclose(model.decode(latents), model.draw(model.null(1), noise, steps=2, guidance=1.0), atol=1e-5)


def test_a_vae_that_overflows_in_half_precision_is_lifted_while_it_works() -> None:
    model = fresh(XL)
    model.pipeline.vae.to(torch.float16)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen: list[torch.dtype] = []
    model.pipeline.vae.encoder.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))

    latents = model.encode(images)

    assert seen == [torch.float32]
    assert latents.dtype == torch.float32
    assert model.pipeline.vae.dtype == torch.float16


def test_the_invertible_vae_loses_nothing() -> None:
    vae = InvertibleVae(latent_channels=4, block_out_channels=(1, 1, 1))
    latents = torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pixels = vae.decode(latents).sample
        assert pixels.shape == (2, 3, 24, 20)
        assert torch.allclose(vae.encode(pixels).latent_dist.mode(), latents, atol=1e-4)


# --- precision --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [THREE, FLUX])
def test_half_precision_reads_the_same_signs(name: str) -> None:
    model = fresh(name)
    noise = noise_for(model)
    latents = model.draw(model.null(1), noise, steps=4, guidance=1.0, output="latents")
    expected = invert(model, latents, steps=4).noise

    half = adapter_for(toy_pipeline(SPECS[name]).to(torch.bfloat16), SPECS[name])
    drawn = half.draw(half.null(1), noise, steps=4, guidance=1.0, output="latents")
    found = invert(half, drawn, steps=4).noise

    assert found.dtype == torch.float32
    assert ((found > 0) == (expected > 0)).float().mean() > 0.95
