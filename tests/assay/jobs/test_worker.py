"""What holds for a guarded worker as a process: see also `test_verify`, which asks it everything else."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from assay import codec
from assay.guard import Worker
from assay.jobs import worker
from assay.jobs.protocol import Answer, Request
from assay.vocabulary import Failed, Limits, Settings, ToolFacts
from tests.seeds import encoded


@pytest.fixture
def process(settings: Settings) -> Worker:
    return Worker("assay.jobs.worker", codec.encode(settings), settings.limits)


def _ask(process: Worker, data: bytes, *, decode: bool = False) -> Answer:
    request = Request(name="x", size=len(data), decode=decode)
    return codec.decode(Answer, process.ask(codec.encode(request), name="x", blob=data))


def test_answers_with_facts_pixels_and_memory(process: Worker) -> None:
    answer = _ask(process, encoded("PNG"), decode=True)
    assert (answer.height, answer.width) == (107, 160)
    assert process.pixels(answer.height, answer.width).std() > 10
    assert 10**7 < answer.peak_bytes < 10**9
    assert _ask(process, encoded("PNG")).height == 0
    process.close()


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


def test_starts_without_torch_or_any_learned_part_and_without_numpy() -> None:
    """The import is watched for, not its success: it has to hold where torch is installed, too.

    Numpy is loaded once pixels are wanted: it takes a fifth of the start of a worker.
    """
    code = (
        "import sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in 'torch diffusers timm transformers sklearn scipy numpy'.split():\n"
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


def test_an_image_that_takes_too_much_memory_is_not_decoded(settings: Settings) -> None:
    tight = Settings(home=settings.home, limits=Limits(memory_bytes=700 * 2**20))
    process = Worker("assay.jobs.worker", codec.encode(tight), tight.limits)
    from io import BytesIO

    from PIL import Image

    stream = BytesIO()
    Image.new("CMYK", (7000, 7000)).save(stream, "TIFF", compression="tiff_lzw")
    answer = _ask(process, stream.getvalue(), decode=True)
    assert not any(isinstance(outcome, Failed) for outcome in answer.outcomes)
    assert answer.withheld is not None
    assert "decoding needs more than" in answer.withheld.error
    assert answer.withheld.hint == "Raise --max-memory."
    assert _ask(process, encoded("PNG"), decode=True).height == 107
    process.close()


def _in_the_open(requests: list[str], settings: Settings, memory: int) -> list[dict[str, object]]:
    """The whole worker as a process, without the limits on files that would keep its coverage from being written."""
    code = (
        "import resource, sys\n"
        "from assay.jobs import worker\n"
        "worker._lower = lambda what, bound: None\n"
        f"sys.argv = ['worker', '{memory}']\n"
        "worker.main()\n"
    )
    lines = "\n".join([json.dumps(codec.encode(settings)), *requests])
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=lines, capture_output=True, check=True, text=True, pass_fds=(memory,))
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_whole_protocol(settings: Settings, tmp_path: Path) -> None:
    picture, damaged = tmp_path / "x.png", tmp_path / "y.png"
    data = bytearray(encoded("PNG"))
    picture.write_bytes(data)
    data[data.index(b"IDAT") + 100 :] = bytes(len(data) - data.index(b"IDAT") - 100)
    damaged.write_bytes(data)
    requests = [
        Request(name="a", path=str(picture), decode=True, preview=True),
        Request(name="b", path=str(damaged), decode=True),
        Request(name="c", path=str(tmp_path / "none.png")),
        Request(name="d", size=4),
    ]
    with (tmp_path / "memory").open("w+b") as memory:
        memory.write(b"BM??")
        memory.truncate(10**6)
        greeting, *answers = _in_the_open(
            [json.dumps(codec.encode(each)) for each in requests], settings, memory.fileno()
        )
    tools = codec.decode(ToolFacts, greeting["tools"])
    assert tools.trust.certificates == 1
    seen, broken, missing, bare = (codec.decode(Answer, answer) for answer in answers)
    assert (seen.height, seen.width, bool(seen.preview)) == (107, 160, True)
    assert [outcome.check for outcome in broken.outcomes][-1] == "decode"
    assert missing.facts.sha256 is None
    assert bare.facts.byte_size == 4
    assert [type(answer.outcomes[0]) for answer in (missing, bare)] == [Failed, Failed]


def test_a_worker_that_cannot_work_says_why(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "trust" / "c2pa").mkdir(parents=True)
    (tmp_path / "trust" / "c2pa" / "lists.json").write_text("{")
    with (tmp_path / "memory").open("w+b") as memory:
        memory.truncate(10)
        (answer,) = _in_the_open([], Settings(home=tmp_path), memory.fileno())
    assert "is damaged" in str(answer["error"])
    assert answer["hint"]


def test_a_limit_that_the_system_refuses_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without some limit still has the wall clock."""

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    worker._lower(resource.RLIMIT_CORE, 0)
