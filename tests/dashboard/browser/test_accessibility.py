"""axe on every page, with content, in both lights. Faults of ours fail; those of Streamlit's own parts are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.authority import Authority
from tests.dashboard.browser.conftest import Opened
from tests.dashboard.pieces import edited, inbox, model_made, talkative
from tests.dashboard.serving import Served, go, settled, upload, verdict

pytestmark = pytest.mark.browser


class Fault(NamedTuple):
    """A fault of Streamlit's own, which nothing here can mend."""

    rule: str
    """Of axe."""
    within: str
    """A selector."""
    why: str


STREAMLIT = (
    Fault("list", "[data-testid=stSidebarNav]", "between the list of pages and its items stand their groups"),
    Fault("listitem", "[data-testid=stSidebarNav]", "the same, seen from the items"),
    Fault("presentation-role-conflict", "[data-testid=stFileUploader]", "the drop zone has a name and no role"),
)


def faults(page: Page) -> Iterator[str]:
    """What axe finds, as it is shown now, but for what is listed."""
    for violation in Axe().run(page).response["violations"]:
        for node in violation["nodes"]:
            if not _is_listed(page, violation["id"], node):
                yield f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"


def _is_listed(page: Page, rule: str, node: dict[str, Any]) -> bool:
    """Whether all of it stands within a part of Streamlit's that is known to have this fault."""
    target = node["target"][0]
    if not isinstance(target, str):  # a path through shadow roots, which only our own parts have
        return False
    return any(
        page.locator(target).evaluate("(it, within) => it.closest(within) !== null", fault.within)
        for fault in STREAMLIT
        if fault.rule == rule
    )


def looks_sound(page: Page) -> None:
    """In both lights, and no wider than a phone is."""
    settled(page)
    for light, ground in (("light", "rgb(255, 254, 251)"), ("dark", "rgb(20, 22, 26)")):
        page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", ground)
        assert list(faults(page)) == [], light
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    width = page.get_by_test_id("stMain").evaluate(
        "it => new Promise(done => setTimeout(() => done(it.scrollWidth), 300))"
    )
    assert width == 390
    assert size is not None
    page.set_viewport_size(size)


def test_verify(page: Page, authority: Authority) -> None:
    looks_sound(page)
    files = (("tower.png", model_made()), ("front.jpg", edited(authority)), ("words.jpg", talkative("some words")))
    upload(page, *files, ("letter.jpg", b"no picture"))
    for name, at in (("tower.png", "Overlay"), ("front.jpg", "8:1"), ("words.jpg", "1:1"), ("letter.jpg", None)):
        expect(verdict(page)).to_contain_text(name)
        settled(page)
        if at is not None:
            page.get_by_role("button", name=at).click()
        for summary in page.locator(".assay summary").all():
            summary.click()
        looks_sound(page)
        page.keyboard.press("j")


def test_triage(opened: Opened, dashboard: Served, authority: Authority, tmp_path: Path) -> None:
    page = opened(f"{dashboard.url}/triage")
    expect(page.get_by_text("Each file becomes a line")).to_be_visible()
    looks_sound(page)
    page.get_by_role("textbox", name="Results").fill(str(tmp_path / "results.parquet"))
    page.keyboard.press("Enter")
    page.get_by_label("Folder, file or pattern").fill(str(inbox(tmp_path / "inbox", authority, count=4)))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Scan, or go on with a stopped scan").click()
    expect(page.get_by_text("File 1 of 4")).to_be_visible()
    looks_sound(page)


def test_generate_attack_and_ledger(opened: Opened, studio: Served) -> None:
    page = opened(studio.url)
    go(page, "Generate")
    looks_sound(page)
    page.get_by_role("button", name="Draw").click()
    expect(page.get_by_role("heading", name="Take the report away")).to_be_visible()
    looks_sound(page)
    page.get_by_role("link", name="Attack it").click()
    page.get_by_role("button", name="Draw the fall").click()
    expect(page.get_by_text("Above the dashed line")).to_be_visible()
    looks_sound(page)
    go(page, "Ledger")
    expect(page.get_by_text("images, newest first")).to_be_visible()
    looks_sound(page)


@pytest.mark.parametrize("view", ["Attack", "Ledger", "Models and benchmarks", "Settings"])
def test_pages_without_content_of_the_visitor(page: Page, view: str) -> None:
    go(page, view)
    for summary in page.get_by_test_id("stExpander").locator("summary").all():
        summary.click()
    looks_sound(page)


@pytest.mark.parametrize("fault", STREAMLIT, ids=lambda fault: fault.rule)
def test_a_listed_fault_is_still_there(page: Page, fault: Fault) -> None:
    """What Streamlit has mended is taken off the list."""
    expect(page.locator(fault.within)).to_be_visible()
    violations = Axe().run(page).response["violations"]
    assert any(
        violation["id"] == fault.rule and _is_listed(page, fault.rule, node)
        for violation in violations
        for node in violation["nodes"]
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: page.locator(".assay h2").evaluate("it => it.style.color = '#bbb'"),
        lambda page: page.get_by_role("img", name="The image").evaluate("it => it.removeAttribute('alt')"),
    ],
    ids=["contrast", "alt"],
)
def test_a_fault_of_ours_is_seen(page: Page, authority: Authority, spoil: Callable[[Page], None]) -> None:
    upload(page, ("words.jpg", talkative("some words")))
    expect(verdict(page)).to_be_visible()
    settled(page)
    page.emulate_media(color_scheme="light")
    assert list(faults(page)) == []
    spoil(page)
    assert len(list(faults(page))) == 1
