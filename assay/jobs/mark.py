"""mark: a picture in; the same picture with a mark in its pixels, signed and in the ledger, out.

The file that came in becomes the parent of the new one, with whatever Content Credentials it had; where personal data
is left out, its bare pixels do.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from PIL import Image

from assay import catalog, fingerprint
from assay.binding import pixel_sha256
from assay.bounds import require_whole
from assay.errors import AssayError, ConfigurationError, SelfCheckError, UnreadableError
from assay.exhibit import inspect, receive
from assay.jobs.declared import declared_source_type
from assay.jobs.personal_data import credited_source_type, require_impersonal, sift
from assay.jobs.pixel_marks import ID_BITS, METHOD, WRITTEN, binding, put, read_back
from assay.keys import DEFAULT_USER, WatermarkKey, key_store
from assay.ledger import Entry, Ledger, location, new_image_id, open_ledger
from assay.luggage import require_carried
from assay.pixels import upright_rgb
from assay.repaint import FORMATS, MIMES, encoded_png, repainted, require_same
from assay.vocabulary import Exhibit, Pixels, Settings
from generation.declaration import Declaration, Ingredient, Relationship
from generation.development import signing_key_for
from generation.sign import sign_and_keep

if TYPE_CHECKING:
    from generation.signing_key import SigningKey


_STRIPPED = "the original, without its metadata"
"""What the parent is called where personal data was left out; the manifest is known by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One picture that was handed over."""

    path: Path
    image_id: int
    bits: int
    """Of the id that the picture carries."""
    log10_p: float
    """Of the self-check."""
    removed: tuple[str, ...] = ()
    """Names of the personal data that was left out on request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyMarked:
    """One picture that was left as it is, because a mark by the same key is there."""

    source: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One picture that could not be marked; nothing was written for it."""

    source: Path
    error: AssayError


class AlreadyMarkedError(ConfigurationError):
    """A picture carries a mark of the key that it was to be marked with."""


def mark(
    pairs: Sequence[tuple[Path, Path]],
    *,
    settings: Settings,
    user: str = DEFAULT_USER,
    payload: int | None = None,
    strips_personal: bool = False,
) -> Iterator[Marked]:
    """Mark pictures; those that were yielded are on the disk and in the ledger. The first that cannot be ends it.

    Args: as for `mark_each`.

    Raises:
        ConfigurationError: A target or a payload will not do, a picture carries a mark of the same key, or personal
            data cannot be taken out.
        UnreadableError: A file is no picture that can be opened within the limits.
        KeyStoreError: There is no key that may mark.
        SigningError: There is no key that may sign.
        SelfCheckError: The mark cannot be read in what would be written, or that shows something else than was meant;
            nothing was written for it.
        LedgerError: The ledger cannot be written; there is no file then, either.
    """
    for _, target in pairs:
        _require_format(target)
    outcomes = mark_each(
        pairs, settings=settings, user=user, payload=payload, strips_personal=strips_personal, resumes=False
    )
    with closing(outcomes):
        for outcome in outcomes:
            match outcome:
                case Marked():
                    yield outcome
                case Refused():
                    raise outcome.error
                case AlreadyMarked():
                    raise ConfigurationError(
                        outcome.reason, hint="Mark the original instead, or mark with another key: --user NAME."
                    )
                case _:
                    assert_never(outcome)


def mark_each(
    pairs: Sequence[tuple[Path, Path]],
    *,
    settings: Settings,
    user: str = DEFAULT_USER,
    payload: int | None = None,
    strips_personal: bool = False,
    resumes: bool = True,
) -> Generator[Marked | AlreadyMarked | Refused]:
    """Mark pictures one after the other, whatever becomes of each.

    Args:
        pairs: Files to read and files to write, in a format of `assay.repaint.FORMATS`; older ones are replaced, and
            missing folders made where it resumes.
        settings: The data folder, with keys and ledger, and the limits of a picture.
        user: Whose key.
        payload: What the first picture carries, the others the numbers that follow; by default the beginning of a
            random id.
        strips_personal: Leave places, serial numbers and names of people out, and the Content Credentials that a
            picture came with, which cannot be taken apart.
        resumes: Leave a target alone that is the marked copy of its source by the same key.

    Raises:
        KeyStoreError: There is no key that may mark.
        SigningError: There is no key that may sign.
        LedgerError: The ledger cannot be written; there is no file then, either.
    """
    signing_key = signing_key_for(settings.home)
    signing_key.require_valid()
    key = key_store(settings.home).current(user)
    with open_ledger(location(settings)) as ledger:
        desk = _Desk(
            settings=settings,
            key=key,
            signing_key=signing_key,
            ledger=ledger,
            strips_personal=strips_personal,
            resumes=resumes,
        )
        for number, (source, target) in enumerate(pairs):
            try:
                yield _one(source, target, desk, payload=None if payload is None else payload + number)
            except AlreadyMarkedError as error:
                yield AlreadyMarked(source=source, reason=str(error))
            except (ConfigurationError, UnreadableError, SelfCheckError) as error:
                yield Refused(source=source, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What marking a picture needs."""

    settings: Settings
    key: WatermarkKey
    signing_key: SigningKey
    ledger: Ledger
    strips_personal: bool
    resumes: bool


def _one(source: Path, target: Path, desk: _Desk, *, payload: int | None) -> Marked:
    _require_format(target)
    if os.path.realpath(source) == os.path.realpath(target):
        raise ConfigurationError(
            f"{target}: the original would be lost", hint="Write somewhere else: a mark cannot be taken out again."
        )
    received = inspect(receive(source, str(source), desk.settings.limits), desk.settings.limits)
    require_whole(received.facts, desk.settings.limits)
    if desk.resumes:
        _require_unmarked(received, target, desk)
        _make_folder(target.parent)
    return _marked(received, target, desk, payload=payload)


def _require_format(target: Path) -> None:
    if target.suffix.lower() not in FORMATS:
        raise ConfigurationError(f"{target}: not a format that is written", hint=f"Use {', '.join(FORMATS)}.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror}", hint="Choose another place.") from error


def _require_unmarked(received: Exhibit, target: Path, desk: _Desk) -> None:
    """A file that is in the ledger as it stands, by this key, and shows what the source shows, is not made again."""
    if not target.is_file():
        return
    rows = desk.ledger.by_file_sha256(sha256(target.read_bytes()).hexdigest())
    row = next((each for each in rows if each.key_id == desk.key.id), None)
    if row is not None and desk.strips_personal and _STRIPPED.encode() not in row.manifest:
        raise ConfigurationError(
            f"{target}: already there, marked without --strip-personal", hint="Delete it to mark the original again."
        )
    if row is not None and fingerprint.likeness(_opened(received.data, received.facts.name), row.thumbnail).agrees:
        raise AlreadyMarkedError(
            f"{target}: already there as image {row.image_id:016x}, by the key {desk.key.id}",
            hint="Delete it to mark the original again.",
        )


def _opened(data: bytes, name: str) -> Pixels:
    try:
        with Image.open(BytesIO(data)) as image:
            return upright_rgb(image)[0]
    except OSError as error:
        raise UnreadableError(f"{name}: no picture that can be opened: {error}", hint="Check the file.") from error


def _marked(received: Exhibit, target: Path, desk: _Desk, *, payload: int | None) -> Marked:
    key = desk.key
    suffix, name = target.suffix.lower(), received.facts.name
    image_id = _image_id(received, payload)
    painted = repainted(
        received.data,
        name,
        suffix,
        lambda pixels: _put_once(pixels, key, image_id, name),
        sift if desk.strips_personal else None,
    )
    delivered, _ = upright_rgb(Image.open(BytesIO(painted.data)))
    found = read_back(delivered, key, image_id)
    if found is None:
        raise SelfCheckError(
            f"{target}: the mark cannot be read in the picture",
            hint="Nothing was written. Use a lossless format, or a larger picture: small and blank ones hold little.",
        )
    removed, parent = painted.left_out, _parent(received)
    source_type = declared_source_type(received, desk.settings)
    if desk.strips_personal:
        require_impersonal(received, painted.data, desk.settings)
        has_credentials, credited = credited_source_type(received, desk.settings)
        removed += ("Content Credentials (whole)",) if has_credentials else ()
        source_type = source_type or credited
        parent = _stripped_parent(received)
    declaration = Declaration(
        title=target.name,
        source_type=None,
        ingredients=(parent,),
        parent_source_type=source_type,
        bindings=(binding(image_id),),
    )
    signed = sign_and_keep(painted.data, MIMES[FORMATS[suffix]], desk.signing_key, declaration)
    require_same(signed.data, painted, name)
    came, came_as = (
        (painted.data, FORMATS[suffix]) if desk.strips_personal else (received.data, received.picture.format)
    )
    require_carried(came, came_as, signed.data, FORMATS[suffix], name)
    entry = Entry(
        image_id=image_id,
        watermark=WRITTEN,
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
    desk.ledger.deliver(entry, target, signed.data)
    return Marked(path=target, image_id=image_id, bits=found.bits, log10_p=found.log10_p, removed=removed)


def _put_once(pixels: Pixels, key: WatermarkKey, image_id: int, name: str) -> Pixels:
    """Two marks of one key share their cells, and neither could be read."""
    found = catalog.pixel_watermark(METHOD).read(pixels, [key.secret], earlier=True)
    if found is not None:
        raise AlreadyMarkedError(
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


def _stripped_parent(received: Exhibit) -> Ingredient:
    """Nothing but the pixels: neither a manifest nor metadata nor a file's name go on."""
    data = encoded_png(_opened(received.data, received.facts.name))
    return Ingredient(data=data, mime=MIMES["PNG"], title=_STRIPPED, relationship=Relationship.PARENT)
