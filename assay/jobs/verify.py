"""verify: files in, one explained report per image out.

Load within bounds -> run every check -> policy -> `Report`. Checks that read the file run in guarded workers; checks
that need pixels run here, on what a worker decoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from assay import catalog, codec, policy
from assay.errors import UnreadableError
from assay.exhibit import STDIN_NAME, printable
from assay.guard import Crew, Worker
from assay.jobs.worker import Answer, Request, run
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

WORKER = "assay.jobs.worker"


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
    """
    settings = settings or from_environment()
    pixel_checks = catalog.make(catalog.PIXEL_CHECKS, settings)
    hello = codec.encode(settings)

    def make() -> Worker:
        return Worker(WORKER, hello, settings.limits)

    def ask(worker: Worker, source: Source) -> tuple[Answer, Pixels | None]:
        return _ask(worker, source, decode=decode or bool(pixel_checks), preview=previews)

    with Crew(workers or os.cpu_count() or 1, make) as crew:
        tools = codec.decode(ToolFacts, crew.greeting["tools"])
        for answer, pixels in crew.map(ask, sources):
            yield _report(answer, pixels, pixel_checks, tools)


def _ask(worker: Worker, source: Source, *, decode: bool, preview: bool) -> tuple[Answer, Pixels | None]:
    if isinstance(source, bytes):
        blob: bytes | None = source
        request = Request(name=STDIN_NAME, size=len(source), decode=decode, preview=preview)
    else:
        blob, path = None, os.fspath(source)
        request = Request(name=path, path=path, decode=decode, preview=preview)
    name = request.name
    try:
        answer = codec.decode(Answer, worker.ask(codec.encode(request), name=name, blob=blob))
        pixels = worker.pixels(answer.height, answer.width) if answer.height else None
    except UnreadableError as error:
        return _unanswered(name, str(error), error.hint), None
    except (TypeError, ValueError, KeyError) as error:  # a worker that a hostile file has taken over says anything
        reason = f"{name}: the worker's answer makes no sense ({type(error).__name__})"
        return _unanswered(name, reason, "Treat the file as hostile, and please report it."), None
    return answer, pixels


def _unanswered(name: str, error: str, hint: str) -> Answer:
    facts = ExhibitFacts(name=printable(name))
    return Answer(facts=facts, outcomes=(Failed(check="exhibit", error=error, hint=hint),))


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
        if pixels is None:
            yield Skipped(check=check.id, reason="There are no pixels to look at.")
        else:
            yield from run(check, Exhibit(facts=answer.facts, decoded=pixels))
