from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import catalog
from assay.errors import AssayError
from assay.report.privacy import masked
from assay.report.view import View, view
from assay.vocabulary import Basis, Detail, Report
from dashboard import fragments
from dashboard.fragments import Listed
from dashboard.judging import Ruling, Rulings
from tests.assay.ledger.entries import entry_for
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, MARK, REPORTS, TEXT, with_text
from tests.builders import attestation, measurement, observation, report
from tests.pages import Page

# fmt: off
TAGS = {
    "section", "article", "header", "div", "p", "h2", "h3", "h4", "ul", "li", "dl", "dt", "dd", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "span", "img",
}
ATTRIBUTES = {"class", "aria-label", "aria-hidden", "aria-current", "role", "scope", "src", "alt", "style"}
# fmt: on


@contextmanager
def caught() -> Iterator[list[str]]:
    """What is handed to Streamlit."""
    html: list[str] = []
    with mock.patch("streamlit.html", html.append):
        yield html


def everything(*reports: Report) -> str:
    """Every fragment that tells of a report."""
    with caught() as html:
        views = [view(each) for each in reports]
        fragments.index(
            [Listed(view=words, preview=each.preview, chosen=True) for words, each in zip(views, reports, strict=True)]
        )
        for words in views:
            fragments.verdict(words)
            fragments.evidence(words)
            fragments.silent(words)
            for line in words.lines:
                if line.history is not None:
                    fragments.history(line.history)
    return "\n".join(html)


def require_ours(page: Page) -> None:
    """Nothing on the page but what the templates write."""
    assert {tag for tag, _ in page.elements} <= TAGS
    assert {name for _, attrs in page.elements for name, _ in attrs} <= ATTRIBUTES
    assert all(re.fullmatch(r"data:image/jpeg;base64,[A-Za-z0-9+/=]*", src) for src in page.values("src"))
    assert all(re.fullmatch(r"left: \d+\.\d%", style) for style in page.values("style"))
    assert page.others == []


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_any_report_is_html_of_ours_alone(reports: list[Report]) -> None:
    require_ours(Page(everything(*reports)))
    require_ours(Page(everything(*map(masked, reports))))


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, st.lists(st.builds(Detail, name=TEXT, value=TEXT), max_size=4))
def test_any_error_and_any_facts_are_html_of_ours_alone(text: str, hint: str, details: list[Detail]) -> None:
    with caught() as html:
        fragments.complain(AssayError(text, hint=hint))
        fragments.facts(text, details)
        fragments.facts(text, fragments.of_entry(entry_for(b"", watermark=text, model=hint, scheduler=text)))
    require_ours(Page("\n".join(html)))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_file_cannot_change_a_fragment(text: str) -> None:
    def elements(word: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
        return Page(everything(*(with_text(shown, word) for shown in samples.all_kinds()))).elements

    assert elements(text) == elements("plain")


@pytest.mark.parametrize("text", ["MaRk<script>alert(1)</script>", "MaRk\"'><img src=x>", "MaRk&amp;&#60;b"])
def test_text_reaches_the_reader_as_it_is(text: str) -> None:
    html = everything(*(with_text(shown, text) for shown in samples.all_kinds()))
    assert text not in html
    assert text in Page(html).text()


def test_nothing_invisible_reaches_a_fragment() -> None:
    html = everything(*(with_text(shown, "a\u202eb\x00c\ud800d\u200be\x1bf") for shown in samples.all_kinds()))
    assert not re.search("[\u202e\u200b\x00\x1b\ud800]", html)
    assert r"a\u202eb\x00c\ud800d\u200be\x1bf" in html
    html.encode("utf-8")


def test_every_text_of_a_report_is_on_the_page() -> None:
    """Numbered, so that each one is looked for where it belongs to nothing else."""
    count = iter(range(10_000))

    def details(private: bool = False) -> tuple[Detail, ...]:
        return (Detail(name=f"{MARK}{next(count)}.", value=f"{MARK}{next(count)}.", private=private),)

    told = report(
        attestation(summary=f"{MARK}{next(count)}.", details=details(), identity=details(private=True)),
        observation(summary=f"{MARK}{next(count)}.", details=details(private=True)),
        measurement(summary=f"{MARK}{next(count)}.", details=details(), null=f"{MARK}{next(count)}."),
    )
    text = Page(everything(told)).text()
    assert [number for number in range(next(count)) if f"{MARK}{number}." not in text] == []


# --- evidence ---------------------------------------------------------------------------------------------------------


def mixed() -> View:
    return view(
        report(
            observation(),
            measurement(),
            attestation(),
            measurement(check="watermark", basis=Basis.MARKED, log10_lr=None, p_value=1e-9),
        )
    )


def test_evidence_is_in_the_order_of_its_basis() -> None:
    with caught() as html:
        fragments.evidence(mixed())
    (drawn,) = html
    assert re.findall('class="basis ([a-z]+)"', drawn) == ["signed", "marked", "measured", "noted"]
    assert [row.label for row in fragments.rows(mixed())] == list(Basis)


def test_each_check_is_explained_once_in_the_words_of_assay_explain() -> None:
    twice = view(report(observation(), observation(signal="comfyui-workflow")))
    (row,) = fragments.rows(twice)
    assert len(row.lines) == 2
    ((check, paragraphs),) = row.explanations
    said = " ".join(catalog.explanation(check).replace("`", "").replace("*", "").split())
    assert " ".join(paragraphs) == said
    with caught() as html:
        fragments.evidence(twice)
    assert Page(html[0]).text().count("What this means, and what it does not") == 1


def test_an_unknown_check_has_no_explanation() -> None:
    (row,) = fragments.rows(view(report(observation(check="elsewhere"))))
    assert row.explanations == ()


@pytest.mark.parametrize(
    ("outcome", "at", "counts_from"),
    [
        (measurement(log10_lr=2.0), "75.0", "62.5"),
        (measurement(log10_lr=-2.0), "25.0", "62.5"),
        (measurement(log10_lr=99.0), "100.0", "62.5"),
        (measurement(basis=Basis.MARKED, log10_lr=None, p_value=1e-9), "75.0", "50.0"),
        (measurement(basis=Basis.MARKED, log10_lr=None, p_value=1.0), "0.0", "50.0"),
    ],
)
def test_a_number_lies_where_it_belongs_on_its_scale(outcome: object, at: str, counts_from: str) -> None:
    html = everything(report(outcome))  # type: ignore[arg-type]
    assert re.search(r'class="counts" style="left: ([\d.]+)%"', html)[1] == counts_from  # type: ignore[index]
    assert re.search(r'class="mark" style="left: ([\d.]+)%"', html)[1] == at  # type: ignore[index]


def test_an_abstention_has_no_scale() -> None:
    html = everything(report(measurement(log10_lr=None)))
    assert 'class="scale"' not in html
    assert "The method abstains." in Page(html).text()


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_the_verdict_says_what_it_rests_on_and_what_would_change_it() -> None:
    with caught() as html:
        fragments.verdict(view(samples.contradictory()))
    text = Page(html[0]).text()
    assert "What this rests on Notes that nothing trusted vouches for, and that anybody can write." in text
    assert "What would change this Content Credentials of a trusted signer" in text
    assert "In conflict EXIF names a camera" in text
    assert "▲ Error no-personal-data : its metadata holds location" in text


def test_the_index_marks_the_one_that_is_chosen() -> None:
    reports = samples.all_kinds()
    with caught() as html:
        fragments.index(
            [Listed(view=view(each), preview=each.preview, chosen=at == 2) for at, each in enumerate(reports)]
        )
    page = Page(html[0])
    assert [dict(attrs).get("aria-current") for tag, attrs in page.elements if tag == "tr"][1:] == [
        "true" if at == 2 else None for at in range(len(reports))
    ]
    assert len(page.values("src")) == sum(each.preview is not None for each in reports)
    assert all(each.exhibit.name in page.text() for each in reports)


def test_the_index_has_a_column_for_rules_only_where_there_are_rules() -> None:
    reports = samples.all_kinds()
    for rules in (None, "2 broken: no-<ai>, no-prompt"):
        with caught() as html:
            fragments.index([Listed(view=view(each), preview=None, chosen=False, rules=rules) for each in reports])
        page = Page(html[0])
        assert sum(tag == "th" for tag, _ in page.elements) == (5 if rules else 4)
        assert page.text().count("2 broken: no-<ai>, no-prompt") == (len(reports) if rules else 0)
        require_ours(page)


@settings(max_examples=40, deadline=None)
@given(TEXT, TEXT, st.booleans())
def test_rules_in_any_words_are_html_of_ours_alone(text: str, other: str, is_broken: bool) -> None:
    ruling = Ruling(rule=text, title=other, state=text, is_broken=is_broken, scope=other)
    with caught() as html:
        fragments.rules(Rulings(policy=text, manner=other, applied=(ruling,) * 2, others=(ruling,)))
        fragments.rules(Rulings(policy=text, manner=other, applied=(), others=(ruling,)))
    for drawn in html:
        require_ours(Page(drawn))
    assert ("2 are broken." if is_broken else "None is broken.") in Page(html[0]).text()
    assert "0 of 1 rules" in Page(html[1]).text()


def test_silent_checks_are_listed_and_none_is_no_list() -> None:
    with caught() as html:
        fragments.silent(view(samples.measured()))
        fragments.silent(view(report(observation())))
    (drawn,) = html
    assert "Checks without a finding (2)" in Page(drawn).text()


def test_an_error_comes_with_its_remedy() -> None:
    with caught() as html:
        fragments.complain(AssayError("the ledger is <full>", hint="Make room."))
    page = Page(html[0])
    assert page.values("role") == ["alert"]
    assert page.text() == "▲ This did not work the ledger is <full> Make room."


def test_a_row_of_the_ledger_names_no_file() -> None:
    made = {detail.name: detail.value for detail in fragments.of_entry(entry_for(b"x", name="holiday-at-home.png"))}
    assert "holiday" not in str(made)
    assert made["how"] == "drawn with pocket, DDIMScheduler, 20 steps"
    assert made["manifest"] == "8 bytes kept"
    marked = fragments.of_entry(entry_for(b"x", model="", manifest=b""))
    assert {"marked, not made here", "none"} <= {detail.value for detail in marked}
