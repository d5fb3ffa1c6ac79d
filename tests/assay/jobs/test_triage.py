from __future__ import annotations

import time
from io import BytesIO
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assay.fingerprint import dhash, distance
from assay.jobs.scan import Row
from assay.jobs.triage import NEAR_DISTANCE, groups
from tests.assay.jobs.scan.arbitrary import plain_row
from tests.seeds import photograph_file


def row(sha256: str | None, perceptual_hash: int | None) -> Row:
    return plain_row("a.png", sha256=sha256, perceptual_hash=perceptual_hash)


_NEAR = st.tuples(
    st.sampled_from((0x0, 0xFFFF_0000_FFFF_0000, 0x1234_5678_9ABC_DEF0)), st.sets(st.integers(0, 63), max_size=9)
)
_HASHES = st.none() | st.just(0) | _NEAR.map(lambda pair: pair[0] ^ sum(1 << bit for bit in pair[1]))
_ROWS = st.lists(st.builds(row, st.none() | st.sampled_from("abcdef"), _HASHES), max_size=25)


def linked(a: Row, b: Row) -> bool:
    """The rule, of two rows."""
    if a.sha256 is not None and a.sha256 == b.sha256:
        return True
    return bool(a.perceptual_hash and b.perceptual_hash) and _distance(a, b) <= NEAR_DISTANCE


def _distance(a: Row, b: Row) -> int:
    assert a.perceptual_hash is not None
    assert b.perceptual_hash is not None
    return distance(a.perceptual_hash, b.perceptual_hash)


def brute_force(rows: list[Row]) -> list[int]:
    """Spread the smallest number over every link until nothing changes."""
    numbers = list(range(len(rows)))
    pairs = [(a, b) for a, b in combinations(range(len(rows)), 2) if linked(rows[a], rows[b])]
    for _ in rows:
        for a, b in pairs:
            numbers[a] = numbers[b] = min(numbers[a], numbers[b])
    order = {number: at for at, number in enumerate(dict.fromkeys(numbers))}
    return [order[number] for number in numbers]


@given(_ROWS)
def test_is_what_brute_force_finds(rows: list[Row]) -> None:
    assert groups(rows) == brute_force(rows)


@given(_ROWS, st.randoms(use_true_random=False))
def test_does_not_depend_on_the_order(rows: list[Row], random: object) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found, shuffled = groups(rows), groups([rows[at] for at in order])
    for a, b in combinations(range(len(rows)), 2):
        assert (found[order[a]] == found[order[b]]) == (shuffled[a] == shuffled[b])


def test_equal_bytes_belong_together_and_nothing_stays_alone() -> None:
    assert groups([row("a", None), row(None, None), row("a", 5), row(None, None), row("b", 0), row("c", 0)]) == [
        0, 1, 0, 2, 3, 4
    ]  # fmt: skip
    assert groups([]) == []


def test_copies_of_a_photograph_are_found_and_others_are_not() -> None:
    """A copy in JPEG at quality 50 and one at half the size with the original; other parts of the scene elsewhere."""
    with Image.open(photograph_file("china")) as whole:
        originals = [whole.crop((left, 107, left + 160, 427)) for left in (0, 160, 320, 480)]
    pictures = [version for image in originals for version in (image, _copy(image), image.reduce(2))]
    found = groups([row(f"{at}", dhash(picture)) for at, picture in enumerate(pictures)])
    assert found == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def _copy(image: Image.Image) -> Image.Image:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=50)
    return Image.open(stream)


def test_twenty_thousand_rows_take_seconds() -> None:
    """All different, and all of one chain: the two ends of what can happen."""
    random = np.random.default_rng(0)
    far = random.integers(1, 2**63, 20_000, dtype=np.uint64).tolist()
    near = [1 | 1 << 63 | sum(1 << int(bit) for bit in random.integers(1, 63, 3)) for _ in range(20_000)]
    started = time.process_time()
    assert len(set(groups([row(None, value) for value in far]))) > 19_000
    assert len(set(groups([row(None, value) for value in near]))) == 1
    assert time.process_time() - started < 30
