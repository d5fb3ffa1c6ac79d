"""Elements of DER (ITU-T X.690): where they begin and end. What they mean is left to libraries."""

from __future__ import annotations

from typing import NamedTuple

SEQUENCE, SET, OCTETS = 0x30, 0x31, 0x04
_CONSTRUCTED = 0x20
_PRINTABLE, _UTF8 = 0x13, 0x0C
_MAX_ELEMENTS = 2_000
_PRINTABLE_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")


class Element(NamedTuple):
    """One element, by offsets into the data."""

    tag: int
    at: int
    start: int
    """Of the content."""
    stop: int


def elements(data: bytes, at: int, end: int) -> list[Element]:
    """Return the elements side by side between two offsets, 2,000 at most.

    Raises:
        IndexError: An element has no length.
        ValueError: An element goes on behind the end of the data.
    """
    found: list[Element] = []
    while at < end and len(found) < _MAX_ELEMENTS:
        start, stop = _content(data, at)
        found.append(Element(data[at], at, start, stop))
        at = stop
    return found


def content_of(data: bytes) -> list[bytes]:
    """Return the elements inside the first element, each with its tag and length.

    Raises:
        IndexError, ValueError: As `elements`.
    """
    return [data[each.at : each.stop] for each in elements(data, *_content(data, 0))]


def value_of(data: bytes) -> bytes:
    """Return the content of the first element, without its tag and length.

    Raises:
        IndexError, ValueError: As `elements`.
    """
    start, stop = _content(data, 0)
    return data[start:stop]


def identifier(data: bytes) -> str:
    """Return an object identifier as people write it, such as `2.16.840.1.101.3.4.2.1`.

    Raises:
        IndexError, ValueError: As `elements`.
    """
    numbers, number = [], 0
    for byte in value_of(data):
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def with_lenient_text(data: bytes) -> bytes:
    """Return the same element with text of the type PrintableString that is none retyped as UTF8String.

    Raises:
        IndexError, ValueError: As `elements`.
    """
    changed = bytearray(data)
    waiting, left = [(0, len(data))], _MAX_ELEMENTS
    while waiting and left > 0:
        for each in elements(data, *waiting.pop()):
            left -= 1
            if each.tag & _CONSTRUCTED:
                waiting.append((each.start, each.stop))
            elif each.tag == _PRINTABLE and not _PRINTABLE_CHARACTERS.issuperset(data[each.start : each.stop]):
                changed[each.at] = _UTF8
    return bytes(changed)


def _content(data: bytes, at: int) -> tuple[int, int]:
    length, start = data[at + 1], at + 2
    if length & 0x80:
        width = length & 0x7F
        length, start = int.from_bytes(data[start : start + width], "big"), start + width
    if start + length > len(data):
        raise ValueError("an element goes on behind the end")
    return start, start + length
