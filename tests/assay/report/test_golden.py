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


@pytest.mark.parametrize(
    ("name", "render"),
    [
        ("report.txt", as_text.render),
        ("report.json", as_json.render),
        ("report.jsonl", as_json.render_lines),
        ("report.sarif", as_sarif.render),
        ("report.xml", as_junit.render),
        ("report.md", as_markdown.render),
        ("report.html", html),
        ("report.pdf.txt", pdf),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_one_report_in_every_format(
    name: str, render: Callable[[list[Report]], str], reports: list[Report], golden: Callable[[str, str], None]
) -> None:
    golden(name, render(reports))


def test_the_docs_show_what_a_report_says(repo_root: Path) -> None:
    shown = as_text.render([samples.signed_and_generated()]).rstrip("\n")
    assert f"```text\n{shown}\n```" in (repo_root / "docs" / "reports.md").read_text(encoding="utf-8")
