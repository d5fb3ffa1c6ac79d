"""Reports as text for a terminal or a log: one block an image.

Blocks stand for themselves, so output can be written as it comes: `render(a + b) == render(a) + render(b)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from assay.report.escape import LINE, first, visible
from assay.report.history import Node
from assay.report.view import Line, View, view
from assay.report.wording import Cell
from assay.vocabulary import Detail, Report, Violation

Paint = Callable[[str, str], str]

_WIDTH = 10
_LONGEST = 10_000
_PLAIN = "0"
_BOLD, _DIM = "1", "2"
_STYLES = {
    "signed": "1;34",
    "marked": "1;36",
    "measured": "1;35",
    "noted": "1",
    "nothing": _DIM,
    "skipped": _DIM,
    "failed": "1;31",
    "conflict": "1;33",
    "error": "1;31",
    "warning": "1;33",
}
"""ANSI styles (ECMA-48, SGR). Each goes with a word that says the same. None is green: no finding is an all-clear."""


def render(reports: Sequence[Report], *, colour: bool = False) -> str:
    """Draw one block an image, each ended by an empty line.

    Args:
        reports: In the order in which they are drawn.
        colour: Emphasise with ANSI sequences; the words are the same.
    """
    paint = _ansi if colour else _as_is
    return "".join("\n".join(_block(view(report), paint)) + "\n\n" for report in reports)


def _ansi(text: str, style: str) -> str:
    return text if style == _PLAIN else f"\x1b[{style}m{text}\x1b[0m"


def _as_is(text: str, _style: str) -> str:
    return text


def _block(shown: View, paint: Paint) -> Iterator[str]:
    yield paint(visible(shown.headline), _BOLD)
    yield from _row("file", visible(shown.name), paint)
    yield from _row("", "; ".join(map(_fact, shown.file)), paint, style=_DIM)
    for note in shown.file_notes:
        yield from _row("", note, paint)
    yield from _row("rests on", shown.rests_on, paint)
    yield from _row("", shown.support, paint)
    said = [line.text for line in shown.lines]
    for reason in _unsaid(shown.because, said):
        yield from _row("because", reason, paint)
    for line in shown.lines:
        yield from _line(line, paint)
    for conflict in _unsaid(shown.conflicts, said):
        yield from _row("conflict", conflict, paint, style=_STYLES["conflict"])
    for violation in shown.violations:
        yield from _violation(violation, paint)


def _unsaid(reasons: Iterable[str], said: Iterable[str]) -> list[str]:
    """What the lines of the outcomes do not say already."""
    return [reason for reason in reasons if not any(reason in text for text in said)]


def _row(word: str, text: str, paint: Paint, *, style: str = _PLAIN) -> Iterator[str]:
    """One line, under a word in the margin or under the line above; nothing where there is nothing to say."""
    if text:
        shown = visible(text, limit=_LONGEST)
        yield f"  {paint(word, style)}{' ' * (_WIDTH - len(word))}{shown}" if word else _below(paint(shown, style))


def _below(text: str) -> str:
    return " " * (_WIDTH + 2) + text


def _indented(texts: Iterable[str]) -> Iterator[str]:
    return (_below(f"  {visible(text, limit=_LONGEST)}") for text in texts)


def _line(line: Line, paint: Paint) -> Iterator[str]:
    text = f"{line.title} ({visible(line.check)}): {visible(line.text, limit=2 * LINE)}"
    yield from _row(line.label, text, paint, style=_STYLES[line.label])
    shown, rest = first(line.details)
    yield from _indented(_cell(cell, line) for cell in line.cells)
    yield from _indented(map(_fact, shown))
    if rest:
        yield from _indented([rest])
    if line.map is not None:
        yield from _indented(["where in the image: the HTML report shows a map"])
    if line.history is not None:
        yield from _indented(["history:", *_tree(line.history)])
    if line.hint:
        yield from _indented([f"hint: {line.hint}"])


def _fact(detail: Detail) -> str:
    return f"{visible(detail.name)}: {visible(detail.value)}"


def _cell(cell: Cell, line: Line) -> str:
    if cell.name == "identity" and line.identity:
        shown, rest = first(line.identity)
        names = "; ".join((*(_fact(detail) for detail in shown), *([rest] if rest else ())))
        return f"{cell.name}: {names}. {cell.meaning}"
    return f"{cell.name}: {cell.state}. {cell.meaning}"


def _tree(node: Node, lead: str = "", rest: str = "") -> Iterator[str]:
    """A node and everything below it; `lead` stands before its first line, `rest` before the others."""
    yield f"{lead}{node.shape} {visible(node.title)} ({visible(node.role)}): {node.state}"
    below = "│ " if node.children or node.left_out else "  "
    yield from (f"{rest}{below}{visible(fact)}" for fact in node.facts)
    for child in node.children:
        is_last = child is node.children[-1] and not node.left_out
        yield from _tree(child, f"{rest}{'└─' if is_last else '├─'} ", f"{rest}{'   ' if is_last else '│  '}")
    if node.left_out:
        yield f"{rest}└─ … and {node.left_out:,} more, which the JSON report lists"


def _violation(violation: Violation, paint: Paint) -> Iterator[str]:
    word = violation.severity.value
    yield from _row(word, f"{violation.rule}: {visible(violation.message)}", paint, style=_STYLES[word])
    if violation.remedy:
        yield from _indented([f"remedy: {violation.remedy}"])
