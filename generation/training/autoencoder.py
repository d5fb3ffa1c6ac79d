"""Trains the pocket autoencoder: 128 x 128 pixels to latents of shape (4, 32, 32).

    python -m generation.training.autoencoder --photographs CLONE --out runs/autoencoder --steps 6000

Loss: L1 + LPIPS + KL on random 64-pixel crops (the network is convolutional), and the same on latents at half size, so
that latents scale with the image (EQ-VAE, Kouzelis et al. 2025), which a small denoiser learns faster.
`--adversarial` trains the decoder alone against a patch discriminator; latents stay what the denoiser has learnt.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from assay.loop import Losses, Plan, averaged, device_of, train
from generation.training import flowers
from generation.training.perceptual import Lpips

CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "block_out_channels": (24, 48, 144),
    "down_block_types": ("DownEncoderBlock2D",) * 3,
    "up_block_types": ("UpDecoderBlock2D",) * 3,
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "sample_size": flowers.SIDE,
}
KL, PERCEPTUAL, ADVERSARIAL = 1e-3, 0.5, 0.05
HALF_SIZE_CHANCE = 0.25


def crops(pixels: NDArray[np.uint8], chance: np.random.Generator, batch: int, side: int) -> Tensor:
    """Random square crops, mirrored half of the time: float32 of shape (batch, 3, side, side) in [-1, 1]."""
    out = np.empty((batch, side, side, 3), np.uint8)
    for number in range(batch):
        image = pixels[chance.integers(len(pixels))]
        y, x = (chance.integers(length - side + 1) for length in image.shape[:2])
        crop = image[y : y + side, x : x + side]
        out[number] = crop[:, ::-1] if chance.integers(2) else crop
    return torch.from_numpy(out).permute(0, 3, 1, 2).float() / 127.5 - 1


def reconstruction(model: AutoencoderKL, lpips: Lpips, images: Tensor, *, half: bool) -> Losses:
    """The loss of one batch; with `half`, of the decoded half-size latents against the half-size image."""
    posterior = model.encode(images).latent_dist
    latents, target = posterior.sample(), images
    if half:
        latents, target = F.avg_pool2d(latents, 2), F.interpolate(images, scale_factor=0.5, mode="area")
    decoded = model.decode(latents).sample
    terms = {
        "l1": (decoded - target).abs().mean(),
        "kl": posterior.kl().mean() / posterior.mean[0].numel(),
        "lpips": lpips(decoded, target).mean(),
    }
    return {"total": terms["l1"] + KL * terms["kl"] + PERCEPTUAL * terms["lpips"], **terms}


class Critic(nn.Module):
    """A patch discriminator (Isola et al., CVPR 2017): logits of shape (B, 1, h, w)."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        sizes = (3, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for into, out in pairwise(sizes):
            layers += [nn.utils.spectral_norm(nn.Conv2d(into, out, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.utils.spectral_norm(nn.Conv2d(sizes[-1], 1, 3, 1, 1)))

    def forward(self, images: Tensor) -> Tensor:
        """How much each patch looks like a photograph."""
        logits: Tensor = self.layers(images)
        return logits


def main() -> None:
    """Train, from the last checkpoint on, and write `autoencoder/` in diffusers' format."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", type=Path, required=True, help="a git copy of " + flowers.REPOSITORY)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--adversarial", type=Path, metavar="RUN", help="improve the decoder of this finished run")
    options = parser.parse_args()

    device = device_of(options.device)
    torch.manual_seed(0)
    model = AutoencoderKL(**CONFIG).to(device, memory_format=torch.channels_last)
    lpips = Lpips().to(device)
    pixels = flowers.load(options.photographs, "train").pixels
    plan = Plan(steps=options.steps, learning_rate=options.rate, out=options.out)
    batch = options.batch

    def draw(chance: np.random.Generator) -> Tensor:
        return crops(pixels, chance, batch, 64).to(device, memory_format=torch.channels_last)

    if options.adversarial:
        averaged(model, options.adversarial)
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
        _against_critic(model, lpips, plan, draw)
    else:
        train(
            model,
            lambda chance: reconstruction(model, lpips, draw(chance), half=chance.random() < HALF_SIZE_CHANCE),
            plan,
        )
    model.save_pretrained(options.out / "autoencoder")


def _against_critic(
    model: AutoencoderKL, lpips: Lpips, plan: Plan, draw: Callable[[np.random.Generator], Tensor]
) -> None:
    """Hinge loss for the critic, its negated mean logit for the decoder (Lim and Ye, 2017)."""
    device = next(lpips.buffers()).device
    critic, file = Critic().to(device), plan.out / "critic.safetensors"
    if file.exists():
        load_model(critic, file)
    optimiser = torch.optim.AdamW(critic.parameters(), lr=2 * plan.learning_rate, betas=(0.5, 0.9))
    pair: list[Tensor] = []

    def loss(chance: np.random.Generator) -> Losses:
        images = draw(chance)
        with torch.no_grad():
            latents = model.encode(images).latent_dist.sample()
        decoded = model.decode(latents).sample
        pair[:] = images, decoded.detach()
        terms = {
            "l1": (decoded - images).abs().mean(),
            "lpips": lpips(decoded, images).mean(),
            "adversarial": -critic(decoded).mean(),
        }
        total = terms["l1"] + PERCEPTUAL * terms["lpips"] + ADVERSARIAL * terms["adversarial"]
        return {"total": total, **terms}

    def teach(step: int) -> None:
        images, decoded = pair
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(F.relu(1 - critic(images)).mean() + F.relu(1 + critic(decoded)).mean())
        optimiser.step()
        if (step + 1) % 200 == 0:
            save_model(critic, str(file))

    train(model, loss, plan, each=teach)


if __name__ == "__main__":
    main()
