from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.binding import ACTION, LABEL, SoftBinding, assertion, pixel_sha256, read

SCHEMES = st.sampled_from(["sealed-seed", "sealed-seed-stateless", "tree-ring", "prc", "m2"])
IDS = st.integers(0, 2**64 - 1)


def body(**changes: Any) -> dict[str, Any]:
    written: dict[str, Any] = assertion(SoftBinding(scheme="sealed-seed", image_id=0x0123456789ABCDEF))["data"]
    return written | changes


def test_the_assertion_is_what_the_specification_describes() -> None:
    """C2PA 2.2, section 18.10: alg, blocks of scope and value, pad; the value worked out by hand."""
    written = assertion(SoftBinding(scheme="sealed-seed", image_id=0x0123456789ABCDEF))
    assert (written["label"], LABEL, ACTION) == (LABEL, "c2pa.soft-binding", "c2pa.watermarked.bound")
    assert written["data"]["alg"] == "alt.assay.sealed-seed.1"
    assert written["data"]["blocks"] == [{"scope": {}, "value": "ASNFZ4mrze8="}]
    assert written["data"]["pad"] == []
    assert "on no official list" in written["data"]["name"]


@given(SCHEMES, IDS)
def test_what_was_written_is_read_back(scheme: str, image_id: int) -> None:
    binding = SoftBinding(scheme=scheme, image_id=image_id)
    stated = read(assertion(binding)["data"])
    assert stated.ours == binding
    assert stated.algorithm == binding.algorithm
    assert [base64.b64decode(value) for value in stated.values] == [image_id.to_bytes(8, "big")]


@pytest.mark.parametrize(
    "value", ["ASNFZ4mrze8=", "b64'ASNFZ4mrze8='", [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]]
)
def test_each_shape_of_a_value_is_read(value: object) -> None:
    """Text, a byte string as crJSON quotes it, and an array: writers differ, and so does the library's JSON."""
    stated = read(body(blocks=[{"scope": {}, "value": value}]))
    assert stated.ours == SoftBinding(scheme="sealed-seed", image_id=0x0123456789ABCDEF)
    assert stated.values == ("ASNFZ4mrze8=",)


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "com.example.mark.1"},
        {"alg": "alt.assay.sealed-seed.2"},
        {"alg": "alt.assay.sealed-seed.1\n"},
        {"alg": "alt.assay..1"},
        {"alg": "altXassay.sealed-seed.1"},
        {"alg": "xalt.assay.sealed-seed.1"},
        {"alg": None},
        {"blocks": []},
        {"blocks": None},
        {"blocks": [{"scope": {}, "value": "ASNFZ4mrze8="}] * 2},
        {"blocks": [{"scope": {}, "value": "ASNFZ4mrze8="}, 7]},
        {"blocks": ["ASNFZ4mrze8="]},
        {"blocks": [{"scope": {"timespan": {"start": 0, "end": 1}}, "value": "ASNFZ4mrze8="}]},
        {"blocks": [{"scope": {}, "value": "AAAA"}]},
        {"blocks": [{"scope": {}, "value": "not base64!"}]},
        {"blocks": [{"scope": {}, "value": "ünicode"}]},
        {"blocks": [{"scope": {}, "value": [1, 2, 300]}]},
        {"blocks": [{"scope": {}, "value": ["x"]}]},
        {"blocks": [{"scope": {}, "value": 7}]},
        {"blocks": [{"scope": {}}]},
    ],
)
def test_what_is_not_ours_is_not_taken_for_it(changes: dict[str, Any]) -> None:
    assert read(body(**changes)).ours is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("alt.assay.sealed-seed.1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["alg", "blocks", "scope", "value", "pad"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_anything_can_be_read(anything: object) -> None:
    stated = read(anything)
    assert isinstance(stated.algorithm, str)
    assert all(isinstance(value, str) and value for value in stated.values)


def test_what_a_stranger_writes_is_bounded() -> None:
    long = read({"alg": "x" * 100_000, "blocks": [{"value": "y" * 100_000}] * 1000})
    assert len(long.algorithm) == 200
    assert [len(value) for value in long.values] == [200] * 20


@pytest.mark.parametrize(
    ("scheme", "image_id"), [("", 0), ("Sealed", 0), ("a.b", 0), ("a-", 0), ("a\n", 0), ("a", -1), ("a", 2**64)]
)
def test_what_could_not_be_read_back_is_not_written(scheme: str, image_id: int) -> None:
    with pytest.raises(ValueError, match="not "):
        SoftBinding(scheme=scheme, image_id=image_id)


def test_the_namespace_is_nobodys_domain() -> None:
    """RFC 9476 keeps names under alt out of the DNS; each label still has the form of one."""
    labels = SoftBinding(scheme="sealed-seed", image_id=0).algorithm.split(".")
    assert labels[0] == "alt"
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels)


def test_pixels_are_known_by_shape_and_values() -> None:
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    expected = hashlib.sha256(b"\0\0\0\2\0\0\0\3\0\0\0\3" + bytes(range(18))).hexdigest()
    assert pixel_sha256(pixels) == expected
    assert pixel_sha256(pixels[::-1][::-1]) == expected
    assert pixel_sha256(np.asfortranarray(pixels)) == expected
    assert pixel_sha256(pixels.reshape(3, 2, 3)) != expected
    assert pixel_sha256(pixels[::-1]) != expected


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((1, 2, 2, 3), np.uint8),
        np.zeros((2, 2, 3), np.float32),
    ],
)
def test_other_arrays_have_no_such_hash(pixels: Any) -> None:
    with pytest.raises(ValueError, match="uint8 of shape"):
        pixel_sha256(pixels)
