"""Files on their way to where they belong, such that a crash at any moment can be told and mended.

The order is: a file that has no name yet, its content on disk -> a pending row -> a name beside the target -> renamed
to the target -> a committed row. Two locks (`flock`, which end with their process) tell the living from the dead:

- One on the file itself, from before it has a name until the committed row: renaming keeps it.
- One on the folder, shared by writers between the pending row and the moment when the file has a name. Whoever holds
  it alone knows that a file which cannot be seen will not come any more.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from hashlib import file_digest
from pathlib import Path

from assay.ledger.entry import hex64

_UNNAMED = getattr(os, "O_TMPFILE", None)
_MODE = 0o666  # less what the process's mask takes away
_POLL_SECONDS = 0.01
_NO_ROOM = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One file under way."""

    image_id: int
    host: str
    """Where it was begun."""
    folder: bytes
    """Absolute, links resolved, as the file system has it: a path need not be text."""
    name: bytes
    file_sha256: str
    since: str = ""

    @property
    def target(self) -> Path:
        """Where the file goes."""
        return Path(os.fsdecode(self.folder), os.fsdecode(self.name))

    @property
    def part(self) -> Path:
        """Where it stands before."""
        return Path(os.fsdecode(self.folder), f".assay-{hex64(self.image_id)}.part")


class Trace(Enum):
    """What is left of a delivery."""

    ALIVE = "alive"
    """Somebody works on it, or that cannot be ruled out."""
    PART = "part"
    """The file is complete beside its target."""
    TARGET = "target"
    """The file is where it belongs."""
    NOTHING = "nothing"


class Part:
    """A file that is written, locked and on disk, and has no name before `show`.

    Where the file system has no files without a name, `show` writes it.
    """

    def __init__(self, delivery: Delivery, data: bytes) -> None:
        self._delivery, self._data = delivery, data
        self._handle = _unnamed(delivery.part.parent)
        if self._handle is not None:
            self._fill(self._handle)

    def show(self) -> None:
        """Give the file its name beside the target.

        Raises:
            OSError: The folder cannot be written to, or its disk is full.
        """
        if self._handle is not None:
            try:
                # With a folder given, Python calls linkat, which follows the link: link would not.
                os.link(f"/proc/self/fd/{self._handle}", self._delivery.part, src_dir_fd=self._handle)
            except (FileNotFoundError, NotADirectoryError):  # no /proc here
                self.close()
            else:
                return
        self._handle = os.open(self._delivery.part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        self._fill(self._handle)

    def _fill(self, handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with open(handle, "wb", closefd=False) as stream:
            stream.write(self._data)
        os.fsync(handle)

    def close(self) -> None:
        """End the lock; a file that has no name is gone."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _unnamed(folder: Path) -> int | None:
    if _UNNAMED is None:
        return None
    try:
        return os.open(folder, os.O_RDWR | os.O_CLOEXEC | _UNNAMED, _MODE)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise
        return None  # which error says that there are no files without a name depends on the file system


@contextmanager
def prepared(delivery: Delivery, data: bytes) -> Iterator[Part]:
    """The file, as far as it can be made before anybody is told.

    Raises:
        OSError: The folder cannot be written to, or its disk is full.
    """
    part = Part(delivery, data)
    try:
        yield part
    finally:
        part.close()


def move(delivery: Delivery) -> None:
    """Rename the part to the target; what was there before stays whole until then.

    Raises:
        OSError: The target is a folder, or may not be replaced.
    """
    delivery.part.replace(delivery.target)


@contextmanager
def folder_lock(folder: Path, *, alone: bool, patience: float) -> Iterator[bool]:
    """Hold the lock on a folder; False where others kept it for longer than the patience, in seconds.

    Raises:
        OSError: The folder is not there, or cannot be locked.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _lock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, patience=patience)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(handle: int, kind: int, *, patience: float = 0.0) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True


@contextmanager
def found(delivery: Delivery) -> Iterator[Trace]:
    """What is left of a delivery; its file stays locked as long as the context lasts.

    To be called with the folder's lock held alone: else a file that is about to be seen is taken for gone.

    Raises:
        OSError: Something cannot be read.
    """
    for path, trace in ((delivery.part, Trace.PART), (delivery.target, Trace.TARGET)):
        handle = _opened(path)
        if handle is None:
            continue
        try:
            if not _lock(handle, fcntl.LOCK_EX):
                yield Trace.ALIVE
                return
            if _sha256(handle) == delivery.file_sha256:
                yield trace
                return
        finally:
            os.close(handle)
    yield Trace.NOTHING


def _opened(path: Path) -> int | None:
    """A plain file, opened without following links or waiting; None for anything else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        if path.is_file() and not path.is_symlink():
            raise
        return None
    return handle


def _sha256(handle: int) -> str | None:
    with open(handle, "rb", closefd=False) as stream:
        try:
            return file_digest(stream, "sha256").hexdigest()
        except IsADirectoryError:
            return None
