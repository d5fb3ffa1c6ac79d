"""Guarded workers: persistent processes that parse untrusted files under limits on memory, time and output.

A worker is spawned, never forked, and runs `python -m MODULE`. Requests and replies are one line of JSON each; bulk
data (an image from standard input, decoded pixels) goes through memory that both sides map. A worker that dies, hangs
or runs out of memory costs one request; the next one gets a new worker.
"""

from __future__ import annotations

import json
import mmap
import os
import queue
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from assay.errors import AssayError, ConfigurationError, LimitExceeded, UnreadableError
from assay.vocabulary import Limits, Pixels

T = TypeVar("T")
R = TypeVar("R")

_START_SECONDS = 60.0
MAX_REPLY = 16 * 2**20
"""Bytes of one reply: a small file can be made to unfold into a large report."""
_SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
"""Threads reserve address space, which is what the memory limit counts; parallelism comes from several workers."""


_INHERITED = re.compile(
    r"PATH|HOME|TMPDIR|TZ|LANG|LD_LIBRARY_PATH|LD_PRELOAD|(LC|PYTHON|COVERAGE)_?.*"
    r"|ASSAY_(?!SIGNING|WATERMARK|LEDGER).*"
)
"""What a worker needs of the environment. The rest may hold tokens or keys, and a worker reads what strangers wrote."""


class Worker:
    """One guarded process; one request at a time.

    Args:
        module: What to run. It must follow the protocol of `assay.jobs.worker`.
        hello: The first message. The reply to it is `greeting`.
        limits: `seconds` bounds one request; the sizes bound the shared memory.
    """

    def __init__(self, module: str, hello: dict[str, Any], limits: Limits) -> None:
        self._module, self._hello, self._limits = module, hello, limits
        self._shared = _shared_file()
        self._shared.truncate(max(limits.max_pixels * 3, limits.max_bytes))
        self._memory = mmap.mmap(self._shared.fileno(), 0)
        self._process: subprocess.Popen[bytes] | None = self._spawn()
        self._greeting: dict[str, Any] | None = None

    @property
    def greeting(self) -> dict[str, Any]:
        """What the worker said when it started.

        Raises:
            ConfigurationError: It could not start with these settings.
        """
        if self._greeting is None:
            self._ready()
        assert self._greeting is not None  # noqa: S101 - _ready sets it or raises
        return self._greeting

    def ask(self, request: dict[str, Any], *, name: str, blob: bytes | None = None) -> dict[str, Any]:
        """Send one request and wait for the reply.

        Args:
            request: Any JSON object.
            name: What errors call the input.
            blob: Bytes to put into the shared memory first.

        Raises:
            LimitExceeded: No reply within the limits; the worker is replaced.
            UnreadableError: The worker died of this input; it is replaced.
            ConfigurationError: A new worker could not start.
        """
        if blob is not None and len(blob) > self._limits.max_bytes:
            raise LimitExceeded(
                f"{name}: more than {self._limits.max_bytes:,} bytes", hint="Raise --max-bytes if you trust the source."
            )
        process = self._ready()
        if blob is not None:
            self._memory[: len(blob)] = blob
        try:
            return self._exchange(process, request, self._limits.seconds)
        except TimeoutError as error:
            self._stop()
            raise LimitExceeded(
                f"{name}: not done after {self._limits.seconds:g} s", hint="Raise --seconds if you trust the source."
            ) from error
        except (EOFError, BrokenPipeError, ValueError) as error:
            raise self._epitaph(name) from error

    def pixels(self, height: int, width: int) -> Pixels:
        """A copy of the pixels that the last reply announced: uint8 of shape (height, width, 3).

        Raises:
            ValueError: There cannot be that many.
        """
        import numpy as np  # noqa: PLC0415 - only where pixels are wanted

        flat = np.frombuffer(self._memory, dtype=np.uint8, count=height * width * 3)
        return flat.reshape(height, width, 3).copy()

    def close(self) -> None:
        """End the process and give the memory back."""
        self._stop()
        self._memory.close()
        self._shared.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        shared = self._shared.fileno()
        # -P keeps the current folder, which may hold anybody's files, out of the import path.
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", self._module, str(shared)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(shared,),
            env={**_inherited(), **_SINGLE_THREADED},
        )

    def _ready(self) -> subprocess.Popen[bytes]:
        """A process that has answered the hello."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()  # it ended while idle: nothing at hand is to blame
        if self._process is not None and self._greeting is not None:
            return self._process
        if self._process is None:
            self._process = self._spawn()
        try:
            greeting = self._exchange(self._process, self._hello, _START_SECONDS)
        except (TimeoutError, EOFError, BrokenPipeError, ValueError) as error:
            self._stop()
            hint = "Raise --max-memory if you lowered it; otherwise run: assay doctor"
            raise ConfigurationError("A worker process could not start", hint=hint) from error
        if "error" in greeting:
            self._stop()
            raise ConfigurationError(greeting["error"], hint=greeting["hint"])
        self._greeting = greeting
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], message: dict[str, Any], seconds: float) -> dict[str, Any]:
        if process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        reply: dict[str, Any] = json.loads(_read_line(process.stdout.fileno(), time.monotonic() + seconds))
        return reply

    def _epitaph(self, name: str) -> AssayError:
        """Say what a dead worker died of."""
        code = self._stop()
        if code == -signal.SIGXCPU:
            return LimitExceeded(
                f"{name}: used more than {self._limits.seconds:g} s of processor time",
                hint="Raise --seconds if you trust the source.",
            )
        return UnreadableError(
            f"{name}: the reader crashed on it (exit {code})",
            hint="Treat the file as hostile, and please report it.",
        )

    def _stop(self) -> int:
        process, self._process, self._greeting = self._process, None, None
        if process is None:
            return 0
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close_quietly(stream)
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class Crew:
    """Several workers that share a stream of requests; a context manager."""

    def __init__(self, workers: int, make: Callable[[], Worker]) -> None:
        self._workers = [make() for _ in range(workers)]
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="assay-guard")

    @property
    def greeting(self) -> dict[str, Any]:
        """What the first worker said when it started."""
        return self._workers[0].greeting

    def map(self, task: Callable[[Worker, T], R], items: Iterable[T]) -> Iterator[R]:
        """Run `task(worker, item)` for each item; results come in the order of the items, a few in flight at a time."""
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(self._threads.submit(self._run, task, item))
            if len(pending) > 2 * len(self._workers):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _run(self, task: Callable[[Worker, T], R], item: T) -> R:
        worker = self._idle.get()
        try:
            return task(worker, item)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Finish what is under way, and end the workers."""
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}


def _shared_file() -> IO[bytes]:
    """Memory that a child can map: never on a disk where the system offers that, and gone with its last user."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("assay"), "w+b")
    return tempfile.TemporaryFile()


def _read_line(stream: int, deadline: float) -> bytes:
    """Read up to a line's end.

    Raises:
        TimeoutError: The deadline (of `time.monotonic`) passed.
        EOFError: The other side closed the stream, or says more than any report could hold.
    """
    parts: list[bytes] = []
    size = 0
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    while True:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
        part = os.read(stream, 1 << 20)
        if not part:
            raise EOFError
        parts.append(part)
        size += len(part)
        if size > MAX_REPLY:
            raise EOFError
        if part.endswith(b"\n"):
            return b"".join(parts)


def _close_quietly(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return
