"""Reports as GitHub-flavoured Markdown: a table and one section an image, for a pull request or a step summary.

Text from a file can be no markup, no link, no image and no mention: names and values stand in code spans, sentences are
written with character references for everything that Markdown gives a meaning (CommonMark 0.31, section 2.5).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from assay.report.escape import first, visible
from assay.report.history import Node
from assay.report.view import FAILED, Line, View, view
from assay.report.wording import Cell, plural, summary, violations_line
from assay.vocabulary import Detail, Report

MAX_CHARACTERS = 60_000
"""A comment on GitHub holds 65,536; what does not fit is counted."""

_MARKUP = re.compile(r"^-|^\d+(?=[.)])|[\\`*_{}\[\]<>#+!|~&@$^=]|:(?=\S)|(?<=\S)\.(?=\S)")
_ACTIVE = re.compile(r"((?:&#64;|&#35;)(?=\S)|&#58;(?=\S)(?!(?<=\d&#58;)\d))")
"""An at sign, a hash or a colon before a word: GitHub makes mentions, issue links and emoji of the finished text."""


def render(reports: Sequence[Report]) -> str:
    """One document, in the order of the reports."""
    views = [view(report) for report in reports]
    urgent = [bool(report.violations or report.failures) for report in reports]
    head = f"## Where these images came from\n\n{prose(summary(reports))}\n"
    if not reports:
        return head
    head += "\n| Image | Verdict | Rests on | Rules broken |\n| --- | --- | --- | --- |\n"
    table = _fitting([_row(*pair) for pair in zip(views, reports, strict=True)], urgent, MAX_CHARACTERS // 2)
    table.append(_left_out(len(views) - len(table), "row"))
    room = MAX_CHARACTERS - len(head) - sum(map(len, table))
    sections = _fitting([_section(shown) for shown in views], urgent, room)
    sections.append(_left_out(len(views) - len(sections), "image"))
    return "".join((head, *table, *sections))


def _fitting(texts: Sequence[str], urgent: Sequence[bool], room: int) -> list[str]:
    """What fits, in the given order; what is urgent is the last to be left out."""
    kept = []
    for position in sorted(range(len(texts)), key=lambda position: not urgent[position]):
        room -= len(texts[position])
        if room < 0:
            break
        kept.append(position)
    return [texts[position] for position in sorted(kept)]


def _left_out(count: int, noun: str) -> str:
    return f"\n{plural(count, noun)} left out for length; the JSON report has everything.\n" if count else ""


def _row(shown: View, report: Report) -> str:
    broken = violations_line([report]) or "none"
    return f"| {code(shown.name)} | {prose(shown.headline)} | {shown.label} | {broken} |\n"


def _section(shown: View) -> str:
    needs_attention = shown.violations or any(line.label == FAILED for line in shown.lines)
    opening = "<details open>" if needs_attention else "<details>"
    summary_line = f"<summary>{_html_code(shown.name)}: {_html(shown.headline)}</summary>"
    return f"\n{opening}{summary_line}\n\n" + "\n".join(_body(shown)) + "\n\n</details>\n"


def _body(shown: View) -> Iterator[str]:
    yield f"**{prose(shown.headline)}**"
    yield f"\n**What this rests on:** {prose(shown.rests_on)}. {prose(shown.support)}".rstrip()
    if shown.because:
        yield ""
        yield from _items(map(prose, shown.because))
    yield from _titled("What would change this", map(prose, shown.would_change))
    yield from _titled("In conflict", map(prose, shown.conflicts))
    yield from _titled(
        "Rules broken",
        (
            f"**{each.severity.value}** {code(each.rule)}: {prose(each.message)}\n  - remedy: {prose(each.remedy)}"
            for each in shown.violations
        ),
    )
    yield "\n**What was found**\n"
    for line in shown.lines:
        yield from _line(line)
    yield from _titled("File", (*map(_fact, shown.file), *map(prose, shown.file_notes)))


def _titled(title: str, items: Iterable[str]) -> Iterator[str]:
    lines = list(_items(items))
    if lines:
        yield f"\n**{title}**\n"
        yield from lines


def _items(items: Iterable[str], depth: int = 0) -> Iterator[str]:
    return ("  " * depth + f"- {item}" for item in items)


def _line(line: Line) -> Iterator[str]:
    yield f"- **{line.label}** {line.title} ({code(line.check)}): {prose(line.text)}"
    shown, rest = first(line.details)
    inner = [*(_cell(cell, line) for cell in line.cells), *map(_fact, shown), *([rest] if rest else [])]
    yield from _items(inner, 1)
    if line.history is not None:
        yield from _items(["history:"], 1)
        yield from _tree(line.history, 2)
    if line.hint:
        yield from _items([f"hint: {prose(line.hint)}"], 1)


def _cell(cell: Cell, line: Line) -> str:
    if cell.name == "identity" and line.identity:
        shown, rest = first(line.identity)
        return f"{cell.name}: {'; '.join((*map(_fact, shown), *([rest] if rest else [])))}. {cell.meaning}"
    return f"{cell.name}: **{cell.state}**. {prose(cell.meaning)}"


def _fact(detail: Detail) -> str:
    return f"{prose(detail.name)}: {code(detail.value)}"


def _tree(node: Node, depth: int) -> Iterator[str]:
    yield from _items([f"{node.shape} {code(node.title)} ({prose(node.role)}): **{node.state}**"], depth)
    yield from _items(map(prose, node.facts), depth + 1)
    for child in node.children:
        yield from _tree(child, depth + 1)
    if node.left_out:
        yield from _items([f"… and {node.left_out:,} more, which the JSON report lists"], depth + 1)


def prose(text: str) -> str:
    """A sentence in which nothing is markup."""
    return _inert(_MARKUP.sub(lambda match: _references(match[0]), visible(text, limit=1_000).strip()))


def code(text: str) -> str:
    """A name or value in a code span: GitHub makes no link, mention or emoji in one."""
    shown = visible(text) or " "
    is_plain = shown == shown.strip() and not set(shown) & set("`|")
    return f"`{shown}`" if is_plain else _html_code(shown)


def _html_code(text: str) -> str:
    return f"<code>{re.sub('[^0-9A-Za-z ]+', lambda match: _references(match[0]), visible(text))}</code>"


def _html(text: str) -> str:
    """Text inside an HTML element, where Markdown is not parsed but GitHub still looks for mentions."""
    escaped = html.escape(visible(text), quote=False)
    return _inert(re.sub("[@#:]", lambda match: _references(match[0]), escaped))


def _inert(text: str) -> str:
    return _ACTIVE.sub(r"\1&#8203;", text)


def _references(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)
