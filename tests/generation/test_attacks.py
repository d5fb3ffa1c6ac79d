import numpy as np
import pytest
import torch
from torch import Tensor

from assay.errors import ConfigurationError
from generation import attacks
from generation.adapters import Adapter, adapter_for
from generation.invert import invert, invert_images
from generation.models import SPECS
from generation.toy import toy_pipeline

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning:diffusers")

POCKET, FLOW = "pocket", "stabilityai/stable-diffusion-3.5-medium"


@pytest.fixture(scope="module", params=[POCKET, FLOW])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return adapter_for(toy_pipeline(SPECS[request.param], invertible=True), SPECS[request.param])


def normal(adapter: Adapter, batch: int, seed: int) -> Tensor:
    shape = adapter.latent_shape(64, 64)
    return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(seed))


def drawn(adapter: Adapter, noise: Tensor) -> Tensor:
    return adapter.draw(["a pink tulip"] * len(noise), noise, steps=4, guidance=1.0)


def correlation(a: Tensor, b: Tensor) -> float:
    return float(np.corrcoef(a.numpy().ravel(), b.numpy().ravel())[0, 1])


def test_round_trip_is_the_vae(adapter: Adapter) -> None:
    images = drawn(adapter, normal(adapter, 1, 1))

    assert torch.allclose(attacks.vae_round_trip(adapter, images), images, atol=2e-2)  # this VAE is invertible


def test_regeneration_removes_more_the_stronger_it_is(adapter: Adapter) -> None:
    noise, fresh = normal(adapter, 1, 1), normal(adapter, 1, 2)
    images = drawn(adapter, noise)
    attacked = [attacks.regenerate(adapter, images, strength=strength, fresh=fresh, steps=10) for strength in (0.1, 1)]
    left = [correlation(invert_images(adapter, each).noise, noise) for each in attacked]
    taken = correlation(invert_images(adapter, attacked[1]).noise, fresh)

    assert left[0] > 0.5
    assert abs(left[1]) < 0.2
    assert taken > 0.5  # from pure noise, it is the attacker's


@pytest.mark.parametrize("strength", [0.0, 1.5, -0.1])
def test_regeneration_refuses_a_strength_out_of_range(adapter: Adapter, strength: float) -> None:
    images = torch.zeros(1, 3, 64, 64)

    with pytest.raises(ConfigurationError, match="out of range"):
        attacks.regenerate(adapter, images, strength=strength, fresh=normal(adapter, 1, 2))


def test_averaging_finds_a_shared_pattern() -> None:
    random = torch.Generator().manual_seed(0)
    pattern = 0.1 * torch.randn(3, 16, 16, generator=random)
    plain = 0.5 + 0.02 * torch.randn(400, 3, 16, 16, generator=random)
    found = attacks.residual(plain[:200] + pattern, plain[200:])

    assert torch.allclose(found, pattern, atol=0.015)
    assert torch.allclose(attacks.shifted(plain[:1] + pattern, found, -1), plain[:1], atol=0.015)
    assert torch.allclose(attacks.shifted(plain[:1], found, 1), plain[:1] + pattern, atol=0.015)


def test_reprompting_keeps_the_noise(adapter: Adapter) -> None:
    noise = normal(adapter, 2, 1)
    forged = attacks.reprompt(adapter, drawn(adapter, noise), ["a red rose", "a daisy"], steps=4, guidance=1.0)

    assert correlation(invert_images(adapter, forged).noise, noise) > 0.4


def test_imprinting_brings_the_noise_closer(adapter: Adapter) -> None:
    covers, target = drawn(adapter, normal(adapter, 1, 2)), normal(adapter, 1, 1)
    forged = attacks.imprint(adapter, covers, target, iterations=15, steps=2, rate=0.05)
    before, after = (correlation(invert_images(adapter, each).noise, target) for each in (covers, forged))

    assert after > before + 0.15


def test_inversion_that_is_differentiated_is_the_naive_one(adapter: Adapter) -> None:
    latents = adapter.encode(drawn(adapter, normal(adapter, 1, 1)))
    with torch.no_grad():
        read = attacks._read(adapter, latents, 3, (64, 64))

    assert torch.allclose(read, invert(adapter, latents, steps=3).noise, atol=1e-4)
