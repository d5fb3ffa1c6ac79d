"""GIF (CompuServe GIF89a, appendix B)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.containers.model import MAX_STEPS, TOO_MANY, Block, Container, Kind

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF
_XMP = b"XMP DataXMP"
_HAS_PALETTE = 0x80


class _TooManyError(Exception):
    pass


def walk_gif(data: bytes) -> Container:
    """Follow the blocks to the trailer."""
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return Container(end=None, truncated=False, damaged=("does not start like a GIF",))
    blocks: list[Block] = []
    try:
        end = _follow(data, blocks)
    except IndexError:
        return Container(end=len(data), truncated=True, blocks=tuple(blocks))
    except _TooManyError:
        return Container(end=None, truncated=False, damaged=(TOO_MANY,), blocks=tuple(blocks))
    damaged = () if data[end - 1] == _TRAILER else ("something that is no block stands where the trailer should",)
    return Container(end=end, truncated=False, damaged=damaged, blocks=tuple(blocks))


def _follow(data: bytes, blocks: list[Block]) -> int:
    """The offset behind the trailer, or behind the last block where no trailer follows."""
    at, steps = 13 + _palette_size(data[10]), 0
    while steps < MAX_STEPS:
        introducer = data[at]
        if introducer == _TRAILER:
            return at + 1
        if introducer == _EXTENSION:
            label, start = data[at + 1], at + 2
        elif introducer == _IMAGE:
            label, start = 0, at + 11 + _palette_size(data[at + 9])
        else:
            return at
        at, skipped = _skip(data, start)
        steps += 1 + skipped
        if label in (_COMMENT, _APPLICATION):
            blocks.extend(_block(data, label, start, at))
    raise _TooManyError


def gif_extensions(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every extension up to the first fault as its label, start and stop with its header and terminator."""
    try:
        at = 13 + _palette_size(data[10])
        for _ in range(MAX_STEPS):
            if data[at] == _EXTENSION:
                stop, _ = _skip(data, at + 2)
                yield data[at + 1], at, stop
            elif data[at] == _IMAGE:
                stop, _ = _skip(data, at + 11 + _palette_size(data[at + 9]))
            else:
                return
            at = stop
    except (IndexError, _TooManyError):
        return


def _palette_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _HAS_PALETTE else 0


def _skip(data: bytes, at: int) -> tuple[int, int]:
    """Behind a chain of data sub-blocks, and how many there were."""
    for count in range(MAX_STEPS):
        size = data[at]
        at += 1 + size
        if size == 0:
            return at, count
    raise _TooManyError


def _block(data: bytes, label: int, start: int, stop: int) -> tuple[Block, ...]:
    if label == _COMMENT:
        return (Block(kind=Kind.COMMENT, payload=_join(data, start, stop)),)
    if not data.startswith(_XMP, start + 1):
        return ()
    # The packet is not cut into sub-blocks; 258 bytes behind it bring a reader that thinks so to the terminator
    # (XMP part 3, section 1.1.2).
    return (Block(kind=Kind.XMP, payload=data[start + 12 : max(start + 12, stop - 258)]),)


def _join(data: bytes, at: int, stop: int) -> bytes:
    pieces = []
    while at < stop:
        pieces.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(pieces)
