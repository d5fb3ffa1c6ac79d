import re
import sys
from dataclasses import replace
from datetime import date
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import HealthCheck, given, settings
from pypdf import PdfReader

from assay import catalog
from assay.errors import ConfigurationError
from assay.report import as_html, as_pdf
from assay.report.escape import visible
from assay.vocabulary import Manifest, Report
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, with_text
from tests.assay.report.test_as_html import Page
from tests.builders import attestation, report
from tests.pages import words
from tests.seeds import encoded


def render(*reports: Report) -> bytes:
    return as_pdf.render(reports, today=samples.TODAY)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def structure(document: bytes) -> PdfReader:
    return PdfReader(BytesIO(document))


def named(name: str) -> Report:
    shown = samples.signed_and_generated()
    return replace(shown, exhibit=replace(shown.exhibit, name=name))


def is_accessible(document: bytes) -> bool:
    """Whether the document says that it is what PDF/UA-1 asks; Typst checks that before it says so."""
    metadata: Any = structure(document).root_object["/Metadata"]
    return b"<pdfuaid:part>1</pdfuaid:part>" in metadata.get_data()


def test_it_says_what_the_page_says_in_the_same_order(reports: list[Report]) -> None:
    html = as_html.render(reports, today=samples.TODAY)
    said = words(render(*reports))
    page = Page(html[html.index("<body>") :])
    known = squeezed(said).lower()
    assert not [word for text in page.texts for word in re.findall(r"\w{3,}", text) if word.lower() not in known]
    place, headings = (
        0,
        [unescape(each).strip() for each in re.findall(r"<h[123][^>]*>(?:<svg.*?</svg>)?([^<]+)<", html)],
    )
    for heading in headings:
        place = said.index(heading, place)
    assert len(headings) > 15


def test_the_document_says_what_it_is(reports: list[Report]) -> None:
    document = structure(render(*reports))
    assert document.metadata is not None
    assert document.metadata.title == "Where these images came from"
    assert document.metadata.creation_date is not None
    assert document.metadata.creation_date.date() == samples.TODAY
    assert document.root_object["/Lang"] == "en"
    assert document.pages[0].mediabox.width == pytest.approx(595, abs=1)
    texts = [page.extract_text() for page in document.pages]
    assert all(
        f"Assay report, made on 2026-11-23 with Assay 0.1.0 {number} of {len(texts)}" in text
        for number, text in enumerate(texts, 1)
    )


def test_it_can_be_read_aloud(reports: list[Report]) -> None:
    document = render(*reports)
    assert is_accessible(document)
    tree = _alternatives(structure(document).root_object["/StructTreeRoot"])
    kept = "Picture of this version, kept in its manifest; by itself it proves nothing"
    assert sorted(tree) == ["Map of the measurement", kept, "Preview of the image", "Preview of the image"]


def _alternatives(node: Any) -> list[str]:
    node = node.get_object()
    if isinstance(node, list):
        return [text for child in node for text in _alternatives(child)]
    if not isinstance(node, dict):
        return []
    own = [str(node["/Alt"])] if "/Alt" in node else []
    return own + (_alternatives(node["/K"]) if "/K" in node else [])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REPORTS)
def test_any_report_is_a_document_that_runs_and_asks_nothing(reports: list[Report]) -> None:
    document = render(*reports)
    assert document.startswith(b"%PDF-1.7")
    assert not re.search(rb"/(JavaScript|JS|URI|Launch|EmbeddedFile|SubmitForm|GoToR|OpenAction|AA)\b", document)


@pytest.mark.parametrize("text", [*HOSTILE, 'MaRk#read("/etc/passwd")', "MaRk*b* $x$ <l> @ref #image(sys.inputs.x)"])
def test_a_file_speaks_and_is_not_obeyed(text: str) -> None:
    document = render(*(with_text(shown, text) for shown in samples.all_kinds()))
    assert is_accessible(document)
    assert squeezed(visible(text)) in squeezed(words(document))


def test_nothing_but_the_private_folder_is_read(tmp_path: Path) -> None:
    press = as_pdf._Press(tmp_path, samples.TODAY)
    for path in ("/etc/passwd", "../../../../etc/passwd", "/../etc/passwd"):
        with pytest.raises(typst.TypstError, match=r"file not found|escape the project root"):
            press._pdf(f'#read("{path}")'.encode(), "1.7")


def test_no_package_is_named() -> None:
    template = as_pdf._TEMPLATE.read_text(encoding="utf-8")
    assert not re.search(r"#?(import|include|eval|plugin)\b|@preview", template)


def test_nothing_invisible_reaches_the_page() -> None:
    text = words(render(*(with_text(shown, "a\u202eb\x00c\ud800d\u200be\x1bf") for shown in samples.all_kinds())))
    assert not re.search("[\u202e\u200b\x00\x1b\ud800]", text)
    assert r"a\u202eb\x00c\ud800d\u200be\x1bf" in squeezed(text)


def test_what_no_font_draws_is_written_out() -> None:
    name = "\U0001e900\U00012000 näive Ωμέγα.jpg"  # Adlam and cuneiform: few systems have a font for both
    document = render(named(name))
    text = words(document)
    assert is_accessible(document)
    assert "näive Ωμέγα.jpg" in text


def test_a_prompt_keeps_its_lines_and_a_name_does_not() -> None:
    text = words(render(samples.contradictory()))
    assert "a quiet harbour at dawn, mist,\nfilm grain" in text
    assert r"a\nb" in words(render(named("a\nb")))


def test_a_megabyte_is_not_shown() -> None:
    document = render(with_text(samples.contradictory(), "x" * 1_000_000))
    assert len(document) < 4_000_000
    assert "996,000morecharacters" in squeezed(words(document))


def test_words_longer_than_a_line_stay_on_the_page_and_whole_when_copied() -> None:
    digest = "".join(f"{number:02x}" for number in range(32))
    shown = samples.signed_and_generated()
    document = render(replace(shown, exhibit=replace(shown.exhibit, name="y" * 300, sha256=digest)))
    text = words(document)
    assert digest in text.replace("\n", "")
    assert "y" * 300 in text.replace("\n", "")
    assert max(map(len, text.splitlines())) < 150


@pytest.mark.parametrize("is_wide", [True, False])
def test_the_largest_history_is_drawn(is_wide: bool) -> None:
    manifest = Manifest(title="end")
    if is_wide:
        manifest = Manifest(title="root", ingredients=tuple(Manifest(title=f"part {n}") for n in range(300)))
    else:
        for number in range(100):
            part = Manifest(title="x" * 500, relationship="componentOf", failures=("a.b" * 40,) * 9)
            manifest = Manifest(title=f"version {number}", ingredients=(manifest, part))
    text = words(render(report(attestation(manifest=manifest))))
    assert "more, which the JSON report lists" in text
    assert ("part 198" in text) is is_wide
    assert ("version 70" in text) is not is_wide


def test_a_picture_that_cannot_be_read_does_not_cost_the_report() -> None:
    shown = samples.measured()
    assert "/XObject" in str(structure(render(shown)).pages[0]["/Resources"])
    for data in (b"", b"\xff\xd8\xffno more", samples.MAP[:60], b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        text = words(render(replace(shown, preview=data)))
        assert "Measurements support that a model made it" in text


def test_a_manifests_picture_stands_beside_its_version_with_a_warning() -> None:
    assert "By themselves they prove nothing." in words(render(samples.signed_and_generated()))
    assert "By themselves they prove nothing." not in words(render(samples.signed_by_a_stranger()))
    thin = [Manifest(title="x", thumbnail=encoded("JPEG")), Manifest(title="y", thumbnail=b"\xff\xd8\xffno more")]
    page = structure(render(report(attestation(manifest=Manifest(title="z", ingredients=tuple(thin)))))).pages[0]
    assert len(list(page.images)) == 1


def test_several_images_have_an_index_that_leads_to_them(reports: list[Report]) -> None:
    many, one = structure(render(*reports)), structure(render(reports[0]))
    targets = [link for page in many.pages for link in page.get("/Annots", [])]
    assert len(targets) == len(reports)
    assert not [link for page in one.pages for link in page.get("/Annots", [])]
    assert "Image Verdict Rests on" in many.pages[0].extract_text()
    assert "Image Verdict Rests on" not in one.pages[0].extract_text()
    titles = [entry.title for entry in many.outline if not isinstance(entry, list)]  # type: ignore[union-attr]
    assert "pictures/tulip.jpg Made with generative AI, says a trusted signer" in titles


def test_the_age_of_the_trust_list_is_counted_to_the_day_given() -> None:
    text = words(as_pdf.render([samples.broken()], today=date(2026, 8, 6)))
    assert "1 day before this page was made" in text
    assert "made on 2026-01-02" in words(as_pdf.render([], today=date(2026, 1, 2)))


def test_pictures_are_shown() -> None:
    shown = replace(samples.broken(), preview=encoded("JPEG"))
    assert len(list(structure(render(shown)).pages[0].images)) == 1


def test_without_typst_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "assay.report.as_pdf")
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ConfigurationError, match="need Typst") as caught:
        catalog.format_named("pdf")
    assert caught.value.hint == "pip install 'assay[pdf]'"
