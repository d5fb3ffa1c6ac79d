"""The modules of a U-Net as the code that Stable Diffusion was trained by calls them. Names only."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OUTSIDE = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
}  # fmt: skip
_IN_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_INSIDE = re.compile(r"(down|up|mid)_blocks?\.(?:(\d+)\.)?(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")


def original_names(names: Iterable[str], layers: int) -> dict[str, str]:
    """Original names of modules by those that diffusers gives them, such as `down_blocks.1.attentions.0.proj_in`.

    Args:
        names: Of all modules of a network.
        layers: Residual blocks of a block that goes down.
    """
    whole = list(names)
    attending = {
        found[2] for name in whole if (found := _INSIDE.fullmatch(name)) and found[1] == "up" and "att" in found[3]
    }
    return {name: _original(name, layers, attending) for name in whole}


def _original(name: str, layers: int, attending: set[str]) -> str:
    found = _INSIDE.fullmatch(name)
    if found is None:
        return _OUTSIDE.get(name, name)
    side, block, kind, item, rest = found.groups()
    inner = _IN_RESNET[rest] if kind == "resnets" else rest
    first, number = int(block or 0) * (layers + 1), int(item)
    match side, kind:
        case "mid", "resnets":
            return f"middle_block.{2 * number}.{inner}"
        case "mid", _:
            return f"middle_block.{2 * number + 1}.{inner}"
        case "down", "downsamplers":
            return f"input_blocks.{first + layers + 1}.0.op"
        case "down", _:
            return f"input_blocks.{first + number + 1}.{int(kind == 'attentions')}.{inner}"
        case _, "upsamplers":
            return f"output_blocks.{first + layers}.{2 if block in attending else 1}.{inner}"
        case _:
            return f"output_blocks.{first + number}.{int(kind == 'attentions')}.{inner}"
