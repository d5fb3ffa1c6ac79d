from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from assay.errors import LedgerError
from assay.vocabulary import Latents, Seal
from watermark import stream
from watermark.sealed_seed import SealedSeed, template
from watermark.sign_table import SignTableError, append, build, identify, open_table

SHAPE = (4, 32, 32)
HEAD = sha256(b"the ledger's last row").digest()
NEXT_HEAD = sha256(b"one more").digest()


def seal_of(payload: int) -> Seal:
    digest = sha256(payload.to_bytes(8, "big")).digest()
    return Seal(secret=sha256(bytes([payload % 3])).digest(), nonce=digest[:12], payload=payload)


def seals(start: int, stop: int) -> Iterator[Seal]:
    return (seal_of(payload) for payload in range(start, stop))


def estimate(sealed: Latents, correlation: float) -> Latents:
    noise = np.random.default_rng(7).normal(size=sealed.shape)
    return (correlation * sealed + math.sqrt(1 - correlation**2) * noise).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signs"


def agreeing(path: Path, sealed: Latents) -> tuple[int, int]:
    return open_table(path).scan(sealed.astype(np.float64), candidates=1)[0]


@pytest.mark.parametrize(("shape", "signs"), [(SHAPE, 4096), ((3, 20, 21), 1216), ((16, 64, 64), 16_384)])
def test_the_signs_are_those_of_the_noise(path: Path, shape: tuple[int, int, int], signs: int) -> None:
    build(path, shape, seals(0, 5), HEAD)
    for payload in range(5):
        assert agreeing(path, template(seal_of(payload), shape)) == (payload, signs)


def test_agreement_is_counted(path: Path) -> None:
    build(path, SHAPE, seals(0, 5), HEAD)
    damaged = template(seal_of(2), SHAPE).ravel()
    damaged[:100] *= -1
    assert agreeing(path, damaged.reshape(SHAPE)) == (2, 4096 - 100)


def test_candidates_come_best_first_and_are_the_best(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 800), HEAD)
    probe = np.random.default_rng(0).normal(size=SHAPE)
    order = stream.interleaver(4096)
    agreements = {
        payload: int(np.sum((template(seal_of(payload), SHAPE) < 0).ravel()[order] == (probe < 0).ravel()[order]))
        for payload in range(800)
    }
    found = table.scan(probe, candidates=20)
    assert [agreement for _, agreement in found] == sorted(agreements.values(), reverse=True)[:20]
    assert all(agreements[payload] == agreement for payload, agreement in found)


def test_a_faint_mark_is_found_among_many_and_corrected_for_all(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 10_000), HEAD)
    heard = estimate(template(seal_of(4321), SHAPE), 0.2)
    found = identify(table, heard, seal_of)
    assert found is not None
    assert found.seal == seal_of(4321)
    alone = SealedSeed().measure(heard, seal_of(4321))
    assert found.reading.statistic == alone.statistic
    assert found.reading.log10_p == pytest.approx(alone.log10_p + 4)


def test_nothing_rare_is_found_where_nothing_is(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 3000), HEAD)
    found = identify(table, estimate(np.zeros(SHAPE, np.float32), 0), seal_of)
    assert found is not None
    assert found.reading.log10_p > -2


def test_an_empty_table_finds_nothing(path: Path) -> None:
    table = build(path, SHAPE, (), HEAD)
    assert identify(table, np.ones(SHAPE, np.float32), seal_of) is None


def test_it_is_for_its_owner_alone(path: Path) -> None:
    build(path, SHAPE, seals(0, 3), HEAD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(SignTableError, match="others can read it") as caught:
        open_table(path)
    assert "chmod 600" in caught.value.hint
    assert isinstance(caught.value, LedgerError)


def test_appended_rows_are_found_and_a_table_that_was_open_stays(path: Path) -> None:
    old = build(path, SHAPE, seals(0, 5), HEAD)
    new = append(old, seals(5, 9), NEXT_HEAD)
    assert (new.rows, new.head) == (9, NEXT_HEAD)
    assert open_table(path) == new
    for payload in (0, 4, 5, 8):
        assert agreeing(path, template(seal_of(payload), SHAPE)) == (payload, 4096)
    assert old.scan(template(seal_of(8), SHAPE).astype(float), candidates=1)[0][1] < 2300


def test_a_table_behind_its_ledger_is_stale(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 5), HEAD)
    assert not table.is_stale(5, HEAD)
    assert table.is_stale(6, HEAD)
    assert table.is_stale(5, NEXT_HEAD)


def broken(count: int) -> Iterator[Seal]:
    yield from seals(100, 100 + count)
    raise RuntimeError("the ledger went away")


def test_a_broken_append_leaves_the_table_as_it_was(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 5), HEAD)
    with pytest.raises(RuntimeError, match="went away"):
        append(table, broken(5000), NEXT_HEAD)
    assert path.stat().st_size > 1000 * 520  # rows were written, and do not count
    assert open_table(path) == table
    assert append(table, seals(5, 6), NEXT_HEAD).rows == 6
    assert agreeing(path, template(seal_of(5), SHAPE)) == (5, 4096)


def test_a_broken_build_leaves_the_old_table_and_no_litter(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 5), HEAD)
    with pytest.raises(RuntimeError, match="went away"):
        build(path, SHAPE, broken(3), NEXT_HEAD)
    assert open_table(path) == table
    assert list(path.parent.iterdir()) == [path]


def test_two_writers_do_not_lose_rows(path: Path) -> None:
    """Who comes second is told, whether rows were appended or the whole table was replaced."""
    first = build(path, SHAPE, seals(0, 5), HEAD)
    append(first, seals(5, 6), NEXT_HEAD)
    with pytest.raises(SignTableError, match="another process has written") as caught:
        append(first, seals(6, 7), NEXT_HEAD)
    assert "again" in caught.value.hint
    assert open_table(path).rows == 6


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [(0, b"x", "not a sign table"), (8, b"\x09", "version 9"), (40, b"\xff", "damaged"), (60, b"\xff", "damaged")],
)
def test_damaged_headers_are_noticed(path: Path, at: int, value: bytes, message: str) -> None:
    build(path, SHAPE, seals(0, 5), HEAD)
    data = bytearray(path.read_bytes())
    data[at : at + 1] = value
    path.write_bytes(data)
    with pytest.raises(SignTableError, match=message):
        open_table(path)


@pytest.mark.parametrize("size", [0, 100, 128, 128 + 5 * 520 - 1])
def test_a_cut_file_is_noticed(path: Path, size: int) -> None:
    build(path, SHAPE, seals(0, 5), HEAD)
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(SignTableError, match=r"damaged|not a sign table"):
        open_table(path)


def test_other_shapes_and_tiny_latents_are_refused(path: Path) -> None:
    table = build(path, SHAPE, seals(0, 5), HEAD)
    with pytest.raises(SignTableError, match="not \\(4, 64, 64\\)"):
        identify(table, np.ones((4, 64, 64), np.float32), seal_of)
    with pytest.raises(SignTableError, match="too small"):
        build(path, (4, 8, 8), (), HEAD)
    with pytest.raises(ValueError, match="head has 3 bytes"):
        append(table, (), b"abc")


def test_a_missing_table_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SignTableError, match="signs: No such file"):
        open_table(tmp_path / "signs")
    with pytest.raises(SignTableError, match="No such file"):
        build(tmp_path / "nowhere" / "signs", SHAPE, (), HEAD)
