"""Draws every page of the dashboard for the documentation: `make screenshots`.

Each is taken in the light, in the dark and on a phone, with pictures that anybody may show: drawn by the model that
comes with Assay, photographs that scikit-learn brings, and files that a test authority signed.
"""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import CDPSession, Page, expect

from assay.jobs.generate import Wish, generate
from assay.settings import from_environment
from tests.authority import Authority
from tests.conftest import REPO_ROOT
from tests.dashboard.pieces import edited, inbox, model_made
from tests.dashboard.serving import browser, furnish, go, patient, served, settled, upload, verdict

TARGET = REPO_ROOT / "docs" / "dashboard"
_REDRAWN = 0.7
"""Seconds after which charts and tables have taken the width that the page has taken."""
EARLIER = ("a pink tulip", "a white daisy")
"""Drawn before, for the ledger."""


class Screen(NamedTuple):
    """What a page is looked at on."""

    name: str
    width: int
    height: int
    most: int
    """Of the height of a picture, in CSS pixels; what lies below is not shown."""
    density: float
    light: str


SCREENS = (
    Screen("light", 1280, 900, 1500, 1, "light"),
    Screen("dark", 1280, 900, 1500, 1, "dark"),
    Screen("phone", 390, 844, 1688, 1.5, "light"),
)


def main() -> None:
    """Start a dashboard, go through its pages, and write the pictures."""
    TARGET.mkdir(exist_ok=True)
    authority = Authority.create()
    with tempfile.TemporaryDirectory(prefix="assay-") as name:
        folder = Path(name)
        home = furnish(folder / "home", authority)
        with served(home, folder=folder, log=folder / "log") as dashboard, browser() as started:
            page = patient(started.new_context(viewport={"width": 1280, "height": 900})).new_page()
            page.goto(dashboard.url)
            for view in _views(page, authority, home):
                for screen in SCREENS:
                    _take(page, view, screen)


def _views(page: Page, authority: Authority, home: Path) -> Iterator[str]:
    """Every page with something in it: its name, as soon as it stands."""
    settled(page)
    upload(page, ("front page.jpg", edited(authority)))
    expect(page.get_by_role("heading", name="Take the report away")).to_be_visible()
    yield "verify"
    page.reload()
    settled(page)
    upload(page, ("smoothed photograph.png", model_made()))
    expect(verdict(page)).to_be_visible()
    page.get_by_role("button", name="Overlay").click()
    yield "verify-map"
    _scanned(page, authority, home.parent)
    yield "triage"
    _drawn_before(home)
    _drawn(page)
    yield "generate"
    _attacked(page)
    yield "attack"
    go(page, "Ledger")
    expect(page.get_by_text("images, newest first")).to_be_visible()
    yield "ledger"
    go(page, "Models and benchmarks")
    page.get_by_text("Pocket, the diffusion model that ships").click()
    yield "benchmarks"
    go(page, "Settings")
    yield "settings"


def _drawn_before(home: Path) -> None:
    settings = from_environment(home=home)
    for number, prompt in enumerate(EARLIER):
        wish = Wish(prompt=prompt)
        list(generate(wish, [home.parent / f"{number}.png"], settings=settings))


def _scanned(page: Page, authority: Authority, folder: Path) -> None:
    inbox(folder / "inbox", authority, count=20)
    go(page, "Triage")
    page.get_by_role("textbox", name="Results").fill("results.parquet")
    page.keyboard.press("Enter")
    page.get_by_label("Folder, file or pattern").fill("inbox")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Scan, or go on with a stopped scan").click()
    expect(page.get_by_text("File 1 of 20")).to_be_visible()


def _drawn(page: Page) -> None:
    go(page, "Generate")
    page.get_by_role("button", name="Draw").click()
    expect(page.get_by_role("heading", name="Take the report away")).to_be_visible()


def _attacked(page: Page) -> None:
    page.get_by_role("link", name="Attack it").click()
    expect(page.get_by_role("heading", name="How the evidence falls")).to_be_visible()
    settled(page)
    page.get_by_role("slider", name="Noise in grey levels").press("PageUp")
    settled(page)
    page.get_by_role("button", name="Draw the fall").click()
    expect(page.get_by_text("Above the dashed line")).to_be_visible()


def _take(page: Page, view: str, screen: Screen) -> None:
    """From the top, as high as what it shows or as a picture may be."""
    settled(page)
    page.mouse.move(0, 0)
    page.emulate_media(color_scheme=screen.light, reduced_motion="reduce")  # type: ignore[arg-type]
    main, session = page.get_by_test_id("stMain"), page.context.new_cdp_session(page)
    _resize(session, screen, screen.height)
    if main.evaluate("it => it.scrollWidth > it.clientWidth"):
        raise RuntimeError(f"{view} has to be scrolled sideways on a {screen.name}")
    _resize(session, screen, max(screen.height, min(main.evaluate("it => it.scrollHeight"), screen.most)))
    main.evaluate("it => it.scrollTo(0, 0)")
    shot = base64.b64decode(session.send("Page.captureScreenshot", {"format": "png"})["data"])
    with Image.open(BytesIO(shot)) as image:
        image.convert("RGB").save(TARGET / f"{view}-{screen.name}.webp", "WEBP", quality=75, method=6)
    session.detach()


def _resize(session: CDPSession, screen: Screen, height: int) -> None:
    metrics = {"width": screen.width, "height": height, "deviceScaleFactor": screen.density, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    time.sleep(_REDRAWN)


if __name__ == "__main__":
    main()
