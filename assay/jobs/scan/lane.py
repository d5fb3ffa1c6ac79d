"""What runs inside a lane: one file at a time, examined with checks of its own; a row for each.

Started by `assay.jobs.scan.lanes` as `python -m assay.jobs.scan.lane`. One JSON value a line: first the order, answered
by facts about the tools; then paths, each answered by a row.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from assay import codec
from assay.errors import AssayError
from assay.jobs.scan.rows import Row, row_of, sidecar_sha256
from assay.jobs.verify import Examiner
from assay.vocabulary import Settings


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts all of a scan; whoever began it ends it
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not break the protocol
    line = sys.stdin.buffer.readline()
    if not line:
        return  # there was nothing to do
    order = json.loads(line)

    def reply(message: Any) -> None:
        replies.write(json.dumps(message).encode() + b"\n")
        replies.flush()

    try:
        examiner = Examiner(codec.decode(Settings, order["settings"]), workers=1, threads=1, decode=True)
    except AssayError as error:
        reply({"error": str(error), "hint": error.hint})
        return
    with examiner, suppress(BrokenPipeError):  # whoever asked is gone
        reply({"tools": codec.encode(examiner.tools)})
        for line in sys.stdin.buffer:
            row = _examined(examiner, json.loads(line), include_personal=order["include_personal"])
            reply(codec.encode(row))


def _examined(examiner: Examiner, path: str, *, include_personal: bool) -> Row:
    started = time.perf_counter()
    (examined,) = examiner.examine([path])
    was_read = examined.report.exhibit.sha256 is not None
    sidecar = sidecar_sha256(path, examiner.settings.limits) if was_read else None
    row = row_of(examined, sidecar_sha256=sidecar, include_personal=include_personal, seconds=0.0)
    return replace(row, seconds=time.perf_counter() - started)


if __name__ == "__main__":
    main()
