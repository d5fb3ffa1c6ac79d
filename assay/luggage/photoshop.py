"""Photoshop's image resources (Adobe Photoshop File Formats, "Image Resources Section")."""

from __future__ import annotations

from collections.abc import Iterator

_THUMBNAILS = frozenset({1033, 1036})
IPTC = 1028
_SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")


def without_thumbnails(payload: bytes) -> bytes:
    """Everything but thumbnails of the old pixels."""
    return b"".join(whole for number, whole in resources(payload) if number not in _THUMBNAILS)


def as_resource(iim: bytes) -> bytes:
    """IPTC IIM as the one resource of a block."""
    return b"8BIM" + IPTC.to_bytes(2, "big") + bytes(2) + len(iim).to_bytes(4, "big") + iim + bytes(len(iim) & 1)


def body(resource: bytes) -> bytes:
    """What a resource holds, without its head and padding."""
    name = 1 + resource[6]
    start = 10 + name + (name & 1)
    return resource[start : start + int.from_bytes(resource[start - 4 : start], "big")]


def resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The number of each resource with all of its bytes; what cannot be followed is one piece without a number."""
    at = 0
    while data.startswith(_SIGNATURES, at) and at + 12 <= len(data):
        name = 1 + data[at + 6]
        size_at = at + 6 + name + (name & 1)
        size = int.from_bytes(data[size_at : size_at + 4], "big")
        stop = size_at + 4 + size + (size & 1)
        yield int.from_bytes(data[at + 4 : at + 6], "big"), data[at:stop]
        at = stop
    if data[at:]:
        yield -1, data[at:]
