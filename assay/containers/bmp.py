"""BMP (Windows GDI, BITMAPFILEHEADER and the headers that follow it)."""

from __future__ import annotations

import struct

from assay.containers.model import Container

_CORE, _INFO, _V5 = 12, 40, 124
_RLE8, _RLE4 = 1, 2
_MAX_SIDE = 1 << 20


def walk_bmp(data: bytes) -> Container:
    """Compute where the pixels, and a colour profile behind them, end."""
    if data[:2] != b"BM":
        return Container(end=None, truncated=False, damaged=("does not start like a BMP",))
    try:
        needed = max(_end_of_pixels(data), _end_of_profile(data))
    except struct.error:
        return Container(end=len(data), truncated=True)
    except ValueError:
        return Container(end=None, truncated=False)
    (stated,) = struct.unpack_from("<I", data, 2)
    end = stated if needed <= stated <= len(data) else needed  # many writers state 0 or a wrong size
    return Container(end=min(end, len(data)), truncated=needed > len(data))


def _end_of_pixels(data: bytes) -> int:
    start, header = struct.unpack_from("<II", data, 10)
    if header == _CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression, size = 0, 0
    else:
        width, height, _, bits, compression, size = struct.unpack_from("<iiHHII", data, 18)
    if compression in (_RLE8, _RLE4) or bits == 0:
        if size == 0:
            raise ValueError("a compressed picture of unknown size")
        return int(start + size)
    if abs(width) > _MAX_SIDE or abs(height) > _MAX_SIDE:
        raise ValueError("sides that no picture has")
    row = (abs(width) * bits + 31) // 32 * 4
    return int(start + row * abs(height))


def _end_of_profile(data: bytes) -> int:
    (header,) = struct.unpack_from("<I", data, 14)
    if header < _V5:
        return 0
    offset, size = struct.unpack_from("<II", data, 14 + 112)
    return 14 + offset + size if size else 0
