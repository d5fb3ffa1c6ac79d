"""Delivering a file together with its row, and finishing what a crash interrupted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from assay.errors import LedgerError
from assay.ledger import work, writing
from assay.ledger.database import Database
from assay.ledger.entry import Entry, Event, require_sound
from assay.ledger.work import Delivery, Trace

_TARGET_PATIENCE_SECONDS = 30.0
_FOLDER_PATIENCE_SECONDS = 2.0
_POLL_SECONDS = 0.02


def deliver(database: Database, host: str, entry: Entry, target: Path, data: bytes) -> None:
    """See `Ledger.deliver`."""
    require_sound(entry, data)
    delivery = _delivery(host, entry, target)
    try:
        with work.prepared(delivery, data) as part:
            _begin(database, entry, delivery, part)
            _or_void(database, delivery, lambda: work.move(delivery))
            work.sync_folder(delivery.target.parent)
            writing.end(database, delivery, Event.COMMITTED)
    except OSError as error:
        raise LedgerError(
            f"{target}: cannot be written: {error.strerror}", hint="Choose another place, or make room."
        ) from error


def _delivery(host: str, entry: Entry, target: Path) -> Delivery:
    resolved = Path(os.path.realpath(target))
    if not resolved.parent.is_dir() or (resolved.exists() and not resolved.is_file()):
        raise LedgerError(f"{target}: no file can be delivered there", hint="Name a file in a folder that exists.")
    return Delivery(
        image_id=entry.image_id,
        host=host,
        folder=os.fsencode(resolved.parent),
        name=os.fsencode(resolved.name),
        file_sha256=entry.file_sha256,
        since=writing.now(),
    )


def _begin(database: Database, entry: Entry, delivery: Delivery, part: work.Part) -> None:
    """The pending row, then the file's name; once nobody else is writing to the target."""
    deadline = time.monotonic() + _TARGET_PATIENCE_SECONDS
    while True:
        with work.folder_lock(delivery.target.parent, alone=False, patience=_TARGET_PATIENCE_SECONDS) as held:
            if held and writing.begin(database, entry, delivery):
                _or_void(database, delivery, part.show)
                return
        if time.monotonic() > deadline:
            raise LedgerError(
                f"{delivery.target}: somebody else is writing to it", hint="Try again, or choose another name."
            )
        time.sleep(_POLL_SECONDS)
        recover(database, host=delivery.host, target=delivery.target)


def _or_void(database: Database, delivery: Delivery, step: Callable[[], None]) -> None:
    """A step that leaves nothing behind where it fails."""
    try:
        step()
    except OSError:
        with suppress(OSError):  # what cannot be removed now stays on the list, for the next opening
            delivery.part.unlink(missing_ok=True)
            writing.end(database, delivery, Event.VOID)
        raise


def recover(database: Database, *, host: str, target: Path | None = None) -> None:
    """Settle the deliveries whose writers are dead; whose writers live, or might, is left alone.

    Args:
        database: The ledger's.
        host: This machine. A file that is seen completes its delivery on any machine; only the one that began a
            delivery may say that nothing came of it, for elsewhere the folder may be another one.
        target: Only the delivery to this place, with links resolved; by default all.

    Raises:
        LedgerError: The database cannot be used.
    """
    with database.transaction():  # whatever a dead process had sent last is done once this one has its turn
        deliveries = writing.unfinished(database)
    for delivery in deliveries:
        if target is None or target == delivery.target:
            with suppress(OSError):  # a disk that is not mounted, say: the delivery stays on the list
                _settle(database, delivery, host)


def _settle(database: Database, delivery: Delivery, host: str) -> None:
    folder = delivery.target.parent
    with work.folder_lock(folder, alone=True, patience=_FOLDER_PATIENCE_SECONDS) as held:
        if not held:
            return
        with work.found(delivery) as trace:
            match trace:
                case Trace.PART:
                    work.move(delivery)
                    work.sync_folder(folder)
                    writing.end(database, delivery, Event.COMMITTED)
                case Trace.TARGET:
                    work.sync_folder(folder)
                    writing.end(database, delivery, Event.COMMITTED)
                case Trace.NOTHING if delivery.host == host:
                    delivery.part.unlink(missing_ok=True)
                    writing.end(database, delivery, Event.VOID)
                case Trace.NOTHING | Trace.ALIVE:
                    return
