"""Which files a rule speaks about: globs with `**`, matched against a path relative to the policy's folder.

The meaning is that of `pathlib.PurePath.full_match` in newer Pythons: a pattern is matched against the whole path; `*`,
`?` and `[...]` stay within one segment; `**` stands for any number of segments, none included. Hidden files are files.
"""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

STANDARD_INPUT = "<stdin>"

_ANY = "**"


@dataclass(frozen=True, slots=True)
class Glob:
    """One pattern.

    Case handling:
        The extension is compared without regard to case (`*.jpg` matches `IMG_1.JPG`), everything else with it.
    Unicode handling:
        Both sides are compared in NFC, so a name that another system decomposed still matches.
    """

    pattern: str

    def __post_init__(self) -> None:
        """Refuse what would silently match nothing.

        Raises:
            ValueError: The pattern is not of the supported form; the message says what to write instead.
        """
        if problem := _problem(self.pattern):
            raise ValueError(problem)

    def matches(self, path: str) -> bool:
        """Does the pattern match the whole of this relative posix path?"""
        pattern, path = _composed(self.pattern), _composed(path)
        return _match(pattern, path) or _match(_fold_extension(pattern), _fold_extension(path))


def _problem(pattern: str) -> str | None:
    segments = pattern.split("/")
    if not pattern:
        return "it is empty; write '**' for every file"
    if pattern.startswith("!"):
        return "'!' is not supported; list what to leave out under 'exclude'"
    if pattern.startswith("/"):
        return "it is absolute; write it relative to the policy's folder"
    if pattern.endswith("/"):
        return f"it names a folder; write '{pattern}**' for everything in it"
    if "\\" in pattern:
        return "'\\' is not supported; separate folders with '/' and put a special character in brackets, as in '[*]'"
    if "{" in pattern or "}" in pattern:
        return "braces are not supported; list the patterns one by one"
    if "" in segments or "." in segments:
        return "it has an empty segment or a '.'; write 'a/b' for 'a//b' and for './a/b'"
    if any(_ANY in segment and segment != _ANY for segment in segments):
        return "'**' stands alone between slashes; write '**/*.jpg' for '**.jpg'"
    return None


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _fold_extension(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    return folder + slash + stem + dot + (extension.lower() if dot else extension)


def _match(pattern: str, path: str) -> bool:
    """Walk both segment by segment; on a mismatch let the latest `**` take one segment more.

    Giving back only to the latest `**` is enough, as with `*` in a plain wildcard, and keeps the time proportional to
    the product of the two lengths whatever the pattern.
    """
    wanted, given = pattern.split("/"), path.split("/")
    want = have = 0
    retry: tuple[int, int] | None = None
    while have < len(given):
        if want < len(wanted) and wanted[want] == _ANY:
            want += 1
            retry = (want, have)
        elif want < len(wanted) and _match_segment(wanted[want], given[have]):
            want, have = want + 1, have + 1
        elif retry:
            want, have = retry[0], retry[1] + 1
            retry = (want, have)
        else:
            return False
    return all(segment == _ANY for segment in wanted[want:])


def _match_segment(pattern: str, segment: str) -> bool:
    return fnmatch.fnmatchcase(segment, pattern)


def matches_any(globs: tuple[Glob, ...], path: str) -> bool:
    """Does at least one of the patterns match?"""
    return any(glob.matches(path) for glob in globs)


def relative_name(name: str, root: Path) -> str:
    """The posix path of a file as globs see it.

    Args:
        name: The path as given to the command, relative to the current folder or absolute; or `<stdin>`.
        root: The absolute folder of the policy.

    Returns:
        The path below `root`, in NFC; with leading `..` where the file lies outside; `<stdin>` as it is.
    """
    if name == STANDARD_INPUT:
        return name
    path = os.path.abspath(name)  # noqa: PTH100 - Path.absolute() keeps '..', and resolve() follows links
    lexical = os.path.relpath(path, root)
    if _is_outside(lexical):
        folder, base = os.path.split(path)
        actual = os.path.relpath(os.path.join(os.path.realpath(folder), base), os.path.realpath(root))  # noqa: PTH118
        return _composed(lexical if _is_outside(actual) else actual)
    return _composed(lexical)


def _is_outside(path: str) -> bool:
    return re.match(r"\.\.(/|$)", path) is not None
