"""Reports as pages of A4: what the page in a browser says, for paper and for archives.

The template is ours and constant. What came out of files passes `visible` and reaches Typst as JSON, which it sets as
text, never as markup; pictures are what a worker encoded. Typst sees one private folder, and fetches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from assay.errors import ConfigurationError
from assay.report.escape import first, visible
from assay.report.history import Node
from assay.report.sections import LONG, Page, page
from assay.report.view import View
from assay.vocabulary import Detail, Report

try:
    import typst
except ImportError as error:
    raise ConfigurationError("PDF reports need Typst", hint="pip install 'assay[pdf]'") from error

_TEMPLATE = Path(__file__).with_name("page.typ")
_CHARACTER = b'#set document(title: "Character")\n#sys.inputs.text'
_PICTURE = b'#set document(title: "Picture")\n#image(sys.inputs.file, alt: "Picture")'
_LONG = frozenset({"because", "conflicts", "facts", "file_notes", "text", "value", "would_change"})
"""Fields with sentences or values that may run over several lines."""


def render(reports: Sequence[Report], *, today: date | None = None) -> bytes:
    """One PDF document, tagged as PDF/UA-1 asks.

    Args:
        reports: In the order in which they are drawn.
        today: See `as_html.render`.
    """
    shown = page(reports, today)
    with TemporaryDirectory(prefix="assay-pdf-") as folder:
        press = _Press(Path(folder), shown.made)
        text = json.dumps(_document(shown, press), ensure_ascii=False)
        with suppress(typst.TypstError):  # the standard forbids the boxes that stand for what no font can draw
            return press.document(text, "ua-1")
        text = press.legible(text)
        with suppress(typst.TypstError):  # a character that is drawn alone may not be beside others
            return press.document(text, "ua-1")
        return press.document(text, "1.7")


class _Press:
    """Typst, shut into a folder."""

    def __init__(self, root: Path, day: date) -> None:
        self._root = root
        self._moment = datetime.combine(day, time(), UTC)
        self._typst = typst.Compiler(root=root, font_paths=_fonts(), package_path=root, package_cache_path=root)

    def document(self, text: str, standard: typst.PDFStandard) -> bytes:
        """Set the template with this JSON.

        Raises:
            typst.TypstError: The result would not be what the standard asks.
        """
        (self._root / "page.json").write_text(text, encoding="utf-8")
        return self._pdf(_TEMPLATE.read_bytes(), standard)

    def legible(self, text: str) -> str:
        """JSON in which characters that no font at hand draws are escapes, like others that nobody can see."""
        missing = {each for each in set(text) if not each.isascii() and not self._sets(_CHARACTER, text=each)}
        return text.translate({ord(each): json.dumps(each.encode("unicode_escape").decode())[1:-1] for each in missing})

    def picture(self, data: bytes) -> str | None:
        """Where the template finds a picture; None for one that Typst cannot read: it must not cost the report."""
        file = self._root / sha256(data).hexdigest()
        file.write_bytes(data)
        return file.name if self._sets(_PICTURE, file=file.name) else None

    def _sets(self, source: bytes, **inputs: str) -> bool:
        try:
            self._pdf(source, "ua-1", inputs)
        except typst.TypstError:
            return False
        return True

    def _pdf(self, source: bytes, standard: typst.PDFStandard, inputs: dict[str, str] | None = None) -> bytes:
        compiled = self._typst.compile(
            source, format="pdf", pdf_standards=standard, sys_inputs=inputs, timestamp=self._moment
        )
        return cast("bytes", compiled)


@cache
def _fonts() -> typst.Fonts:
    """Typst's own first, by name; the system's only for what those lack."""
    return typst.Fonts()


def _document(shown: Page, press: _Press) -> dict[str, Any]:
    versions = ", ".join(tool.value for tool in shown.tools if tool.name == "assay")
    kicker = f"Assay report, made on {shown.made.isoformat()}"
    return {
        "kicker": kicker,
        "footer": visible(f"{kicker} with Assay {versions}" if versions else kicker),
        "day": {"year": shown.made.year, "month": shown.made.month, "day": shown.made.day},
        "title": shown.title,
        "summary": shown.summary,
        "sections": _plain(shown.sections, press),
        "tools": _plain(shown.tools, press),
    }


def _plain(value: Any, press: _Press, *, is_long: bool = False) -> Any:
    """What JSON holds, with every text safe to look at; a picture becomes the name of a file."""
    match value:
        case str():
            return visible(value, limit=LONG, lines=True).expandtabs(4) if is_long else visible(value)
        case bytes():
            return press.picture(value)
        case (Detail(), *_):
            head, rest = first(value)
            return {"shown": [_fields(detail, press) for detail in head], "rest": rest}
        case tuple():
            return [_plain(item, press, is_long=is_long) for item in value]
        case Node():
            return list(_versions(value, press))
        case View():
            return _fields(replace(value, lines=()), press)  # the sections hold them
        case _ if is_dataclass(value):
            return _fields(value, press)
        case _:
            return value


def _fields(value: Any, press: _Press) -> dict[str, Any]:
    return {item.name: _plain(getattr(value, item.name), press, is_long=item.name in _LONG) for item in fields(value)}


def _versions(node: Node, press: _Press, rails: tuple[bool, ...] = ()) -> Iterator[dict[str, Any]]:
    """A tree as lines, since Typst nests less deeply. Rails say for each generation whether it goes on below."""
    yield _fields(replace(node, children=()), press) | {"shape": node.shape, "rails": rails}
    last = len(node.children) - 1
    for number, child in enumerate(node.children):
        yield from _versions(child, press, (*rails, number < last or node.left_out > 0))
    if node.left_out:
        yield {"more": f"… and {node.left_out} more, which the JSON report lists", "rails": (*rails, False)}
