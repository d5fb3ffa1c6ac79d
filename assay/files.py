"""Files: written so that nothing is lost, and named so that a name can be shown."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write through a temporary file in the same folder, then rename.

    Args:
        path: Where the file goes; an older one is replaced. A link leads to the file that it names; a device or a pipe
            is written to, since it cannot be replaced.
        data: All of the new content.
        mode: Permissions of the new file; by default what the process grants any new file.

    Raises:
        OSError: The folder cannot be written; what was at `path` is untouched.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            stream.write(data)
        return
    if mode is None:
        mode = 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            os.fchmod(stream.fileno(), mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def printable(name: str) -> str:
    """A file name as text: bytes that are no valid text are shown escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
