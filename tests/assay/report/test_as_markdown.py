import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assay.report import as_markdown
from assay.report.as_markdown import MAX_CHARACTERS, code, prose
from assay.vocabulary import Report, Violation
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, TEXT, with_text
from tests.builders import attestation, facts, report

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {"<details>", "<details open>", "</details>", "<code>", "</code>"}


def inner(tokens: list[Token]) -> list[str]:
    """The kinds of inline tokens, the two spellings of a code span being one."""
    kinds = [token.content if token.type == "html_inline" else token.type for token in tokens]
    return re.sub(r"<code>( text)? </code>", "code_inline", " ".join(kinds)).split()


def structure(markdown: str) -> list[object]:
    shape: list[object] = []
    for token in PARSER.parse(markdown):
        content = re.findall(r"</?[a-z]+[^>]*>", token.content) if token.type == "html_block" else None
        shape.append((token.type, token.level, content, inner(token.children or [])))
    return shape


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("shown", samples.all_kinds(), ids=lambda shown: shown.exhibit.name)
def test_a_file_cannot_make_markup(shown: Report, text: str) -> None:
    assert structure(as_markdown.render([with_text(shown, text)])) == structure(
        as_markdown.render([with_text(shown, "plain")])
    )


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_any_report_is_without_links_and_foreign_html(reports: list[Report]) -> None:
    for token in PARSER.parse(as_markdown.render(reports)):
        for child in token.children or []:
            assert child.type not in ("link_open", "image", "s_open")
            assert child.type != "html_inline" or child.content in OURS
        if token.type == "html_block":
            tags = set(re.findall(r"<[^>]*>", token.content))
            assert tags <= OURS | {"<summary>", "</summary>"}


@given(TEXT)
def test_github_finds_nothing_to_link_in_prose(text: str) -> None:
    (_, inline, _) = PARSER.parse(f"x {prose(text)}")
    shown = "".join(child.content for child in inline.children)
    assert not re.search(r"[@#][^\s\u200b]|(?<!\d):[^\s\u200b]|:[^\s\u200b\d]", shown)
    assert not set(prose(text)) & set("|<>[]*_`~\\")
    assert not re.search(r"www\.|https?:|\w+\.\w", prose(text))


@given(TEXT)
def test_a_code_span_holds_all_of_a_name(text: str) -> None:
    (_, inline, _) = PARSER.parse(f"x {code(text)} y")
    kinds = inner(inline.children)
    assert kinds == ["text", "code_inline", "text"]


def test_what_people_see_is_what_was_meant() -> None:
    (_, inline, _) = PARSER.parse("x " + prose("1. a_b *c* <d> & [e](f) 12:30 @you"))
    shown = "".join(child.content for child in inline.children)
    assert shown.replace("\u200b", "") == "x 1. a_b *c* <d> & [e](f) 12:30 @you"
    assert "12:30" in shown


@pytest.mark.parametrize("start", ["- item", "1. item", "12) item", "+ item", "# head", "> quote", "---", "| a |"])
def test_a_sentence_cannot_start_a_block(start: str) -> None:
    tokens = [token.type for token in PARSER.parse(prose(start))]
    assert tokens == ["paragraph_open", "inline", "paragraph_close"]


def test_the_table_has_a_row_an_image(reports: list[Report]) -> None:
    text = as_markdown.render(reports)
    assert text.startswith("## Where these images came from\n\n5 images: 1 signed, 1 measured")
    assert (
        "| `pictures/quay.jpg` | Declared as made with generative AI, which nothing trusted vouches for | noted |"
        in text
    )
    assert "| 1 error and 1 warning |" in text
    assert "| `pictures/notes.jpg` | Not examined: the file could not be read | not examined | none |" in text
    assert text.count("\n| `") == 6


def test_what_needs_attention_is_unfolded() -> None:
    assert "<details open>" in as_markdown.render([samples.broken()])
    assert "<details open>" in as_markdown.render([samples.unreadable()])
    assert "<details open>" not in as_markdown.render([samples.signed_and_generated()])


def test_a_section_says_what_it_rests_on_and_what_would_change_it() -> None:
    text = as_markdown.render([samples.contradictory()])
    for title in (
        "What this rests on:",
        "What would change this",
        "In conflict",
        "Rules broken",
        "What was found",
        "File",
    ):
        assert f"**{title}**" in text
    assert "- **error** `no-personal-data`: its metadata holds location\n  - remedy: Strip these" in text


def test_a_deep_tree_says_that_it_is_cut() -> None:
    from assay.vocabulary import Manifest

    manifest = Manifest(title="root", ingredients=(Manifest(title="x"),) * 500)
    assert "and 301 more, which the JSON report lists" in as_markdown.render([report(attestation(manifest=manifest))])


def test_a_comment_stays_within_what_github_takes() -> None:
    breaks = samples.broken().violations
    many = [report(attestation(), exhibit=facts(name=f"{number}.jpg")) for number in range(2_000)]
    many[1_500] = replace(many[1_500], violations=breaks)
    text = as_markdown.render(many)
    assert MAX_CHARACTERS / 2 < len(text) <= MAX_CHARACTERS + 200
    assert re.search(r"\d+ rows left out for length; the JSON report has everything\.", text)
    assert re.search(r"\d+ images left out for length; the JSON report has everything\.", text)
    assert "| `1500.jpg` |" in text
    assert "<code>1500&#46;jpg</code>" in text


def test_order_is_kept_where_something_is_left_out() -> None:
    rule: tuple[Violation, ...] = samples.broken().violations
    many = [
        report(attestation(), exhibit=facts(name=f"{number:04}.jpg"), violations=rule if number % 2 else ())
        for number in range(1_000)
    ]
    names = re.findall(r"^\| `(\d+).jpg", as_markdown.render(many), re.MULTILINE)
    assert names == sorted(names)
    assert {int(name) % 2 for name in names} == {1}


def test_a_megabyte_is_not_written() -> None:
    text = as_markdown.render([with_text(samples.contradictory(), "x" * 1_000_000)])
    assert len(text) < MAX_CHARACTERS


def test_nothing_examined() -> None:
    assert as_markdown.render([]) == "## Where these images came from\n\n0 images\n"
