from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.conftest import Opened
from tests.dashboard.serving import Served, go, settled, uploader, verdict

pytestmark = pytest.mark.browser
OURS = "Carries our own watermark"


def test_what_is_drawn_is_marked_entered_and_loses_its_marks_to_an_attack(
    opened: Opened, studio: Served, tmp_path: Path
) -> None:
    page = opened(studio.url)
    go(page, "Generate")
    page.get_by_role("button", name="Draw").click()
    expect(verdict(page).get_by_role("heading", level=2)).to_have_text(OURS)
    expect(page.get_by_role("img", name="The noise that carries the mark")).to_be_visible()
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the signed PNG").click()
    download.value.save_as(drawn := tmp_path / "drawn.png")
    _attacked(page)
    go(page, "Ledger")
    uploader(page).set_input_files(drawn)
    expect(page.get_by_text("the same file, byte for byte")).to_be_visible()


def _attacked(page: Page) -> None:
    """The verdict stands while nothing is done to the picture, and falls with what is."""
    page.get_by_role("link", name="Attack it").click()
    heading = verdict(page).get_by_role("heading", level=2)
    expect(heading).to_have_text(OURS)
    expect(page.get_by_role("heading", name="How the evidence falls")).to_be_visible()
    settled(page)
    page.get_by_role("slider", name="Noise in grey levels").press("End")
    page.get_by_role("slider", name="Crop: part of each side kept").press("Home")
    expect(heading).to_have_text("Inconclusive: nothing found says how it was made")


def test_without_a_picture_the_pages_say_where_to_get_one(page: Page) -> None:
    go(page, "Attack")
    page.get_by_role("link", name="Draw a picture").click()
    expect(page.get_by_role("button", name="Draw")).to_be_visible()
