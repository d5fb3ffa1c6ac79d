"""Find marks of `watermark.spread` wherever in a picture they lie, in steps of growing cost.

1. The picture as it is: the tiles lie where marking put them. A mark that covers the picture ends the search here.
2. The picture turned, sheared or cut: the lattices of its autocorrelation, at several sizes.
3. Parts of the picture, at the sizes of a screenshot and of a collage, under the lattices that lie upright in it. Where
   none does, which costs one autocorrelation to know, no part is looked into.
4. Pieces of the picture, under the geometry at which a key's sync cells stood out clearest: several marked copies of
   one picture may have been put together.
5. Where a key's sync cells stood out and nothing was read, the geometry is improved.

What is searched without the key is searched once for all keys. Lists are decoded only where sync cells stand out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from scipy.ndimage import label
from torch import Tensor

from assay.perturb import Matrix, translation
from watermark import lattice, upright
from watermark.carrier import BASE, CELL, TILE, Carrier, box, cell_size
from watermark.codes import PolarCode
from watermark.lattice import Sides
from watermark.tiles import POSTURES, SIDE, Folded, Place, decode, folded, improved, log10_chance, place_at, places

WORKING = 640
"""Larger pictures are reduced to this side, of a square of their area, before they are read."""
LATTICES = 8
"""Lattices that are tried at each size, whatever their angle; and as many that lie upright."""
_SCREEN = 1520
"""The side at which parts of a large picture are looked for, too."""
_WINDOW = 384
_LEAST_FOR_PARTS = 1.2
"""How much larger than a window, or than `WORKING`, a picture is in which parts are looked for."""
_SIDES = 4
"""Lattices that are tried in each window."""
_CLEAR_UPRIGHT, _CLEAR_TURNED = 7.5, 6.0
"""Standard deviations from which on a lattice is looked into."""
_LEAST_SYNC, _CLEAR_SYNC = 3.5, 4.7
"""Standard deviations from which on a place is decoded, and from which on its geometry is improved where that fails."""
_PLAIN, _DECODED = 2, 3
"""Places that are decoded where no geometry is assumed, and where one is."""
_IMPROVED = 6
"""Places whose geometry is improved, for each carrier: the last resort."""
_IN_PARTS = 16
"""Places that are decoded in the parts at one size, for each carrier."""
_PIECE, _PIECES = 256, 20
"""Pixels a side of the pieces that are decoded under one geometry, and how many of them, for each carrier."""
_SURE_SYNC = 6.0
"""Standard deviations from which on pieces are decoded."""
_NOISES = (lattice.COARSE, lattice.FINE)
_SMALLEST_READ = 64
"""Pixels of the shorter side."""
_BLOCK, _AROUND, _AGREES = 16, 3, 0.2
"""Pixels of the blocks in which a mark's extent is told, and blocks that are taken together; share of the
best agreement that is still the mark."""
_WHOLE = 0.85
"""Share of a picture from which on a mark covers it."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


class Hit(NamedTuple):
    """A payload that was read."""

    carrier: int
    """Which of the carriers."""
    code: PolarCode
    payload: int
    matrix: Matrix
    """From the picture to the tile, in quarters of a cell; it repeats."""
    box: Box
    """Where in the picture the mark is."""
    is_negative: bool
    covers: bool
    """Whether the mark is nearly everywhere in the picture."""


class Trace(NamedTuple):
    """A carrier's sync cells, where no payload can be read."""

    carrier: int
    log10_p: float
    """log10 of a bound on the chance that a picture without the mark shows them so clearly, over the draw of the key
    and all places that might have been looked at."""


class _Level(NamedTuple):
    """A picture at one size, without what a denoiser predicts."""

    left: Tensor
    scale: float
    cell: float | None
    """Pixels a side of a cell, where the picture is as it was made or only reduced."""
    corner: tuple[int, int] = (0, 0)
    """Top and left of a part in the whole."""
    whole: Tensor | None = None
    """What this is a part of."""


class _Sight(NamedTuple):
    """Where a carrier's sync cells stand out."""

    carrier: int
    level: _Level
    place: Place


class _Seen(NamedTuple):
    """What was found so far, and where sync cells stood out, whether something was read there or not."""

    found: list[Hit]
    clear: list[_Sight]
    exact: list[_Sight]
    """Just where marking put the tiles, clear or not."""

    def note(self, sights: Sequence[_Sight]) -> None:
        """Keep those that are clear."""
        self.clear.extend(one for one in sights if one.place.sync >= _CLEAR_SYNC)

    def clearest(self, carrier: int) -> list[_Sight]:
        """Where a carrier's sync cells stood out, the clearest first."""
        return sorted((one for one in self.clear if one.carrier == carrier), key=lambda one: -one.place.sync)


def most_lists(size: tuple[int, int], codes: Sequence[PolarCode]) -> int:
    """How many lists might be decoded for one carrier in a picture of this height and width."""
    levels = len(_sizes(*size)) * len(_NOISES)
    parts = _has_parts(*size) + _is_screen(*size)
    return (levels * (_PLAIN + _DECODED) + parts * _IN_PARTS + _PIECES + _IMPROVED) * len(codes)


def search(brightness: Tensor, carriers: Sequence[Carrier], codes: Sequence[PolarCode]) -> Iterator[Hit | Trace]:
    """Every payload that is read in a picture, as it is found, and what else there is of a carrier.

    A payload may come more than once. Carriers with none come last.
    """
    seen = _Seen([], [], [])
    for hit in _steps(brightness, carriers, codes, seen):
        seen.found.append(hit)
        yield hit
    for number, key in enumerate(carriers):
        if any(hit.carrier == number for hit in seen.found):
            continue
        is_read = False
        for one in seen.clearest(number)[:_IMPROVED]:
            for hit in _decoded(one._replace(place=improved(one.level.left, one.place, key)), key, codes):
                is_read = True
                yield hit
        if not is_read:
            yield Trace(number, _log10_chance(seen, number, key, (brightness.shape[0], brightness.shape[1])))


def _log10_chance(seen: _Seen, number: int, key: Carrier, size: tuple[int, int]) -> float:
    """Of the clearest place: half of the bound is kept for the few places that marking itself gives."""
    sizes, sides = _sizes(*size), [(_WINDOW, _working(*size))] * _has_parts(*size)
    exact = len(_NOISES) * sum(cell is not None for _, cell in sizes)
    sides += [(_WINDOW, _screen(*size))] * _is_screen(*size)
    windows = sum(len(_corners(side, *(round(length * scale) + 1 for length in size))) for side, scale in sides)
    geometries = len(_NOISES) * len(sizes) * (1 + 2 * LATTICES) + windows * _SIDES
    tries = ((seen.exact, exact), (seen.clear, geometries * POSTURES * SIDE * SIDE))
    chances = [
        log10_chance(one.place, key) + math.log10(2 * count)
        for sights, count in tries
        for one in sights
        if one.carrier == number
    ]
    return min(0.0, *chances)


def _steps(
    brightness: Tensor,
    carriers: Sequence[Carrier],
    codes: Sequence[PolarCode],
    seen: _Seen,
) -> Iterator[Hit]:
    """All steps but the last. The caller notes what is found; what was seen and not read is noted here."""
    height, width = brightness.shape
    screen = _screen(height, width)
    reduced = resized(brightness, screen)
    sizes = [(resized(reduced, scale / screen), scale, cell) for scale, cell in _sizes(height, width)]
    levels = [_Level(lattice.residual(at, noise), scale, cell) for noise, (at, scale, cell) in product(_NOISES, sizes)]
    for level in levels:
        yield from _as_it_is(level, carriers, codes, seen)
    if any(hit.covers for hit in seen.found):
        return
    sides = _upright(levels[0])
    for number, level in enumerate(levels):
        if not seen.found:
            yield from _under_lattices(level, _upright(level) if number else sides, carriers, codes, seen)
    if any(hit.covers for hit in seen.found):
        return
    for number, key in enumerate(carriers):
        yield from _in_pieces(seen.clearest(number), key, codes)
    if _has_parts(height, width):
        yield from _in_parts(levels[0], sides, carriers, codes, seen)
    if _is_screen(height, width):
        whole = _Level(lattice.residual(reduced, lattice.COARSE), screen, None)
        yield from _in_parts(whole, _upright(whole), carriers, codes, seen)


def _as_it_is(level: _Level, carriers: Sequence[Carrier], codes: Sequence[PolarCode], seen: _Seen) -> Iterator[Hit]:
    """Where marking put the tiles."""
    if level.cell is None:
        return
    to_cell = np.diag([CELL / level.cell, CELL / level.cell, 1.0])
    for number, key in enumerate(carriers):
        fold = folded(level.left, np.linalg.inv(key.grid).astype(np.float64) @ to_cell)
        sights = _sights(level, [fold], number, key, _DECODED)
        seen.note(sights)
        seen.exact.append(_Sight(number, level, place_at(fold, is_negative=False)))
        for one in sights[:_PLAIN]:
            yield from _decoded(one, key, codes)


def _under_lattices(
    level: _Level, sides: Sequence[Sides], carriers: Sequence[Carrier], codes: Sequence[PolarCode], seen: _Seen
) -> Iterator[Hit]:
    """Under the lattices that lie upright, and those that may lie at any angle."""
    lattices = [*sides, *lattice.find(level.left, LATTICES, _CLEAR_TURNED)]
    folds = [folded(level.left, _to_tile(each)) for each in lattices]
    for number, key in enumerate(carriers):
        sights = _sights(level, folds, number, key, _DECODED)
        seen.note(sights)
        for one in sights:
            yield from _decoded(one, key, codes)


def _upright(level: _Level) -> list[Sides]:
    return [one.sides for one in upright.find([level.left], LATTICES, _CLEAR_UPRIGHT)]


def _to_tile(sides: Sides) -> Matrix:
    matrix = np.eye(3)
    matrix[:2, :2] = SIDE * np.linalg.inv(sides)
    return matrix


def _in_parts(
    level: _Level,
    sides: Sequence[Sides],
    carriers: Sequence[Carrier],
    codes: Sequence[PolarCode],
    seen: _Seen,
) -> Iterator[Hit]:
    """Look into each window under the clearest lattices of the whole, but where that key's mark was found already."""
    spent = [0] * len(carriers)
    for top, left in _corners(_WINDOW, *level.left.shape) if sides else []:
        part = _Level(
            level.left[top : top + _WINDOW, left : left + _WINDOW], level.scale, None, (top, left), level.left
        )
        x, y = (left + part.left.shape[1] / 2) / level.scale, (top + part.left.shape[0] / 2) / level.scale
        missing = [
            number
            for number in range(len(carriers))
            if spent[number] < _IN_PARTS
            and not any(one.carrier == number and _holds(one.box, x, y) for one in seen.found)
        ]
        folds = [folded(part.left, _to_tile(each)) for each in sides[:_SIDES]] if missing else []
        for number in missing:
            for one in _sights(part, folds, number, carriers[number], 1):
                if one.place.sync >= _CLEAR_SYNC:
                    spent[number] += 1
                    seen.clear.append(one)
                    yield from _decoded(one, carriers[number], codes)


def _in_pieces(clearest: Sequence[_Sight], key: Carrier, codes: Sequence[PolarCode]) -> Iterator[Hit]:
    """Decode piece by piece where the whole shows the key's sync cells: other payloads share them."""
    wholes = (one for one in clearest if one.level.whole is None and one.place.sync >= _SURE_SYNC)
    for one in islice(wholes, 1):
        left = one.level.left
        for top, start in islice(_corners(_PIECE, *left.shape), _PIECES):
            piece = one.level._replace(
                left=left[top : top + _PIECE, start : start + _PIECE], corner=(top, start), whole=left
            )
            matrix = one.place.matrix @ translation(start, top)
            place = place_at(folded(piece.left, matrix), is_negative=one.place.is_negative)
            yield from _decoded(_Sight(one.carrier, piece, place), key, codes)


def _holds(box: Box, x: float, y: float) -> bool:
    left, top, right, bottom = box
    return left <= x <= right and top <= y <= bottom


def _corners(side: int, height: int, width: int) -> list[tuple[int, int]]:
    """Top and left of windows of this side that overlap by half and cover a picture."""
    downs, acrosses = (
        np.linspace(0, max(0, length - side), math.ceil(max(0, length - side) / (side // 2)) + 1).astype(int)
        for length in (height, width)
    )
    return [(int(top), int(left)) for top, left in product(downs, acrosses)]


# --- reading ----------------------------------------------------------------------------------------------------------


def _sights(level: _Level, folds: Sequence[Folded], number: int, key: Carrier, count: int) -> list[_Sight]:
    """The places whose sync cells stand out, over all geometries, the clearest first."""
    met = [place for one in folds for place in places(one, key, count) if place.sync >= _LEAST_SYNC]
    return [_Sight(number, level, place) for place in sorted(met, key=lambda place: -place.sync)[:count]]


def _decoded(one: _Sight, key: Carrier, codes: Sequence[PolarCode]) -> Iterator[Hit]:
    for code in codes:
        payload = decode(one.place, key, code)
        if payload is not None:
            cells = key.tile(payload, code).ravel()
            cells[key.sync] = 0  # in a collage other payloads share them
            matrix = one.place.matrix @ translation(-one.level.corner[1], -one.level.corner[0])
            whole = one.level.left if one.level.whole is None else one.level.whole
            box, covers = _extent(whole, matrix, -cells if one.place.is_negative else cells)
            scale = one.level.scale
            yield Hit(
                carrier=one.carrier,
                code=code,
                payload=payload,
                matrix=matrix @ np.diag([scale, scale, 1.0]),
                box=(box[0] / scale, box[1] / scale, box[2] / scale, box[3] / scale),
                is_negative=one.place.is_negative,
                covers=covers,
            )


def _extent(left: Tensor, matrix: Matrix, cells: NDArray[np.float32]) -> tuple[Box, bool]:
    """Where in a residual these cells are: about the best agreement, as far as a quarter of that is left."""
    height, width = left.shape
    y, x = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    across, down, depth = (float(a) * x + (float(b) * y + float(c)) for a, b, c in matrix)
    column, row = ((torch.remainder(at / depth, SIDE) / CELL).long().clamp(max=TILE - 1) for at in (across, down))
    pair = torch.stack([left * torch.from_numpy(cells)[row * TILE + column], left.abs()])
    blocks = nnf.avg_pool2d(pair[:, None], _BLOCK, ceil_mode=True, count_include_pad=False)[:, 0]
    agreed, size = box(blocks, min(_AROUND, (min(blocks.shape[1:]) - 1) // 2 * 2 + 1))
    share = (agreed / (size + 1e-6)).numpy()
    best = np.unravel_index(int(share.argmax()), share.shape)
    parts, _ = label(share > _AGREES * share[best])
    rows, columns = np.nonzero(parts == parts[best])
    top, bottom = int(rows.min()) * _BLOCK, min((int(rows.max()) + 1) * _BLOCK, height)
    start, end = int(columns.min()) * _BLOCK, min((int(columns.max()) + 1) * _BLOCK, width)
    return (start, top, end, bottom), (bottom - top) * (end - start) >= _WHOLE * height * width


def _sizes(height: int, width: int) -> list[tuple[float, float | None]]:
    """Scales at which a picture is read whole, and the size of a cell where it is as it was made, or only reduced.

    At the second and the last, parts that were cut out and enlarged, or cut out of a large picture, are found; the
    third is for pictures that were reduced.
    """
    side = math.sqrt(height * width)
    scale = _working(height, width)
    sizes = [(scale, scale * cell_size(height, width)), (scale / 2, None)]
    if side < BASE:
        sizes.append((BASE / side, float(CELL)))
    if side >= WORKING:
        sizes.append((scale / 4, None))
    return [(scale, cell) for scale, cell in sizes if min(height, width) * scale >= _SMALLEST_READ]


def _has_parts(height: int, width: int) -> bool:
    """Whether a picture of this size is larger than a window at the size at which it is read."""
    return max(height, width) * _working(height, width) >= _LEAST_FOR_PARTS * _WINDOW


def _is_screen(height: int, width: int) -> bool:
    """Whether there is more to see than at the size at which a picture is read."""
    return _working(height, width) < 1 / _LEAST_FOR_PARTS


def _working(height: int, width: int) -> float:
    return min(1.0, WORKING / math.sqrt(height * width))


def _screen(height: int, width: int) -> float:
    return min(1.0, _SCREEN / math.sqrt(height * width))


def resized(brightness: Tensor, scale: float) -> Tensor:
    """A picture's brightness brought to a scale, averaged where that is smaller."""
    if scale == 1:
        return brightness
    size = [max(1, round(length * scale)) for length in brightness.shape]
    return nnf.interpolate(brightness[None, None], size=size, mode="bicubic", antialias=True)[0, 0]
