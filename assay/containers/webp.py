"""WebP (RFC 9649, section 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind
from assay.containers.tiff import tiff_in

_KINDS = {b"EXIF": Kind.EXIF, b"XMP ": Kind.XMP}


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield every chunk as its name, start and stop with its header and padding."""
    at, end = 12, min(8 + int.from_bytes(data[4:8], "little"), len(data))
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + size + (size & 1)
        if stop > end:
            return
        yield data[at : at + 4], at, stop
        at = stop


def walk_webp(data: bytes) -> Container:
    """Follow the chunks of the RIFF."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return Container(end=None, truncated=False, damaged=("does not start like a WebP",))
    end = 8 + int.from_bytes(data[4:8], "little")
    truncated = end > len(data)
    end = min(end, len(data))
    blocks: list[Block] = []
    damaged: tuple[str, ...] = ()
    at = 12
    for _ in range(MAX_STEPS):
        if at + 8 > end:
            break
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + size
        if stop > end:
            damaged = () if truncated else ("a chunk reaches beyond the end of the image",)
            if (kind := _KINDS.get(data[at : at + 4])) is not None:
                words = f"the {kind.value} reaches beyond the end of the image"
                blocks.append(Block(kind=Kind.UNREAD, payload=words.encode()))
            break
        if (kind := _KINDS.get(data[at : at + 4])) is not None:
            payload = data[at + 8 : stop]
            blocks.append(Block(kind=kind, payload=tiff_in(payload) if kind is Kind.EXIF else payload))
        at = stop + (size & 1)
    else:
        damaged = (TOO_MANY,)
    return Container(end=end, truncated=truncated, damaged=damaged, blocks=tuple(blocks))
