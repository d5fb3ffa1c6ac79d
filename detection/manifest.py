"""Which pictures detectors are trained and measured on: facts about files, never the files.

A manifest is a table, one row a picture. It names a file by repository, path and git blob, or by its path in a folder
of one's own; what is read is checked against the sha256.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from assay.errors import ConfigurationError
from assay.files import write_whole

SHIPPED = Path(__file__).with_name("manifest.csv.gz")
"""What the weights that come with Assay were trained, calibrated and measured on."""
MODERN = SHIPPED.with_name("modern.csv.gz")
"""Pictures of 2023 to 2026 with what they show, and sets whose two labels match."""

FOLDS = 5


class Label(StrEnum):
    """What a picture is."""

    REAL = "real"
    """Recorded by a camera or a scanner."""
    AI = "ai"
    """Made by a generative model."""


class Content(StrEnum):
    """What a picture shows, as far as somebody looked: each kind has its own ways to be told."""

    UNKNOWN = ""
    PHOTOREALISTIC = "photorealistic"
    """A photograph, or made to look like one."""
    GALLERY = "gallery"
    """From a collection of all kinds: posters beside portraits, paintings beside photographs."""
    GRAPHIC = "graphic"
    """Drawn, set or painted: a poster, a map, box art, an illustration."""
    FACE = "face"
    """Little but one face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One picture."""

    repository: str
    """`owner/name`; empty for a file in a folder."""
    path: str
    blob: str
    """Git's id of the file; empty for a file in a folder."""
    quarter: str
    """`0` to `3` where the file is a grid of four pictures and this is one of them, row by row; empty otherwise."""
    sha256: str
    """Of the whole file."""
    label: Label
    kind: str
    """The generator; for photographs what they are: `phone`, `portfolio`, `faces`."""
    source: str
    """What no two splits share: the repository, or the folder."""
    licence: str
    """As the repository states it; empty where it states none."""
    fold: int
    """0 to 4: pictures of a fold are measured with networks that saw neither its sources nor its generators."""
    dhash: str
    """16 hexadecimal digits, see `assay.fingerprint.dhash`; of the picture, not the grid."""
    content: Content = Content.UNKNOWN
    matched: str = ""
    """The set whose photographs and generated pictures share content and pipeline; empty for none."""

    @property
    def id(self) -> str:
        """Names the picture: its file, and the quarter of it."""
        return f"{self.sha256[:16]}{self.quarter}"


COLUMNS = tuple(field.name for field in fields(Item))
_OPTIONAL = frozenset({"content", "matched"})
"""Columns that older manifests lack."""


def read(path: Path) -> tuple[Item, ...]:
    """A manifest.

    Raises:
        ConfigurationError: It cannot be read, lacks a column, or a row is wrong.
    """
    try:
        with _opened(path) as lines:
            table = csv.DictReader(lines)
            missing = set(COLUMNS) - _OPTIONAL - set(table.fieldnames or ())
            if missing:
                raise ConfigurationError(
                    f"{path}: lacks {', '.join(sorted(missing))}", hint="Write it with assay data."
                )
            return tuple(_item(path, number, row) for number, row in enumerate(table, start=2))
    except (OSError, EOFError, UnicodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: not a manifest: {error}", hint="Write one with assay data list.") from error


def _opened(path: Path) -> TextIO:
    return gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="")


def _item(path: Path, number: int, row: dict[str, str]) -> Item:
    try:
        text = {name: row[name] for name in COLUMNS if name not in ("label", "fold", *_OPTIONAL)}
        return Item(
            **text,
            label=Label(row["label"]),
            fold=int(row["fold"]),
            content=Content(row.get("content") or ""),
            matched=row.get("matched") or "",
        )
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path}: line {number}: {error}", hint="A label is real or ai, a fold is 0 to 4."
        ) from error


def write(path: Path, items: Iterable[Item]) -> None:
    """Write a manifest, whole or not at all."""
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([getattr(item, name) for name in COLUMNS] for item in items)
    data = stream.getvalue().encode()
    write_whole(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def capped(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """At most so many of one source, label and kind: the first by sha256, which is as good as chance and stays."""
    taken: dict[tuple[str, Label, str], int] = {}
    kept = []
    for item in sorted(items, key=lambda item: item.id):
        key = (item.source, item.label, item.kind)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= most:
            kept.append(item)
    return tuple(kept)


def dealt(sizes: Mapping[str, int], already: Mapping[int, int] | None = None) -> dict[str, int]:
    """A fold for each source, so that folds hold about as much: the largest first, each where there is least.

    Args:
        sizes: Pictures of each source.
        already: Pictures that folds hold before.
    """
    held = dict.fromkeys(range(FOLDS), 0) | dict(already or {})
    folds = {}
    for source, size in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])):
        folds[source] = min(range(FOLDS), key=lambda fold: held[fold])
        held[folds[source]] += size
    return folds


def balanced(keys: Sequence[tuple[Label, str, str]]) -> NDArray[np.float64]:
    """Weights under which both labels count alike, and within each a kind counts by the root of its number.

    Args:
        keys: Label, source and kind of each picture.
    """
    counts = Counter(keys)
    weights = np.array([counts[key] ** -0.5 for key in keys])
    made = np.array([label is Label.AI for label, _, _ in keys])
    for side in (made, ~made):
        weights[side] *= len(keys) / 2 / max(weights[side].sum(), 1e-12)
    return weights
