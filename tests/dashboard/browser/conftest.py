"""One browser and one dashboard for all of these tests, and a page that notices whatever must never happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.authority import Authority
from tests.dashboard.serving import CHROMIUM, Served, browser, furnish, patient, served

SKIP = ("legacy-watermark",)
"""The detector stays: it leaves alone pictures as small as most of these are, and draws the map of the one that is
not."""

Opened = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install the system's package chromium")
    with browser() as started:
        yield started


@pytest.fixture(scope="session")
def dashboard(chromium: Browser, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Shared by tests that make nothing: a session of its own for each is what keeps them apart."""
    home = furnish(tmp_path_factory.mktemp("dashboard"), authority)
    with served(home, skip=SKIP, log=home / "dashboard.log") as running:
        yield running


@pytest.fixture(scope="session")
def studio(chromium: Browser, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Another, where pictures are drawn: once its ledger has a row, every upload is searched for marks."""
    home = furnish(tmp_path_factory.mktemp("studio"), authority)
    with served(home, skip=SKIP, log=home / "dashboard.log") as running:
        yield running


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opened]:
    """Opens addresses of a dashboard, each in a session of its own. Fails the test where a page runs what a file says,
    breaks, or asks anybody but its server."""
    with ExitStack() as closing:

        def open_(url: str, **options: object) -> Page:
            context = patient(chromium.new_context(viewport={"width": 1280, "height": 900}, **options))  # type: ignore[arg-type]
            closing.callback(context.close)
            page = context.new_page()
            closing.enter_context(_watched(page, url))
            page.goto(url)
            return page

        yield open_


@contextmanager
def _watched(page: Page, url: str) -> Iterator[None]:
    seen: list[str] = []
    origin = "/".join(url.split("/")[:3])
    page.on("pageerror", lambda error: seen.append(f"broke: {error}"))
    page.on("console", lambda said: seen.append(f"said: {said.text} {said.location['url']}") if _is_bad(said) else None)
    page.on("dialog", lambda dialog: (seen.append(f"asked: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: seen.append(request.url) if _is_elsewhere(request.url, origin) else None)
    page.on("websocket", lambda socket: seen.append(socket.url) if _is_elsewhere(socket.url, origin) else None)
    yield
    assert seen == []


def _is_bad(said: ConsoleMessage) -> bool:
    """Streamlit looks for its server below the address of each page, too, before it looks above: that is not found."""
    return said.type == "error" and not ("404" in said.text and "/_stcore/" in said.location["url"])


def _is_elsewhere(address: str, origin: str) -> bool:
    return not address.replace("ws://", "http://").startswith((f"{origin}/", "data:", "blob:"))


@pytest.fixture
def page(opened: Opened, dashboard: Served) -> Page:
    """The first page of the dashboard, in a session of its own."""
    return opened(dashboard.url)
