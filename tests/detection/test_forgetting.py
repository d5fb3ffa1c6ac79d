from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assay.vocabulary import Pixels
from detection.forgetting import changes
from detection.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Smoothness:
    """Decoders of the set blur, so this knows them, or with the other sign takes photographs for them."""

    sign: float
    id: ClassVar[str] = "smoothness"
    side: ClassVar[int] = 64

    def logits(self, squares: Pixels) -> NDArray[np.float32]:
        steps = np.abs(np.diff(squares.astype(np.float32), axis=2)).mean(axis=(1, 2, 3))
        return (-self.sign * steps).astype(np.float32)


def test_what_was_told_better_before_is_forgotten(prepared: Prepared) -> None:
    knows, does_not = Smoothness(1), Smoothness(-1)
    lost = list(changes(prepared, knows, does_not))
    assert {change.kind for change in lost} == {item.kind for item in prepared.items if item.label == "ai"}
    for change in lost:
        assert change.made == 6
        assert change.before.value > change.after.value
        assert np.isclose(change.before.value, 1 - change.after.value)
    assert any(change.is_forgotten for change in lost)
    assert not any(change.is_forgotten for change in changes(prepared, does_not, knows))


def test_weights_that_did_not_move_forget_nothing(prepared: Prepared) -> None:
    same = Smoothness(1)
    assert not any(change.is_forgotten for change in changes(prepared, same, same))
