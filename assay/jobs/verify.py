"""verify: files in, one explained report per image out.

Load within bounds -> run every check -> policy -> `Report`. Checks that read the file run in guarded workers; checks
that need pixels run here, on what a worker decoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import catalog, codec, policy
from assay.errors import UnreadableError
from assay.files import printable
from assay.guard import Crew, Worker
from assay.jobs import guarded
from assay.jobs.protocol import STDIN_NAME, Answer, Request, run
from assay.settings import from_environment
from assay.vocabulary import (
    Check,
    Exhibit,
    ExhibitFacts,
    Failed,
    Outcome,
    Pixels,
    Report,
    Settings,
    Skipped,
    ToolFacts,
)

Source = str | Path | bytes


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
        settings: Trust profile, data folder and limits; from the environment by default.
        workers: Guarded processes at work at the same time; the number of processors by default.
        decode: Decode the pixels even where no check needs them: finds damage that the headers hide.
        previews: Add a small picture to each report.

    Yields:
        A report for every source. An input that cannot be examined is a report with one `Failed`, never an exception.

    Raises:
        ConfigurationError: The settings cannot be used: a damaged trust list, say.
        TypeError: A single source instead of several.
    """
    if isinstance(sources, str | bytes | Path):
        raise TypeError("sources are several: put a single one into a list")
    settings = settings or from_environment()
    pixel_checks = catalog.make(catalog.PIXEL_CHECKS, settings)
    wanted = any(_idle(check) is None for check in pixel_checks)

    def make() -> Worker:
        return guarded.worker(settings)

    def ask(worker: Worker, source: Source) -> _Reply:
        return _ask(worker, source, decode=decode or wanted, preview=previews)

    count = workers or _processors()
    if isinstance(sources, Sized):
        count = min(count, max(1, len(sources)))
    with Crew(count, make) as crew:
        tools = codec.decode(ToolFacts, crew.greeting["tools"])
        for reply in crew.map(ask, sources):
            yield _report(_answer(reply), reply.pixels, pixel_checks, tools)


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """What came back for one source; decoded by the reader of the reports, so that the worker can go on at once."""

    name: str
    data: dict[str, Any] | None = None
    pixels: Pixels | None = None
    failure: UnreadableError | None = None


def _ask(worker: Worker, source: Source, *, decode: bool, preview: bool) -> _Reply:
    if isinstance(source, bytes):
        blob: bytes | None = source
        request = Request(name=STDIN_NAME, size=len(source), decode=decode, preview=preview)
    else:
        blob, path = None, os.fspath(source)
        request = Request(name=path, path=path, decode=decode, preview=preview)
    try:
        data = worker.ask(codec.encode(request), name=request.name, blob=blob)
        pixels = worker.pixels(data["height"], data["width"]) if data.get("height") else None
    except UnreadableError as error:
        return _Reply(name=request.name, failure=error)
    except guarded.NONSENSE as error:
        return _Reply(name=request.name, failure=guarded.taken_over(request.name, error))
    return _Reply(name=request.name, data=data, pixels=pixels)


def _answer(reply: _Reply) -> Answer:
    failure = reply.failure
    if failure is None:
        try:
            return codec.decode(Answer, reply.data)
        except guarded.NONSENSE as error:
            failure = guarded.taken_over(reply.name, error)
    outcome = Failed(check="exhibit", error=str(failure), hint=failure.hint)
    return Answer(facts=ExhibitFacts(name=printable(reply.name)), outcomes=(outcome,))


def _report(answer: Answer, pixels: Pixels | None, checks: tuple[Check, ...], tools: ToolFacts) -> Report:
    outcomes = answer.outcomes + tuple(_on_pixels(answer, pixels, checks))
    return Report(
        exhibit=answer.facts,
        outcomes=outcomes,
        verdict=policy.decide(outcomes),
        tools=tools,
        preview=answer.preview,
    )


def _on_pixels(answer: Answer, pixels: Pixels | None, checks: tuple[Check, ...]) -> Iterator[Outcome]:
    for check in checks:
        if (reason := _idle(check)) is not None:
            yield Skipped(check=check.id, reason=reason)
        elif pixels is None:
            yield Skipped(check=check.id, reason="There are no pixels to look at.")
        else:
            yield from run(check, Exhibit(facts=answer.facts, decoded=pixels))


def _idle(check: Check) -> str | None:
    """Why a check has nothing to look for, where it says so; no pixel is decoded for its sake then."""
    reason: str | None = getattr(check, "idle", None)
    return reason
