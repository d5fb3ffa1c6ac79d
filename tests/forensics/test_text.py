from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.text import decode, decode_unicode, json_object, looks_like_utf16


@pytest.mark.parametrize(
    ("raw", "codes", "text"),
    [
        ("Zürich".encode(), (), "Zürich"),
        ("Zürich".encode("latin-1"), (), "Zürich"),
        ("「写真」".encode("shift_jis"), ("iso2022_jp", "shift_jis"), "「写真」"),
        (b" padded \0\0", (), "padded"),
        (b"", (), ""),
    ],
)
def test_text_is_decoded_with_the_first_code_that_fits(raw: bytes, codes: tuple[str, ...], text: str) -> None:
    assert decode(raw, *codes) == text


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("code", ["utf-16-be", "utf-16-le", "utf-16"])
@pytest.mark.parametrize("text", ["Steps: 20, Sampler: Euler", "霧の灯台, Steps: 20"])
def test_the_text_itself_tells_its_byte_order(text: str, code: str, order: str) -> None:
    assert decode_unicode(text.encode(code), order) == text


@pytest.mark.parametrize(("order", "code"), [("big", "utf-16-be"), ("little", "utf-16-le")])
def test_without_a_hint_in_the_text_the_stated_order_counts(order: str, code: str) -> None:
    assert decode_unicode("灯台写真".encode(code), order) == "灯台写真"


def test_single_bytes_under_the_name_of_unicode_are_read_as_such() -> None:
    assert decode_unicode(b"Steps: 20", "big") == "Steps: 20"


def test_utf_8_under_the_name_of_unicode_is_read_as_such() -> None:
    assert decode_unicode("Zürich, Steps: 20".encode(), "big") == "Zürich, Steps: 20"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Steps: 20".encode("utf-16-le"), True),
        ("Steps: 20".encode("utf-16-be"), True),
        ("写真".encode("utf-16"), True),
        (b"Steps: 20", False),
        (b"a\0b", False),
        (bytes(40), False),
        (b"Jane\0Desk of somebody", False),
        (b"", False),
    ],
)
def test_utf_16_is_told_by_its_zeros(raw: bytes, *, expected: bool) -> None:
    assert looks_like_utf16(raw) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "not json",
        "{",
        "{'a': 1}",
        '{"a":' * 100_000,
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' + "9" * 10_000 + "}",
    ],
    ids=["empty", "list", "text", "cut", "quotes", "deep and cut", "deep", "long number"],
)
def test_what_is_no_object_or_nested_too_deeply_is_none(text: str) -> None:
    assert json_object(text) is None


def test_an_object_is_read_with_the_numbers_that_comfyui_writes() -> None:
    assert json_object(' {"a": 1, "b": [true, null]}') == {"a": 1, "b": [True, None]}
    assert set(json_object('{"is_changed": [NaN]}') or ()) == {"is_changed"}


@given(st.binary(max_size=64), st.sampled_from(["big", "little"]))
def test_no_bytes_raise(raw: bytes, order: str) -> None:
    decode(raw, "iso2022_jp", "shift_jis")
    decode_unicode(raw, order)
    json_object(raw.decode("latin-1"))
