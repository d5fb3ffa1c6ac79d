from __future__ import annotations

import numpy as np
import pytest

from detection.onnx import read
from tests.detection.tiny_clip import model, tensor


def test_what_the_reference_implementation_wrote_is_read() -> None:
    random = np.random.default_rng(0)
    written = {
        "floats": random.normal(size=(2, 3)).astype(np.float32),
        "bytes": random.integers(-128, 128, (4, 1, 2)).astype(np.int8),
        "unsigned": random.integers(0, 256, 7).astype(np.uint8),
        "nothing": np.zeros((0, 3), np.float32),
    }
    for raw in (True, False):
        data = model([("Add", ["a", "b"], ["c"])], [tensor(name, values, raw=raw) for name, values in written.items()])
        graph = read(data)
        assert set(graph.tensors) == set(written)
        for name, values in written.items():
            assert graph.tensors[name].dtype == values.dtype
            assert np.array_equal(graph.tensors[name], values)
        (node,) = graph.nodes
        assert (node.operator, node.inputs, node.outputs) == ("Add", ("a", "b"), ("c",))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_half_a_file_is_no_graph(kept: float) -> None:
    data = model([], [tensor("a", np.arange(200, dtype=np.float32))])
    with pytest.raises(ValueError, match=r"breaks off|no graph"):
        read(data[: int(len(data) * kept)])


@pytest.mark.parametrize("data", [b"", b"no ONNX at all", b"\xff" * 64, b"\x38\x01", b"\x3a\x00\x3a\x00"])
def test_another_file_is_no_graph(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"breaks off|no graph|number where"):
        read(data)


def test_a_type_that_is_not_known_is_named() -> None:
    stored = tensor("a", np.zeros(2, np.float32))
    stored.data_type = 16
    with pytest.raises(ValueError, match="type 16"):
        read(model([], [stored]))
