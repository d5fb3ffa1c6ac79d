"""How well a head tells pictures of sources that it has not seen: each source by a head that learnt from the others.

What decides is the mean over matched sets, whose two labels share content and pipeline. All pictures together say
little: there, style is told as well as making.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.discrimination import Estimate, auc, auc_interval, cllr, cllr_min, tpr_interval
from detection.calibrate import bi_gaussian, conformal_threshold
from detection.featured import Cache
from detection.fusion import Fusion
from detection.head import Recipe, Shown, fit, shown, told
from detection.manifest import Content, Item, Label
from detection.panel import BINS, FALSE_ALARMS, Panel

FEWEST = 5
"""Pictures of each label that a set must have to be a line of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One picture in one draw, by a head that had not seen its source."""

    item: Item
    draw: int
    logit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One group of generated pictures against photographs, or against what else people made."""

    group: str
    draw: int
    made: int
    others: int
    auc: Estimate
    tpr_5: Estimate | None
    """At 5 % false alarms; None where there are too few others to tell."""
    tpr_1: Estimate | None
    cllr: float
    """Of ratios calibrated on the other sources."""
    cllr_min: float


def left_out(cache: Cache, recipe: Recipe, sources: Sequence[str] | None = None) -> Iterator[Told]:
    """Every picture of some sources, by a head that learnt from all sources but its own.

    Args:
        cache: With features of both labels.
        recipe: How heads are made.
        sources: Which are left out, one by one; all by default.

    Raises:
        ConfigurationError: The cache lacks a block or a kind of view that the recipe names.
    """
    views = {kind: shown(cache, kind, recipe) for kind in recipe.kinds}
    of_item = np.array([item.source for item in cache.items])
    for source in sorted(set(of_item)) if sources is None else sources:
        parts = {kind: _split(rows, of_item == source) for kind, rows in views.items()}
        if not any(len(own.items) for own, _ in parts.values()):
            continue
        head = fit(cache, {kind: others for kind, (_, others) in parts.items()}, recipe)
        for (item, draw), logit in told(head, {kind: own for kind, (own, _) in parts.items()}).items():
            yield Told(item=cache.items[item], draw=draw, logit=logit)


def _split(rows: Shown, is_own: NDArray[np.bool_]) -> tuple[Shown, Shown]:
    own = is_own[rows.items]
    return rows.of(own), rows.of(~own)


def matched_mean(found: Sequence[Told], draw: int = 0) -> float:
    """The mean AUC over matched sets, each by the number of its pictures: what recipes are chosen by.

    Raises:
        ValueError: There is no matched set with pictures enough of both labels.
    """
    sets = _matched([one for one in found if one.draw == draw]).values()
    if not sets:
        raise ValueError("no matched set has pictures enough of both labels")
    return float(np.average([auc(*_logits(own)) for own in sets], weights=[len(own) for own in sets]))


def _matched(found: Sequence[Told]) -> dict[str, list[Told]]:
    sets: dict[str, list[Told]] = {}
    for one in found:
        if one.item.matched:
            sets.setdefault(one.item.matched, []).append(one)
    return {name: own for name, own in sorted(sets.items()) if min(map(len, _logits(own))) >= FEWEST}


def _logits(found: Sequence[Told]) -> tuple[list[float], list[float]]:
    """Made, and made by people."""
    made = [one.logit for one in found if one.item.label is Label.AI]
    return made, [one.logit for one in found if one.item.label is Label.REAL]


_GROUPS: Mapping[str, Callable[[Item], bool]] = {
    "matched photorealistic sets together": lambda item: bool(item.matched) and item.content is Content.PHOTOREALISTIC,
    "galleries against photographs": lambda item: (
        item.content is Content.GALLERY if item.label is Label.AI else item.content is Content.PHOTOREALISTIC
    ),
    "galleries against graphics by people": lambda item: (
        item.content is Content.GALLERY if item.label is Label.AI else item.content is Content.GRAPHIC
    ),
    "all": lambda _: True,
}


def lines(found: Sequence[Told]) -> Iterator[Line]:
    """By draw: each matched set, then what is pooled."""
    ratios = calibrated(found)
    for draw in sorted({one.draw for one in found}):
        own = [one for one in found if one.draw == draw]
        pooled = {name: [one for one in own if belongs(one.item)] for name, belongs in _GROUPS.items()}
        for name, group in {**_matched(own), **pooled}.items():
            if min(map(len, _logits(group))) >= FEWEST:
                yield _line(name, draw, group, ratios)


def calibrated(found: Sequence[Told]) -> Mapping[tuple[str, int], float]:
    """log10 likelihood ratios, by picture and draw, each calibrated on the sources other than its own."""
    ratios: dict[tuple[str, int], float] = {}
    for source in sorted({one.item.source for one in found}):
        calibrator = bi_gaussian(*_logits([one for one in found if one.item.source != source]))
        for one in found:
            if one.item.source == source:
                ratios[one.item.id, one.draw] = float(calibrator.log10_lr(one.logit))
    return ratios


def panel(found: Sequence[Told], name: str, newest: str) -> Panel:
    """What turns the logits of a head into a finding, from pictures of sources that heads had not seen.

    Deliveries of one picture are no new evidence: bounds count pictures, and the threshold takes of each picture that
    people made, photograph or graphic, the delivery that looks most as if a model had made it.

    Args:
        found: Of both labels.
        name: Of the head's logit.
        newest: The newest generator that it has seen.
    """
    highest: dict[str, float] = {}
    for one in found:
        if one.item.label is Label.REAL:
            highest[one.item.id] = max(highest.get(one.item.id, -np.inf), one.logit)
    made = {one.item.id for one in found if one.item.label is Label.AI}
    threshold = conformal_threshold(list(highest.values()), FALSE_ALARMS)
    return Panel(
        fusion=Fusion(weights={name: (1.0, 0.0)}, bias=0.0),
        calibrator=bi_gaussian(*_logits(found)).bounded(len(made), len(highest)),
        thresholds=dict.fromkeys(BINS, threshold),
        photographs=len(highest),
        made=len(made),
        newest=newest,
    )


def _line(name: str, draw: int, group: Sequence[Told], ratios: Mapping[tuple[str, int], float]) -> Line:
    made, others = _logits(group)
    stated: tuple[list[float], list[float]] = ([], [])
    for one in group:
        stated[one.item.label is Label.REAL].append(ratios[one.item.id, one.draw])
    return Line(
        group=name,
        draw=draw,
        made=len(made),
        others=len(others),
        auc=auc_interval(made, others),
        tpr_5=tpr_interval(made, others, 0.05),
        tpr_1=tpr_interval(made, others, 0.01),
        cllr=cllr(*stated),
        cllr_min=cllr_min(*stated),
    )
