"""The certificates and the time stamp of a manifest's signature (C2PA 2.2, sections 10.3.2, 13.2 and 14.3).

The library checks signatures and time stamps, but says nothing of a time stamp's authority except its name. What has to
be known to find out who vouches for it lies in the signature itself: a COSE_Sign1 structure inside a JUMBF box.
Everything here was written by whoever made the file. Nothing is verified here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import cbor2

from forensics import der

_MAX_BOXES = 10_000
"""Boxes that are followed on one level; a history of 40 edits has 41 on the first."""
_SIGNATURE_LABEL = b"c2pa.signature"
_HAS_LABEL = 0x02
_CHAIN_LABELS = (33, "x5chain")
"""`x5chain` by its number (RFC 9360), and by its name as in the first versions of the standard."""
_STAMP_LABELS = ("sigTst2", "sigTst")
_TAGGED_0 = 0xA0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What an RFC 3161 time stamp carries: CMS signed data (RFC 5652, section 5) by a single signer."""

    certificates: tuple[bytes, ...]
    """In DER, in any order; nothing ties them to the signature but that one of them verifies it."""
    signed: bytes
    """What the authority's signature is over."""
    digest: str
    """Object identifier of the hash."""
    algorithm: str
    """Object identifier of the signature's algorithm."""
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What one signature carries beside itself."""

    certificates: tuple[bytes, ...] = ()
    """In DER, the signer's first."""
    stamp: Token | None = None
    """The time stamp; None without one, and for one that cannot be taken apart."""


def read_signature(store: bytes, label: str) -> Signature | None:
    """Return what the signature of one manifest carries.

    Args:
        store: The manifest store, as a JUMBF superbox.
        label: The manifest's label in the store.

    Returns:
        None where the store holds no such manifest, or a signature that cannot be read. Time is linear in the size of
        the store.
    """
    top = next(_boxes(store, 0, len(store)), None)
    manifest = _labelled(store, top, label.encode()) if top else None
    box = _labelled(store, manifest, _SIGNATURE_LABEL) if manifest else None
    body = next((child for child in _children(store, box) if child.type == b"cbor"), None) if box else None
    if body is None:
        return None
    try:
        return _read_cose(cbor2.loads(store[body.start : body.stop]))
    except Exception:
        return None


class _Box(NamedTuple):
    type: bytes
    start: int
    stop: int


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    """Boxes side by side (ISO/IEC 19566-5, annex A), until one does not fit."""
    while at + 8 <= end:
        size, header = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = end - at
        if size < header or at + size > end:
            return
        yield _Box(data[at + 4 : at + 8], at + header, at + size)
        at += size


def _children(data: bytes, box: _Box) -> Iterator[_Box]:
    return islice(_boxes(data, box.start, box.stop), _MAX_BOXES)


def _labelled(data: bytes, parent: _Box, label: bytes) -> _Box | None:
    """The child superbox with this label."""
    for child in _children(data, parent):
        if child.type == b"jumb" and _label(data, child) == label:
            return child
    return None


def _label(data: bytes, superbox: _Box) -> bytes:
    """The label in the description box, which comes first: 16 bytes of type, toggles, then text up to a zero."""
    first = next(_children(data, superbox), None)
    if first is None or first.type != b"jumd" or not data[first.start + 16 : first.start + 17]:
        return b""
    has_label = data[first.start + 16] & _HAS_LABEL
    return data[first.start + 17 : first.stop].partition(b"\0")[0] if has_label else b""


def _read_cose(sign1: Any) -> Signature:
    parts: list[Any] = getattr(sign1, "value", sign1)
    protected, unprotected = (cbor2.loads(parts[0]) if parts[0] else {}), parts[1]
    # Where there are several chains or time stamps, the library may have looked at another one.
    chains = [headers[name] for headers in (protected, unprotected) for name in _CHAIN_LABELS if name in headers]
    stamps = [token["val"] for name in _STAMP_LABELS if name in unprotected for token in unprotected[name]["tstTokens"]]
    chain = chains[0] if len(chains) == 1 else ()
    return Signature(
        certificates=(chain,) if isinstance(chain, bytes) else tuple(each for each in chain if isinstance(each, bytes)),
        stamp=_read_token(stamps[0]) if len(stamps) == 1 else None,
    )


def _read_token(stamp: bytes) -> Token | None:
    """Take a time stamp apart; None where it has several signers, since the library may have looked at another one."""
    content_info = der.content_of(stamp)
    if content_info[0][0] == der.SEQUENCE:  # the older place holds the whole response (RFC 3161, section 2.4.2)
        content_info = der.content_of(content_info[1])
    signed_data = der.content_of(der.content_of(content_info[1])[0])
    encapsulated, *optional, signers = signed_data[2:]
    if len(der.content_of(signers)) != 1:
        return None
    parts = der.content_of(der.content_of(signers)[0])
    attributes = next((each for each in parts if each[0] == _TAGGED_0), b"")
    algorithm, signature = [each for each in parts[3:] if each[0] in (der.SEQUENCE, der.OCTETS)][:2]
    octets = der.content_of(der.content_of(encapsulated)[1])[0]
    return Token(
        certificates=tuple(inner for each in optional if each[0] == _TAGGED_0 for inner in der.content_of(each)),
        # Signed as the set that they are, not with the tag that they carry (RFC 5652, section 5.4).
        signed=bytes([der.SET]) + attributes[1:] if attributes else der.value_of(octets),
        digest=der.identifier(der.content_of(parts[2])[0]),
        algorithm=der.identifier(der.content_of(algorithm)[0]),
        signature=der.value_of(signature),
    )
