"""Which models there are: what each expects of its noise, and under which licence its weights come.

Data only, without torch. The numbers are those of the configuration files that the models' publishers ship; an adapter
compares them with the pipeline it is given, so that a mistake here or a different model under the same name is found
before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from assay.errors import ConfigurationError

Prediction: TypeAlias = Literal["epsilon", "v_prediction", "sample", "flow"]
"""What the network's output means: the noise, the velocity of a variance-preserving path, the clean latents, or the
velocity of a straight path (flow matching)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """A low-rank change of a model's weights."""

    path: Path
    settings: Path | None
    """What PEFT writes beside it: its scale is there."""
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model by name."""

    id: str
    """The repository on the hub, or the name of a model that comes with Assay."""
    licence: str
    """SPDX identifier where there is one, else the licence's own name."""
    non_commercial: bool = False
    """Whether the licence of the weights forbids commercial use."""
    revision: str | None = None
    """Commit of the repository; None where the user pins it with `--revision`. A branch is not a pin."""
    local: bool = False
    """The weights come with Assay, and nothing is fetched."""
    path: Path | None = None
    """The folder or the checkpoint with the weights, of a model that was named by its path: nothing is fetched."""
    config: Path | None = None
    """The folder that describes a checkpoint, and holds what it lacks."""
    loras: tuple[Lora, ...] = ()
    """What is added to the weights."""
    pipeline: str
    """Name of the class in diffusers."""
    channels: int
    """Channels of the latents, unpacked."""
    downscale: int
    """Pixels a side for one latent position, unpacked."""
    scaling_factor: float | None
    """What clean latents are multiplied by; None where the VAE itself knows better: its own training, or statistics."""
    shift_factor: float = 0.0
    """What is subtracted from the VAE's latents before scaling."""
    packing: Literal["2x2"] | None = None
    """How positions are merged into tokens, where the pipeline and not the network does it."""
    prediction: Prediction
    scheduler: str
    """Name of the class in diffusers that the publisher draws with."""
    tokens: int | None = None
    """Longest prompt, where it differs from what the pipeline assumes."""
    size: int
    """Pixels a side of a square image that the model was made for."""
    steps: int
    guidance: float
    few_step: bool = False
    """Distilled to a handful of steps: it keeps them when it is inverted, too."""


_OPENRAIL = "CreativeML OpenRAIL-M"
_OPENRAIL_PLUS = "CreativeML OpenRAIL++-M"
_STABILITY = "Stability AI Community License"

_ALL = (
    ModelSpec(
        id="pocket", licence="Apache-2.0", local=True, pipeline="StableDiffusionPipeline",
        channels=4, downscale=4, scaling_factor=None, prediction="v_prediction", scheduler="DDIMScheduler",
        size=128, steps=25, guidance=3.0,
    ),
    ModelSpec(
        id="stabilityai/sd-turbo",
        licence="Stability AI Non-Commercial Research Community License", non_commercial=True,
        pipeline="StableDiffusionPipeline", channels=4, downscale=8, scaling_factor=0.18215,
        prediction="epsilon", scheduler="EulerDiscreteScheduler", size=512, steps=1, guidance=0.0, few_step=True,
    ),
    ModelSpec(
        id="stable-diffusion-v1-5/stable-diffusion-v1-5", licence=_OPENRAIL,
        pipeline="StableDiffusionPipeline", channels=4, downscale=8, scaling_factor=0.18215,
        prediction="epsilon", scheduler="PNDMScheduler", size=512, steps=50, guidance=7.5,
    ),
    ModelSpec(
        id="stabilityai/stable-diffusion-2-1", licence=_OPENRAIL_PLUS,
        pipeline="StableDiffusionPipeline", channels=4, downscale=8, scaling_factor=0.18215,
        prediction="v_prediction", scheduler="DDIMScheduler", size=768, steps=50, guidance=7.5,
    ),
    ModelSpec(
        id="stabilityai/stable-diffusion-xl-base-1.0", licence=_OPENRAIL_PLUS,
        pipeline="StableDiffusionXLPipeline", channels=4, downscale=8, scaling_factor=0.13025,
        prediction="epsilon", scheduler="EulerDiscreteScheduler", size=1024, steps=50, guidance=5.0,
    ),
    ModelSpec(
        id="stabilityai/stable-diffusion-3.5-medium", licence=_STABILITY,
        pipeline="StableDiffusion3Pipeline", channels=16, downscale=8, scaling_factor=1.5305, shift_factor=0.0609,
        prediction="flow", scheduler="FlowMatchEulerDiscreteScheduler", size=1024, steps=40, guidance=4.5,
    ),
    ModelSpec(
        id="stabilityai/stable-diffusion-3.5-large", licence=_STABILITY,
        pipeline="StableDiffusion3Pipeline", channels=16, downscale=8, scaling_factor=1.5305, shift_factor=0.0609,
        prediction="flow", scheduler="FlowMatchEulerDiscreteScheduler", size=1024, steps=28, guidance=3.5,
    ),
    ModelSpec(
        id="black-forest-labs/FLUX.1-schnell", licence="Apache-2.0",
        pipeline="FluxPipeline", channels=16, downscale=8, scaling_factor=0.3611, shift_factor=0.1159, packing="2x2",
        prediction="flow", scheduler="FlowMatchEulerDiscreteScheduler", size=1024, steps=4, guidance=0.0, few_step=True,
        tokens=256,
    ),
    ModelSpec(
        id="black-forest-labs/FLUX.1-dev", licence="FLUX.1 [dev] Non-Commercial License", non_commercial=True,
        pipeline="FluxPipeline", channels=16, downscale=8, scaling_factor=0.3611, shift_factor=0.1159, packing="2x2",
        prediction="flow", scheduler="FlowMatchEulerDiscreteScheduler", size=1024, steps=28, guidance=3.5,
    ),
    ModelSpec(
        id="black-forest-labs/FLUX.2-dev", licence="FLUX [dev] Non-Commercial License", non_commercial=True,
        pipeline="Flux2Pipeline", channels=32, downscale=8, scaling_factor=None, packing="2x2",
        prediction="flow", scheduler="FlowMatchEulerDiscreteScheduler", size=1024, steps=50, guidance=4.0,
    ),
    ModelSpec(
        id="PixArt-alpha/PixArt-XL-2-1024-MS", licence=_OPENRAIL_PLUS,
        pipeline="PixArtAlphaPipeline", channels=4, downscale=8, scaling_factor=0.18215,
        prediction="epsilon", scheduler="DPMSolverMultistepScheduler", size=1024, steps=20, guidance=4.5,
    ),
    ModelSpec(
        id="PixArt-alpha/PixArt-Sigma-XL-2-1024-MS", licence=_OPENRAIL_PLUS,
        pipeline="PixArtSigmaPipeline", channels=4, downscale=8, scaling_factor=0.13025,
        prediction="epsilon", scheduler="DPMSolverMultistepScheduler", size=1024, steps=20, guidance=4.5,
    ),
)  # fmt: skip

SPECS: Mapping[str, ModelSpec] = MappingProxyType({spec.id: spec for spec in _ALL})
"""Every model by name. A new one is one entry, and the contract tests cover it from then on."""

SCHEDULERS: Mapping[str, str] = MappingProxyType(
    {
        "ddim": "DDIMScheduler",
        "dpm++": "DPMSolverMultistepScheduler",
        "dpm++-single": "DPMSolverSinglestepScheduler",
        "euler": "EulerDiscreteScheduler",
        "heun": "HeunDiscreteScheduler",
        "kdpm2": "KDPM2DiscreteScheduler",
        "unipc": "UniPCMultistepScheduler",
        "deis": "DEISMultistepScheduler",
        "pndm": "PNDMScheduler",
        "lms": "LMSDiscreteScheduler",
        "flow-euler": "FlowMatchEulerDiscreteScheduler",
        "flow-heun": "FlowMatchHeunDiscreteScheduler",
        "flow-dpm++": "DPMSolverMultistepScheduler",
        "flow-unipc": "UniPCMultistepScheduler",
    }
)
"""The schedulers that can be asked for by name, and their classes in diffusers. `flow-` ones are for flow matching."""


def spec_named(name: str, *, config: str | None = None, loras: Sequence[str] = ()) -> ModelSpec:
    """The model with that name, or at that path; see `generation.local.local_spec`.

    Raises:
        ConfigurationError: There is none.
    """
    if name in SPECS and config is None and not loras:
        return SPECS[name]
    from generation.local import is_local, local_spec  # noqa: PLC0415 - it needs the models of this module

    if name in SPECS or is_local(name):
        return local_spec(name, config=config, loras=loras)
    raise ConfigurationError(
        f"{name}: neither a model that Assay knows nor a path",
        hint=f"Known are {', '.join(SPECS)}; assay models says which are here.",
    )
