"""Writes the parts of DER (X.690) that certificates and time stamps are made of, and takes them apart again."""

from __future__ import annotations

from collections.abc import Iterator


def element(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    return element(0x31, b"".join(sorted(parts)))


def explicit(number: int, body: bytes) -> bytes:
    return element(0xA0 | number, body)


def octets(body: bytes) -> bytes:
    return element(0x04, body)


def integer(value: int) -> bytes:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def algorithm(identifier: str) -> bytes:
    return sequence(oid(identifier))


def oid(text: str) -> bytes:
    first, second, *others = map(int, text.split("."))
    return element(0x06, b"".join(map(_base128, (40 * first + second, *others))))


def _base128(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def parts(body: bytes) -> Iterator[bytes]:
    """Yield the elements that follow each other, whole."""
    at = 0
    while at < len(body):
        end = at + _head(body[at:]) + len(content(body[at:]))
        yield body[at:end]
        at = end


def content(element: bytes) -> bytes:
    """Return what the first element holds."""
    head = _head(element)
    size = int.from_bytes(element[2:head]) if head > 2 else element[1]
    return element[head : head + size]


def _head(element: bytes) -> int:
    return 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)
