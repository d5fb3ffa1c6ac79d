"""How long the dashboard's visitors wait, and what it keeps: `python -m tests.benchmarks.dashboard`, of `make bench`.

A browser does what a visitor does, and times are taken in it, network and drawing included. All checks are on,
and the ledger has rows, so that marks are looked for. The file is a photograph that scikit-learn brings,
enlarged to 12 megapixels, with noise as a sensor's, saved as a JPEG; each upload differs from the others, so that
nothing is looked up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sklearn.datasets import load_sample_image

from assay.jobs.generate import Wish, generate
from assay.settings import from_environment
from tests.authority import Authority
from tests.dashboard.serving import Served, browser, furnish, patient, served, settled, upload, uploader, verdict

SIZE = (4000, 3000)
EDGE = 20
"""Uploads at the begin and at the end whose memory is compared."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="of everything but memory (default 7)")
    parser.add_argument(
        "--rows", type=int, default=8, help="of the ledger (default 8)",
    )  # fmt: skip
    parser.add_argument("--uploads", type=int, default=200, help="of small files, for memory (default 200)")
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the begin")
    with tempfile.TemporaryDirectory(prefix="assay-") as name:
        home = furnish(Path(name, "home"), Authority.create())
        drawn = [home / f"drawn{number}.png" for number in range(options.rows)]
        list(generate(Wish(prompt="a pink tulip"), drawn, settings=from_environment(home=home)))
        with browser() as started:
            _say("page after the start of the server", [_start(started, home) for _ in range(options.rounds)])
            with served(home, log=home / "log") as dashboard:
                _uploads(started, dashboard, options.rounds)
                _beside(started, dashboard, options.rounds)
                _memory(started, dashboard, options.uploads)


def _say(name: str, seconds: list[float]) -> None:
    print(f"{name:58} median {statistics.median(seconds):6.2f} s, most {max(seconds):6.2f} s, n = {len(seconds)}")


def _page(started: Browser, dashboard: Served) -> Page:
    page = patient(started.new_context(viewport={"width": 1280, "height": 900})).new_page()
    page.goto(dashboard.url)
    expect(uploader(page)).to_be_attached()
    settled(page)
    return page


def _start(started: Browser, home: Path) -> float:
    """From the command to a page that takes files."""
    begun = time.perf_counter()
    with served(home, log=home / "log") as dashboard:
        page = _page(started, dashboard)
        seconds = time.perf_counter() - begun
        page.context.close()
    return seconds


def _photographs() -> Iterator[bytes]:
    """JPEGs of 12 megapixels, no two the same."""
    enlarged = Image.fromarray(load_sample_image("china.jpg")).resize(SIZE, Image.Resampling.LANCZOS)
    noise = np.random.default_rng(0).normal(0, 4, (SIZE[1], SIZE[0], 1)).astype(np.float32)
    pixels = np.clip(np.asarray(enlarged, np.float32) + noise, 0, 255).astype(np.uint8)
    while True:
        pixels = np.roll(pixels, 8, axis=1)
        stream = BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=92)
        yield stream.getvalue()


def _uploads(started: Browser, dashboard: Served, rounds: int) -> None:
    """A first one warms the models."""
    pictures, verdicts = list[float](), list[float]()
    for number, data in zip(range(rounds + 1), _photographs(), strict=False):
        page = _page(started, dashboard)
        begun = time.perf_counter()
        upload(page, ("photograph.jpg", data))
        expect(page.get_by_role("img", name="The image")).to_be_visible()
        pictures.append(time.perf_counter() - begun)
        expect(verdict(page)).to_be_visible()
        verdicts.append(time.perf_counter() - begun)
        settled(page)
        page.context.close()
        if not number:
            print(f"{'file':58} {len(data):,} bytes, {SIZE[0]} x {SIZE[1]} pixels; cold verdict {verdicts[0]:.2f} s")
    _say("12 megapixels dropped, until the picture is shown", pictures[1:])
    _say("12 megapixels dropped, until the verdict is shown", verdicts[1:])


def _beside(started: Browser, dashboard: Served, rounds: int) -> None:
    """A second visitor goes to another page of the menu and back, alone, and while a first one's file is examined."""
    other = _page(started, dashboard)
    _say("another page, alone", [_turned(other) for _ in range(rounds)])
    seconds = list[float]()
    for _, data in zip(range(rounds), _photographs(), strict=False):
        page = _page(started, dashboard)
        upload(page, ("photograph.jpg", data))
        expect(page.get_by_text("Examining 1 of 1")).to_be_visible()
        seconds.append(_turned(other))
        expect(verdict(page)).to_be_visible()
        page.context.close()
    other.context.close()
    _say("another page, while 12 megapixels of somebody are examined", seconds)


def _turned(page: Page) -> float:
    begun = time.perf_counter()
    page.get_by_role("link", name="Triage", exact=True).click()
    expect(page.get_by_text("Each file becomes a line")).to_be_visible()
    seconds = time.perf_counter() - begun
    page.get_by_role("link", name="Verify", exact=True).click()
    expect(page.get_by_text("Drop one image, or forty.")).to_be_visible()
    settled(page)
    return seconds


def _memory(started: Browser, dashboard: Served, uploads: int) -> None:
    """Files of 640 x 427 pixels, each in the place of the one before, in one session."""
    page, sizes = _page(started, dashboard), list[float]()
    photograph = load_sample_image("china.jpg")
    for number in range(uploads):
        stream = BytesIO()
        Image.fromarray(np.roll(photograph, 8 * number, axis=1)).save(stream, "JPEG", quality=92)
        if number:
            page.get_by_role("button", name="Remove").first.click()
            expect(page.get_by_text("Drop one image, or forty.")).to_be_visible()
        upload(page, (f"{number}.jpg", stream.getvalue()))
        expect(verdict(page)).to_contain_text(f"{number}.jpg")
        settled(page)
        sizes.append(_resident(dashboard))
    page.context.close()
    edge = min(EDGE, uploads // 2)
    first, last = statistics.mean(sizes[:edge]), statistics.mean(sizes[-edge:])
    print(
        f"{'memory over ' + str(uploads) + ' uploads, server and workers':58} first {edge}: {first:,.0f} MB, "
        f"last {edge}: {last:,.0f} MB, most {max(sizes):,.0f} MB"
    )


def _resident(dashboard: Served) -> float:
    """Of all processes of the server, in MB; pages that they share are counted once for each."""
    parents = {int(path.name): int(_field(path / "status", "PPid")) for path in Path("/proc").glob("[0-9]*")}
    family = {dashboard.process.pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(int(_field(Path(f"/proc/{process}/status"), "VmRSS")) for process in family) / 1000


def _field(path: Path, name: str) -> str:
    """Of a process; 0 where it has ended, or has no such thing."""
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return "0"
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "0")


if __name__ == "__main__":
    main()
