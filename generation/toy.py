"""Every model at toy width: the real diffusers classes in the model's own shape of configuration, with random weights.

They draw nothing that anyone would look at. They show that packing, conditioning, scaling, shifting and the order of
steps are right without the weights, which are gigabytes: what was marked has to come back out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from generation.adapters import ADAPTERS
from generation.models import ModelSpec

diffusers: Any = import_module("diffusers")
transformers: Any = import_module("transformers")

WIDTH = 32
"""Features of everything: text, time, image."""
LATENT = 16
"""Positions a side of the latents that the toys were set up for."""


def toy_pipeline(spec: ModelSpec, *, seed: int = 0, invertible: bool = False) -> Any:
    """Build a model at toy width, offline and in about a second.

    Args:
        spec: The model to imitate.
        seed: Decides the weights; the caller's random state is left alone.
        invertible: With an `InvertibleVae` instead of a small one of the model's own kind.

    Returns:
        A diffusers pipeline of the class that the spec names, on the CPU in float32.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = _PARTS[spec.pipeline](spec)
        parts["vae"] = _invertible_vae(spec) if invertible else _vae(spec)
        parts["scheduler"] = _scheduler(spec)
        for part in parts.values():
            if isinstance(part, nn.Module):
                part.eval().requires_grad_(requires_grad=False)
        pipeline = getattr(diffusers, spec.pipeline)(**parts)
        _calibrate(pipeline, spec)
    return pipeline


# --- networks ---------------------------------------------------------------------------------------------------------


def _stable_diffusion(spec: ModelSpec) -> dict[str, Any]:
    second = spec.id != "stable-diffusion-v1-5/stable-diffusion-v1-5"  # 2 and turbo have linear projections
    return {
        "unet": _unet(cross_attention_dim=WIDTH, use_linear_projection=second, blocks=4),
        "text_encoder": _bert() if spec.local else _clip(projects=False),
        "tokenizer": _bert_tokenizer() if spec.local else _clip_tokenizer(),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def _stable_diffusion_xl(spec: ModelSpec) -> dict[str, Any]:  # noqa: ARG001
    unet = _unet(
        cross_attention_dim=2 * WIDTH,
        use_linear_projection=True,
        blocks=3,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WIDTH + 6 * 8,
        transformer_layers_per_block=(1, 2, 2),
    )
    return {
        "unet": unet,
        "text_encoder": _clip(projects=False),
        "tokenizer": _clip_tokenizer(),
        "text_encoder_2": _clip(projects=True),
        "tokenizer_2": _clip_tokenizer(),
        "add_watermarker": False,
    }


def _unet(*, blocks: int, **configuration: Any) -> Any:
    """SD has plain blocks at the bottom, XL at the top."""
    attends = [True, True, True, False] if blocks == 4 else [False, True, True]  # noqa: PLR2004
    return diffusers.UNet2DConditionModel(
        sample_size=LATENT,
        block_out_channels=(WIDTH,) * blocks,
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=8,
        down_block_types=tuple("CrossAttnDownBlock2D" if attend else "DownBlock2D" for attend in attends),
        up_block_types=tuple("CrossAttnUpBlock2D" if attend else "UpBlock2D" for attend in reversed(attends)),
        **configuration,
    )


def _stable_diffusion_3(spec: ModelSpec) -> dict[str, Any]:
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=LATENT,
        patch_size=2,
        in_channels=spec.channels,
        out_channels=spec.channels,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=2 * WIDTH,
        caption_projection_dim=WIDTH,
        pooled_projection_dim=2 * WIDTH,
        pos_embed_max_size=2 * LATENT,
        dual_attention_layers=(0,) if spec.id.endswith("medium") else (),
        qk_norm="rms_norm",
    )
    return {
        "transformer": transformer,
        "text_encoder": _clip(projects=True),
        "tokenizer": _clip_tokenizer(),
        "text_encoder_2": _clip(projects=True),
        "tokenizer_2": _clip_tokenizer(),
        "text_encoder_3": _t5(2 * WIDTH),
        "tokenizer_3": _t5_tokenizer(),
    }


def _flux(spec: ModelSpec) -> dict[str, Any]:
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=4 * spec.channels,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        guidance_embeds=not spec.few_step,
        axes_dims_rope=(4, 6, 6),
    )
    return {
        "transformer": transformer,
        "text_encoder": _clip(projects=False),
        "tokenizer": _clip_tokenizer(),
        "text_encoder_2": _t5(WIDTH),
        "tokenizer_2": _t5_tokenizer(),
    }


def _flux2(spec: ModelSpec) -> dict[str, Any]:
    layers = 3  # of the language model's, the outputs are taken side by side
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=4 * spec.channels,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        joint_attention_dim=layers * 8,
        timestep_guidance_channels=WIDTH,
        axes_dims_rope=(4, 4, 4, 4),
    )
    return {"transformer": transformer, "text_encoder": _mistral(8), "tokenizer": _chat_tokenizer()}


def _pixart(spec: ModelSpec) -> dict[str, Any]:
    transformer = diffusers.PixArtTransformer2DModel(
        # The size of the latents decides on the conditions of alpha, not the toy's own: as in the 1024 pixel models.
        sample_size=128,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=6,  # alpha's conditions take a third of the width each
        in_channels=spec.channels,
        out_channels=2 * spec.channels,
        cross_attention_dim=6 * 8,
        caption_channels=WIDTH,
        norm_num_groups=8,
        use_additional_conditions=spec.pipeline == "PixArtAlphaPipeline",
    )
    return {"transformer": transformer, "text_encoder": _t5(WIDTH), "tokenizer": _t5_tokenizer()}


_PARTS: Mapping[str, Callable[[ModelSpec], dict[str, Any]]] = {
    "StableDiffusionPipeline": _stable_diffusion,
    "StableDiffusionXLPipeline": _stable_diffusion_xl,
    "StableDiffusion3Pipeline": _stable_diffusion_3,
    "FluxPipeline": _flux,
    "Flux2Pipeline": _flux2,
    "PixArtAlphaPipeline": _pixart,
    "PixArtSigmaPipeline": _pixart,
}


def _calibrate(pipeline: Any, spec: ModelSpec) -> None:
    """Give the outputs the spread of noise. A fresh network answers with next to nothing, and would bend no path."""
    adapter = ADAPTERS[spec.pipeline](pipeline, spec)
    network = getattr(pipeline, adapter.network)
    last = network.conv_out if hasattr(network, "conv_out") else network.proj_out
    probe = torch.randn(1, spec.channels, LATENT, LATENT)
    last.weight.mul_(1 / adapter.predict(probe, 500.0).std())


# --- schedulers -------------------------------------------------------------------------------------------------------

_LATENT_DIFFUSION = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


def _scheduler(spec: ModelSpec) -> Any:
    """The publisher's scheduler, with the publisher's settings."""
    configuration: dict[str, Any]
    match spec.scheduler:
        case "FlowMatchEulerDiscreteScheduler":
            dynamic = spec.id in {"black-forest-labs/FLUX.1-dev", "black-forest-labs/FLUX.2-dev"}
            configuration = {"shift": 1.0 if spec.few_step else 3.0, "use_dynamic_shifting": dynamic}
        case "DPMSolverMultistepScheduler":
            configuration = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}
        case "PNDMScheduler":
            configuration = {**_LATENT_DIFFUSION, "skip_prk_steps": True}
        case "EulerDiscreteScheduler":
            configuration = {**_LATENT_DIFFUSION, "timestep_spacing": "trailing" if spec.few_step else "leading"}
        case _:
            configuration = {**_LATENT_DIFFUSION, "clip_sample": False, "set_alpha_to_one": False}
    if spec.prediction != "flow":
        configuration["prediction_type"] = spec.prediction
    return getattr(diffusers, spec.scheduler)(**configuration)


# --- text -------------------------------------------------------------------------------------------------------------

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _clip(*, projects: bool) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=2 + 2 * len(_LETTERS),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return transformers.CLIPTextModelWithProjection(config) if projects else transformers.CLIPTextModel(config)


def _clip_tokenizer() -> Any:
    """Spells."""
    words = ["<|startoftext|>", "<|endoftext|>", *_LETTERS, *(f"{letter}</w>" for letter in _LETTERS)]
    vocabulary = {word: number for number, word in enumerate(words)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _bert() -> Any:
    config = transformers.BertConfig(
        vocab_size=5 + 2 * len(_LETTERS),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
    )
    return transformers.BertModel(config)


def _bert_tokenizer() -> Any:
    """Spells."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    vocabulary = {word: number for number, word in enumerate(words)}
    return transformers.BertTokenizerFast(vocab=vocabulary, model_max_length=32)


def _t5(width: int) -> Any:
    config = transformers.T5Config(
        vocab_size=3 + 2 * len(_LETTERS),
        d_model=width,
        d_kv=8,
        d_ff=width,
        num_layers=1,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config)


def _t5_tokenizer() -> Any:
    """Spells."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"▁{letter}", -2.0) for letter in _LETTERS] + [(letter, -3.0) for letter in _LETTERS]
    return transformers.T5TokenizerFast(vocab=pieces, extra_ids=0)


def _mistral(width: int) -> Any:
    """As deep as FLUX.2 looks: its pipeline takes the outputs of layers 10, 20 and 30."""
    text = transformers.MistralConfig(
        vocab_size=1 + len(_LETTERS) + 1,
        hidden_size=width,
        intermediate_size=width,
        num_hidden_layers=31,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=4,
    )
    vision = transformers.PixtralVisionConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=16, patch_size=8
    )
    config = transformers.Mistral3Config(text_config=text, vision_config=vision, image_token_index=0)
    return transformers.Mistral3ForConditionalGeneration(config)


def _chat_tokenizer() -> Any:
    """Spells what the user says; stands for the processor of FLUX.2, which is asked for chats."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers  # noqa: PLC0415 - comes with transformers

    vocabulary = {word: number for number, word in enumerate(["<pad>", *_LETTERS, "<unk>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106 - a word
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    template = "{% for message in messages %}{{ message['content'][0]['text'] }}{% endfor %}"
    special = {"pad_token": "<pad>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, **special)


# --- VAEs -------------------------------------------------------------------------------------------------------------


def _vae(spec: ModelSpec) -> Any:
    blocks = spec.downscale.bit_length()
    configuration: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * blocks,
        "up_block_types": ("UpDecoderBlock2D",) * blocks,
        "block_out_channels": (8,) * blocks,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "latent_channels": spec.channels,
    }
    if spec.pipeline == "Flux2Pipeline":
        vae = diffusers.AutoencoderKLFlux2(**configuration)
        _fill_statistics(vae.bn)
        return vae
    quantises = spec.scaling_factor is None or not spec.shift_factor
    return diffusers.AutoencoderKL(
        **configuration,
        scaling_factor=spec.scaling_factor or 0.5,
        shift_factor=spec.shift_factor or None,
        use_quant_conv=quantises,
        use_post_quant_conv=quantises,
    )


class _Point:
    """A distribution without spread."""

    def __init__(self, value: Tensor) -> None:
        self.value = value

    def mode(self) -> Tensor:
        return self.value


class InvertibleVae(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Looks like an AutoencoderKL and loses nothing: a block of pixels is an orthonormal image of one latent position.

    `encode(decode(z))` is z as long as the pixels stay within [-1, 1].
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(  # noqa: PLR0917 - the decorator keeps them as the configuration
        self,
        latent_channels: int = 4,
        block_out_channels: tuple[int, ...] = (1, 1, 1, 1),
        scaling_factor: float | None = 1.0,  # noqa: ARG002
        shift_factor: float | None = None,  # noqa: ARG002
        gain: float = 0.001,
        batch_norm_eps: float = 1e-4,
    ) -> None:
        super().__init__()
        self.block = 2 ** (len(block_out_channels) - 1)
        basis = torch.empty(3 * self.block**2, latent_channels)
        self.basis = nn.Parameter(nn.init.orthogonal_(basis))
        self.gain = gain
        self.bn = nn.BatchNorm2d(4 * latent_channels, eps=batch_norm_eps, affine=False)
        _fill_statistics(self.bn)

    def encode(self, x: Tensor) -> AutoencoderKLOutput:
        """Pixels (B, 3, H, W) in [-1, 1] to the distribution of latents (B, C, h, w)."""
        blocks = nn.functional.pixel_unshuffle(x, self.block)
        return AutoencoderKLOutput(latent_dist=_Point(torch.einsum("bphw,pc->bchw", blocks, self.basis) / self.gain))

    def decode(self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None) -> Any:  # noqa: ARG002
        """Latents to pixels, as `AutoencoderKL.decode`."""
        pixels = nn.functional.pixel_shuffle(torch.einsum("bchw,pc->bphw", z * self.gain, self.basis), self.block)
        return DecoderOutput(sample=pixels) if return_dict else (pixels,)


def _invertible_vae(spec: ModelSpec) -> InvertibleVae:
    vae: InvertibleVae = InvertibleVae(
        latent_channels=spec.channels,
        block_out_channels=(1,) * spec.downscale.bit_length(),
        scaling_factor=None if spec.pipeline == "Flux2Pipeline" else spec.scaling_factor or 0.5,
        shift_factor=spec.shift_factor or None,
    )
    return vae


def _fill_statistics(norm: nn.BatchNorm2d) -> None:
    """Statistics that are not those of a fresh layer, so that leaving them out would be noticed."""
    channels = norm.num_features
    norm.running_mean = torch.linspace(-0.5, 0.5, channels)
    norm.running_var = torch.linspace(0.5, 2.0, channels)
