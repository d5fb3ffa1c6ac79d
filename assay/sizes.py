"""The size that a header states, for the formats whose readers take memory for all pixels as soon as they open a file.

Readers of JPEG, PNG, TIFF and BMP open a picture of any size without decoding it, and are asked themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.containers import largest_item
from assay.jxl import jxl_size

Size = tuple[int, int]


def stated_size(data: bytes, family: str, name: str) -> Size | None:
    """Return width and height in pixels as the header states them, without opening the file.

    Args:
        data: The file.
        family: The name of its format, a key of `assay.formats.FORMATS`.
        name: The file's name, for the error.

    Returns:
        None where the reader has to be asked: another format, or a header that is damaged.

    Raises:
        DamagedImage: A JPEG XL has no codestream.
    """
    if family == "JXL":
        return jxl_size(data, name)
    read = _READERS.get(family)
    return None if read is None else read(data)


def _gif(data: bytes) -> Size:
    """The logical screen (GIF89a, section 18)."""
    return _little(data[6:8]), _little(data[8:10])


def _webp(data: bytes) -> Size | None:
    """The first chunk tells: RFC 9649, section 2.7, and for the simple formats section 2.5 (RFC 6386) and 2.6."""
    body = data[20:30]
    match data[12:16]:
        case b"VP8X":
            return _little(body[4:7]) + 1, _little(body[7:10]) + 1
        case b"VP8L":
            bits = _little(body[1:5])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
        case _:
            return None


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


_READERS: Mapping[str, Callable[[bytes], Size | None]] = {
    "GIF": _gif,
    "WEBP": _webp,
    "AVIF": largest_item,
    "HEIF": largest_item,
}
