"""A folder of one's own pictures: `real/` and `ai/`, any names below."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from assay.errors import ConfigurationError
from detection.manifest import Item, Label, dealt


def items_of(folder: Path) -> tuple[Item, ...]:
    """Every file below `real/` and `ai/`, whatever its name; the next folder below names the camera or the generator.

    Hidden files are left out. What is no picture shows when it is opened.

    Raises:
        ConfigurationError: There is neither of the two, or no picture in them.
    """
    items = [item for label in Label for item in _below(folder, label)]
    if not items:
        raise ConfigurationError(
            f"{folder}: no pictures in real/ or ai/", hint="Put photographs into real/, others into ai/."
        )
    folds: dict[str, int] = {}
    for label in Label:
        folds |= dealt(Counter(item.source for item in items if item.label is label))
    return tuple(replace(item, fold=folds[item.source]) for item in items)


def _below(folder: Path, label: Label) -> Iterator[Item]:
    for path in sorted((folder / label).rglob("*")):
        names = path.relative_to(folder / label).parts
        if path.is_file() and not any(name.startswith(".") for name in names):
            kind = names[0] if len(names) > 1 else "unnamed"
            yield Item(
                repository="",
                path=str(path.relative_to(folder)),
                blob="",
                quarter="",
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                label=label,
                kind=kind,
                source=f"{label}/{kind}",
                licence="",
                fold=0,
                dhash="",
            )
