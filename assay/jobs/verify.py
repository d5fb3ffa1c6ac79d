"""verify: files in, one explained report per image out.

Load within bounds -> run every check -> policy -> `Report`. Checks that read the file run in guarded workers; checks
that need pixels run here, on what a worker decoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, Self, assert_never

from assay import catalog, codec, device, policy
from assay.bounds import in_words
from assay.errors import UnreadableError
from assay.files import printable, raw
from assay.guard import Crew, Worker
from assay.jobs import bindings, guarded
from assay.jobs.protocol import STDIN_NAME, Answer, Request, run
from assay.settings import from_environment
from assay.vocabulary import (
    Attestation,
    Check,
    Detail,
    Exhibit,
    ExhibitFacts,
    Failed,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Pixels,
    Report,
    Settings,
    Skipped,
    ToolFacts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came without a path."""

    name: str
    data: bytes = field(repr=False)


Source = str | Path | bytes | Upload


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Received:
    """What came back from a worker; read by whoever wants the report, so that the worker can go on at once."""

    name: str
    data: dict[str, Any] | None = None
    pixels: Pixels | None = None
    failure: UnreadableError | None = None

    @property
    def sha256(self) -> str | None:
        """Of the bytes as received; None where they could not be read."""
        return _answer(self).facts.sha256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examined:
    """What there is to say of one file, and what it shows."""

    report: Report
    pixels: Pixels | None
    """Upright; None where they were not decoded."""


class Examiner:
    """All checks and a crew of guarded workers, kept ready from file to file; a context manager.

    Threads may share one: a check that looks at pixels sees one picture at a time, workers read several.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        workers: int | None = None,
        threads: int | None = None,
        decode: bool = False,
        previews: bool = False,
    ) -> None:
        """Opens the crew; models are loaded with the first picture.

        Args:
            settings: Trust profile, data folder and limits; from the environment by default.
            workers: Guarded processes at work at the same time; the number of processors by default.
            threads: Checks that look at one picture at the same time, from the second picture on; two by default, where
                there are two processors: more stand in each other's way.
            decode: Decode the pixels even where no check needs them: finds damage that the headers hide.
            previews: Add a small picture to each report.

        Raises:
            ConfigurationError: The settings cannot be used: a damaged trust list, say.
        """
        self.settings = settings or from_environment()
        self._checks = catalog.make(catalog.PIXEL_CHECKS, self.settings)
        self._previews = previews
        self._decode = decode or any(_idle(check) is None for check in self._checks)
        self._looking = Lock()
        threads = threads or min(2, processors())
        self._threads = ThreadPoolExecutor(threads, "assay-look", device.share_processors, (threads,))
        self._is_warm = False
        self._crew = Crew(workers or processors(), lambda: guarded.worker(self.settings))
        try:
            self.tools = codec.decode(ToolFacts, self._crew.greeting["tools"])
        except BaseException:
            self.close()
            raise

    def examine(self, sources: Iterable[Source]) -> Iterator[Examined]:
        """Yield one report, and the pixels it is about, for every source, in their order."""
        return map(self.judge, self._crew.map(self._ask, sources))

    def read(self, source: Source) -> Received:
        """The first half of examining one: what a worker says of the file, and its pixels."""
        (received,) = self._crew.map(self._ask, [source])
        return received

    def judge(self, received: Received) -> Examined:
        """The second half: look at the pixels, and weigh everything."""
        answer = _answer(received)
        look = partial(_look, answer, received.pixels)
        with self._looking:
            # The first picture makes the checks import what they need: two threads at that could wait for each other.
            found = (self._threads.map if self._is_warm else map)(look, self._checks)
            stated = bindings.looked_up(answer.outcomes, answer.facts.sha256, self.settings)
            outcomes = (*stated, *chain.from_iterable(found))
            if answer.withheld is not None and all(_idle(check) is not None for check in self._checks):
                outcomes += (Skipped(check=answer.withheld.check, reason=_withheld(answer)),)
            self._is_warm |= received.pixels is not None
        report = Report(
            exhibit=answer.facts,
            outcomes=outcomes,
            verdict=policy.decide(outcomes),
            tools=self.tools,
            preview=answer.preview,
        )
        return Examined(report=report, pixels=received.pixels)

    def close(self) -> None:
        """End the workers."""
        self._threads.shutdown()
        self._crew.close()

    def _ask(self, worker: Worker, source: Source) -> Received:
        return _ask(worker, source, decode=self._decode, preview=self._previews)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def examine(
    sources: Iterable[Source],
    *,
    settings: Settings | None = None,
    workers: int | None = None,
    decode: bool = False,
    previews: bool = False,
) -> Iterator[Report]:
    """Examine images and yield one report for each, in their order.

    Args:
        sources: Paths, or the bytes of an image.
        settings: See `Examiner`, like what follows.
        workers: As many as there are sources at most.
        decode: As there.
        previews: As there.

    Yields:
        A report for every source. An input that cannot be examined is a report with one `Failed`, never an exception.

    Raises:
        ConfigurationError: The settings cannot be used: a damaged trust list, say.
        TypeError: A single source instead of several.
    """
    if isinstance(sources, str | bytes | Path | Upload):
        raise TypeError("sources are several: put a single one into a list")
    count = workers or processors()
    if isinstance(sources, Sized):
        count = min(count, max(1, len(sources)))
    with Examiner(settings, workers=count, decode=decode, previews=previews) as examiner:
        for examined in examiner.examine(sources):
            yield examined.report


def processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ask(worker: Worker, source: Source, *, decode: bool, preview: bool) -> Received:
    if isinstance(source, bytes):
        source = Upload(name=STDIN_NAME, data=source)
    if isinstance(source, Upload):
        blob: bytes | None = source.data
        request = Request(name=source.name, size=len(source.data), decode=decode, preview=preview)
    else:
        blob, path = None, os.fspath(source)
        request = Request(name=path, path=path, decode=decode, preview=preview)
    try:
        data = worker.ask(codec.encode(request), name=request.name, blob=blob)
        pixels = worker.pixels(data["height"], data["width"]) if data.get("height") else None
    except UnreadableError as error:
        return Received(name=request.name, failure=error)
    except guarded.NONSENSE as error:
        return Received(name=request.name, failure=guarded.taken_over(request.name, error))
    return Received(name=request.name, data=data, pixels=pixels)


def _answer(received: Received) -> Answer:
    answer = _read_answer(received)
    return replace(answer, facts=replace(answer.facts, raw_name=raw(received.name)))


def _read_answer(received: Received) -> Answer:
    failure = received.failure
    if failure is None:
        try:
            return codec.decode(Answer, received.data)
        except guarded.NONSENSE as error:
            failure = guarded.taken_over(received.name, error)
    outcome = Failed(check="exhibit", error=str(failure), hint=failure.hint)
    return Answer(facts=ExhibitFacts(name=printable(received.name)), outcomes=(outcome,))


def _look(answer: Answer, pixels: Pixels | None, check: Check) -> tuple[Outcome, ...]:
    if (reason := _idle(check)) is not None:
        return (Skipped(check=check.id, reason=reason),)
    if pixels is None:
        return (Skipped(check=check.id, reason=_withheld(answer)),)
    found = run(check, Exhibit(facts=answer.facts, decoded=pixels))
    seen = answer.facts.picture and in_words(answer.facts.picture)
    return tuple(_with_size(outcome, seen) for outcome in found) if seen else found


def _withheld(answer: Answer) -> str:
    """Why there are no pixels."""
    if answer.withheld is None:
        return "There are no pixels to look at."
    return f"Not decoded: {answer.withheld.error.removeprefix(f'{answer.facts.name}: ')}. {answer.withheld.hint}"


def _with_size(outcome: Outcome, seen: str) -> Outcome:
    """What a check of pixels said, and that it saw them reduced; a format says so where nothing was found."""
    match outcome:
        case Measurement() | Observation():
            return replace(outcome, details=(*outcome.details, Detail(name="Seen", value=seen)))
        case Skipped():
            return replace(outcome, reason=f"{outcome.reason} It was seen {seen}.")
        case Attestation() | Nothing() | Failed():
            return outcome
        case _:
            assert_never(outcome)


def _idle(check: Check) -> str | None:
    """Why a check has nothing to look for, where it says so; no pixel is decoded for its sake then."""
    reason: str | None = getattr(check, "idle", None)
    return reason
