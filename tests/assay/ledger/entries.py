"""Rows to try the ledger with."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from assay.ledger import Entry, new_image_id

_PATTERN = Entry(
    image_id=0,
    watermark="sealed-seed",
    key_id="0123456789abcdef",
    nonce=bytes(12),
    payload=2**64 - 1,
    file_sha256="",
    pixel_sha256="",
    perceptual_hash=0,
    thumbnail=b"thumbnail",
    manifest=b"manifest",
    model="pocket",
    scheduler="DDIMScheduler",
    latent_shape=(4, 32, 32),
    steps=20,
    width=128,
    height=128,
    name="tulip.png",
    created="2026-10-01T12:00:00+00:00",
)


def entry_for(data: bytes, **changes: Any) -> Entry:
    """A row about these bytes, with an id and a nonce of its own."""
    fresh: dict[str, Any] = {
        "image_id": new_image_id(),
        "nonce": secrets.token_bytes(12),
        "file_sha256": sha256(data).hexdigest(),
        "pixel_sha256": sha256(b"pixels" + data).hexdigest(),
        "created": datetime.now(UTC).isoformat(),
    }
    return replace(_PATTERN, **(fresh | changes))
