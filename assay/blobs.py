"""Files out of local git copies of repositories, by the id of their blob: byte for byte what a manifest names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def copy_of(repository: str, copies: Path) -> Path | None:
    """The local git copy of `owner/name` in a folder of copies; None where there is none.

    Args:
        repository: As GitHub spells it.
        copies: Holds `owner+name`, `owner+name/repo` or `owner/name`, each a bare repository or a work tree.
    """
    base = copies / repository.replace("/", "+")
    places = (base, base / "repo", copies / repository)
    return next((place for place in places if (place / "HEAD").is_file() or (place / ".git").exists()), None)


def read_blobs(copy: Path, ids: Iterable[str]) -> Iterator[bytes | None]:
    """The blobs with these ids, in their order; None for one that the copy lacks.

    Args:
        copy: A bare repository or a work tree.
        ids: Of blobs, 40 hexadecimal digits each.
    """
    git = ["git", "-C", str(copy), "cat-file", "--batch"]
    process = subprocess.Popen(git, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    asked, answers = process.stdin, process.stdout
    if asked is None or answers is None:
        raise RuntimeError("git was started without pipes")
    try:
        for name in ids:
            with suppress(BrokenPipeError):  # no repository: git has left, and answers nothing
                asked.write(f"{name}\n".encode())
                asked.flush()
            header = answers.readline().split()
            if header[1:2] != [b"blob"]:
                yield None
                continue
            yield answers.read(int(header[2]))
            answers.read(1)
    finally:
        with suppress(BrokenPipeError):
            asked.close()
        answers.close()
        process.wait()


_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|unlicense)(\.(md|txt|rst))?", re.IGNORECASE)
_LICENCES = {
    "Apache License": "Apache-2.0",
    "MIT License": "MIT",
    "Permission is hereby granted, free of charge": "MIT",
    "GNU AFFERO": "AGPL-3.0",
    "GNU GENERAL PUBLIC LICENSE": "GPL",
    "Redistribution and use in source and binary forms": "BSD",
    "CC0": "CC0-1.0",
    "Creative Commons": "Creative Commons",
    "This is free and unencumbered software": "Unlicense",
}


def licence_of(copy: Path) -> str:
    """The licence that the newest commit's top folder states, by its usual short name; `other`, or empty for none."""
    git = ["git", "-C", str(copy), "ls-tree", "HEAD"]
    listing = subprocess.run(git, capture_output=True, text=True, check=False).stdout  # noqa: S603
    for line in listing.splitlines():
        facts, _, name = line.partition("\t")
        if _LICENCE_FILE.fullmatch(name):
            (data,) = read_blobs(copy, [facts.split()[2]])
            text = (data or b"").decode("utf-8", "replace")
            return next((short for words, short in _LICENCES.items() if words.lower() in text.lower()), "other")
    return ""
