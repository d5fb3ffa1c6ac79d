from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from tests.authority import Authority
from tests.dashboard.browser.conftest import Opened
from tests.dashboard.pieces import edited, model_made
from tests.dashboard.serving import Served, settled, upload, verdict
from tests.seeds import encoded

pytestmark = pytest.mark.browser
HEADLINE = "Measurements support that a model made it"


@pytest.fixture(scope="module")
def picture() -> bytes:
    return model_made()


def test_an_upload_gets_a_verdict_a_map_and_reports_to_take_away(
    page: Page, opened: Opened, dashboard: Served, picture: bytes, tmp_path: Path
) -> None:
    upload(page, ("tower.png", picture))
    expect(verdict(page).get_by_role("heading", level=2)).to_have_text(HEADLINE)
    expect(verdict(page).locator(".basis")).to_contain_text("Measured")
    settled(page)
    _looked_at(page)
    drawn = {name: _downloaded(page, name, tmp_path) for name in ("HTML", "PDF", "JSON")}
    assert [path.name for path in drawn.values()] == ["assay-tower.html", "assay-tower.pdf", "assay-tower.json"]
    assert drawn["PDF"].read_bytes().startswith(b"%PDF-")
    pages = PdfReader(BytesIO(drawn["PDF"].read_bytes())).pages
    assert HEADLINE in " ".join(pages[0].extract_text().split())
    assert json.loads(drawn["JSON"].read_text())["reports"][0]["verdict"]["headline"] == HEADLINE
    report = opened(drawn["HTML"].as_uri(), java_script_enabled=False)
    expect(report.get_by_role("heading", name=HEADLINE)).to_be_visible()


def _looked_at(page: Page) -> None:
    """Through every view of the viewer."""
    picture = page.get_by_role("img", name="The image tower.png")
    scroller = page.get_by_role("region", name="The image tower.png")
    expect(page.locator("canvas")).to_have_count(0)
    page.get_by_role("button", name="Overlay").click()
    overlay = scroller.locator("canvas")
    expect(overlay).to_have_css("opacity", "0.6")
    page.get_by_label("Strength of the overlay").press("End")
    expect(overlay).to_have_css("opacity", "1")
    assert _box(overlay) == pytest.approx(_box(picture), abs=1)
    page.get_by_role("button", name="Swipe").click()
    page.get_by_label("Swipe from the picture to the map").press("Home")
    expect(overlay).to_have_css("clip-path", "inset(0px 0px 0px 0%)")
    page.get_by_role("button", name="Side by side").click()
    beside = page.get_by_role("region", name="The map alone").locator("canvas")
    expect(beside).to_be_visible()
    expect(overlay).to_have_count(0)
    page.get_by_role("button", name="Picture", exact=True).click()
    page.get_by_role("button", name="4:1").click()
    expect(picture).to_have_js_property("width", 4 * 640)
    assert scroller.evaluate("it => it.scrollWidth > it.clientWidth && document.body.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Fit").click()
    page.get_by_role("button", name="Magnifier").click()
    picture.hover()
    expect(page.locator(".lens")).to_be_visible()
    page.get_by_role("button", name="Magnifier").click()
    picture.hover(position={"x": 9, "y": 9})
    expect(page.locator(".lens")).to_be_hidden()


def _box(shown: Locator) -> tuple[float, ...]:
    box = shown.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def _downloaded(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {name}").click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target


def test_a_signed_file_says_who_signed_and_shows_its_history(page: Page, authority: Authority) -> None:
    upload(page, ("front.jpg", edited(authority)))
    expect(verdict(page).locator(".basis")).to_contain_text("Signed")
    expect(page.get_by_role("heading", name="History, from this file back")).to_be_visible()
    tree = page.locator(".tree")
    for title in ("front page.jpg", "flower as it was drawn.jpg", "pagoda.jpg"):
        expect(tree.get_by_text(title, exact=True)).to_be_visible()


def test_a_file_above_the_limit_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    page.locator("input[type=file]").set_input_files(large)
    expect(page.get_by_text("64.0MB or smaller")).to_be_visible()
    expect(page.get_by_role("region", name="Verdict", exact=True)).to_have_count(0)


def test_bytes_that_are_no_image_are_said_to_be_none(page: Page) -> None:
    upload(page, ("letter.jpg", b"Dear reader, this is no picture."))
    expect(page.get_by_text("There is no picture to show")).to_be_visible()
    expect(verdict(page).get_by_role("heading", level=2)).to_be_visible()


def test_uploads_from_elsewhere_are_refused(page: Page, dashboard: Served) -> None:
    """Whoever has not loaded the page has no token, and no session to put files into."""
    answer = page.request.put(
        f"{dashboard.url}/_stcore/upload_file/some-session/some-file",
        multipart={"file": {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": encoded("JPEG")}},
    )
    assert answer.status in (400, 403)


def test_two_visitors_do_not_see_each_others_files(opened: Opened, dashboard: Served) -> None:
    one, other = opened(dashboard.url), opened(dashboard.url)
    upload(one, ("mine.jpg", encoded("JPEG")))
    expect(verdict(one)).to_contain_text("mine.jpg")
    upload(other, ("theirs.jpg", encoded("JPEG", "flower")))
    expect(verdict(other)).to_contain_text("theirs.jpg")
    for page, alien in ((one, "theirs.jpg"), (other, "mine.jpg")):
        settled(page)
        expect(page.get_by_text(alien)).to_have_count(0)
    third = opened(dashboard.url)
    expect(third.get_by_text("Drop one image, or forty.")).to_be_visible()
    expect(third.get_by_role("region", name="Verdict", exact=True)).to_have_count(0)
