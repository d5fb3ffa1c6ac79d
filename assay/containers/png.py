"""PNG and APNG (W3C PNG 3, section 5)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind
from assay.containers.tiff import tiff_in

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = {
    b"tEXt": Kind.PNG_TEXT,
    b"zTXt": Kind.PNG_COMPRESSED_TEXT,
    b"iTXt": Kind.PNG_INTERNATIONAL_TEXT,
    b"eXIf": Kind.EXIF,
}
_ANCILLARY = 0x20


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield every chunk as its name, start and stop with length and checksum, up to and with the last."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        name, stop = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if stop > len(data):
            return
        yield name, at, stop
        if name == b"IEND":
            return
        at = stop


def walk_png(data: bytes) -> Container:
    """Follow the chunks; the checksums of the critical ones are compared."""
    if not data.startswith(SIGNATURE):
        return Container(end=None, truncated=False, damaged=("does not start like a PNG",))
    blocks: list[Block] = []
    wrong: dict[str, None] = {}
    view = memoryview(data)
    at = len(SIGNATURE)
    for _ in range(MAX_STEPS):
        stop = at + 8 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if stop + 4 > len(data):
            return Container(end=len(data), truncated=True, damaged=tuple(wrong), blocks=tuple(blocks))
        if name in _KINDS:
            payload = data[at + 8 : stop]
            blocks.append(Block(kind=_KINDS[name], payload=tiff_in(payload) if name == b"eXIf" else payload))
        is_critical = not name[0] & _ANCILLARY
        if is_critical and zlib.crc32(view[at + 4 : stop]) != int.from_bytes(data[stop : stop + 4], "big"):
            wrong[f"the checksum of a {name.decode('ascii', 'backslashreplace')} chunk is wrong"] = None
        at = stop + 4
        if name == b"IEND":
            return Container(end=at, truncated=False, damaged=tuple(wrong), blocks=tuple(blocks))
    return Container(end=None, truncated=False, damaged=(TOO_MANY,), blocks=tuple(blocks))
