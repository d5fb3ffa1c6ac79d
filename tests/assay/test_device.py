from importlib.util import find_spec

import pytest

from assay import device

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_without_torch_there_is_none() -> None:
    assert device.available() == ()


@needs_torch
def test_with_torch_there_is_a_processor() -> None:
    kinds = device.available()
    assert kinds[-1] == "cpu"
    assert list(kinds) == [kind for kind in device.KINDS if kind in kinds]
