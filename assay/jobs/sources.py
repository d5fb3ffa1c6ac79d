"""From what a user names - files, folders, globs, lists - to the files to examine."""

from __future__ import annotations

import codecs
import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from assay.errors import ConfigurationError
from assay.formats import IMAGE_EXTENSIONS, sniff
from assay.jobs.left_out import CLOSED, HIDDEN, LINKED, LeftOut, may_show_something

_VERSION_CONTROL = frozenset({".git", ".hg", ".svn"})
"""Hidden folders that are not even counted: they hold history, not the pictures of today."""

T = TypeVar("T")


def expand(name: str, left_out: LeftOut | None = None) -> Iterator[Path]:
    """Yield the files behind a name, in a stable order.

    A file stands for itself, whatever it is. A folder stands for the images in it and below: files that begin like an
    image or are named like one; hidden folders and symbolic links are left out. Anything with `*`, `?` or `[` that does
    not exist is a glob, in which `**` crosses folders.

    Args:
        name: As the user wrote it.
        left_out: Told what a folder holds that may show something, and is not examined.

    Raises:
        ConfigurationError: A glob matches nothing, or a folder holds no image: a gate that looks at nothing would pass.
    """
    path = Path(name)
    if path.is_dir():
        yield from _images_below(path, LeftOut() if left_out is None else left_out)
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


def distinct(sources: Iterable[T]) -> Iterator[T]:
    """Yield each file once, under the first of the names by which it is given, in their order; bytes as they are.

    `a.jpg`, `./a.jpg` and the absolute path are one file. A link and what it leads to are two: rules ask where a file
    stands.
    """
    seen: set[str] = set()
    for source in sources:
        if isinstance(source, Path):
            place = _place(source)
            if place in seen:
                continue
            seen.add(place)
        yield source


def _place(path: Path) -> str:
    """The absolute path; `..` leads where the system takes it, which is elsewhere behind a link."""
    if ".." in path.parts:
        path = Path(os.path.realpath(path.parent), path.name)
    return os.path.abspath(path)  # noqa: PTH100 - Path.absolute() keeps what does not change the place


def _matches(pattern: str) -> Iterator[Path]:
    """Files, not folders; `**` does not follow symbolic links, which may lead in circles."""
    anchor = Path(pattern).anchor
    found = sorted(path for path in Path(anchor).glob(pattern.removeprefix(anchor)) if not path.is_dir())
    if not found:
        raise ConfigurationError(f"{pattern}: no file matches", hint="Check the spelling.")
    yield from found


def _images_below(folder: Path, left_out: LeftOut) -> Iterator[Path]:
    found = False
    for root, folders, files in _walk(folder, left_out):
        for name in folders:
            _pass_by(Path(root, name), left_out)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if os.path.islink(path):  # noqa: PTH114 - answers where a path is too long to look
                if may_show_something(name):
                    left_out.add(LINKED, path)
            elif _looks_like_image(path, left_out):
                found = True
                yield path
    if not found:
        raise left_out.nothing_else_in(folder)


def _walk(folder: Path, left_out: LeftOut) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`, which calls itself for every level, so that folders can be nested too deep for it."""
    waiting = [os.fspath(folder)]
    while waiting:
        root = waiting.pop()
        _, folders, files = next(
            os.walk(root, onerror=lambda error: left_out.add(CLOSED, Path(error.filename))), ("", [], [])
        )
        yield root, folders, files
        inner = (os.path.join(root, name) for name in reversed(folders))  # noqa: PTH118 - a path of ten thousand parts
        waiting.extend(path for path in inner if not os.path.islink(path))  # noqa: PTH114


def _pass_by(folder: Path, left_out: LeftOut) -> None:
    """Count what a folder that is not entered holds, going by names; where a link leads is not looked at."""
    if os.path.islink(folder):  # noqa: PTH114
        left_out.add(LINKED, folder)
    elif folder.name.startswith(".") and folder.name not in _VERSION_CONTROL:
        for root, _, files in _walk(folder, left_out):
            for name in sorted(filter(may_show_something, files)):
                left_out.add(HIDDEN, Path(root, name))


def _looks_like_image(path: Path, left_out: LeftOut) -> bool:
    if path.suffix.lower() in IMAGE_EXTENSIONS:
        return True
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            return False
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError:
        left_out.add(CLOSED, path)
        return False
    if sniff(head) is not None:
        return True
    left_out.add_unknown(path, head)
    return False
