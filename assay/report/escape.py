"""Text that came out of a file, made safe to look at before a format escapes it for where it lands.

A title in a manifest can hold terminal commands, line breaks that forge a second line of a report, or marks that turn
the reading direction around (Unicode Technical Report 36, section 3). All of these are shown as what they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

LINE = 400
"""Characters of one value in a format that people read line by line; JSON has all of them."""
LISTED = 40
"""Entries of one list in a format that people read; JSON has all of them."""

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks by category, yet nothing is drawn: two names could differ and look the same."""


def visible(text: str, *, limit: int = LINE, lines: bool = False) -> str:
    r"""Show what cannot be seen, and shorten what is too long to read.

    Args:
        text: Anything, lone surrogates included.
        limit: Characters to keep. What is left out is counted, in words.
        lines: Keep line breaks and tabs, for a format in which they cannot be mistaken for its own.

    Returns:
        Text in which control characters, bidirectional overrides, zero-width and unassigned characters are written as
        Python escapes (`\x1b`, `\u202e`).
    """
    kept = "".join(_shown(character, lines=lines) for character in text[:limit])
    return kept if len(text) <= limit else f"{kept}… ({len(text) - limit:,} more characters)"


def _shown(character: str, *, lines: bool) -> str:
    if lines and character in "\n\t":
        return character
    drawn = character.isprintable() or unicodedata.category(character) == "Zs"
    return character if drawn and character not in _BLANK else character.encode("unicode_escape").decode("ascii")


def first(items: Sequence[T], limit: int = LISTED) -> tuple[Sequence[T], str]:
    """The head of a list, and a sentence on the rest: empty where there is none."""
    left_out = len(items) - limit
    return items[:limit], f"… and {left_out:,} more, which the JSON report lists" if left_out > 0 else ""
