"""Does a picture show what the thumbnail of another one shows, as far as the two can tell?

A mark that was read says where the picture lies on the original, but for whole tiles. So the picture is laid over the
thumbnail at each of these shifts, and the two are compared where both are known: *detail*, which is brightness less its
local mean, correlated place by place, so that a covered half takes nothing from the other one. There are three answers,
and an accusation needs as much evidence as a word of ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.fingerprint import opened
from assay.perturb import Matrix, translation
from assay.vocabulary import Pixels
from watermark.geometry import Size, landing, undo

_Values: TypeAlias = NDArray[Any]
"""float32 of shape (height, width)."""

SIDE = 64
"""Longer side of the original in cells, about: a tile has a whole number of them."""
AGREE = 0.8
"""Least correlation around a cell that agrees."""
DETAIL_WORTH, DETAIL_AREA, DETAIL_SHARE = 150.0, 0.04, 0.85
"""A detail shows the same from this evidence on, where so much of the original and nearly all of both agree."""
COVERED_WORTH, COVERED_AREA, COVERED_SHARE = 400.0, 0.15, 0.25
"""A picture whose larger part may be covered, from this evidence on, where so much of the original agrees."""
OTHER_WORTH, OTHER_AREA, OTHER_REACH = 150.0, 0.05, 0.3
"""Two show something else up to this evidence, where no more than this part of the original agrees anywhere, and so
much of it could be there."""
_LEAST_KNOWN = 0.03
"""Part of the original that a shift has to reach to be tried."""
_FINE, _COARSE, _LOCAL = 0.7, 3.0, 3.0
"""Standard deviations in cells: of what codecs and noise leave alone, of shading, of one neighbourhood."""
_LEAST_DETAIL, _LEAST_CONTRAST = 1.0, 0.1
"""Grey levels of detail in a place, and the part of the original with so much, without which nothing can disagree."""
_NOISE = 0.3
"""Grey levels of detail that mean nothing."""
_KEPT = 8
"""Shifts that are looked at place by place."""
_FARTHEST = 8
"""Times the original's side that a received picture may reach; more is no geometry that an edit makes."""
_MAP_SIDE = 256


MOST_AROUND, WHOLE, COVERED = 0.05, 0.95, 0.85
"""Part of a picture around the original from which on it is a larger one; part of the original that counts as all of
it; part of the detail below which something was covered."""


class Shows(StrEnum):
    """What a picture shows beside the thumbnail of another one."""

    SAME = "shows the same"
    OTHER = "shows something else"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """How a picture and a thumbnail compare where they agree most."""

    shows: Shows
    reach: float = 0.0
    """Part of the original's area that the picture may reach, in [0, 1]; where they show the same, that it reaches."""
    agreeing: float = 0.0
    """Part of the original's area in which the two agree, at most `reach`."""
    share: float = 0.0
    """The part of the detail that both know that agrees, in [0, 1]: flat places count little."""
    around: float = 0.0
    """Part of the received picture's area that lies around the original, in [0, 1]."""
    worth: float = 0.0
    """-n log(1 - r^2): how unlikely so much correlation r of n cells is between pictures of other things."""
    is_negative: bool = False
    """Whether they agree with light and dark exchanged."""
    matrix: Matrix | None = None
    """From coordinates of the original to those of the received picture; None where nothing could be compared."""
    grid: NDArray[np.bool_] | None = None
    """Where they agree, by cells of the original."""

    @property
    def is_inside(self) -> bool:
        """Whether what was marked stands inside a larger picture."""
        return self.around > MOST_AROUND

    @property
    def is_detail(self) -> bool:
        """Whether only a part of what was marked is there."""
        return self.reach < WHOLE

    @property
    def is_covered(self) -> bool:
        """Whether a part of what is there shows something else."""
        return self.share < COVERED

    def map(self, received: Size, original: Size) -> bytes | None:
        """An 8-bit PNG of the received picture's proportions: white where it shows what the thumbnail shows."""
        if self.matrix is None or self.grid is None:
            return None
        scale = min(1.0, _MAP_SIDE / max(received))
        size = (max(1, round(received[0] * scale)), max(1, round(received[1] * scale)))
        inside, x, y = _on_original(self.matrix, received, original, size)
        row, column = np.where(inside, y, 0) * self.grid.shape[0], np.where(inside, x, 0) * self.grid.shape[1]
        stream = BytesIO()
        Image.fromarray((self.grid[row.astype(np.intp), column.astype(np.intp)] & inside) * np.uint8(255)).save(
            stream, "PNG"
        )
        return stream.getvalue()


def compare(
    pixels: Pixels, thumbnail: bytes, size: Size, matrix: Matrix, *, period: tuple[float, float] | None = None
) -> Comparison:
    """Compare a received picture with the thumbnail of the one whose mark it carries.

    Args:
        pixels: As received: uint8 of shape (height, width, 3).
        thumbnail: Of the original, from `assay.fingerprint.thumbnail`; empty where none was kept.
        size: Height and width of the original in pixels.
        matrix: From coordinates of the original to those of the received picture.
        period: The matrix may be off by whole multiples of so many pixels of the original, down and across; None where
            it is right as it is.
    """
    if not thumbnail:
        return Comparison(shows=Shows.UNKNOWN)
    plain = SIDE / max(size)
    step = None if period is None else (max(1, round(period[0] * plain)), max(1, round(period[1] * plain)))
    cells = (plain, plain) if period is None or step is None else (step[0] / period[0], step[1] / period[1])
    grid = (max(1, round(size[0] * cells[0])), max(1, round(size[1] * cells[1])))
    to_plane = np.diag([1 / cells[1], 1 / cells[0], 1.0])
    stored = opened(thumbnail)
    to_stored = np.diag([stored.shape[1] / size[1], stored.shape[0] / size[0], 1.0])
    theirs = _grey(undo(stored, to_stored @ to_plane, grid)[0])
    received = _laid_out(pixels, matrix @ to_plane, grid, is_anywhere=period is not None)
    if received is None:
        return Comparison(shows=Shows.UNKNOWN)
    looks = sorted(_looks(theirs, received, step), key=lambda look: -look.worth)
    found = [_compared(theirs, received, look) for look in looks[:_KEPT]]
    if not found:
        return Comparison(shows=Shows.UNKNOWN)
    best, reach = found[0], max(look.reach for look in looks)
    is_plain = max(one.contrast for one in found) < _LEAST_CONTRAST
    shows = _answer(best, 0.0 if is_plain else reach, max(one.agreeing for one in found))
    at = matrix @ to_plane @ translation(best.look.shift[1], best.look.shift[0]) @ np.linalg.inv(to_plane)
    return Comparison(
        shows=shows,
        reach=best.look.reach if shows is Shows.SAME else reach,
        agreeing=best.agreeing,
        share=best.share,
        around=1 - float(_on_original(at, (pixels.shape[0], pixels.shape[1]), size, (64, 64))[0].mean()),
        worth=best.look.worth,
        is_negative=best.is_negative,
        matrix=at,
        grid=best.grid,
    )


def _answer(best: _Compared, reach: float, agreeing: float) -> Shows:
    worth = best.look.worth
    is_detail = worth >= DETAIL_WORTH and best.agreeing >= DETAIL_AREA and best.share >= DETAIL_SHARE
    is_covered = worth >= COVERED_WORTH and best.agreeing >= COVERED_AREA and best.share >= COVERED_SHARE
    if is_detail or is_covered:
        return Shows.SAME
    if worth <= OTHER_WORTH and agreeing <= OTHER_AREA and reach >= OTHER_REACH:
        return Shows.OTHER
    return Shows.UNKNOWN


def _on_original(
    matrix: Matrix, received: Size, original: Size, grid: Size
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """A grid over the received picture: whether each point lies on the original, and where, in parts of its sides."""
    to_parts = (
        np.diag([1 / original[1], 1 / original[0], 1.0])
        @ np.linalg.inv(matrix)
        @ np.diag([received[1] / grid[1], received[0] / grid[0], 1.0])
    )
    x, y = landing(to_parts, grid)
    return (x >= 0) & (y >= 0) & (x < 1) & (y < 1), x, y


class _Received(NamedTuple):
    """The received picture on the plane of the original, in its cells."""

    grey: _Values
    known: _Values
    """1 where it is known, 0 elsewhere."""
    top: int
    left: int
    """Where the original's first cell lies, were it not shifted."""


class _Look(NamedTuple):
    shift: tuple[int, int]
    reach: float
    worth: float
    sign: float
    """-1 where light and dark are exchanged."""


class _Compared(NamedTuple):
    look: _Look
    agreeing: float
    share: float
    contrast: float
    """Part of the original in whose neighbourhoods both have detail."""
    is_negative: bool
    grid: NDArray[np.bool_]


def _laid_out(pixels: Pixels, matrix: Matrix, grid: Size, *, is_anywhere: bool) -> _Received | None:
    """All of the received picture in the original's cells; only what lies on the original, where that is known."""
    top = left = 0
    height, width = grid
    if is_anywhere:
        box = _box(pixels.shape[:2], matrix)
        if box is None or max(box[2] - box[0], box[3] - box[1]) > _FARTHEST * max(grid):
            return None
        left, top = box[0], box[1]
        width, height = max(1, box[2] - left), max(1, box[3] - top)
    straight, mask = undo(pixels, matrix @ translation(left, top), (height, width))
    return _Received(_grey(straight), mask.astype(np.float32), -top, -left)


def _box(size: Size, matrix: Matrix) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of a received picture on the plane of the original; None where it has no end."""
    height, width = size
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], float)
    x, y, depth = np.linalg.inv(matrix) @ corners.T
    if (depth * depth[0] <= 0).any():
        return None
    x, y = x / depth, y / depth
    return math.floor(x.min()), math.floor(y.min()), math.ceil(x.max()), math.ceil(y.max())


def _looks(theirs: _Values, received: _Received, step: tuple[int, int] | None) -> Iterator[_Look]:
    """How well the whole correlates at every shift that reaches enough of the original; contrast is levelled."""
    ours, known = _levelled(received.grey, received.known), received.known
    wanted = _levelled(theirs, np.ones_like(theirs))
    for shift in _shifts(theirs.shape, received, step):
        window, mask = _window(ours, shift, received, theirs.shape), _window(known, shift, received, theirs.shape)
        count = float(mask.sum())
        if count < _LEAST_KNOWN * mask.size:
            continue
        power = float((wanted * wanted * mask).sum()) * float((window * window * mask).sum())
        fit = float((wanted * window * mask).sum()) / max(power, 1e-9) ** 0.5
        yield _Look(shift, count / mask.size, -count * math.log1p(-min(fit * fit, 0.999)), math.copysign(1.0, fit))


def _shifts(shape: tuple[int, ...], received: _Received, step: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
    """Down and across, in cells: whole tiles at which the original and the received picture overlap."""
    if step is None:
        yield 0, 0
        return
    spans = []
    for length, first, extent, by in zip(shape, (received.top, received.left), received.grey.shape, step, strict=True):
        lowest, highest = -first - length, extent - first
        spans.append(range(math.ceil(lowest / by) * by, highest + 1, by))
    yield from product(*spans)


def _window(values: _Values, shift: tuple[int, int], received: _Received, shape: tuple[int, ...]) -> _Values:
    """The part that lies on the original at a shift; 0 where there is none."""
    window = np.zeros(shape, np.float32)
    top, left = received.top + shift[0], received.left + shift[1]
    rows = slice(max(0, top), min(values.shape[0], top + shape[0]))
    columns = slice(max(0, left), min(values.shape[1], left + shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        window[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = values[rows, columns]
    return window


def _compared(theirs: _Values, received: _Received, look: _Look) -> _Compared:
    """Place by place."""
    known = _window(received.known, look.shift, received, theirs.shape)
    ours = _detail(_window(received.grey, look.shift, received, theirs.shape), known)
    wanted = _detail(theirs, known)
    both, first, second = (smooth(values, _LOCAL) for values in (ours * wanted, ours * ours, wanted * wanted))
    noise = _NOISE**2 * smooth(known, _LOCAL)
    local = look.sign * both / np.sqrt((first + noise) * (second + noise) + 1e-12)
    weights = np.sqrt(np.maximum(first * second, 0)) * known
    agrees = (local >= AGREE) & (known > 0)
    return _Compared(
        look=look,
        agreeing=float(agrees.mean()),
        share=float((weights * agrees).sum() / max(float(weights.sum()), 1e-9)),
        contrast=float(((np.minimum(first, second) > _LEAST_DETAIL**2) & (known > 0)).mean()),
        is_negative=look.sign < 0,
        grid=agrees,
    )


# --- cells ------------------------------------------------------------------------------------------------------------


def _grey(pixels: Pixels) -> _Values:
    return np.asarray(Image.fromarray(pixels).convert("L"), np.float32)


def _detail(grey: _Values, known: _Values) -> _Values:
    """Brightness less its local mean over known cells; 0 elsewhere."""
    fine, coarse = (smooth(grey * known, sigma) / np.maximum(smooth(known, sigma), 1e-3) for sigma in (_FINE, _COARSE))
    return (fine - coarse) * known


def _levelled(grey: _Values, known: _Values) -> _Values:
    """Detail by its local strength: a strong edge, or what was pasted over, counts no more than the rest."""
    detail = _detail(grey, known)
    levelled: _Values = detail / np.sqrt(smooth(detail * detail, _LOCAL) + _NOISE**2)
    return levelled


def smooth(values: _Values, sigma: float) -> _Values:
    """A Gaussian average of float values of shape (height, width) along both axes; `sigma` is in pixels."""
    for _ in range(2):
        at = np.arange(len(values), dtype=np.float32)
        weights = np.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
        values = (weights / weights.sum(axis=1, keepdims=True) @ values).T
    return values
