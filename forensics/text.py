"""Bytes to text, where the file does not say which code it used or says it wrongly."""

from __future__ import annotations

import json
from typing import Any

_PADDING = "\0 \t\r\n"
_LONG, _SHORT = 16, 8
"""Bytes that are no other code by accident, and fewer that still show a pattern."""


def decode(raw: bytes, *codes: str) -> str:
    """Decode with the first of the codes that fits, else as UTF-8, else as Latin-1; without padding at the ends."""
    for code in (*codes, "utf-8"):
        try:
            return raw.decode(code).strip(_PADDING)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").strip(_PADDING)


def decode_unicode(raw: bytes, order: str) -> str:
    """Decode UTF-16 of unknown byte order.

    Args:
        raw: The text, with or without a byte-order mark.
        order: `big` or `little`: which one to take where the text itself does not tell.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").strip(_PADDING)
    if b"\0" not in raw.rstrip(b"\0") and (raw.isascii() or (len(raw) >= _LONG and _is_utf8(raw))):
        return decode(raw)  # single bytes under the wrong name
    big, little = raw[0::2].count(0), raw[1::2].count(0)
    is_big = order == "big" if big == little else big > little
    return raw.decode("utf-16-be" if is_big else "utf-16-le", "replace").strip(_PADDING)


def looks_like_utf16(raw: bytes) -> bool:
    """Whether bytes that should be of another code are UTF-16 of mostly Western text: every other one is zero."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    start = raw[:_LONG]
    halves = start[0::2], start[1::2]
    return len(start) >= _SHORT and any(not any(one) and all(other) for one, other in (halves, halves[::-1]))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, as a whole; None for anything else, and for one that is nested too deeply."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
