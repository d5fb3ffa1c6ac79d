"""Scans that run behind the pages: a thread each, seen by every session, stopped and resumed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

import streamlit as st

from assay.errors import AssayError, ConfigurationError
from assay.jobs.scan import scan
from assay.vocabulary import Settings


@dataclass(slots=True, kw_only=True)
class Scan:
    """One scan under way, or what became of it."""

    total: int
    done: int = 0
    error: AssayError | None = None
    stopping: Event = field(default_factory=Event)
    thread: Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether it still examines files."""
        return self.thread is not None and self.thread.is_alive()


class Scans:
    """All of them, by the table that they write."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._scans: dict[Path, Scan] = {}

    def get(self, out: Path) -> Scan | None:
        """The one that writes this table, or last did."""
        return self._scans.get(out.absolute())

    def start(self, sources: Sequence[Path], out: Path, settings: Settings) -> Scan:
        """Begin, or go on where an earlier one was stopped; one that runs already goes on."""
        with self._lock:
            present = self.get(out)
            if present is not None and present.is_running:
                return present
            begun = Scan(total=len(sources))
            begun.thread = Thread(target=_run, args=(begun, sources, out, settings), daemon=True)
            self._scans[out.absolute()] = begun
            begun.thread.start()
            return begun


def _run(this: Scan, sources: Sequence[Path], out: Path, settings: Settings) -> None:
    try:
        with closing(scan(sources, out, settings=settings)) as steps:
            for progress in steps:
                this.done = progress.done
                if this.stopping.is_set():
                    return
    except AssayError as error:
        this.error = error
    except Exception as error:  # a page has to say what ended a thread, whatever it was
        this.error = ConfigurationError(f"the scan stopped: {error}", hint="Start it again: it goes on from there.")


@st.cache_resource(show_spinner=False)
def scans() -> Scans:
    """Of this process."""
    return Scans()
