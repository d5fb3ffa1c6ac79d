"""recover: the credentials that a copy has lost, put back.

The ledger keeps the manifest of every image that was made here. A copy that was stripped of it leads back to its row:
by its bytes, by its pixels, or by its watermark. A hard binding covers bytes, so the manifest fits again only where
nothing but itself was taken out, and the hash of the whole file proves that. Everywhere else it is put beside the copy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path

from assay.binding import pixel_sha256
from assay.errors import ConfigurationError, LedgerError, UnreadableError
from assay.files import write_whole
from assay.guard import Worker
from assay.jobs import guarded
from assay.jobs.protocol import Answer, Request
from assay.ledger import Entry, Ledger
from assay.vocabulary import Attestation, Failed, Integrity, Limits, Pixels, Settings
from forensics.manifests import BOUND_TO, differs_in_bytes_only
from generation.embedding import with_store

SIDECAR = ".c2pa"
"""Replaces the extension of the copy, as C2PA 2.2, section 11.4, recommends: `verify` looks there."""

Find = Callable[[Pixels], Entry | None]
"""Reads the watermark of upright pixels, uint8 of shape (height, width, 3), and finds the row that it leads to."""


class Match(Enum):
    """What led from the copy to its row."""

    FILE = "its bytes, which are those that were delivered"
    PIXELS = "its pixels, which are those that were delivered"
    MARK = "its watermark; its pixels are not those that were delivered"


class Fit(Enum):
    """How the credentials go with the copy now."""

    WHOLE = (
        "Inside, and intact: this is, byte for byte, the file that was delivered, as its SHA-256 in the ledger proves."
    )
    BESIDE = (
        "Recovered, and kept beside the copy: they were taken out of the delivered file. "
        "Their hard binding still matches."
    )
    LOOSE = (
        "Recovered, not intact: they are kept beside the copy, and their hard binding does not match it, "
        "because its bytes are not those that were signed. That the two belong together is what the ledger says."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was recovered, and what it is worth."""

    entry: Entry
    match: Match
    fit: Fit
    names_row: bool
    """Whether the manifest names the row by its own soft binding; else the ledger alone ties the two together."""
    attestation: Attestation
    """The credentials as `verify` reads them from what was written."""
    written: tuple[Path, ...]
    """The copy, last; before it the manifest, where that is kept beside it."""


def recover(
    source: Path, target: Path, *, ledger: Ledger, settings: Settings, find: Find | None = None, force: bool = False
) -> Recovery | None:
    """Find the row of an image and put its credentials back: inside where that is exact, else beside a copy.

    Args:
        source: The image, which is read only.
        target: Where the copy goes; the manifest goes beside it, under `SIDECAR`.
        ledger: Where the rows are.
        settings: Limits for reading the image, and who is trusted.
        find: Asked where neither bytes nor pixels lead to a row.
        force: Replace what is at the target, and beside it.

    Returns:
        What was written; None where there is no row of this image, and nothing was written.

    Raises:
        UnreadableError: The image cannot be read within the limits.
        LedgerError: The row has no manifest, or one that cannot be read.
        ConfigurationError: Something is at the target, it cannot be written, or the image still has credentials.
    """
    data = _read(source, settings.limits)
    with closing(guarded.worker(settings)) as worker:
        answer, pixels = guarded.decoded(worker, Request(name=str(source), size=len(data), decode=True), data)
        found = _found(ledger, data, pixels, find)
        if found is None:
            return None
        entry, match, whole = found
        if whole is None:
            _require_stripped(answer, source)
        copy, store = (data, _manifest(entry)) if whole is None else (whole, None)
        attestation = _attestation(worker, copy, store, entry)
    written = _write(target, copy, store, force=force)
    return Recovery(
        entry=entry,
        match=match,
        fit=_fit(attestation, store),
        names_row=f"{entry.image_id:016x}" in (each.value for each in attestation.details if each.name == BOUND_TO),
        attestation=attestation,
        written=written,
    )


def _read(source: Path, limits: Limits) -> bytes:
    """All of the file, and a byte more than allowed where it is longer: the worker then says so."""
    try:
        with source.open("rb") as stream:
            return stream.read(limits.max_bytes + 1)
    except OSError as error:
        raise UnreadableError(f"{source}: {error.strerror}", hint="Check the path and its permissions.") from error


def _found(ledger: Ledger, data: bytes, pixels: Pixels, find: Find | None) -> tuple[Entry, Match, bytes | None] | None:
    """The row, what led to it, and the delivered file where it could be put together again."""
    delivered = ledger.by_file_sha256(sha256(data).hexdigest())
    if delivered:
        return delivered[-1], Match.FILE, data
    alike = ledger.by_pixel_sha256(pixel_sha256(pixels))
    for entry in alike:
        whole = with_store(data, entry.manifest)
        if whole is not None and sha256(whole).hexdigest() == entry.file_sha256:
            return entry, Match.PIXELS, whole
    if alike:
        return alike[-1], Match.PIXELS, None
    marked = find(pixels) if find is not None else None
    return None if marked is None else (marked, Match.MARK, None)


def _require_stripped(answer: Answer, source: Path) -> None:
    """Refuse to put credentials beside others inside: readers take those inside, and never see the recovered ones."""
    for outcome in answer.outcomes:
        if isinstance(outcome, Attestation) and outcome.integrity is not Integrity.NOT_FETCHED:
            raise ConfigurationError(
                f"{source}: has Content Credentials inside, which readers would take instead of recovered ones",
                hint="See what they say with: assay verify. Recover from a copy that has none.",
            )


def _manifest(entry: Entry) -> bytes:
    if not entry.manifest:
        raise _unusable(entry, "it is empty, so the image was delivered without credentials")
    return entry.manifest


def _attestation(worker: Worker, copy: bytes, store: bytes | None, entry: Entry) -> Attestation:
    """What a reader will say of the copy and the manifest beside it, found out before either is written."""
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        staged = Path(folder, "copy")
        staged.write_bytes(copy)
        if store is not None:
            staged.with_suffix(SIDECAR).write_bytes(store)
        answer = guarded.ask(worker, Request(name=entry.name, path=str(staged)))
    for outcome in answer.outcomes:
        if isinstance(outcome, Attestation) and outcome.manifest is not None:
            if not differs_in_bytes_only(outcome.manifest):
                raise _unusable(entry, f"it does not verify: {', '.join(outcome.manifest.failures)}")
            return outcome
    reasons = [outcome.error for outcome in answer.outcomes if isinstance(outcome, Failed)]
    raise _unusable(entry, "; ".join(reasons) or "there is none in the file")


def _unusable(entry: Entry, reason: str) -> LedgerError:
    return LedgerError(
        f"image {entry.image_id:016x}: the manifest in its row cannot be used: {reason}",
        hint="See whether the ledger was changed: assay ledger check",
    )


def _fit(attestation: Attestation, store: bytes | None) -> Fit:
    if store is None:
        return Fit.WHOLE
    return Fit.BESIDE if attestation.integrity is Integrity.INTACT else Fit.LOOSE


def _write(target: Path, copy: bytes, store: bytes | None, *, force: bool) -> tuple[Path, ...]:
    """The manifest first: whoever sees the copy finds it complete."""
    files = {target: copy} if store is None else {target.with_suffix(SIDECAR): store, target: copy}
    if store is not None and len(files) == 1:
        raise ConfigurationError(
            f"{target}: is the name of the manifest beside it", hint="Give the copy the extension of an image."
        )
    for path in files:
        if not force and (path.exists() or path.is_symlink()):
            raise ConfigurationError(
                f"{path}: is there already", hint="Choose another place with -o, or add --force to replace it."
            )
    for path, content in files.items():
        try:
            write_whole(path, content)
        except OSError as error:
            raise ConfigurationError(
                f"{path}: {error.strerror}", hint="Check the folder and its permissions."
            ) from error
    return tuple(files)
