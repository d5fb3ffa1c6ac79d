"""mark: a picture in; the same picture with a mark in its pixels, signed and in the ledger, out.

The file that came in becomes the parent of the new one, with whatever Content Credentials it had.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from assay import catalog, fingerprint
from assay.binding import SoftBinding, pixel_sha256
from assay.errors import ConfigurationError, SelfCheckError, UnreadableError
from assay.exhibit import inspect, receive
from assay.jobs.pixel_marks import ID_BITS, METHOD, put, read_back
from assay.keys import DEFAULT_USER, WatermarkKey, key_store
from assay.ledger import Entry, Ledger, location, new_image_id, open_ledger
from assay.pixels import upright_rgb
from assay.repaint import FORMATS, MIMES, repainted
from assay.vocabulary import Exhibit, Pixels, Settings
from generation.declaration import Declaration, Ingredient, Relationship
from generation.development import signing_key_for
from generation.sign import sign_and_keep

if TYPE_CHECKING:
    from generation.signing_key import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One picture that was handed over."""

    path: Path
    image_id: int
    bits: int
    """Of the id that the picture carries."""
    log10_p: float
    """Of the self-check."""


def mark(
    pairs: Sequence[tuple[Path, Path]],
    *,
    settings: Settings,
    user: str = DEFAULT_USER,
    payload: int | None = None,
) -> Iterator[Marked]:
    """Mark pictures; those that were yielded are on the disk and in the ledger.

    Args:
        pairs: Files to read and files to write, in a format of `assay.repaint.FORMATS`; older ones are replaced.
        settings: The data folder, with keys and ledger, and the limits of a picture.
        user: Whose key.
        payload: What the first picture carries, the others the numbers that follow; by default the beginning of a
            random id.

    Raises:
        ConfigurationError: A target or a payload will not do, or a picture carries a mark of the same key.
        UnreadableError: A file is no picture that can be opened within the limits.
        KeyStoreError: There is no key that may mark.
        SigningError: There is no key that may sign.
        SelfCheckError: The mark cannot be read in what would be written; nothing was written for it.
        LedgerError: The ledger cannot be written; there is no file then, either.
    """
    for source, target in pairs:
        if os.path.realpath(source) == os.path.realpath(target):
            raise ConfigurationError(
                f"{target}: the original would be lost",
                hint="Write somewhere else: a mark cannot be taken out again.",
            )
        if target.suffix.lower() not in FORMATS:
            raise ConfigurationError(f"{target}: not a format that is written", hint=f"Use {', '.join(FORMATS)}.")
    signing_key = signing_key_for(settings.home)
    signing_key.require_valid()
    key = key_store(settings.home).current(user)
    with open_ledger(location(settings)) as ledger:
        for number, (source, target) in enumerate(pairs):
            received = inspect(receive(source, str(source), settings.limits), settings.limits)
            wanted = None if payload is None else payload + number
            yield _marked(received, target, key=key, payload=wanted, signing_key=signing_key, ledger=ledger)


def _marked(
    received: Exhibit,
    target: Path,
    *,
    key: WatermarkKey,
    payload: int | None,
    signing_key: SigningKey,
    ledger: Ledger,
) -> Marked:
    suffix, name = target.suffix.lower(), received.facts.name
    image_id = _image_id(received, payload)
    plain = repainted(received.data, name, suffix, lambda pixels: _put_once(pixels, key, image_id, name))
    delivered, _ = upright_rgb(Image.open(BytesIO(plain)))
    found = read_back(delivered, key, image_id)
    if found is None:
        raise SelfCheckError(
            f"{target}: the mark cannot be read in the picture",
            hint="Nothing was written. Use a lossless format, or a larger picture: small and blank ones hold little.",
        )
    declaration = Declaration(
        title=target.name,
        source_type=None,
        ingredients=(_parent(received),),
        bindings=(SoftBinding(scheme=METHOD, image_id=image_id),),
    )
    signed = sign_and_keep(plain, MIMES[FORMATS[suffix]], signing_key, declaration)
    entry = Entry(
        image_id=image_id,
        watermark=METHOD,
        key_id=key.id,
        nonce=secrets.token_bytes(12),
        payload=image_id,
        file_sha256=sha256(signed.data).hexdigest(),
        pixel_sha256=pixel_sha256(delivered),
        perceptual_hash=fingerprint.dhash(Image.fromarray(delivered)),
        thumbnail=fingerprint.thumbnail(delivered),
        manifest=signed.manifest,
        width=delivered.shape[1],
        height=delivered.shape[0],
        name=target.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    ledger.deliver(entry, target, signed.data)
    return Marked(path=target, image_id=image_id, bits=found.bits, log10_p=found.log10_p)


def _put_once(pixels: Pixels, key: WatermarkKey, image_id: int, name: str) -> Pixels:
    """Two marks of one key share their cells, and neither could be read."""
    found = catalog.pixel_watermark(METHOD).read(pixels, [key.secret])
    if found is not None:
        raise ConfigurationError(
            f"{name}: already carries {found.payload:0{found.bits // 4}x} by the key {key.id}",
            hint="Mark the original instead, or mark with another key: --user NAME.",
        )
    return put(pixels, key, image_id)


def _image_id(received: Exhibit, payload: int | None) -> int:
    """An id that begins with the payload."""
    name, width, height = received.facts.name, received.picture.width, received.picture.height
    bits = catalog.pixel_watermark(METHOD).bits((height, width))
    if not bits:
        raise UnreadableError(
            f"{name}: {width} x {height} pixels are too few for a mark", hint="Use 128 pixels a side or more."
        )
    if payload is None:
        return new_image_id()
    if not 0 <= payload < 1 << bits:
        raise ConfigurationError(
            f"{name}: carries {bits} bits, and {payload:x} has more", hint="Give fewer hexadecimal digits."
        )
    return payload << ID_BITS - bits | secrets.randbits(ID_BITS - bits)


def _parent(received: Exhibit) -> Ingredient:
    title = Path(received.facts.name).name
    return Ingredient(data=received.data, mime=received.picture.mime, title=title, relationship=Relationship.PARENT)
