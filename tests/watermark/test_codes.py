from __future__ import annotations

import binascii
import math
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from watermark import codes
from watermark.codes import LIST_SIZE, PolarCode, log10_chance_of_payload

CODE = PolarCode()
SMALL = PolarCode(payload_bits=32, crc_bits=16, length=128)


def kronecker(length: int) -> NDArray[np.int64]:
    """Arikan's matrix as it is defined."""
    matrix = np.array([[1]])
    while len(matrix) < length:
        matrix = np.kron(matrix, [[1, 0], [1, 1]])
    return matrix


def bare(code: PolarCode) -> NDArray[np.uint8]:
    return np.zeros(code.message_bits, np.uint8)


def word(code: PolarCode, payload: int, places: int) -> NDArray[np.uint8]:
    return code.encode(np.array([payload], np.uint64), places, bare(code))[0]


def heard(code: PolarCode, payload: int, places: int, ratio: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log-likelihoods behind Gaussian noise; `ratio` is signal to noise power, summed over all places and per 1024."""
    per_place = ratio * 1024 / places
    signal = 1.0 - 2.0 * word(code, payload, places)[code.places(places)]
    return 2 * per_place * (signal + rng.normal(size=places) / math.sqrt(per_place))


@pytest.mark.parametrize(
    ("code", "check"),
    [(CODE, zlib.crc32), (SMALL, lambda data: binascii.crc_hqx(data, 0xFFFF))],
    ids=["64+32", "32+16"],
)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_word_is_payload_and_crc_times_the_matrix(code: PolarCode, check: object, data: st.DataObject) -> None:
    assert callable(check)
    payload = data.draw(st.integers(0, 2**code.payload_bits - 1))
    octets = payload.to_bytes(code.payload_bits // 8, "big")
    message = octets + check(octets).to_bytes(code.crc_bits // 8, "big")
    bits = [int(bit) for bit in f"{int.from_bytes(message, 'big'):0{code.message_bits}b}"]
    source = np.zeros(code.length, int)
    source[code.carriers(code.length)] = bits
    assert (word(code, payload, code.length) == source @ kronecker(code.length) % 2).all()


def test_many_words_are_as_one_by_one() -> None:
    payloads = np.random.default_rng(0).integers(0, 2**64, 20, dtype=np.uint64)
    together = CODE.encode(payloads, 3072, bare(CODE))
    assert all((row == word(CODE, int(payload), 3072)).all() for row, payload in zip(together, payloads, strict=True))


def test_the_better_positions_carry_the_bits() -> None:
    """More digits set, or the same ones further up, is better on every symmetric channel (Mori and Tanaka, 2009)."""
    carriers = set(CODE.carriers(1024).tolist())
    assert len(carriers) == 96
    for at in carriers:
        for digit in range(10):
            assert at | 1 << digit in carriers
            if digit and at >> digit - 1 & 1 and not at >> digit & 1:
                assert at + (1 << digit - 1) in carriers


def test_what_is_left_out_is_never_relied_on() -> None:
    """With m bits of the word unknown, m positions of the input are hopeless: none of them may carry a bit."""
    for places in (96, 128, 700, 1023):
        llrs = np.full(places, 30.0)
        assert CODE.decode(llrs * (1.0 - 2.0 * word(CODE, 77, places)[CODE.places(places)]), bare(CODE)) == 77


@given(
    payload=st.integers(0, 2**64 - 1),
    places=st.one_of(st.integers(96, 1100), st.sampled_from([3072, 4096, 16_384, 65_536])),
)
@settings(max_examples=40, deadline=None)
def test_a_payload_comes_back_from_any_number_of_places(payload: int, places: int) -> None:
    signs = 1.0 - 2.0 * word(CODE, payload, places)[CODE.places(places)]
    assert CODE.decode(signs, bare(CODE)) == payload


@pytest.mark.parametrize("places", [256, 512, 1024, 1500, 4096])
def test_it_corrects_what_the_noise_broke(places: int) -> None:
    rng = np.random.default_rng(places)
    payloads = [int(payload) for payload in rng.integers(0, 2**64, 20, dtype=np.uint64)]
    llrs = [heard(CODE, payload, places, 0.35, rng) for payload in payloads]
    wrong = [
        np.mean((llr < 0) != word(CODE, payload, places)[CODE.places(places)])
        for llr, payload in zip(llrs, payloads, strict=True)
    ]
    assert min(wrong) > (0.05 if places < 512 else 0.15)
    assert [CODE.decode(llr, bare(CODE)) for llr in llrs] == payloads


def test_unknown_places_are_bridged() -> None:
    rng = np.random.default_rng(1)
    llrs = heard(CODE, 12345, 4096, 1.2, rng)
    llrs[rng.permutation(4096)[:3000]] = 0
    assert CODE.decode(llrs, bare(CODE)) == 12345


def test_noise_yields_nothing() -> None:
    rng = np.random.default_rng(2)
    assert all(CODE.decode(rng.normal(size=1024), bare(CODE)) is None for _ in range(50))


def test_costs_are_log_probabilities() -> None:
    """With exact arithmetic in every node, a path costs -ln P(word | what was heard), which has a closed form."""
    llrs = np.random.default_rng(3).normal(size=128)
    frozen = np.ones(128, bool)
    frozen[SMALL.carriers(128)] = False
    words, costs = codes._decode_list(llrs, frozen)
    direct = np.logaddexp(0, -(1.0 - 2.0 * words) * llrs).sum(axis=1)
    np.testing.assert_allclose(costs, direct, rtol=1e-10)
    assert (np.diff(costs) >= 0).all()
    assert len(np.unique(words, axis=0)) == LIST_SIZE


def test_a_mask_is_needed_and_taken_off() -> None:
    rng = np.random.default_rng(4)
    masks = rng.integers(0, 2, (2, CODE.message_bits)).astype(np.uint8)
    words = CODE.encode(np.array([5, 6], np.uint64), 1024, masks)
    for llrs, mask, payload in zip(1.0 - 2.0 * words, masks, (5, 6), strict=True):
        assert CODE.decode(llrs, mask) == payload
        assert CODE.decode(llrs, bare(CODE)) is None


def test_ties_are_no_way_around_the_check() -> None:
    """Where nothing is known, the list is always the same; under a secret mask, it is as unlikely to pass as any."""
    masks = np.random.default_rng(5).integers(0, 2, (100, SMALL.message_bits)).astype(np.uint8)
    assert {SMALL.decode(np.zeros(128), mask) for mask in masks} == {None}


def test_the_bound_on_chance() -> None:
    assert log10_chance_of_payload(8, 32) == pytest.approx(-29 * math.log10(2))
    assert log10_chance_of_payload(8, 32, tries=36) == pytest.approx(math.log10(36 * 8 / 2**32))
    assert log10_chance_of_payload(8, 16, tries=10**6) == 0


def test_too_few_places_are_refused() -> None:
    with pytest.raises(ValueError, match="95 places cannot hold 96 bits"):
        CODE.places(95)
