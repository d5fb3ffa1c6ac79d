"""What holds for a guarded worker as a process: see also `test_verify`, which asks it everything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay import codec
from assay.guard import Worker
from assay.jobs.protocol import Answer, Request
from assay.vocabulary import Limits, Settings
from tests.seeds import encoded


@pytest.fixture
def worker(settings: Settings) -> Worker:
    return Worker("assay.jobs.worker", codec.encode(settings), settings.limits)


def _ask(worker: Worker, data: bytes, *, decode: bool = False) -> Answer:
    request = Request(name="x", size=len(data), decode=decode)
    return codec.decode(Answer, worker.ask(codec.encode(request), name="x", blob=data))


def test_answers_with_facts_pixels_and_memory(worker: Worker) -> None:
    answer = _ask(worker, encoded("PNG"), decode=True)
    assert (answer.height, answer.width) == (107, 160)
    assert worker.pixels(answer.height, answer.width).std() > 10
    assert 10**7 < answer.peak_bytes < 10**9
    assert _ask(worker, encoded("PNG")).height == 0
    worker.close()


def test_what_libraries_print_does_not_reach_the_protocol() -> None:
    code = (
        "import os, sys\n"
        "from assay.jobs import worker\n"
        "stream = worker._protocol_stream()\n"
        "print('printed'); sys.stdout.flush(); os.write(1, b'written')\n"
        "worker._reply(stream, {'fine': True})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b'{"fine": true}\n'


def test_limits_hold_in_the_process(tmp_path: Path) -> None:
    code = (
        "import resource\n"
        "from assay.jobs import worker\n"
        "from assay.vocabulary import Limits\n"
        "worker._limit_process(Limits(memory_bytes=2**31))\n"
        "worker._limit_time(Limits(seconds=5))\n"
        "for what in (resource.RLIMIT_AS, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):\n"
        "    print(resource.getrlimit(what)[0])\n"
        "try:\n"
        "    bytearray(2**31)\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    memory, core, files, seconds, refused = done.stdout.split()
    assert (int(memory), int(core), int(files), refused) == (2**31, 0, 0, "refused")
    assert 5 <= int(seconds) <= 8


def test_never_imports_torch_nor_any_learned_part() -> None:
    """The import is watched for, not its success: it has to hold where torch is installed, too."""
    code = (
        "import sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'diffusers', 'timm', 'transformers', 'sklearn', 'scipy'):\n"
        "            print('imported', name)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from pathlib import Path\n"
        "from assay import catalog\n"
        "from assay.jobs import worker\n"
        "from assay.vocabulary import Settings\n"
        "catalog.make(catalog.FILE_CHECKS, Settings(home=Path('/nonexistent')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == ""


def test_an_image_that_takes_too_much_memory_is_one_failure(settings: Settings) -> None:
    tight = Settings(home=settings.home, limits=Limits(memory_bytes=700 * 2**20))
    worker = Worker("assay.jobs.worker", codec.encode(tight), tight.limits)
    from io import BytesIO

    from PIL import Image

    stream = BytesIO()
    Image.new("CMYK", (7000, 7000)).save(stream, "TIFF", compression="tiff_lzw")
    answer = _ask(worker, stream.getvalue(), decode=True)
    (failure,) = [outcome for outcome in answer.outcomes if outcome.check == "decode"]
    assert "decoding needs more than" in failure.error  # type: ignore[union-attr]
    assert _ask(worker, encoded("PNG"), decode=True).height == 107
    worker.close()
