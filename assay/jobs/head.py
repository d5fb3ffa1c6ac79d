"""head: a cache of features in, a head out, with a card that says how well it tells sources that it has not seen."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from pathlib import Path

from assay.discrimination import Estimate
from assay.errors import ConfigurationError
from assay.files import write_whole
from detection import apart, head, panel, viewer
from detection.apart import Line, Told
from detection.featured import Cache, load
from detection.head import Recipe
from detection.manifest import Item, Label

WEIGHTS, PANEL, CARD, TOLD = "head.safetensors", "panel.json", "README.md", "told.csv"
_FREEDOMS = (1e-4, 1e-3, 1e-2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One head from beginning to end."""

    cache: Path
    out: Path
    recipe: Recipe
    newest: str
    """The newest generator that it has seen, for reports."""
    command: str
    """As it was given, for the card."""


def run(course: Course) -> Iterator[str]:
    """Fit, and say what was found.

    Raises:
        ConfigurationError: The cache lacks what the recipe names, or a label.
    """
    cache = load(course.cache)
    found = list(apart.left_out(cache, course.recipe))
    _require_both(course.cache, found)
    lines = list(apart.lines(found))
    yield from _table(lines)
    views = {kind: head.shown(cache, kind, course.recipe) for kind in course.recipe.kinds}
    course.out.mkdir(parents=True, exist_ok=True)
    weights = course.out / WEIGHTS
    head.write(head.fit(cache, views, course.recipe), weights)
    panel.save(apart.panel(found, viewer.NAME, course.newest), course.out / PANEL)
    write_whole(course.out / TOLD, _csv(found))
    write_whole(course.out / CARD, "\n".join(_card(course, cache, found, lines)).encode())
    yield f"head, panel, card and what it was told apart by: {course.out}"


def compare(cache: Path, kinds: Sequence[str], *, patches: bool = False) -> Iterator[str]:
    """The mean AUC over matched sets that were left out one by one, for each of some recipes.

    Raises:
        ConfigurationError: The cache has no matched set with both labels.
    """
    opened = load(cache)
    sets = sorted({item.matched for item in opened.items} - {""})
    depth = max(opened.plan.taps) + 1
    low = tuple(tap for tap in opened.plan.taps if depth // 6 <= tap < 3 * depth // 4)
    for blocks, freedom in product((None, low), _FREEDOMS):
        recipe = Recipe(blocks=blocks, patches=patches, kinds=tuple(kinds), freedom=freedom)
        found = list(apart.left_out(opened, recipe, sets))
        _require_both(cache, found)
        named = "all" if blocks is None else f"{min(blocks)} to {max(blocks)}"
        tokens = "class token and patches" if patches else "class token"
        yield f"blocks {named}, {tokens}, freedom {freedom:g}: {apart.matched_mean(found):.3f}"


def _require_both(cache: Path, found: Sequence[Told]) -> None:
    """That there is something to measure: both labels, and a matched set."""
    if {one.item.label for one in found} != set(Label):
        raise ConfigurationError(f"{cache}: has pictures of one label only", hint="Add the other to the manifest.")
    if not any(one.item.matched for one in found):
        raise ConfigurationError(
            f"{cache}: has no matched set", hint="Say in the manifest which sources have both labels of one kind."
        )


# --- what is said -----------------------------------------------------------------------------------------------------


def _table(lines: Sequence[Line]) -> Iterator[str]:
    yield "| group | draw | made | others | AUC | TPR at 5 % FPR | TPR at 1 % FPR | Cllr | Cllr min |"
    yield "| --- | --- | ---: | ---: | --- | --- | --- | ---: | ---: |"
    for line in lines:
        rates = " | ".join(map(_estimate, (line.auc, line.tpr_5, line.tpr_1)))
        counts = f"{line.made} | {line.others}"
        costs = f"{line.cllr:.2f} | {line.cllr_min:.2f}"
        yield f"| {line.group} | {line.draw} | {counts} | {rates} | {costs} |"


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _csv(found: Sequence[Told]) -> bytes:
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["id", "label", "kind", "source", "content", "matched", "draw", "logit"])
    for one in found:
        item = one.item
        facts = (item.id, item.label, item.kind, item.source, item.content, item.matched)
        table.writerow([*facts, one.draw, f"{one.logit:.4f}"])
    return stream.getvalue().encode()


_MEASURED = """\
Every picture by a head that learnt from all sources but its own. *Matched* sets hold both labels with one content and
one pipeline, and the recipe was chosen by their mean; what is pooled tells style as well as making. Draw 0 is the
square in the middle of the picture, reduced to 1,024 pixels and saved as JPEG 90; other draws are random chains.
Brackets are 95 % intervals of a bootstrap of 2,000 resamples by picture within each class; they do not show that
sources differ. *Cllr* is of ratios calibrated on the other sources; above 1 they mislead, and nothing may be said of
such pictures by them.
"""
_DATA = """\
{count:,} pictures ({made:,} that models made) of {sources} sources, listed by blob in the cache's `items.csv`. Most of
their repositories state no licence: their pictures are learnt from and measured, and none is copied.
"""


def _card(course: Course, cache: Cache, found: Sequence[Told], lines: Sequence[Line]) -> Iterator[str]:
    digest = sha256((course.out / WEIGHTS).read_bytes()).hexdigest()
    seen = {one.item.id: one.item for one in found}.values()
    yield "# A head on a frozen network\n"
    yield f"Written {datetime.now(UTC):%Y-%m-%d} by `{course.command}`."
    yield f"`{WEIGHTS}` is sha256 {digest}; it reads features of `{cache.plan.backbone}`, sha256 {cache.plan.sha256}.\n"
    yield f"Newest generator in the set: {course.newest}.\n"
    yield "## Data\n"
    made = sum(item.label is Label.AI for item in seen)
    yield _DATA.format(count=len(seen), made=made, sources=len({item.source for item in seen}))
    yield from _kinds(list(seen))
    yield f"\n## Sources that it has not seen\n\n{_MEASURED}"
    yield f"Mean AUC over matched sets, each by its number of pictures, draw 0: {apart.matched_mean(found):.3f}.\n"
    yield from _table(lines)
    yield ""


def _kinds(items: Sequence[Item]) -> Iterator[str]:
    counts = Counter((item.label.value, item.content.value or "not stated") for item in items)
    yield "| label | content | pictures |"
    yield "| --- | --- | ---: |"
    for (label, content), count in sorted(counts.items()):
        yield f"| {label} | {content} | {count:,} |"
