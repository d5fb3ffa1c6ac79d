from __future__ import annotations

import pytest
from playwright.sync_api import Error, FileChooser, FilePayload, Page, expect

from tests.dashboard.serving import settled, verdict
from tests.seeds import encoded

pytestmark = pytest.mark.browser
_FILES: list[FilePayload] = [
    {"name": "first.jpg", "mimeType": "image/jpeg", "buffer": encoded("JPEG")},
    {"name": "second.jpg", "mimeType": "image/jpeg", "buffer": encoded("JPEG", "flower")},
]


def test_files_are_chosen_and_looked_through_without_a_mouse(page: Page) -> None:
    expect(page.get_by_text("Drop one image, or forty.")).to_be_visible()
    settled(page)
    _chooser(page).set_files(_FILES)
    expect(verdict(page)).to_contain_text("first.jpg")
    settled(page)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(verdict(page)).to_contain_text("second.jpg")
    settled(page)
    page.keyboard.press("k")
    expect(verdict(page)).to_contain_text("first.jpg")
    _tab_to(page, "4:1")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="4:1")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    _tab_to(page, "The image first.jpg; scrolls when enlarged")
    page.keyboard.press("ArrowRight")


def _chooser(page: Page) -> FileChooser:
    """By Enter on the button; again where the page was drawn anew just then, and the focus lost."""
    for _ in range(5):
        _tab_to(page, "Upload")
        try:
            with page.expect_file_chooser(timeout=5_000) as chooser:
                page.keyboard.press("Enter")
            return chooser.value
        except Error:
            continue
    pytest.fail("the keyboard opens no choice of files")


def _tab_to(page: Page, name: str) -> None:
    """By the keyboard, as far as a whole page is."""
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { let it = document.activeElement; while (it?.shadowRoot?.activeElement)"
            " it = it.shadowRoot.activeElement; return (it?.ariaLabel || it?.textContent || '').trim() }"
        )
        if focused.endswith(name):
            return
        reached.append(focused[-40:])
    pytest.fail(f"the keyboard does not reach {name}, only {reached}")
