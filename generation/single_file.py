"""Single checkpoints: which pipeline is inside, and which configuration describes it. Without torch.

A checkpoint holds weights under the names of the software that trained it, and no configuration. The names tell the
pipeline. Configurations of the public architectures whose checkpoints are whole come with Assay; for the others a
folder of a pipeline of the same kind is named by `--config`. Nothing is asked of the hub.
"""

from __future__ import annotations

from pathlib import Path

from assay.errors import ConfigurationError
from generation.tensors import Layout, layout

ARCHITECTURES = Path(__file__).with_name("architectures")
_SD, _XL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"
_OWN = {_SD: "stable-diffusion-1", _XL: "stable-diffusion-xl"}
"""Folders of the configurations that come with Assay."""

_UNET = "model.diffusion_model."
_FIRST = f"{_UNET}input_blocks.0.0.weight"
_IMAGE_CHANNELS = 4
_CROSS = "attn2.to_k.weight"
_WIDTHS = {_SD: 768, _XL: 2048}
"""Features of the text that the networks of those configurations attend to."""

PREFIXES = {
    "unet": (_UNET,),
    "transformer": (_UNET, "joint_blocks.", "double_blocks."),
    "vae": ("first_stage_model.", "vae."),
    "CLIPTextModel": (
        "cond_stage_model.transformer.",
        "cond_stage_model.model.",
        "conditioner.embedders.0.transformer.",
        "text_encoders.clip_l.transformer.",
    ),
    "CLIPTextModelWithProjection": (
        "conditioner.embedders.1.model.",
        "text_encoders.clip_l.transformer.",
        "text_encoders.clip_g.transformer.",
    ),
    "T5EncoderModel": ("text_encoders.t5xxl.transformer.",),
}
"""What the names of a component's tensors begin with, by the component or by the class of a text encoder."""

_WHOLE = "Name the folder of a whole pipeline of the same kind: --config FOLDER."


def pipeline_of(path: Path) -> str:
    """The pipeline in diffusers that draws with a checkpoint.

    Raises:
        ConfigurationError: It is no checkpoint that Assay knows, or one that does something else than draw.
    """
    return _told(layout(path))


def own_configuration(path: Path) -> Path:
    """The folder with the configuration that comes with Assay for a checkpoint.

    Raises:
        ConfigurationError: There is none for it: it lacks components, or does not say enough of itself.
    """
    found = layout(path)
    pipeline = _told(found)
    if pipeline not in _OWN:
        raise ConfigurationError(
            f"{path}: a checkpoint for {pipeline}, whose configuration does not come with Assay", hint=_WHOLE
        )
    problem = next((text for holds, text in _doubts(found, pipeline) if holds), None)
    if problem is not None:
        raise ConfigurationError(f"{path}: {problem}", hint=_WHOLE)
    return ARCHITECTURES / _OWN[pipeline]


def _told(found: Layout) -> str:
    names, path = found.shapes, found.path
    if _FIRST in names:
        if names[_FIRST][1] != _IMAGE_CHANNELS:
            raise ConfigurationError(
                f"{path}: a checkpoint that changes pictures instead of drawing them: it takes {names[_FIRST][1]} "
                f"channels instead of {_IMAGE_CHANNELS}",
                hint="Use the checkpoint that it was made from.",
            )
        if found.begins("conditioner.embedders.0.model."):
            raise ConfigurationError(
                f"{path}: the refiner of Stable Diffusion XL, which draws nothing by itself", hint="Use the base model."
            )
        return _XL if found.begins(f"{_UNET}label_emb.") else _SD
    if found.begins(f"{_UNET}joint_blocks.", "joint_blocks."):
        return "StableDiffusion3Pipeline"
    if found.begins(f"{_UNET}double_blocks.0.img_attn.", "double_blocks.0.img_attn."):
        is_second = found.begins(f"{_UNET}single_stream_modulation.", "single_stream_modulation.")
        return "Flux2Pipeline" if is_second else "FluxPipeline"
    if any("lora" in name for name in names):
        raise ConfigurationError(f"{path}: a LoRA, not a whole model", hint=f"Name it with: --lora {path}")
    raise ConfigurationError(
        f"{path}: no checkpoint whose architecture Assay knows",
        hint="Known are Stable Diffusion 1, 2, XL, 3 and FLUX under their original names. A part of a pipeline in "
        "diffusers' format belongs into its folder: name that.",
    )


def _doubts(found: Layout, pipeline: str) -> tuple[tuple[bool, str], ...]:
    """What stands against the configuration that comes with Assay, and in which words."""
    width = next((shape[1] for name, shape in found.shapes.items() if name.endswith(_CROSS)), 0)
    encoders = ["CLIPTextModel", "CLIPTextModelWithProjection"] if pipeline == _XL else ["CLIPTextModel"]
    return (
        (
            found.begins("cond_stage_model.model."),
            "a checkpoint of Stable Diffusion 2, which does not say whether it predicts the noise or the velocity",
        ),
        ("v_pred" in found.shapes, "predicts the velocity, which the configuration that comes with Assay does not"),
        (width != _WIDTHS[pipeline], f"its network is not that of {_OWN[pipeline]}"),
        (not found.begins(*PREFIXES["vae"]), "holds no VAE"),
        (not all(found.begins(*PREFIXES[each]) for each in encoders), "holds no text encoder"),
    )
