from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.authority import Authority
from tests.dashboard.browser.conftest import SKIP, Opened
from tests.dashboard.pieces import inbox
from tests.dashboard.serving import furnish, served, settled

pytestmark = pytest.mark.browser

UNNEEDED = (*SKIP, "detector", "watermark", "pixel-watermark")
"""Nothing here is about what they say, and each of fifty files would wait for them."""


def test_fifty_files_are_scanned_decided_on_and_remembered(
    chromium: Browser, opened: Opened, authority: Authority, tmp_path: Path
) -> None:
    home = furnish(tmp_path / "home", authority)
    folder, results = inbox(tmp_path / "inbox", authority), tmp_path / "results.parquet"
    with served(home, skip=UNNEEDED, log=tmp_path / "first.log") as dashboard:
        page = opened(f"{dashboard.url}/triage?results={results}")
        _scan(page, folder)
        _filter(page, "signed")
        expect(page.get_by_text("File 1 of 5")).to_be_visible()
        _decide(page, "Asked the picture desk")
        page.context.close()
    with served(home, skip=UNNEEDED, log=tmp_path / "second.log") as dashboard:
        page = opened(f"{dashboard.url}/triage?results={results}")
        expect(page.get_by_text("File 1 of 50")).to_be_visible()
        page.get_by_label("Words in path, verdict or note").fill("picture desk")
        page.keyboard.press("Enter")
        expect(page.get_by_text("File 1 of 1, escalated")).to_be_visible()
        expect(_note(page)).to_have_value("Asked the picture desk")


def _scan(page: Page, folder: Path) -> None:
    page.get_by_label("Folder, file or pattern").fill(str(folder))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Scan, or go on with a stopped scan").click()
    expect(page.get_by_text("File 1 of 50")).to_be_visible()
    settled(page)


def _filter(page: Page, label: str) -> None:
    page.get_by_label("Rests on").click()
    page.get_by_role("option", name=label).click()
    page.keyboard.press("Tab")


def _note(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Note", exact=True)


def _decide(page: Page, note: str) -> None:
    """A note, then where the file stands and on to the next, without the mouse."""
    _note(page).fill(note)
    _note(page).blur()
    settled(page)
    page.keyboard.press("2")
    expect(page.get_by_text("File 1: escalated")).to_be_visible()
    expect(page.get_by_text("File 2 of 5, open")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_text("File 1 of 5, escalated")).to_be_visible()
    expect(_note(page)).to_have_value(note)
    page.keyboard.press("j")
    expect(page.get_by_text("File 2 of 5, open")).to_be_visible()
