"""Processes that examine files side by side. One that dies is replaced, and what it was on is tried once more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any, Self

from assay import codec, policy
from assay.errors import ConfigurationError, UnreadableError
from assay.files import printable
from assay.jobs.scan.rows import Row, row_of
from assay.jobs.verify import Examined
from assay.vocabulary import ExhibitFacts, Failed, Report, Settings, ToolFacts

LANE = "assay.jobs.scan.lane"
_SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""As many lanes as processors: threads inside them would only get into each other's way."""
_TRIES = 2
_PATIENCE_SECONDS = 5.0
"""For a process that has nothing more to do."""


class Lane:
    """One process with all checks and a guarded worker of its own; one file at a time.

    Not `guard.Worker`: a lane parses nothing itself, and needs the keys and the ledger that a worker must not see.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._closed = False
        self._tools: ToolFacts | None = None
        self._process = _started()

    @property
    def tools(self) -> ToolFacts:
        """What examines.

        Raises:
            ConfigurationError: It could not start with these settings.
        """
        if self._tools is None:
            self._tools = self._greet()
        return self._tools

    def examine(self, path: str) -> Row:
        """The row of one file; one with an error where the process died of it, twice.

        Raises:
            ConfigurationError: It could not start again.
        """
        tools = self.tools
        for _ in range(_TRIES):
            try:
                return codec.decode(Row, self._exchange(path))
            except (EOFError, OSError):
                if self._closed:
                    raise
                self._replace()
        return _given_up(path, tools)

    def kill(self) -> None:
        """End it at once. Its guarded worker ends with it."""
        self._closed = True
        self._process.kill()

    def hang_up(self) -> None:
        """Let it end by itself: there is nothing more to do."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def close(self) -> None:
        """Wait until it has ended."""
        _reap(self._process)

    def _greet(self) -> ToolFacts:
        try:
            greeting = self._exchange(self._order)
        except (EOFError, OSError) as error:
            raise ConfigurationError("A process of the scan could not start", hint="Run: assay doctor") from error
        if "error" in greeting:
            raise ConfigurationError(greeting["error"], hint=greeting["hint"])
        return codec.decode(ToolFacts, greeting["tools"])

    def _replace(self) -> None:
        self._process.kill()
        _reap(self._process)
        self._process = _started()
        if self._closed:  # by another thread, in the meantime
            self._process.kill()
        self._greet()

    def _exchange(self, message: object) -> Any:
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            raise EOFError
        requests.write(json.dumps(message).encode() + b"\n")
        requests.flush()
        line = replies.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return json.loads(line)


class Lanes:
    """Several of them that share a stream of files; a context manager."""

    def __init__(self, count: int, settings: Settings, *, include_personal: bool) -> None:
        order = {"settings": codec.encode(settings), "include_personal": include_personal}
        self._lanes = [Lane(order) for _ in range(count)]
        self._idle: SimpleQueue[Lane] = SimpleQueue()
        for lane in self._lanes:
            self._idle.put(lane)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="assay-scan")
        self._pending: dict[Future[Row], int] = {}
        self.ahead = 2 * count
        """Files under way that keep every lane busy."""

    @property
    def tools(self) -> ToolFacts:
        """What examines.

        Raises:
            ConfigurationError: A lane could not start with these settings.
        """
        return self._lanes[0].tools

    def submit(self, number: int, path: str) -> None:
        """Have a file examined as soon as a lane is free."""
        self._pending[self._threads.submit(self._run, path)] = number

    def finished(self, *, leave: int) -> Iterator[tuple[int, Row]]:
        """Rows that are finished, with the numbers of their files; waits while more than `leave` are under way."""
        while self._pending:
            patience = None if len(self._pending) > leave else 0
            done, _ = wait(self._pending, timeout=patience, return_when=FIRST_COMPLETED)
            if not done:
                return
            for future in done:
                yield self._pending.pop(future), future.result()

    def _run(self, path: str) -> Row:
        lane = self._idle.get()
        try:
            return lane.examine(path)
        finally:
            self._idle.put(lane)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """After an error, or when nobody asks any more, at once: what is under way is not waited for."""
        for lane in self._lanes:
            lane.hang_up() if kind is None else lane.kill()
        self._threads.shutdown(cancel_futures=True)
        for lane in self._lanes:
            lane.close()


def _started() -> subprocess.Popen[bytes]:
    # -P keeps the current folder, which may hold anybody's files, out of the import path.
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", LANE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **_SINGLE_THREADED},
    )


def _reap(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _given_up(path: str, tools: ToolFacts) -> Row:
    error = UnreadableError(
        f"{path}: the process that examined it died, {_TRIES} times",
        hint="Treat the file as hostile, and please report it.",
    )
    outcomes = (Failed(check="exhibit", error=str(error), hint=error.hint),)
    facts = ExhibitFacts(name=printable(path))
    report = Report(exhibit=facts, outcomes=outcomes, verdict=policy.decide(outcomes), tools=tools)
    return row_of(Examined(report=report, pixels=None), sidecar_sha256=None, include_personal=True, seconds=0.0)
