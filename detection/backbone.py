"""A frozen vision transformer: views in, what each of its blocks makes of them out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from assay.errors import ConfigurationError
from assay.vocabulary import Pixels
from detection import clip

BATCH = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backbone:
    """A network of timm's that nobody trains any further."""

    name: str
    sha256: str
    """Of its checkpoint: features of one are no use to a head that learnt from another."""
    side: int
    """Of the views that it takes, in pixels."""
    taps: tuple[int, ...]
    """The blocks that are read, counted from 0."""
    network: Any
    """A vision transformer; typed as loosely as timm is."""
    mean: torch.Tensor
    """Of the three colours, shape (3, 1, 1)."""
    deviation: torch.Tensor
    device: torch.device

    @property
    def width(self) -> int:
        """Values of one token."""
        return int(self.network.embed_dim)

    def features(self, views: Pixels) -> NDArray[np.float16]:
        """What the blocks make of views.

        Args:
            views: uint8 of shape (n, side, side, 3).

        Returns:
            Shape (n, taps, 2, width): after each block the class token, and the mean of the patches. Where a network
            has no class token, the mean takes its place.
        """
        with torch.inference_mode():
            parts = [self._features(views[at : at + BATCH]) for at in range(0, len(views), BATCH)]
        empty = np.zeros((0, len(self.taps), 2, self.width), np.float16)
        return np.concatenate([empty, *parts])

    def _features(self, views: Pixels) -> NDArray[np.float16]:
        pictures = torch.from_numpy(np.array(views)).to(self.device).permute(0, 3, 1, 2).float() / 255
        blocks = self.network.forward_intermediates(
            (pictures - self.mean) / self.deviation,
            indices=list(self.taps),
            return_prefix_tokens=True,
            output_fmt="NLC",
            intermediates_only=True,
            stop_early=True,
        )
        tokens = [torch.stack(_of_block(patches, prefix), 1) for patches, prefix in blocks]
        stacked: NDArray[np.float16] = torch.stack(tokens, 1).half().cpu().numpy()
        return stacked


def _of_block(patches: torch.Tensor, prefix: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    mean = patches.mean(1)
    return (mean if prefix is None or not prefix.shape[1] else prefix[:, 0]), mean


def opened(checkpoint: Path, device: str, *, name: str = clip.MODEL, taps: Sequence[int] | None = None) -> Backbone:
    """A network with the weights of a checkpoint.

    Args:
        checkpoint: safetensors of the whole timm model, strictly: nothing missing, nothing left over.
        device: Where it runs.
        name: timm's, of a vision transformer.
        taps: The blocks that are read; all of them by default.

    Raises:
        ConfigurationError: There is no such network, or the file is of another.
    """
    network, weights = _made(name, checkpoint), _weights(checkpoint)
    different = _difference({key: value.shape for key, value in network.state_dict().items()}, weights)
    if different:
        raise ConfigurationError(
            f"{checkpoint}: not the weights of {name}: {different}",
            hint="Use a checkpoint of the same timm model, as safetensors.",
        )
    network.load_state_dict({key: value.float() for key, value in weights.items()}, strict=True)
    depth = len(network.blocks)
    chosen = tuple(range(depth)) if taps is None else tuple(taps)
    if not chosen or not set(chosen) <= set(range(depth)):
        raise ConfigurationError(f"{name} has blocks 0 to {depth - 1}", hint="Name blocks that it has.")
    where = torch.device(device)
    with checkpoint.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Backbone(
        name=name,
        sha256=digest,
        side=int(network.default_cfg["input_size"][-1]),
        taps=chosen,
        network=network.eval().requires_grad_(False).to(where),
        mean=torch.tensor(network.default_cfg["mean"], device=where)[:, None, None],
        deviation=torch.tensor(network.default_cfg["std"], device=where)[:, None, None],
        device=where,
    )


def _made(name: str, checkpoint: Path) -> Any:
    """The network, with as many outputs as the checkpoint has, and no weights yet."""
    head = _weights(checkpoint).get("head.weight")
    try:
        network = timm.create_model(name, num_classes=0 if head is None else len(head))
    except (RuntimeError, ValueError) as error:
        raise ConfigurationError(f"{name}: no network of timm's", hint="Name one of timm.list_models().") from error
    if not all(hasattr(network, part) for part in ("forward_intermediates", "blocks", "embed_dim")):
        raise ConfigurationError(f"{name}: no vision transformer", hint="Name a ViT of timm's: CLIP, DINOv3, SigLIP2.")
    return network


def _difference(shapes: Mapping[str, torch.Size], weights: Mapping[str, torch.Tensor]) -> str:
    """What a network has and a checkpoint lacks, or the reverse, or in another shape; empty where they agree."""
    found = (
        ("lacks", sorted(set(shapes) - set(weights))),
        ("has besides", sorted(set(weights) - set(shapes))),
        (
            "has in another shape",
            sorted(key for key in set(shapes) & set(weights) if weights[key].shape != shapes[key]),
        ),
    )
    return "; ".join(f"it {how} {keys[0]} and {len(keys) - 1} more" for how, keys in found if keys)


def _weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    try:
        return dict(load_file(checkpoint))
    except (OSError, SafetensorError) as error:
        raise ConfigurationError(
            f"{checkpoint}: no checkpoint that can be read: {error}", hint="Name a safetensors file."
        ) from error
