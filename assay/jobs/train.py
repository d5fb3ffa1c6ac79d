"""train: a prepared set in, experts and a panel out, in stages each of which goes on where it was cut off.

For every fold, the experts are trained on the others and measured on it: those rows say what to expect of generators
and sources that were not seen, and the panel is fitted on them. Then the experts are trained on all folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from assay import catalog
from assay.jobs.detect import PANEL, open_experts
from assay.loop import Plan
from detection import card, handmade, measuring, network, panel
from detection.batches import members
from detection.delivery import DELIVERIES, NATIVE
from detection.fitting import panel as fitted_panel
from detection.forgetting import changes
from detection.manifest import FOLDS, Item, Label, capped
from detection.measuring import Row
from detection.prepare import Prepared
from detection.training import Recipe, fit

WHOLE = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One training from beginning to end."""

    prepared: Prepared
    place: Path
    """Git copies, or the folder of the files: folds are measured on whole pictures, not on prepared squares."""
    out: Path
    recipe: Recipe
    plan: Plan
    """Of each fold; its `out` is not used."""
    final_steps: int
    device: str
    command: str
    """As it was given, for the card."""
    newest: str
    folds: tuple[int, ...] = tuple(range(FOLDS))
    """Those that this run trains and measures; only a run of all goes on to the whole."""
    each: int = 60
    """Pictures of a source and kind, at most, that a fold is measured on."""
    squares: int = 4
    """Of each picture that a fold is measured on. `verify` looks at more, whose mean strays less, so it errs to
    caution."""
    workers: int = 2


def run(course: Course) -> Iterator[str]:
    """Train, and say after each stage what was done.

    Raises:
        ConfigurationError: The set or the weights to begin with cannot be used.
    """
    features = _features(course)
    apart = replace(course.recipe, start=None)  # what ours have seen may be in the fold
    for fold in course.folds:
        others = members(course.prepared, [other for other in range(FOLDS) if other != fold])
        _experts(replace(course, recipe=apart), course.out / _fold(fold), others, features, course.plan.steps)
        yield f"fold {fold}: trained on {len(others):,} pictures"
        rows = _rows(course, fold)
        yield f"fold {fold}: {len(rows):,} rows measured"
    if len(course.folds) < FOLDS:
        return
    everything = members(course.prepared, range(FOLDS))
    _experts(course, course.out / WHOLE, everything, features, course.final_steps)
    rows = [row for fold in range(FOLDS) for row in measuring.read(_rows_of(course.out, fold))]
    fitted = fitted_panel(rows, list(catalog.DETECTORS), newest=course.newest)
    panel.save(fitted, course.out / WHOLE / PANEL)
    runs = {name: course.out / name / "run" / "curve.jsonl" for name in (*map(_fold, range(FOLDS)), WHOLE)}
    card.write(
        card.Run(
            folder=course.out / WHOLE,
            items=course.prepared.items,
            rows=rows,
            panel=fitted,
            experts=list(catalog.DETECTORS),
            curves={name: path for name, path in runs.items() if path.exists()},
            command=course.command,
        )
    )
    yield f"weights, panel and card: {course.out / WHOLE}"
    if course.recipe.start is not None:
        yield from _changes(course, course.recipe.start)


def _changes(course: Course, start: Path) -> Iterator[str]:
    """What going on from other weights taught, and what it cost."""
    before, after = (
        catalog.detector("patches", path, course.device) for path in (start, course.out / WHOLE / "patches.safetensors")
    )
    for change in changes(course.prepared, before, after):
        note = ": forgotten" if change.is_forgotten else ""
        yield f"{change.kind}, {change.made} pictures: AUC {change.before} before, {change.after} after{note}"


def _experts(
    course: Course, out: Path, chosen: np.ndarray[tuple[int], np.dtype[np.int64]], features: Path, steps: int
) -> None:
    """Train what the folder lacks."""
    out.mkdir(parents=True, exist_ok=True)
    rule = out / "handmade.safetensors"
    if not rule.exists():
        handmade.save(_rule(course.prepared, chosen, features), rule)
    weights = out / "patches.safetensors"
    if not weights.exists():
        plan = replace(course.plan, out=out / "run", steps=steps)
        trained = fit(course.prepared, chosen, course.recipe, plan, torch.device(course.device))
        network.save(trained, weights, steps=str(steps))


def _features(course: Course) -> Path:
    """Hand-made features of the whole set, made once for all folds: shape (rounds, items, features)."""
    path = course.out / "features.npy"
    if not path.exists():
        course.out.mkdir(parents=True, exist_ok=True)
        rounds = np.stack(list(handmade.described(course.prepared, workers=course.workers)))
        temporary = path.with_suffix(".partial.npy")
        np.save(temporary, rounds)
        temporary.replace(path)
    return path


def _rule(prepared: Prepared, chosen: np.ndarray[tuple[int], np.dtype[np.int64]], features: Path) -> handmade.Handmade:
    rounds = np.load(features)[:, chosen]
    labels = prepared.labels[chosen]
    weights = prepared.weights(chosen)
    count = len(rounds)
    return handmade.fit(rounds.reshape(-1, rounds.shape[-1]), np.tile(labels, count), np.tile(weights, count))


def _rows_of(out: Path, fold: int) -> Path:
    return out / _fold(fold) / "rows.jsonl"


def _fold(fold: int) -> str:
    return f"fold-{fold}"


def _rows(course: Course, fold: int) -> Sequence[Row]:
    """Measure a fold with the experts that did not see it."""
    path = _rows_of(course.out, fold)
    known = {(row.id, row.delivery) for row in measuring.read(path)} if path.exists() else set()
    opening = partial(open_experts, path.parent, course.device)
    wanted = _wanted([item for item in course.prepared.items if item.fold == fold], course.each)
    left = {item: [name for name in names if (item.id, name) not in known] for item, names in wanted.items()}
    measuring.write(path, measuring.rows(left, course.place, opening, count=course.squares, workers=course.workers))
    return measuring.read(path)


def _wanted(items: Sequence[Item], each: int) -> dict[Item, tuple[str, ...]]:
    """Which deliveries are measured on which pictures of a fold.

    All as they are, five times as many photographs as generated pictures of a kind, since the rate of false alarms
    wants many; every other delivery on every other one of at most `each` of a kind.
    """
    photographs = [item for item in items if item.label is Label.REAL]
    made = [item for item in items if item.label is Label.AI]
    others = [name for name in DELIVERIES if name != NATIVE]
    wanted: dict[Item, tuple[str, ...]] = {}
    for item in (*capped(made, each), *capped(photographs, 5 * each)):
        wanted[item] = (NATIVE,)
    for item in capped(items, each):
        first = int(item.sha256[:8], 16) % 2
        wanted[item] = (NATIVE, *others[first::2])
    return wanted
