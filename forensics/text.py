"""Bytes to text, where the file does not say which code it used or says it wrongly."""

from __future__ import annotations

import json
from typing import Any

_PADDING = "\0 \t\r\n"


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
    if raw.isascii() and b"\0" not in raw.rstrip(b"\0"):
        return decode(raw)  # single bytes under the wrong name
    big, little = raw[0::2].count(0), raw[1::2].count(0)
    is_big = order == "big" if big == little else big > little
    return raw.decode("utf-16-be" if is_big else "utf-16-le", "replace").strip(_PADDING)


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, as a whole; None for anything else, and for one that is nested too deeply."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
