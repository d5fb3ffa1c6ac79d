"""Writing files so that nothing is lost: a file is there whole, or it is as it was before."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write through a temporary file in the same folder, then rename.

    Args:
        path: Where the file goes; an older one is replaced.
        data: All of the new content.
        mode: Permissions of the new file.

    Raises:
        OSError: The folder cannot be written; what was at `path` is untouched.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            os.fchmod(stream.fileno(), mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
