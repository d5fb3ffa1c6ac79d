"""What the ledger says of one image."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from assay.errors import LedgerError

Value = str | int | None
"""What a row of the chain holds: whole numbers below 2^63 and text."""

_NONCE_BYTES = 12
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Event(StrEnum):
    """What became of an image. The last event of an image is its state."""

    PENDING = "pending"
    """Its file is being delivered."""
    COMMITTED = "committed"
    """Its file was delivered."""
    VOID = "void"
    """No file came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One image that was made or marked here, and what reading its mark back needs. The prompt is not part of it."""

    image_id: int
    """64 bits, random: `new_image_id`. No other image has it."""
    watermark: str
    """Id of the method, as the catalog has it."""
    key_id: str
    nonce: bytes = field(repr=False)
    """12 bytes, never used with this key before."""
    payload: int
    """64 bits."""
    file_sha256: str
    """Of the file as delivered, 64 hexadecimal digits."""
    pixel_sha256: str
    """Of the decoded pixels, row by row in RGB, 64 hexadecimal digits."""
    perceptual_hash: int
    """64 bits: `assay.fingerprint`."""
    thumbnail: bytes = field(repr=False)
    """A small PNG or WebP, 64 pixels on its longer side."""
    manifest: bytes = field(repr=False)
    """The C2PA manifest store of the file; empty where it has none."""
    model: str = ""
    """What it was drawn with; empty, like the next three, where it was not made here and only marked."""
    scheduler: str = ""
    latent_shape: tuple[int, int, int] = (0, 0, 0)
    """Channels, height, width."""
    steps: int = 0
    width: int
    """Of the image, in pixels."""
    height: int
    name: str
    """Of the file as delivered, without its folder."""
    created: str
    """ISO 8601 in UTC."""


def new_image_id() -> int:
    """64 random bits."""
    return secrets.randbits(64)


def hex64(number: int) -> str:
    """16 hexadecimal digits: neither database has unsigned 64-bit numbers."""
    return f"{number:016x}"


def require_sound(entry: Entry, data: bytes) -> None:
    """Refuse an entry that could not be read back, or is not about this file.

    Raises:
        LedgerError: Names the field.
    """
    if problems := out_of_range(entry):
        raise LedgerError(
            f"the ledger refuses this row: {', '.join(problems)} out of range", hint="This is an error in the caller."
        )
    if sha256(data).hexdigest() != entry.file_sha256:
        raise LedgerError(
            f"{entry.name}: the row is about another file", hint="Hash the bytes that are delivered, after signing."
        )


def out_of_range(entry: Entry) -> list[str]:
    """Names of the fields that could not be read back."""
    problems = [
        name for name in ("image_id", "payload", "perceptual_hash") if not 0 <= int(getattr(entry, name)) < 1 << 64
    ]
    problems += [name for name in ("file_sha256", "pixel_sha256") if not _SHA256.fullmatch(getattr(entry, name))]
    problems += [name for name in ("width", "height") if not 0 < int(getattr(entry, name)) < 1 << 31]
    if not int(bool(entry.model)) <= entry.steps < 1 << 31:
        problems.append("steps")
    if len(entry.nonce) != _NONCE_BYTES:
        problems.append("nonce")
    if len(entry.latent_shape) != 3 or min(entry.latent_shape) < bool(entry.model):  # noqa: PLR2004 - C, H, W
        problems.append("latent_shape")
    if not is_utc(entry.created):
        problems.append("created")
    return problems


def is_utc(text: str) -> bool:
    """Whether it is a moment in ISO 8601, in UTC."""
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        return False
    return offset is not None and not offset


ENTRY_COLUMNS = (
    "watermark",
    "key_id",
    "nonce",
    "payload",
    "file_sha256",
    "pixel_sha256",
    "perceptual_hash",
    "thumbnail_sha256",
    "manifest_sha256",
    "model",
    "scheduler",
    "channels",
    "latent_height",
    "latent_width",
    "steps",
    "width",
    "height",
    "name",
    "created",
)
"""Columns that only pending rows fill; bytes stand in `contents` under their SHA-256."""


def to_columns(entry: Entry) -> dict[str, Value]:
    """An entry's values by column, without its bytes."""
    channels, latent_height, latent_width = entry.latent_shape
    return {
        "watermark": entry.watermark,
        "key_id": entry.key_id,
        "nonce": entry.nonce.hex(),
        "payload": hex64(entry.payload),
        "file_sha256": entry.file_sha256,
        "pixel_sha256": entry.pixel_sha256,
        "perceptual_hash": hex64(entry.perceptual_hash),
        "thumbnail_sha256": sha256(entry.thumbnail).hexdigest(),
        "manifest_sha256": sha256(entry.manifest).hexdigest(),
        "model": entry.model,
        "scheduler": entry.scheduler,
        "channels": channels,
        "latent_height": latent_height,
        "latent_width": latent_width,
        "steps": entry.steps,
        "width": entry.width,
        "height": entry.height,
        "name": entry.name,
        "created": entry.created,
    }


def from_columns(image_id: str, values: Sequence[Any], thumbnail: bytes, manifest: bytes) -> Entry:
    """The entry back from its row.

    Args:
        image_id: 16 hexadecimal digits.
        values: In the order of `ENTRY_COLUMNS`.
        thumbnail: The bytes under `thumbnail_sha256`.
        manifest: The bytes under `manifest_sha256`.
    """
    row = dict(zip(ENTRY_COLUMNS, values, strict=True))
    shape = row.pop("channels"), row.pop("latent_height"), row.pop("latent_width")
    del row["thumbnail_sha256"], row["manifest_sha256"]
    for name in ("payload", "perceptual_hash"):
        row[name] = int(row[name], 16)
    row["nonce"] = bytes.fromhex(row["nonce"])
    return Entry(image_id=int(image_id, 16), latent_shape=shape, thumbnail=thumbnail, manifest=manifest, **row)
