"""What walking a container gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_STEPS = 300_000
"""Pieces of one file that are followed: those of a GIF of 64 MB. More is an attempt to waste time."""
TOO_MANY = f"more than {MAX_STEPS:,} pieces, so the rest was not followed"


class Kind(StrEnum):
    """What a block holds."""

    EXIF = "EXIF"
    """A TIFF structure, from its byte-order mark on."""
    XMP = "XMP"
    XMP_EXTENSION = "extended XMP"
    """A 32-byte digest, length and offset (4 bytes each), then a piece of a packet (XMP part 3, section 1.1.3.1)."""
    IIM = "IPTC IIM"
    PHOTOSHOP = "Photoshop resources"
    """Image resource blocks; the IIM is one of them."""
    COMMENT = "comment"
    PNG_TEXT = "tEXt"
    PNG_COMPRESSED_TEXT = "zTXt"
    PNG_INTERNATIONAL_TEXT = "iTXt"
    VIDEO = "user data of a video"
    """The name of an entry, a zero byte, and its value as stored."""
    SAMSUNG = "Samsung trailer"
    """The name of a field, a zero byte, and its value."""
    GOPRO = "GoPro telemetry"
    """Entries of a key, a type, a size and values (GPMF)."""
    UNREAD = "metadata that cannot be read"
    """Why not, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One piece of metadata, without the wrapping of its container. Nothing in it has been checked."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The account that a file's structure gives of itself."""

    end: int | None
    """Offset one past the end of the image and of everything that belongs to it; None where the format does not tell.
    The length of the file where that is truncated."""
    truncated: bool
    """The structure promises more bytes than there are, or its end marker is missing."""
    is_front_whole: bool = False
    """A truncated file that holds everything which its format keeps in front of the picture data: credentials, too."""
    damaged: tuple[str, ...] = ()
    """What contradicts itself, in words."""
    belongings: tuple[str, ...] = ()
    """What lies behind the picture and is part of the file by design: further pictures, a motion photo's video."""
    blocks: tuple[Block, ...] = ()
    """The metadata, in the order of the file."""
    further: tuple[Block, ...] = ()
    """Metadata of what is not the picture itself but travels with it: further pictures, videos, trailers."""
