import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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


def test_torch_is_not_loaded_to_be_shared() -> None:
    code = "import sys; from assay import device; device.share_processors(2); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_torch
def test_a_thread_takes_its_part_of_the_processors_and_leaves_other_threads_alone() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with ThreadPoolExecutor(1, "half", device.share_processors, (2,)) as half, ThreadPoolExecutor(1) as other:
            counts = [threads.submit(torch.get_num_threads).result() for threads in (half, other)]
        assert (*counts, torch.get_num_threads()) == (2, 4, 4)
    finally:
        torch.set_num_threads(before)
