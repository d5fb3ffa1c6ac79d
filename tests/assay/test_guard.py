"""The guard, against workers that misbehave in every way: each is a small module of its own, run as a real process."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay import guard
from assay.errors import ConfigurationError, LimitExceeded, UnreadableError
from assay.guard import Crew, Worker
from assay.vocabulary import Limits

LIMITS = Limits(max_bytes=1000, max_pixels=100, seconds=1.0)

BODY = """
import json, mmap, os, resource, signal, sys, time
memory = mmap.mmap(int(sys.argv[1]), 0)
hello = json.loads(sys.stdin.buffer.readline())
def reply(message):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\\n")
    sys.stdout.buffer.flush()
reply({"pid": os.getpid(), "hello": hello, "torch": "torch" in sys.modules})
for line in sys.stdin.buffer:
    request = json.loads(line)
    what = request.get("do")
    if what == "hang":
        time.sleep(60)
    if what == "spin":
        resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))
        while True:
            pass
    if what == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "garble":
        sys.stdout.buffer.write(b"no json\\n")
        sys.stdout.buffer.flush()
        continue
    if what == "long":
        reply({"text": "x" * 3_000_000})
        continue
    if what == "slow":
        time.sleep(0.05 * (request["n"] % 3))
    if what == "draw":
        memory[:12] = bytes(range(12))
    reply({"pid": os.getpid(), "got": request, "blob": memory[:3].hex()})
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    count = iter(range(10))

    def write(body: str) -> str:
        name = f"misbehaving_{next(count)}"
        (tmp_path / f"{name}.py").write_text(body)
        return name

    return write


@pytest.fixture
def worker(module: Callable[[str], str]) -> Iterator[Worker]:
    worker = Worker(module(BODY), {"say": "hello"}, LIMITS)
    yield worker
    worker.close()


def test_greeting_and_answer(worker: Worker) -> None:
    assert worker.greeting["hello"] == {"say": "hello"}
    answer = worker.ask({"n": 1}, name="a")
    assert answer["got"] == {"n": 1}
    assert answer["pid"] == worker.greeting["pid"]


def test_bulk_data_goes_through_shared_memory_both_ways(worker: Worker) -> None:
    assert worker.ask({}, name="a", blob=b"\x01\x02\x03")["blob"] == "010203"
    worker.ask({"do": "draw"}, name="a")
    pixels = worker.pixels(2, 2)
    assert pixels.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    worker.ask({}, name="a", blob=b"\xff")
    assert pixels[0, 0, 0] == 0


def test_more_pixels_than_there_can_be_are_refused(worker: Worker) -> None:
    worker.ask({}, name="a")
    with pytest.raises(ValueError, match=r".+"):
        worker.pixels(1000, 1000)


def test_long_answers_arrive_whole(worker: Worker) -> None:
    assert len(worker.ask({"do": "long"}, name="a")["text"]) == 3_000_000


def test_endless_answers_are_cut_off(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_REPLY", 2_000_000)
    with pytest.raises(UnreadableError):
        worker.ask({"do": "long"}, name="a")
    assert worker.ask({}, name="b")["got"] == {}


def test_a_worker_that_died_while_idle_blames_nobody(worker: Worker) -> None:
    before = worker.greeting["pid"]
    os.kill(before, signal.SIGKILL)
    time.sleep(0.3)
    assert worker.ask({}, name="innocent.jpg")["pid"] != before


def test_hanging_worker_is_replaced(worker: Worker) -> None:
    before = worker.greeting["pid"]
    started = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"slow\.jpg: not done after 1 s"):
        worker.ask({"do": "hang"}, name="slow.jpg")
    assert time.monotonic() - started < 3
    assert worker.ask({}, name="b")["pid"] != before


def test_spinning_worker_is_named(worker: Worker) -> None:
    patient = Limits(max_bytes=1000, max_pixels=100, seconds=8.0)
    spinning = Worker(worker._module, {}, patient)
    with pytest.raises(LimitExceeded, match=r"x\.jpg: used more than 8 s of processor time"):
        spinning.ask({"do": "spin"}, name="x.jpg")
    spinning.close()


@pytest.mark.parametrize("how", ["die", "garble"])
def test_dead_worker_costs_one_request(worker: Worker, how: str) -> None:
    with pytest.raises(UnreadableError, match=r"bad\.jpg: the reader crashed on it"):
        worker.ask({"do": how}, name="bad.jpg")
    assert worker.ask({}, name="good.jpg")["got"] == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise SystemExit(1)", "could not start"),
        ("print('no json')", "could not start"),
        ('print(\'{"error": "no list", "hint": "add one"}\')', "no list"),
    ],
)
def test_worker_that_cannot_start_is_a_configuration_error(
    module: Callable[[str], str], body: str, message: str
) -> None:
    worker = Worker(module(body), {}, LIMITS)
    with pytest.raises(ConfigurationError, match=message):
        _ = worker.greeting
    with pytest.raises(ConfigurationError, match=message):
        worker.ask({}, name="a")
    worker.close()


def test_tokens_in_the_environment_stay_behind(module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    secret = ("GITHUB_TOKEN", "ASSAY_SIGNING_KEY", "ASSAY_WATERMARK_ROOT", "ASSAY_WATERMARK_ROOT_FILE", "ASSAY_LEDGER")
    for variable in secret:
        monkeypatch.setenv(variable, "hunter2")
    name = module("import os, sys; sys.stdin.readline(); import json; print(json.dumps(dict(os.environ)), flush=True)")
    worker = Worker(name, {}, LIMITS)
    assert not worker.greeting.keys() & set(secret)
    assert worker.greeting["PATH"]
    assert worker.greeting["ASSAY_HOME"]
    worker.close()


def test_more_bytes_than_allowed_are_refused(worker: Worker) -> None:
    with pytest.raises(LimitExceeded, match="x: more than 1,000 bytes"):
        worker.ask({}, name="x", blob=bytes(1001))


def test_current_folder_is_not_on_the_import_path(
    module: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "pictures"
    trap.mkdir()
    (trap / "json.py").write_text("raise SystemExit('a file beside the pictures was imported')")
    monkeypatch.chdir(trap)
    worker = Worker(module(BODY), {}, LIMITS)
    assert worker.greeting["torch"] is False
    worker.close()


def test_crew_keeps_the_order_and_shares_the_work(module: Callable[[str], str]) -> None:
    name = module(BODY)

    def task(worker: Worker, number: int) -> dict[str, Any]:
        return worker.ask({"do": "slow", "n": number}, name=str(number))

    with Crew(2, lambda: Worker(name, {}, LIMITS)) as crew:
        assert crew.greeting["hello"] == {}
        answers = list(crew.map(task, range(12)))
    assert [answer["got"]["n"] for answer in answers] == list(range(12))
    assert len({answer["pid"] for answer in answers}) == 2


def test_crew_does_not_run_ahead_of_its_reader(module: Callable[[str], str]) -> None:
    name, taken = module(BODY), []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with Crew(1, lambda: Worker(name, {}, LIMITS)) as crew:
        next(crew.map(lambda worker, number: worker.ask({"n": number}, name="x"), items()))
    assert len(taken) <= 4


def test_shared_memory_without_memfd(module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create", raising=False)
    worker = Worker(module(BODY), {}, LIMITS)
    assert worker.ask({}, name="a", blob=b"\x01\x02\x03")["blob"] == "010203"
    worker.close()
    worker.close()
    assert sys.executable
