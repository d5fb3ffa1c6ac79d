"""Pieces of metadata on their way from one container into another."""

from __future__ import annotations

from dataclasses import dataclass

from assay.containers import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Luggage:
    """What a file carries, without the wrapping of its container."""

    blocks: tuple[Block, ...]
    """EXIF is a TIFF structure of its own here, in one block."""
    icc: bytes | None
    """The colour profile."""
