"""Trains the pocket denoiser on the latents of a trained autoencoder.

    python -m generation.training.denoiser --photographs CLONE --autoencoder runs/autoencoder --out runs/denoiser

v-prediction (Salimans and Ho, ICLR 2022) with min-SNR weights (Hang et al., ICCV 2023) on Stable Diffusion's schedule;
one caption in ten is empty, for classifier-free guidance (Ho and Salimans, 2022). Text goes through the pipeline's own
`encode_prompt`, padding and mask included, so that training and drawing see the same embeddings.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor

from assay.loop import Losses, Plan, device_of, train
from generation.pocket import SCHEDULER, assemble
from generation.training import flowers
from generation.training.captions import phrasings

EMPTY_CHANCE = 0.1
SNR_CAP = 5.0


def config(widths: tuple[int, ...]) -> dict[str, object]:
    """A U-Net whose inner two levels read the text; most parameters sit where there are few pixels."""
    plain = len(widths) - 2
    return {
        "sample_size": flowers.SIDE // 4,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": widths,
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D",) * plain + ("CrossAttnDownBlock2D",) * 2,
        "up_block_types": ("CrossAttnUpBlock2D",) * 2 + ("UpBlock2D",) * plain,
        "cross_attention_dim": 384,
        "attention_head_dim": 4,
        "norm_num_groups": 16,
    }


@torch.no_grad()
def encode(autoencoder: AutoencoderKL, pixels: NDArray[np.uint8], batch: int = 64) -> Tensor:
    """Mean and log variance of the latents of each picture and of its mirror image: (N, 2, 8, 32, 32)."""
    parts = []
    for at in range(0, len(pixels), batch):
        images = (
            torch.from_numpy(pixels[at : at + batch]).to(autoencoder.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        )
        pair = [autoencoder.encode(view).latent_dist.parameters.cpu() for view in (images, images.flip(3))]
        parts.append(torch.stack(pair, 1))
    return torch.cat(parts)


def min_snr_weight(alphas_cumprod: Tensor) -> Tensor:
    """Weight of the squared error of v at each timestep: min(SNR, cap) / (SNR + 1)."""
    snr = alphas_cumprod / (1 - alphas_cumprod)
    return snr.clamp(max=SNR_CAP) / (snr + 1)


@torch.no_grad()
def _embed(pipeline: StableDiffusionPipeline, text: str) -> Tensor:
    embedding: Tensor = pipeline.encode_prompt(text, "cpu", 1, False)[0]
    return embedding


def main() -> None:
    """Train, from the last checkpoint on; `generation.training.export` writes the weights."""
    options = _options()
    device = device_of(options.device)
    torch.manual_seed(0)
    folder = options.autoencoder / "autoencoder" if options.autoencoder else options.start / "vae"
    autoencoder = AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32).to(device)
    photographs = flowers.load(options.photographs, "train")
    latents = encode(autoencoder, photographs.pixels)
    autoencoder.register_to_config(scaling_factor=1 / float(latents[:, :, :4].std()))
    unet = _unet(options).to(device, memory_format=torch.channels_last)
    texts = _Texts(assemble(autoencoder, unet), photographs.captions, device)
    autoencoder.save_pretrained(options.out / "vae")
    unet.save_config(options.out / "unet")
    scheduler = DDIMScheduler(**SCHEDULER)
    weights = min_snr_weight(scheduler.alphas_cumprod).to(device)

    def loss(chance: np.random.Generator) -> Losses:
        picks = chance.integers(len(latents), size=options.batch)
        views = latents[picks, chance.integers(2, size=options.batch)]
        mean, log_variance = views.to(device).chunk(2, 1)
        clean = mean + torch.randn_like(mean) * (0.5 * log_variance.clamp(-30, 20)).exp()
        clean = clean * autoencoder.config.scaling_factor
        timesteps = torch.from_numpy(chance.integers(len(weights), size=options.batch)).to(device)
        noise = torch.randn_like(clean)
        noisy = scheduler.add_noise(clean, noise, timesteps).contiguous(memory_format=torch.channels_last)
        target = scheduler.get_velocity(clean, noise, timesteps)
        predicted = unet(noisy, timesteps, texts.draw(picks, chance)).sample
        error = (predicted.float() - target).square().mean((1, 2, 3))
        return {"total": (error * weights[timesteps]).mean(), "v": error.mean()}

    plan = Plan(steps=options.steps, learning_rate=options.rate, out=options.out, bfloat16=options.bfloat16)
    train(unet, loss, plan)


class _Texts:
    """Every way to say every caption, embedded once."""

    def __init__(self, pipeline: StableDiffusionPipeline, captions: tuple[str, ...], device: torch.device) -> None:
        texts = sorted({text for caption in captions for text in phrasings(caption)} | {""})
        rows = {text: row for row, text in enumerate(texts)}
        self._empty = rows[""]
        self._embeddings = torch.cat([_embed(pipeline, text) for text in texts]).to(device)  # (texts, 32, 384)
        self._known = [[rows[text] for text in phrasings(caption)] for caption in captions]

    def draw(self, picks: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """One embedding for each picture: (B, 32, 384)."""
        words = [
            self._empty if chance.random() < EMPTY_CHANCE else int(chance.choice(self._known[pick])) for pick in picks
        ]
        return self._embeddings[words]


def _unet(options: argparse.Namespace) -> UNet2DConditionModel:
    if options.start:
        return UNet2DConditionModel.from_pretrained(options.start / "unet", torch_dtype=torch.float32)
    return UNet2DConditionModel(**config(tuple(options.widths)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", type=Path, required=True, help="a git copy of " + flowers.REPOSITORY)
    begin = parser.add_mutually_exclusive_group(required=True)
    begin.add_argument("--autoencoder", type=Path, metavar="RUN", help="the run that trained the autoencoder")
    begin.add_argument(
        "--start", type=Path, metavar="WEIGHTS", help="go on from an exported model, such as the shipped"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--widths", type=int, nargs="+", default=(32, 64, 128, 192))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--bfloat16", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
