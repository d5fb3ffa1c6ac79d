from collections.abc import Callable
from pathlib import Path

import pytest

from assay.report import as_html, as_json, as_junit, as_markdown, as_pdf, as_sarif, as_text
from assay.vocabulary import Report
from tests.assay.report import samples
from tests.pages import words


def html(reports: list[Report]) -> str:
    return as_html.render(reports, today=samples.TODAY)


def pdf(reports: list[Report]) -> str:
    """What can be copied from the pages."""
    return words(as_pdf.render(reports, today=samples.TODAY))


FORMATS = pytest.mark.parametrize(
    ("suffix", "render"),
    [
        ("txt", as_text.render),
        ("json", as_json.render),
        ("jsonl", as_json.render_lines),
        ("sarif", as_sarif.render),
        ("xml", as_junit.render),
        ("md", as_markdown.render),
        ("html", html),
        ("pdf.txt", pdf),
    ],
)


@FORMATS
@pytest.mark.usefixtures("elsewhere")
def test_one_report_in_every_format(
    suffix: str, render: Callable[[list[Report]], str], reports: list[Report], golden: Callable[[str, str], None]
) -> None:
    golden(f"report.{suffix}", render(reports))


@FORMATS
@pytest.mark.usefixtures("elsewhere")
def test_every_state_of_credentials_in_every_format(
    suffix: str, render: Callable[[list[Report]], str], golden: Callable[[str, str], None]
) -> None:
    golden(f"states.{suffix}", render(samples.all_states()))


def test_the_docs_show_what_a_report_says(repo_root: Path) -> None:
    shown = as_text.render([samples.signed_and_generated()]).rstrip("\n")
    assert f"```text\n{shown}\n```" in (repo_root / "docs" / "reports.md").read_text(encoding="utf-8")
