"""Wheels made again from what is installed, so that an installation can be tested without a network."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name

_WRITTEN_BY_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"})


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """Everything that these requirements need on this machine: canonical name to installed version."""
    found: dict[str, str] = {}
    todo = [(Requirement(text), "") for text in requirements]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        installed = distribution(requirement.name)
        if (name := canonicalize_name(requirement.name)) not in found or requirement.extras:
            found[name] = installed.version
            todo += [
                (Requirement(text), each) for text in installed.requires or () for each in (requirement.extras or {""})
            ]
    return found


def rebuild(name: str, folder: Path) -> tuple[Path, str]:
    """The wheel of an installed distribution, uncompressed, and its sha256."""
    installed = distribution(name)
    path = folder / f"{name.replace('-', '_')}-{installed.version}-{_tag(installed)}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in installed.files or ():
            if _is_content(PurePosixPath(file)):
                wheel.write(file.locate(), str(file))
    with path.open("rb") as stream:
        return path, hashlib.file_digest(stream, "sha256").hexdigest()


def _tag(installed: Distribution) -> str:
    lines = (installed.read_text("WHEEL") or "").splitlines()
    stated = {line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")}
    return next(tag for tag in map(str, sys_tags()) if tag in stated)


def _is_content(file: PurePosixPath) -> bool:
    """Not a script, which lies outside and is made anew, nor anything else that an installer wrote."""
    return file.parts[0] != ".." and file.suffix != ".pyc" and file.name not in _WRITTEN_BY_INSTALLERS
