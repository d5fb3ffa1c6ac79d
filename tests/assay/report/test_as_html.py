import base64
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings

from assay.report import as_html
from assay.vocabulary import Detail, Manifest, Report
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, with_text
from tests.builders import attestation, observation, report
from tests.pages import Page

# fmt: off
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "article", "section",
    "figure", "figcaption", "img", "p", "h1", "h2", "h3", "h4", "div", "span", "a", "ul", "li", "dl", "dt", "dd",
    "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "br", "code", "strong", "svg", "circle", "path",
}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "src", "alt", "open", "scope",
    "aria-label", "aria-hidden", "role", "style", "viewbox", "fill", "stroke", "stroke-width", "stroke-linejoin",
    "stroke-dasharray", "cx", "cy", "r", "d",
}
# fmt: on


def render(*reports: Report) -> str:
    return as_html.render(reports, today=samples.TODAY)


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_any_report_is_a_page_of_ours_alone(reports: list[Report]) -> None:
    page = Page(render(*reports))
    assert {tag for tag, _ in page.elements} <= TAGS
    assert {name for _, attrs in page.elements for name, _ in attrs} <= ATTRIBUTES
    assert all(re.fullmatch(r"#image-\d+", href) for href in page.values("href"))
    assert all(re.fullmatch(r"data:image/(jpeg|png);base64,[A-Za-z0-9+/=]*", src) for src in page.values("src"))
    assert all(re.fullmatch(r"left: \d+\.\d%", style) for style in page.values("style"))
    assert page.others == []
    assert len([tag for tag, _ in page.elements if tag == "style"]) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_a_file_cannot_change_the_page(text: str) -> None:
    def elements(word: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
        return Page(render(*(with_text(shown, word) for shown in samples.all_kinds()))).elements

    assert elements(text) == elements("plain")


@pytest.mark.parametrize("text", ["MaRk<script>alert(1)</script>", "MaRk\"'><img src=x>", "MaRk&amp;&#60;b"])
def test_text_reaches_the_reader_as_it_is(text: str) -> None:
    html = render(*(with_text(shown, text) for shown in samples.all_kinds()))
    assert text not in html
    assert text in Page(html).text()


def test_nothing_invisible_reaches_the_page() -> None:
    html = render(*(with_text(shown, "a\u202eb\x00c\ud800d\u200be\x1bf") for shown in samples.all_kinds()))
    assert not re.search("[\u202e\u200b\x00\x1b\ud800]", html)
    assert r"a\u202eb\x00c\ud800d\u200be\x1bf" in html
    html.encode("utf-8")


def test_the_page_asks_nobody_for_anything(reports: list[Report]) -> None:
    html = render(*reports)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in html
    words = re.sub(r'src="data:[^"]*"', "", html)
    assert not re.search(r"https?:|//|@import|url\(|<script|<link|<iframe|javascript", words)
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_the_history_is_a_tree_of_nested_lists() -> None:
    page = render(samples.signed_and_generated())
    tree = page[page.index('<ul class="tree">') :]
    root, draft, texture = (tree.index(name) for name in ("tulip.jpg", "tulip-draft.png", "paper-texture.jpg"))
    assert root < draft < texture
    assert re.search(r"</div>\s*<ul>\s*<li>", tree[root:draft])
    assert "no credentials of its own" in tree[texture:]


def test_every_state_and_basis_has_a_shape_beside_its_word(reports: list[Report]) -> None:
    html = render(*reports)
    for word in ("Signed", "Noted", "Measured", "Inconclusive", "Not examined"):
        assert re.search(rf"</svg> {word}</span>", html)
    for state in ("trusted", "intact, signer unknown", "does not verify", "no credentials of its own"):
        assert re.search(rf"</svg> {state}</span>", html)
    assert re.search(r"</svg> broken</p>", html)
    assert not set(html) & set("✓✔✅☑")


def test_each_field_of_the_credentials_is_a_cell_of_its_own() -> None:
    text = Page(render(samples.signed_and_generated())).text()
    for words in (
        "Integrity intact The file still matches what was signed.",
        "Signer trust trusted The trust list 'c2pa' vouches for the certificate.",
        "History intact",
        "Declared AI use whole image",
        "Identity stated Author, as stated Jo Example",
    ):
        assert words in text


def test_the_page_says_what_it_rests_on_and_what_would_change_it() -> None:
    text = Page(render(samples.contradictory())).text()
    assert "What this rests on Notes that nothing trusted vouches for, and that anybody can write." in text
    assert "What would change this Content Credentials of a trusted signer" in text
    assert "In conflict EXIF names a camera" in text
    assert "The publisher’s rules Error no-personal-data : its metadata holds location" in text


def test_pictures_and_maps_are_inside_the_page() -> None:
    sources = Page(render(samples.measured(), samples.signed_and_generated())).values("src")
    assert "data:image/png;base64," + base64.b64encode(samples.MAP).decode() in sources
    assert "data:image/jpeg;base64," + base64.b64encode(samples.PREVIEW).decode() in sources


def test_a_manifests_picture_stands_beside_its_version_with_a_warning() -> None:
    page = Page(render(samples.signed_and_generated()))
    assert page.values("alt")[1:] == ["Picture of this version, kept in its manifest; by itself it proves nothing"]
    assert "By themselves they prove nothing." in page.text()
    assert "By themselves they prove nothing." not in Page(render(samples.signed_by_a_stranger())).text()


def test_several_images_have_an_index_and_one_has_none(reports: list[Report]) -> None:
    many, one = Page(render(*reports)), Page(render(reports[0]))
    assert many.values("href") == [f"#image-{number}" for number in range(1, 7)]
    assert set(many.values("id")) == {f"image-{number}" for number in range(1, 7)}
    assert one.values("href") == []
    assert "Where this image came from" in one.text()
    assert "Where these images came from" in many.text()


def test_what_made_the_report_is_at_its_end(reports: list[Report]) -> None:
    text = Page(render(*reports)).text()
    assert "trust list profile 'c2pa', 30 certificates, issued 2026-08-05, 110 days before this page was made" in text
    assert f"trust list sha256 {samples.TOOLS.trust.sha256}" in text
    assert text.count("c2pa-python 0.38.1") == 1
    without = replace(samples.TOOLS, trust=replace(samples.TOOLS.trust, certificates=0))
    assert "sha256 19" not in Page(render(report(observation(), tools=without))).text()


def test_the_page_bears_its_day() -> None:
    before = datetime.now(UTC).date()
    text = Page(as_html.render([])).text()
    after = datetime.now(UTC).date()
    assert any(f"made on {day.isoformat()}" in text for day in (before, after))
    assert "made on 2026-01-02" in Page(as_html.render([], today=date(2026, 1, 2))).text()


def test_a_prompt_keeps_its_lines_and_a_name_does_not() -> None:
    html = render(samples.contradictory())
    assert "a quiet harbour at dawn, mist,\nfilm grain" in html
    shown = samples.contradictory()
    assert "a\\nb" in render(replace(shown, exhibit=replace(shown.exhibit, name="a\nb")))


def test_a_megabyte_is_not_shown() -> None:
    html = render(*(with_text(shown, "x" * 1_000_000) for shown in samples.all_kinds()))
    assert len(html) < 500_000
    assert "996,000 more characters" in html


def test_long_lists_and_deep_trees_are_counted() -> None:
    many = tuple(Detail(name=str(number), value="x") for number in range(100))
    manifest = Manifest(title="end")
    for number in range(100):
        manifest = Manifest(title=str(number), ingredients=(manifest,))
    text = Page(render(report(attestation(manifest=manifest, details=many)))).text()
    assert "and 60 more, which the JSON report lists" in text
    assert "and 71 more, which the JSON report lists" in text


def test_notes_that_matter_are_unfolded() -> None:
    html = render(samples.contradictory())
    assert re.search(r"<details open>\s*<summary>Contradictions", html)
    assert re.search(r"<details open>\s*<summary>Declared origin", html)
    assert re.search(r"<details>\s*<summary>Camera facts", html)
