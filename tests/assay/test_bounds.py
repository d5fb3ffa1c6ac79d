from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.bounds import in_words, reduction, require_whole
from assay.errors import LimitExceeded
from assay.vocabulary import ExhibitFacts, Limits, Picture

LIMITS = Limits()


def facts(width: int, height: int, format_name: str = "JPEG", **changes: Any) -> ExhibitFacts:
    values: dict[str, Any] = {"mime": "image/x", "frames": 1, "mode": "RGB"}
    return ExhibitFacts(name="x", picture=Picture(format=format_name, width=width, height=height, **(values | changes)))


@pytest.mark.parametrize(
    ("width", "height", "divisor"),
    [
        (8_160, 6_144, 1),  # the 50 megapixels of a phone
        (9_504, 6_336, 2),  # 60 megapixels of a camera
        (16_320, 12_240, 2),  # the 200 megapixels of a phone
        (16_384, 12_288, 2),
        (15_000, 14_000, 2),  # 210 megapixels
        (14_491, 14_491, 4),  # half of an odd side is rounded up, and a little too much
    ],
)
def test_a_jpeg_of_up_to_210_megapixels_is_decoded(width: int, height: int, divisor: int) -> None:
    assert reduction(facts(width, height), LIMITS) == divisor
    assert reduction(facts(height, width, "MPO", frames=2), LIMITS) == divisor


@pytest.mark.parametrize(
    ("what", "reason", "hint"),
    [
        (facts(15_001, 14_000), "15001 x 14000 pixels, more than 210,000,000", "--max-pixels"),
        (facts(7_500, 7_001, "PNG"), "7500 x 7001 pixels, more than 52,500,000", "--max-pixels"),
        (facts(8, 8, "GIF", frames=101), "101 frames, more than 100", "--max-frames"),
    ],
)
def test_what_is_not_decoded_has_a_reason_and_a_remedy(what: ExhibitFacts, reason: str, hint: str) -> None:
    with pytest.raises(LimitExceeded, match=f"x: {reason}") as caught:
        reduction(what, LIMITS)
    assert hint in caught.value.hint


def test_the_phones_50_megapixels_are_decoded_whole_in_every_format() -> None:
    for name in ("PNG", "WEBP", "HEIF", "TIFF"):
        assert reduction(facts(8_160, 6_144, name), LIMITS) == 1


@given(st.integers(0, 70_000), st.integers(0, 70_000), st.integers(1, 10**9))
def test_no_more_than_the_limit_is_ever_decoded(width: int, height: int, most: int) -> None:
    try:
        divisor = reduction(facts(width, height), Limits(max_pixels=most))
    except LimitExceeded:
        assert width * height > 4 * most
    else:
        assert divisor in (1, 2, 4, 8)
        assert divisor == 8 or -(-width // divisor) * -(-height // divisor) <= most


def test_whoever_changes_pixels_needs_all_of_them() -> None:
    require_whole(facts(8_160, 6_144), LIMITS)
    with pytest.raises(LimitExceeded, match="9504 x 6336 pixels, more than 52,500,000"):
        require_whole(facts(9_504, 6_336), LIMITS)
    with pytest.raises(LimitExceeded, match="101 frames"):
        require_whole(facts(8, 8, "PNG", frames=101), LIMITS)


def test_what_checks_saw_in_words() -> None:
    picture = facts(9_503, 6_336).picture
    assert picture is not None
    assert in_words(picture) == ""
    half = "at half of its width and height: 4,752 x 3,168 of 9,503 x 6,336 pixels"
    assert in_words(replace(picture, reduced=2)) == half


@given(st.integers())
def test_any_number_that_a_worker_may_send_has_words(reduced: int) -> None:
    picture = facts(100, 100, reduced=reduced).picture
    assert picture is not None
    assert (in_words(picture) == "") == (reduced <= 1)
