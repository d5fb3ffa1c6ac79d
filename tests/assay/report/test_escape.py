import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report.escape import first, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode, 日本語, العربية", "plain text, ünïcode, 日本語, العربية"),
        ("a\u00a0b\u3000c", "a\u00a0b\u3000c"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("line\r\nline\t", r"line\r\nline\t"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("a\u200b\u200d\ufeffb", r"a\u200b\u200d\ufeffb"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
        ("\u3164", r"\u3164"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_breaks_stay_where_they_are_wanted() -> None:
    assert visible("a\n\tb\r", lines=True) == "a\n\tb\\r"


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = visible(text)
    assert not {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} & {unicodedata.category(character) for character in shown}
    assert visible(shown) == shown
    shown.encode("utf-8")


def test_long_text_is_cut_and_counted() -> None:
    assert visible("x" * 1_000_000, limit=3) == "xxx… (999,997 more characters)"
    assert visible("xxx", limit=3) == "xxx"


def test_long_lists_are_cut_and_counted() -> None:
    assert first([1, 2, 3], 3) == ([1, 2, 3], "")
    assert first(range(1234), 2) == (range(2), "… and 1,232 more, which the JSON report lists")
