"""The size of a JPEG XL image from its header: the reader at hand decodes everything before it tells."""

from __future__ import annotations

from assay.errors import DamagedImage

_HINT = "Fetch the file again and compare its size with the source's."
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_LENGTHS = (9, 13, 18, 30)


class _Bits:
    """Least significant bit first, as the codestream is written."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


def jxl_size(data: bytes, name: str) -> tuple[int, int]:
    """Width and height (ISO/IEC 18181-1, section D.2, SizeHeader).

    Args:
        data: The file.
        name: The file's name, for the error.

    Raises:
        DamagedImage: There is no codestream.
    """
    at = 0 if data.startswith(b"\xff\x0a") else _codestream(data)
    if data[at : at + 2] != b"\xff\x0a":
        raise DamagedImage(f"{name}: the JPEG XL file has no codestream", hint=_HINT)
    bits = _Bits(data[at + 2 : at + 18])
    is_small = bits.take(1)
    height = _side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, is_small), height
    numerator, denominator = _RATIOS[ratio - 1]
    return height * numerator // denominator, height


def _side(bits: _Bits, is_small: int) -> int:
    if is_small:
        return (bits.take(5) + 1) * 8
    return bits.take(_LENGTHS[bits.take(2)]) + 1


def _codestream(data: bytes) -> int:
    """Offset of the codestream in the box structure: `jxlc`, or the first `jxlp` after its 4-byte index."""
    at = 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        header = 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if kind == b"jxlc":
            return at + header
        if kind == b"jxlp":
            return at + header + 4
        if size < header:
            break
        at += size
    return len(data)
