"""What runs inside a guarded worker: opens one input at a time, runs every check that reads the file, and answers.

Started by `assay.guard.Worker` as `python -m assay.jobs.worker FD`; it never imports torch. Protocol: one JSON object a
line. First the settings, answered by facts about the tools; then requests, each answered by an `Answer`.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from assay import __version__, catalog, codec, exhibit
from assay.bounds import in_words, reduction
from assay.errors import AssayError, LimitExceeded, UnreadableError
from assay.files import printable
from assay.jobs.protocol import Answer, Request, run
from assay.vocabulary import Check, Exhibit, ExhibitFacts, Failed, Limits, Settings, ToolFacts
from forensics import distrust, trust

LIBRARIES = ("c2pa-python", "pillow", "defusedxml", "numpy")


def main() -> None:
    """Serve until standard input ends."""
    replies = _protocol_stream()
    memory = mmap.mmap(int(sys.argv[1]), 0)
    settings = codec.decode(Settings, json.loads(sys.stdin.buffer.readline()))
    _limit_process(settings.limits)
    try:
        checks = catalog.make(catalog.FILE_CHECKS, settings)
        tools = _tools(settings)
    except AssayError as error:
        _reply(replies, {"error": str(error), "hint": error.hint})
        return
    _reply(replies, {"tools": codec.encode(tools)})
    for line in sys.stdin.buffer:
        _limit_time(settings.limits)
        answer = _serve(codec.decode(Request, json.loads(line)), checks, settings.limits, memory)
        _reply(replies, codec.encode(answer))


def _protocol_stream() -> IO[bytes]:
    """Keep the real standard output for replies: libraries that print must not break the protocol."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return stream


def _reply(stream: IO[bytes], message: dict[str, Any]) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def _limit_process(limits: Limits) -> None:
    """No core dumps, no files, bounded address space. A system that lacks a limit still has the wall clock."""
    for what, bound in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        _lower(what, bound)


def _limit_time(limits: Limits) -> None:
    """Processor time is counted over the life of a process, so each request moves the bound."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime + limits.seconds) + 1)


def _lower(what: int, bound: int) -> None:
    hard = resource.getrlimit(what)[1]
    try:
        resource.setrlimit(what, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))
    except (OSError, ValueError):
        return


def _tools(settings: Settings) -> ToolFacts:
    import c2pa  # noqa: PLC0415 - for its version; the checks have loaded it

    libraries = {name: metadata.version(name) for name in LIBRARIES}
    libraries["c2pa-rs"] = c2pa.sdk_version()
    facts = trust.load(settings).facts(distrust.load(settings))
    return ToolFacts(assay=__version__, libraries=libraries, trust=facts)


def _serve(request: Request, checks: tuple[Check, ...], limits: Limits, memory: mmap.mmap) -> Answer:
    source = memory[: request.size] if request.path is None else Path(request.path)
    received = Exhibit(facts=ExhibitFacts(name=printable(request.name)))
    try:
        received = exhibit.receive(source, request.name, limits)
        received = exhibit.inspect(received, limits)
    except UnreadableError as error:
        return Answer(facts=received.facts, outcomes=(_failed("exhibit", error),), peak_bytes=_peak_bytes())
    outcomes = [outcome for check in checks for outcome in run(check, received)]
    answer = Answer(facts=received.facts, outcomes=(), peak_bytes=0)
    if request.decode:
        answer, failures = _decode(answer, received, limits, memory)
        outcomes += failures
    if request.preview:
        answer = replace(answer, preview=exhibit.preview(received, limits))
    return replace(answer, outcomes=tuple(outcomes), peak_bytes=_peak_bytes())


def _decode(answer: Answer, received: Exhibit, limits: Limits, memory: mmap.mmap) -> tuple[Answer, tuple[Failed, ...]]:
    try:
        divisor = reduction(received.facts, limits)
        pixels, notes = exhibit.decode(received, limits, divisor=divisor)
    except LimitExceeded as error:  # the file may be sound: credentials and metadata need no pixels
        return replace(answer, withheld=_failed("decode", error)), ()
    except UnreadableError as error:
        return answer, (_failed("decode", error),)
    height, width, _ = pixels.shape
    memory[: pixels.nbytes] = pixels.data
    picture = replace(received.picture, reduced=divisor)
    reduced = (f"decoded {seen}",) if (seen := in_words(picture)) else ()
    picture = replace(picture, notes=(*picture.notes, *reduced, *notes))
    facts = replace(received.facts, picture=picture)
    return replace(answer, facts=facts, height=height, width=width), ()


def _failed(check: str, error: UnreadableError) -> Failed:
    return Failed(check=check, error=str(error), hint=error.hint)


def _peak_bytes() -> int:
    """The largest resident set. Linux counts a parent's memory into `ru_maxrss` of a child; `VmHWM` begins anew."""
    try:
        status = Path("/proc/self/status").read_bytes()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return int(status.partition(b"VmHWM:")[2].split(maxsplit=1)[0]) * 1024


if __name__ == "__main__":
    main()
