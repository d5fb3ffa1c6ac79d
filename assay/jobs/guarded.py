"""Guarded workers and what they answer, for every job that has a stranger's file decoded."""

from __future__ import annotations

from assay import codec
from assay.errors import LimitExceeded, UnreadableError
from assay.guard import Worker
from assay.jobs.protocol import Answer, Request
from assay.vocabulary import Failed, Pixels, Settings

WORKER = "assay.jobs.worker"
NONSENSE = (TypeError, ValueError, KeyError, AttributeError)
"""What an answer that is not the protocol ends in: a hostile file may have taken the worker over."""


def worker(settings: Settings) -> Worker:
    """A guarded process that examines files."""
    return Worker(WORKER, codec.encode(settings), settings.limits)


def ask(guarded: Worker, request: Request, blob: bytes | None = None) -> Answer:
    """Have one input examined.

    Raises:
        UnreadableError: The worker stopped, or what it says makes no sense.
    """
    try:
        return codec.decode(Answer, guarded.ask(codec.encode(request), name=request.name, blob=blob))
    except NONSENSE as error:
        raise taken_over(request.name, error) from error


def decoded(guarded: Worker, request: Request, blob: bytes | None = None) -> tuple[Answer, Pixels]:
    """Have one input examined, and its upright pixels: uint8 of shape (height, width, 3).

    Args:
        guarded: From `worker`.
        request: Asks to decode.
        blob: The bytes, where the request names no path.

    Raises:
        UnreadableError: It cannot be read within the limits, or decoded.
    """
    answer = ask(guarded, request, blob)
    for outcome in answer.outcomes:
        if isinstance(outcome, Failed) and outcome.check in ("exhibit", "decode"):
            raise UnreadableError(outcome.error, hint=outcome.hint)
    if answer.withheld is not None:
        raise LimitExceeded(answer.withheld.error, hint=answer.withheld.hint)
    try:
        return answer, guarded.pixels(answer.height, answer.width)
    except NONSENSE as error:
        raise taken_over(request.name, error) from error


def taken_over(name: str, error: Exception) -> UnreadableError:
    """What is said of a file whose worker answers nonsense."""
    reason = f"{name}: the worker's answer makes no sense ({type(error).__name__})"
    return UnreadableError(reason, hint="Treat the file as hostile, and please report it.")
