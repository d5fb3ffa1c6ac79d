"""Names and metadata are whatever somebody wrote: pages show them as text. The fixture fails a test whose page runs any
of it, or asks anybody but its server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.authority import Authority
from tests.dashboard.browser.conftest import Opened
from tests.dashboard.pieces import edited, inbox, signed, talkative
from tests.dashboard.serving import Served, go, settled, upload, verdict
from tests.seeds import encoded

pytestmark = pytest.mark.browser
ELEMENT = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script>"
MARKDOWN = "![it](https:beacon.invalid) **bold** :red[red] $x^2$ [link](javascript:alert(3))"
BACKWARDS = "photo\u202egpj.exe"
NAMES = (f"{ELEMENT}.jpg", f"{MARKDOWN}.jpg", f"{BACKWARDS}.jpg", "a`b`_c_~d~.jpg", f"{SCRIPT.replace('/', '')}.jpg")


def shown(text: str) -> str:
    """As pages write it: what would turn the direction of writing around is spelled out."""
    return text.replace("\u202e", "\\u202e")


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_upload_is_text(page: Page, name: str) -> None:
    upload(page, (name, encoded("JPEG")), ("plain.jpg", encoded("JPEG", "flower")))
    expect(verdict(page)).to_contain_text(shown(name))
    settled(page)
    expect(page.get_by_role("table").get_by_text(shown(name))).to_be_visible()
    _nothing_became_of_it(page)


@pytest.mark.parametrize("words", [ELEMENT, SCRIPT, MARKDOWN, BACKWARDS])
def test_metadata_is_text(page: Page, words: str) -> None:
    upload(page, ("talkative.jpg", talkative(words)))
    expect(verdict(page)).to_be_visible()
    page.get_by_label("Search the metadata").fill("no such words")
    page.keyboard.press("Enter")
    expect(page.get_by_text("entries holds these words")).to_be_visible()
    settled(page)
    for summary in page.locator("summary").all():
        summary.click()
    expect(page.locator(".facts").get_by_text(shown(words)).first).to_be_visible()
    _nothing_became_of_it(page)


@pytest.mark.parametrize("words", [ELEMENT, SCRIPT, MARKDOWN])
def test_manifests_are_text(page: Page, words: str, authority: Authority) -> None:
    upload(page, ("front.jpg", edited(authority, title=words, part=f"part {words}")))
    expect(page.locator(".tree").get_by_text(words, exact=True)).to_be_visible()
    expect(page.locator(".tree").get_by_text(f"part {words}")).to_be_visible()
    settled(page)
    _nothing_became_of_it(page)


def test_names_on_the_disk_are_text_in_triage(
    opened: Opened, dashboard: Served, authority: Authority, tmp_path: Path
) -> None:
    folder = inbox(tmp_path / "inbox", authority, count=1)
    for name in NAMES:
        (folder / name).write_bytes(signed(authority, title=name))
    page = opened(f"{dashboard.url}/triage?results={tmp_path / 'results.parquet'}")
    page.get_by_label("Folder, file or pattern").fill(str(folder))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Scan, or go on with a stopped scan").click()
    for number, name in enumerate(sorted(NAMES), 1):
        expect(page.get_by_text(f"File {number} of {len(NAMES) + 1}, open")).to_be_visible()
        expect(verdict(page)).to_contain_text(shown(name))
        settled(page)
        page.keyboard.press("2")
    expect(page.get_by_text(f"File {len(NAMES) + 1} of {len(NAMES) + 1}, open")).to_be_visible()
    settled(page)
    _nothing_became_of_it(page)


def test_an_attack_on_a_file_that_is_none_says_so(page: Page) -> None:
    go(page, "Attack")
    upload(page, (f"{ELEMENT}.jpg", b"no picture"))
    expect(page.get_by_text("nothing to attack")).to_be_visible()
    _nothing_became_of_it(page)


def _nothing_became_of_it(page: Page) -> None:
    """No element, emphasis, formula or link was made of it."""
    expect(page.locator("[onerror], img[src='x'], [href^='javascript'], [src*='beacon']")).to_have_count(0)
    expect(page.locator("strong, b").get_by_text("bold", exact=True)).to_have_count(0)
    expect(page.locator(".katex")).to_have_count(0)
