"""Boxes of a manifest store (ISO 19566-5; C2PA 2.2, section 11.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tests.carriers import bmff_box

STORE, MANIFEST, UPDATE, ASSERTIONS, CLAIM, SIGNATURE = (b"c2pa", b"c2ma", b"c2um", b"c2as", b"c2cl", b"c2cs")
CBOR, JSON = b"cbor", b"json"
_REQUESTABLE_WITH_LABEL = 3


def superbox(kind: bytes, label: str, *content: bytes) -> bytes:
    """Return a superbox of one of the types above, with its description and its content boxes."""
    identifier = kind + bytes.fromhex("00110010800000aa00389b71")
    description = identifier + bytes([_REQUESTABLE_WITH_LABEL]) + label.encode() + b"\0"
    return bmff_box(b"jumb", bmff_box(b"jumd", description) + b"".join(content))


def content(superbox: bytes) -> list[bytes]:
    """Return the boxes in a superbox, without its description."""
    return list(_boxes(superbox))[1:]


def label(superbox: bytes) -> str:
    """Return the label of a superbox that has one."""
    description = next(_boxes(superbox))
    return description[25 : description.index(0, 25)].decode()


def kind(superbox: bytes) -> bytes:
    """Return the type of a superbox: one of those above."""
    return next(_boxes(superbox))[8:12]


def digest(superbox: bytes) -> bytes:
    """Return what a hashed URI states of a superbox: the SHA-256 of all but its header (C2PA 2.2, section 8.4.2.3)."""
    return hashlib.sha256(superbox[8:]).digest()


def _boxes(superbox: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(superbox):
        end = at + int.from_bytes(superbox[at : at + 4])
        yield superbox[at:end]
        at = end
