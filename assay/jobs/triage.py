"""triage: which rows of a scan show the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.jobs.scan import Row

NEAR_DISTANCE = 6
"""Most bits, of 64, in which the hashes of two pictures that show the same may differ.

What it finds and whom it links wrongly, on photographs: `docs/scan.md`. Groups are chains: two of their pictures may
lie further apart.
"""
_SAYS_NOTHING = 0
"""The hash of a flat picture, and of one that only gets darker to the right."""


def groups(rows: Sequence[Row]) -> list[int]:
    """Group rows that show the same: equal bytes, or a perceptual hash at most `NEAR_DISTANCE` away.

    A row without a hash, or with one that says nothing, goes by its bytes alone; one without sha256 stays alone. Each
    hash is compared with all that are in no group yet: a second for 20,000 rows, and four times that for twice as many.

    Args:
        rows: In any order.

    Returns:
        A number for each row, the same for rows of one group: 0 for the first, then in the order of appearance.
    """
    forest = _Forest(len(rows))
    for indices in (*_same_bytes(rows), *_same_looks(rows)):
        for index in indices[1:]:
            forest.join(indices[0], index)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(forest.root(index), len(numbers)) for index in range(len(rows))]


class _Forest:
    """Disjoint sets, by union-find with path halving."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, index: int) -> int:
        parent = self._parent
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    def join(self, a: int, b: int) -> None:
        self._parent[self.root(b)] = self.root(a)


def _same_bytes(rows: Sequence[Row]) -> Iterator[list[int]]:
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if row.sha256 is not None:
            found.setdefault(row.sha256, []).append(index)
    yield from found.values()


def _same_looks(rows: Sequence[Row]) -> Iterator[list[int]]:
    found: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        if row.perceptual_hash is not None and row.perceptual_hash != _SAYS_NOTHING:
            found.setdefault(row.perceptual_hash, []).append(index)
    hashes = np.array(list(found), dtype=np.uint64)
    for chain in _chains(hashes):
        yield [index for value in chain.tolist() for index in found[value]]


def _chains(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    """Different hashes, parted into those that are linked by steps of at most `NEAR_DISTANCE`."""
    while hashes.size:
        chain, reached = hashes[:1], hashes[:1]
        hashes = hashes[1:]
        while reached.size:
            near = np.zeros(hashes.size, dtype=bool)
            for value in reached:
                near |= np.bitwise_count(hashes ^ value) <= NEAR_DISTANCE
            reached, hashes = hashes[near], hashes[~near]
            chain = np.concatenate((chain, reached))
        yield chain
