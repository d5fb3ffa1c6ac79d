"""Encodes CBOR (RFC 8949): the shortest heads, definite lengths, map entries in the order given."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
_HEADS = {1: 24, 2: 25, 4: 26, 8: 27}
"""Bytes of an argument -> what the head says."""
_SIMPLE = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}


@dataclass(frozen=True)
class Tagged:
    """A value with a tag, such as 0 for a date as text, or 18 for COSE_Sign1."""

    tag: int
    value: Any


def encode(value: Any) -> bytes:
    """Encode a value made of None, bool, int, float, bytes, str, list, tuple, dict and `Tagged`."""
    match value:
        case bool() | None:
            return _SIMPLE[value]
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            return _head(_TEXT, len(value.encode())) + value.encode()
        case list() | tuple():
            return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
        case dict():
            return _head(_MAP, len(value)) + b"".join(encode(each) for entry in value.items() for each in entry)
        case Tagged():
            return _head(_TAG, value.tag) + encode(value.value)
        case _:
            raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(size for size in _HEADS if argument < 1 << 8 * size)
    return bytes([major << 5 | _HEADS[size]]) + argument.to_bytes(size)
