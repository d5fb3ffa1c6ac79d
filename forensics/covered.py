"""What a hash can be found to stand for; see `forensics.coverage`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PICTURE, LAYOUT = "the picture data", "what tells where and how the picture data lies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the hash stands for."""

    outside: tuple[str, ...] = ()
    """What is left out besides the manifest, in words."""
    reaches_picture: str | None = None
    """What of the picture, or of what tells where it lies, is left out; None where nothing is."""
    intruder: str | None = None
    """What nobody left out, and is not covered all the same; None where there is no such thing."""

    @property
    def named(self) -> tuple[str, ...]:
        """All that is left out, in words."""
        return (*self.outside, *([self.reaches_picture] if self.reaches_picture else []))


WHOLE = Coverage()


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same bytes as ranges that do not overlap, in order; those that only touch stay apart.

    Args:
        ranges: Start and stop of each, in any order; empty ones are left out.
    """
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        elif start < stop:
            found.append((start, stop))
    return found
