"""What a reader finds in a drawn report."""

from __future__ import annotations

from html.parser import HTMLParser
from io import BytesIO

from pypdf import PdfReader


def words(drawn: str | bytes) -> str:
    """The text of a report in any format, as drawn or as written; of a PDF, what can be copied from its pages."""
    if isinstance(drawn, str):
        return drawn
    if not drawn.startswith(b"%PDF-"):
        return drawn.decode()
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(drawn)).pages) + "\n"


class Page(HTMLParser):
    """What a browser would make of the page: elements with their attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.texts: list[str] = []
        self.others: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def values(self, attribute: str) -> list[str]:
        return [value or "" for _, attrs in self.elements for name, value in attrs if name == attribute]

    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())
