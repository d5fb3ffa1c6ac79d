"""A dashboard of its own in a process, and the system's browser to look at it with."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from assay.vocabulary import Settings
from forensics import anchors, trust
from tests.authority import Authority

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""None where there is no browser."""
TIMEOUT = 180_000
"""Milliseconds for which a page is waited for: checks take their time on a busy machine."""


VIEWS = {
    "Verify": "Where does this image come from?",
    "Triage": "Triage",
    "Generate": "Make an image that carries its own proof",
    "Attack": "How well does the proof hold?",
    "Ledger": "Ledger",
    "Models and benchmarks": "Models and benchmarks",
    "Settings": "Settings",
}
"""Every page: what the menu calls it, and its title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A dashboard that answers."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def served(
    home: Path, *, skip: Sequence[str] = (), folder: Path | None = None, port: int | None = None, log: Path
) -> Iterator[Served]:
    """A dashboard until the block ends.

    Args:
        home: Its data folder.
        skip: Checks that it leaves out.
        folder: Where it is started; where this is, without.
        port: Where it listens; on a free one, without.
        log: What it prints goes here.
    """
    port = port or free_port()
    environment = {**os.environ, "ASSAY_HOME": str(home), "ASSAY_SKIP": ",".join(skip), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "assay", "dashboard", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, log)
            yield Served(url=url, process=process)
        finally:
            _end(process)


def free_port() -> int:
    """One that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + TIMEOUT / 1000
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the dashboard does not answer:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """The command, Streamlit below it, and their workers: a group of their own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def furnish(home: Path, authority: Authority) -> Path:
    """Keys to draw and mark with, and a test authority that the default profile trusts."""
    subprocess.run(
        [sys.executable, "-m", "assay", "keys", "init", "--home", str(home)], check=True, capture_output=True
    )
    anchors.add(
        Settings(home=home), authority.anchors, kind=trust.ListKind.SIGNERS, source="test authority",
        issued=datetime.now(UTC).date(), today=datetime.now(UTC).date(),
    )  # fmt: skip
    return home


@contextmanager
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


# --- what is done on every page ---------------------------------------------------------------------------------------


def patient(context: BrowserContext) -> BrowserContext:
    """A context that waits as long as checks take."""
    context.set_default_timeout(TIMEOUT)
    expect.set_options(timeout=TIMEOUT)
    return context


def settled(page: Page) -> None:
    """Wait until the script of the page has run to its end."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def go(page: Page, view: str) -> None:
    """To another page of the same session, as a click in the menu does."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=view, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(VIEWS[view])
    settled(page)


def uploader(page: Page) -> Locator:
    """Where files are dropped."""
    return page.locator("input[type=file]").first


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Drop files, under any names."""
    uploader(page).set_input_files([{"name": name, "mimeType": "image/*", "buffer": data} for name, data in files])


def verdict(page: Page) -> Locator:
    """Of the file that is looked at; while a page is drawn anew, the one before may still stand below it."""
    return page.get_by_role("region", name="Verdict", exact=True).first
