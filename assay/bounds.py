"""How much of a picture is decoded within the limits: all of it, a fraction of its size, or nothing.

Credentials and metadata need no pixels. So a picture that states more than the limits allow is still examined, and only
the checks that look at pixels are left out.
"""

from __future__ import annotations

from assay.errors import LimitExceeded
from assay.vocabulary import ExhibitFacts, Limits, Picture

_TIMES = 4
"""So many times `max_pixels` may a JPEG state: decoding it at half its size takes the memory that `max_pixels` take."""
_DIVISORS = (1, 2, 4, 8)
"""Of width and height: what JPEG decoders offer (ITU-T T.81, blocks of 8 x 8 samples)."""
JPEG = frozenset({"JPEG", "MPO"})
"""Pillow's names of a JPEG: alone, and with further pictures behind it."""
_PARTS = {2: "half", 4: "a quarter", 8: "an eighth"}
_HINT = "Raise --max-pixels if you trust the source."


def reduction(facts: ExhibitFacts, limits: Limits) -> int:
    """Return how many times narrower and lower than stored the pixels have to be decoded: 1, 2, 4 or 8.

    Raises:
        LimitExceeded: They are not decoded at all: too many pixels, or too many frames.
    """
    picture = facts.picture
    if picture is None:
        return 1
    if picture.frames > limits.max_frames:
        raise LimitExceeded(
            f"{facts.name}: {picture.frames} frames, more than {limits.max_frames}",
            hint="Raise --max-frames if you trust the source.",
        )
    if picture.format not in JPEG:
        require_within((picture.width, picture.height), facts.name, limits.max_pixels)
        return 1
    require_within((picture.width, picture.height), facts.name, _TIMES * limits.max_pixels)
    return next((each for each in _DIVISORS if _pixels(picture, each) <= limits.max_pixels), _DIVISORS[-1])


def require_whole(facts: ExhibitFacts, limits: Limits) -> None:
    """Refuse a picture that is not decoded, or only at a fraction of its size: for who changes its pixels.

    Raises:
        LimitExceeded: Too many pixels or frames.
    """
    reduction(facts, limits)
    if facts.picture is not None:
        require_within((facts.picture.width, facts.picture.height), facts.name, limits.max_pixels)


def require_within(size: tuple[int, int], name: str, most: int) -> None:
    """Refuse more than `most` pixels.

    Raises:
        LimitExceeded: There are more.
    """
    width, height = size
    if width * height > most:
        raise LimitExceeded(f"{name}: {width} x {height} pixels, more than {most:,}", hint=_HINT)


def in_words(picture: Picture) -> str:
    """Say how checks saw a reduced picture, as a sentence goes on; empty where they saw it as stored."""
    if picture.reduced <= 1:
        return ""
    part = _PARTS.get(picture.reduced, f"1/{picture.reduced}")
    width, height = _divided(picture, picture.reduced)
    return f"at {part} of its width and height: {width:,} x {height:,} of {picture.width:,} x {picture.height:,} pixels"


def _pixels(picture: Picture, divisor: int) -> int:
    width, height = _divided(picture, divisor)
    return width * height


def _divided(picture: Picture, divisor: int) -> tuple[int, int]:
    return -(-picture.width // divisor), -(-picture.height // divisor)
