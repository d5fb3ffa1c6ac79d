"""Every model by name, at toy width: what was marked comes back out.

A new entry of `SPECS` is covered from the moment it exists.
"""

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from assay.vocabulary import Seal
from generation.adapters import Adapter, adapter_for
from generation.invert import invert, invert_images
from generation.models import SPECS, ModelSpec
from generation.toy import toy_pipeline
from watermark.sealed_seed import SealedSeed

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

MODELS = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
SEAL = Seal(secret=bytes(range(32)), nonce=bytes(12), payload=0x0123456789ABCDEF)

FIXED_POINT = 0.99
NAIVE = 0.85
"""Share of the signs that come back, at least: by the exact inversion, and by the one that is used."""
EXACT_STEPS = 4
"""Enough for an exact inversion, and for few-step models all that there are."""


@cache
def adapter(spec: ModelSpec) -> Adapter:
    return adapter_for(toy_pipeline(spec, invertible=True), spec)


def first_order(spec: ModelSpec) -> Adapter:
    """With a scheduler whose every step can be undone by itself."""
    fresh = adapter_for(toy_pipeline(spec), spec)
    fresh.use_scheduler("flow-euler" if spec.prediction == "flow" else "euler" if spec.few_step else "ddim")
    return fresh


def size(spec: ModelSpec) -> tuple[int, int]:
    """Not a square, so that height and width cannot be mistaken for each other."""
    return 8 * spec.downscale, 16 * spec.downscale


def marked(adapter: Adapter, nonces: int = 1) -> tuple[Tensor, list[Seal]]:
    shape = adapter.latent_shape(*size(adapter.spec))
    seals = [Seal(secret=SEAL.secret, nonce=bytes([n] * 12), payload=SEAL.payload) for n in range(nonces)]
    noise = [SealedSeed().mark(np.zeros(shape, np.float32), seal) for seal in seals]
    return torch.from_numpy(np.stack(noise)), seals


def agreement(estimate: Tensor, noise: Tensor) -> float:
    return ((estimate > 0) == (noise > 0)).float().mean().item()


@MODELS
def test_a_mark_comes_back_by_the_inversion_in_use(spec: ModelSpec) -> None:
    model = adapter(spec)
    noise, seals = marked(model, nonces=2)
    steps = EXACT_STEPS if spec.few_step else 10

    latents = model.draw(model.null(2), noise, steps=steps, guidance=1.0, output="latents")
    found = invert(model, latents, steps=steps)

    assert found.residual is None
    assert found.evaluations == steps
    assert agreement(found.noise, noise) >= (0.8 if spec.few_step else NAIVE)
    for estimate, seal in zip(found.noise.numpy(), seals, strict=True):
        assert SealedSeed().measure(estimate, seal).log10_p < -6
    swapped = SealedSeed().measure(found.noise[0].numpy(), seals[1])
    assert swapped.log10_p > -6  # the other image's nonce is another key


@MODELS
def test_a_mark_comes_back_whole_by_the_exact_inversion(spec: ModelSpec) -> None:
    model = first_order(spec)
    noise, seals = marked(model)

    latents = model.draw(model.null(1), noise, steps=EXACT_STEPS, guidance=1.0, output="latents")
    found = invert(model, latents, steps=EXACT_STEPS, method="fixed_point")

    assert agreement(found.noise, noise) >= FIXED_POINT
    assert found.residual is not None
    assert found.residual.max() < 0.05
    assert (found.noise - noise).std() < 0.05  # the scale, too: init_noise_sigma is accounted for
    assert SealedSeed().decode(found.noise[0].numpy(), SEAL.secret, seals[0].nonce) == SEAL.payload


@MODELS
def test_a_mark_survives_pixels(spec: ModelSpec) -> None:
    model = adapter(spec)
    noise, _ = marked(model)

    images = model.draw(model.null(1), noise, steps=EXACT_STEPS, guidance=1.0)
    latents = model.draw(model.null(1), noise, steps=EXACT_STEPS, guidance=1.0, output="latents")

    assert images.shape == (1, 3, *size(spec))
    assert images.min() >= 0
    assert images.max() <= 1
    through_pixels = invert_images(model, images, steps=EXACT_STEPS).noise
    directly = invert(model, latents, steps=EXACT_STEPS).noise
    assert agreement(through_pixels, directly) >= FIXED_POINT
    assert agreement(through_pixels, noise) >= 0.6
    # Otherwise the toy would not bend the path: the noise could be read off the latents, and nothing would be shown.
    assert torch.corrcoef(torch.stack([latents.flatten(), noise.flatten()]))[0, 1] < 0.9


@MODELS
def test_packing_is_undone_exactly(spec: ModelSpec) -> None:
    model = adapter(spec)
    height, width = size(spec)
    latents = torch.arange(2.0 * np.prod(model.latent_shape(height, width))).view(2, *model.latent_shape(height, width))

    packed = model.pack(latents)

    assert torch.equal(model.unpack(packed, height, width), latents)
    assert (packed.shape == latents.shape) == (spec.packing is None)


@MODELS
def test_the_real_vae_encodes_and_decodes(spec: ModelSpec) -> None:
    pipeline = toy_pipeline(spec)
    model = adapter_for(pipeline, spec)
    images = torch.rand(2, 3, *size(spec), generator=torch.Generator().manual_seed(0))

    latents = model.encode(images)

    assert latents.shape == (2, *model.latent_shape(*size(spec)))
    with torch.no_grad():
        raw = pipeline.vae.encode(images * 2 - 1).latent_dist.mode()
    if spec.pipeline == "Flux2Pipeline":  # its own encoder of reference images is the reference
        assert torch.allclose(
            model.pack(latents), pipeline._encode_vae_image(images * 2 - 1, generator=None), atol=1e-5
        )
    else:
        assert torch.allclose(latents, (raw - spec.shift_factor) * pipeline.vae.config.scaling_factor, atol=1e-5)
    assert model.decode(latents).shape == images.shape


@MODELS
def test_decoding_is_what_the_pipeline_does(spec: ModelSpec) -> None:
    model = adapter_for(toy_pipeline(spec), spec)
    noise, _ = marked(model)
    arguments: dict[str, Any] = {"steps": 1 if spec.few_step else 2, "guidance": 1.0}

    images = model.draw(model.null(1), noise, **arguments)

    assert torch.allclose(
        model.decode(model.draw(model.null(1), noise, output="latents", **arguments)), images, atol=1e-5
    )


@MODELS
def test_prompts_and_guidance_reach_the_network(spec: ModelSpec) -> None:
    model = adapter(spec)
    noise, _ = marked(model)
    drawn = [
        model.draw([prompt], noise, steps=2, guidance=guidance, output="latents")
        for prompt, guidance in (("a pink tulip", 1.0), ("an oak", 1.0), ("a pink tulip", 4.0))
    ]

    same = {
        (a, b) for (a, first), (b, other) in itertools.combinations(enumerate(drawn), 2) if torch.equal(first, other)
    }
    guided = spec.pipeline != "FluxPipeline" or not spec.few_step  # schnell knows no guidance at all
    assert same == (set() if guided else {(0, 2)})


@MODELS
def test_the_steps_are_those_that_the_pipeline_takes(spec: ModelSpec) -> None:
    pipeline = toy_pipeline(spec)
    model = adapter_for(pipeline, spec)
    noise, _ = marked(model)

    model.draw(model.null(1), noise, steps=EXACT_STEPS, guidance=1.0, output="latents")
    scheduler = model.schedule(EXACT_STEPS, *size(spec))

    assert torch.equal(scheduler.timesteps, pipeline.scheduler.timesteps)
    if getattr(pipeline.scheduler, "sigmas", None) is not None:
        assert torch.equal(scheduler.sigmas, pipeline.scheduler.sigmas)


@MODELS
def test_an_image_does_not_depend_on_its_batch(spec: ModelSpec) -> None:
    model = adapter(spec)
    noise, _ = marked(model, nonces=2)

    together = model.draw(["tulip", "oak"], noise, steps=2, guidance=3.0, output="latents")
    alone = model.draw(["oak"], noise[1:], steps=2, guidance=3.0, output="latents")

    assert torch.allclose(together[1:], alone, rtol=1e-3, atol=1e-3)
