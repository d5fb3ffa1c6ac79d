"""WebP (RFC 9649, section 2.3)."""

from __future__ import annotations

from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind

_KINDS = {b"EXIF": Kind.EXIF, b"XMP ": Kind.XMP}
_EXIF_PREFIX = b"Exif\0\0"


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
            break
        if (kind := _KINDS.get(data[at : at + 4])) is not None:
            # Some writers keep the prefix that EXIF has in a JPEG.
            blocks.append(Block(kind=kind, payload=data[at + 8 : stop].removeprefix(_EXIF_PREFIX)))
        at = stop + (size & 1)
    else:
        damaged = (TOO_MANY,)
    return Container(end=end, truncated=truncated, damaged=damaged, blocks=tuple(blocks))
