from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, halfnorm, kstest

from watermark import stream

KEY = bytes(range(32))


def test_the_key_stream_is_that_of_rfc_8439() -> None:
    """Appendix A.1, test vectors 1 and 2 (blocks 0 and 1 of the zero key)."""
    block_0 = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
    block_1 = "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
    produced = stream.keystream(bytes(32), stream.NO_NONCE, 96)
    assert produced[:32].hex() == block_0
    assert produced[64:].hex() == block_1


def test_the_nonce_is_that_of_rfc_8439() -> None:
    """Appendix A.1, test vector 5."""
    produced = stream.keystream(bytes(32), bytes(11) + b"\2", 16)
    assert produced.hex() == "c2c64d378cd536374ae204b9ef933fcd"


@pytest.mark.parametrize(("key", "nonce"), [(bytes(31), bytes(12)), (bytes(32), bytes(11)), (bytes(32), bytes(16))])
def test_other_lengths_are_refused(key: bytes, nonce: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        stream.keystream(key, nonce, 8)


@given(st.integers(1, 100))
def test_bits_are_the_stream_lowest_first(count: int) -> None:
    number = int.from_bytes(stream.keystream(KEY, stream.NO_NONCE, 13), "little")
    assert stream.bits(KEY, stream.NO_NONCE, count).tolist() == [number >> at & 1 for at in range(count)]


def test_magnitudes_are_half_normal() -> None:
    values = stream.magnitudes(KEY, stream.NO_NONCE, 200_000)
    assert kstest(values, halfnorm.cdf).pvalue > 0.01
    assert values.min() > 0


def test_magnitudes_invert_the_upper_tail_of_52_bits() -> None:
    words = np.frombuffer(stream.keystream(KEY, bytes(12), 800), "<u8")
    tails = [(int(word) // 2**12 + 0.5) / 2**52 for word in words]
    np.testing.assert_allclose(stream.magnitudes(KEY, bytes(12), 100), halfnorm.isf(tails), rtol=1e-12)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 300))
def test_a_permutation_holds_every_position_once(key: bytes, count: int) -> None:
    assert sorted(stream.permutation(key, count)) == list(range(count))


def test_permutations_are_uniform_over_keys() -> None:
    keys = (at.to_bytes(32, "big") for at in range(12_000))
    seen = Counter(tuple(stream.permutation(key, 4)) for key in keys)
    assert chisquare([seen[order] for order in permutations(range(4))]).pvalue > 0.01


def test_the_interleaver_is_the_same_for_ever_and_for_everyone() -> None:
    assert stream.interleaver(4096)[:6].tolist() == [1830, 3894, 3106, 3010, 2771, 2312]
    with pytest.raises(ValueError, match="read-only"):
        stream.interleaver(4096)[0] = 1


def test_the_interleaver_scatters_neighbours() -> None:
    order = stream.interleaver(4096)
    in_rows = np.bincount(order[:1024] // 32, minlength=128)
    assert in_rows.min() >= 1
    assert np.abs(np.diff(order)).mean() == pytest.approx(4096 / 3, rel=0.05)
