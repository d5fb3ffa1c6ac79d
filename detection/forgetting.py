"""What weights lost, and what they won, when they went on learning: the same squares by both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.discrimination import Estimate, auc_interval
from assay.vocabulary import Detector
from detection.batches import degraded
from detection.manifest import Label, capped
from detection.prepare import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One generator, against the same photographs."""

    kind: str
    made: int
    before: Estimate
    """AUC."""
    after: Estimate

    @property
    def is_forgotten(self) -> bool:
        """Whether it is told worse than before, beyond what chance explains."""
        return self.after.high < self.before.value


def changes(prepared: Prepared, before: Detector, after: Detector, *, each: int = 20) -> Iterator[Change]:
    """By generator, how well two versions of a detector tell its pictures; trained on or not, the same for both.

    Args:
        prepared: A set with both labels.
        before: Weights that training began with.
        after: Weights that it ended with.
        each: Pictures of a generator or a source, at most.
    """
    kept = {item.id for item in capped(prepared.items, each)}
    chosen = [at for at, item in enumerate(prepared.items) if item.id in kept]
    logits = [_logits(prepared, chosen, expert) for expert in (before, after)]
    items = [prepared.items[at] for at in chosen]
    real = np.array([item.label is Label.REAL for item in items])
    kinds = np.array([item.kind for item in items])
    for kind in sorted(set(kinds[~real])):
        own = ~real & (kinds == kind)
        first, then = (auc_interval(values[own], values[real]) for values in logits)
        yield Change(kind=kind, made=int(own.sum()), before=first, after=then)


def _logits(prepared: Prepared, chosen: list[int], expert: Detector) -> NDArray[np.float64]:
    squares = (degraded(np.asarray(prepared.crops[at, 0]), np.random.default_rng(at), expert.side) for at in chosen)
    return np.array([expert.logits(square[None])[0] for square in squares], np.float64)
