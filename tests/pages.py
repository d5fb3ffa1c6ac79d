"""What a reader finds in a drawn report."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader


def words(drawn: str | bytes) -> str:
    """The text of a report in any format, as drawn or as written; of a PDF, what can be copied from its pages."""
    if isinstance(drawn, str):
        return drawn
    if not drawn.startswith(b"%PDF-"):
        return drawn.decode()
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(drawn)).pages) + "\n"
