"""Files: written so that nothing is lost, and named so that a name can be shown."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from assay.errors import ConfigurationError


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
    with replacing(path, mode=mode) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """A temporary file in the same folder, to be written by the caller; then it is renamed, or deleted on an error.

    Args:
        path: Where the file goes; an older one is replaced, where a link leads.
        mode: See `write_whole`.

    Raises:
        OSError: The folder cannot be written; what was at `path` is untouched.
    """
    path = Path(os.path.realpath(path))
    if mode is None:
        mode = 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    os.close(handle)
    try:
        yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def printable(name: str) -> str:
    """A file name as text: bytes that are no valid text are shown escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def raw(name: str) -> bytes | None:
    """The bytes of a file name that is no UTF-8, which `printable` cannot give back; None where it is text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return None


def packaged(package: str, name: str, sha256: str) -> Path:
    """A file that an installed package brings: pretrained weights, say.

    Args:
        package: To import, though it is not imported.
        name: Of the file, inside the package.
        sha256: How the file's sha256 begins.

    Raises:
        ConfigurationError: The package is not installed, or the file is not the one that is known.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"{package} is not installed", hint="Install the extra: assay[training].")
    file = Path(spec.submodule_search_locations[0]) / name
    if not hashlib.sha256(file.read_bytes()).hexdigest().startswith(sha256):
        raise ConfigurationError(f"{file}: not the file that is known", hint=f"Install {package} again.")
    return file
