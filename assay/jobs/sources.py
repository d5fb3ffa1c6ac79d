"""From what a user names - files, folders, globs, lists - to the files to examine."""

from __future__ import annotations

import codecs
import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from assay.errors import ConfigurationError
from assay.formats import IMAGE_EXTENSIONS, sniff


def expand(name: str) -> Iterator[Path]:
    """Yield the files behind a name, in a stable order.

    A file stands for itself, whatever it is. A folder stands for the images in it and below: files that begin like an
    image or are named like one; hidden folders and symbolic links are left out. Anything with `*`, `?` or `[` that does
    not exist is a glob, in which `**` crosses folders.

    Raises:
        ConfigurationError: A glob matches nothing, or a folder holds no image: a gate that looks at nothing would pass.
    """
    path = Path(name)
    if path.is_dir():
        yield from _images_below(path)
    elif glob.has_magic(name) and not path.exists():
        yield from _matches(name)
    else:
        yield path


def read_list(stream: IO[bytes]) -> Iterator[Path]:
    """Files from a list, each as it is written: one a line, or separated by NUL bytes as `find -print0` writes them."""
    text = stream.read().removeprefix(codecs.BOM_UTF8)
    entries = text.split(b"\0") if b"\0" in text else text.splitlines()
    for name in filter(None, entries):
        yield Path(os.fsdecode(name))


def _matches(pattern: str) -> Iterator[Path]:
    """Files, not folders; `**` does not follow symbolic links, which may lead in circles."""
    anchor = Path(pattern).anchor
    found = sorted(path for path in Path(anchor).glob(pattern.removeprefix(anchor)) if not path.is_dir())
    if not found:
        raise ConfigurationError(f"{pattern}: no file matches", hint="Check the spelling.")
    yield from found


def _images_below(folder: Path) -> Iterator[Path]:
    found = False
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if not path.is_symlink() and _looks_like_image(path):
                found = True
                yield path
    if not found:
        raise ConfigurationError(f"{folder}: no image in this folder or below", hint="Check the path.")


def _looks_like_image(path: Path) -> bool:
    if path.suffix.lower() in IMAGE_EXTENSIONS:
        return True
    try:
        with path.open("rb") as stream:
            return sniff(stream.read(64)) is not None
    except OSError:
        return False
