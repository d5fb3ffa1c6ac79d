"""Puts a manifest store back to where signing had put it, byte for byte (C2PA 2.2, appendix A).

A hard binding holds for one sequence of bytes only, so this is of use where nothing but the store was taken out. That
it was so shows in the hash of the result, never in the fact that there is one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

_PNG_HEADER_END = 33
_JPEG_PIECE = 64_000
_JPEG_INSTANCE = 0x0211
"""What the C2PA library counts as the number of its box; any would do."""


def with_store(data: bytes, store: bytes) -> bytes | None:
    """The file as the C2PA library would have left it on signing: the store in its place, the rest untouched.

    Args:
        data: A JPEG, PNG or WebP without a store; nothing of it is checked.
        store: The manifest store.

    Returns:
        The file with the store; None for another format.
    """
    return next((embed(data, store) for magic, embed in _EMBEDDERS.items() if data.startswith(magic)), None)


def _into_png(data: bytes, store: bytes) -> bytes:
    """A `caBX` chunk behind the header (A.3.2)."""
    body = b"caBX" + store
    chunk = struct.pack(">I", len(store)) + body + struct.pack(">I", zlib.crc32(body))
    return data[:_PNG_HEADER_END] + chunk + data[_PNG_HEADER_END:]


def _into_jpeg(data: bytes, store: bytes) -> bytes:
    """APP11 segments behind the JFIF header, or at the very start (A.3.1; ISO 19566-5, annex D)."""
    at = 4 + int.from_bytes(data[4:6], "big") if data[2:4] == b"\xff\xe0" else 2
    pieces = (store[start : start + _JPEG_PIECE] for start in range(0, len(store), _JPEG_PIECE))
    return data[:at] + b"".join(_app11(store[:8], number, piece) for number, piece in enumerate(pieces, 1)) + data[at:]


def _app11(box_header: bytes, number: int, piece: bytes) -> bytes:
    """One segment; each but the first repeats the header of the box that it goes on with."""
    body = b"JP" + struct.pack(">HI", _JPEG_INSTANCE, number) + (box_header if number > 1 else b"") + piece
    return b"\xff\xeb" + struct.pack(">H", len(body) + 2) + body


def _into_webp(data: bytes, store: bytes) -> bytes:
    """A `C2PA` chunk at the end (A.3.6)."""
    chunk = b"C2PA" + struct.pack("<I", len(store)) + store + b"\0" * (len(store) % 2)
    return data[:4] + struct.pack("<I", len(data) + len(chunk) - 8) + data[8:] + chunk


_EMBEDDERS: Mapping[bytes, Callable[[bytes, bytes], bytes]] = {
    b"\x89PNG\r\n\x1a\n": _into_png,
    b"\xff\xd8\xff": _into_jpeg,
    b"RIFF": _into_webp,
}
