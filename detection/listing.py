"""Makes a manifest of lists: what is there, once each, capped, and divided into folds.

A list is a table with the columns repo, path, blob, label, generator, and, where somebody looked, kind (what pictures
show) and matched (1 where both labels of a repository share content and pipeline).

Folds are made of repositories in one of two ways. By family, a repository belongs to one fold as a whole: that of the
family of most of its generated pictures. Photographs without generated pictures beside them are dealt out so
that folds have about as many. Generated pictures of a family that another fold holds are left out, so that no fold's
generators are seen by the networks that are measured on it. By source, repositories are dealt out and nothing is left
out, for sets whose sources are held out one by one.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from assay import fingerprint
from assay.blobs import copy_of, licence_of, read_blobs
from assay.errors import ConfigurationError
from detection.families import GROUPS, family
from detection.manifest import Content, Item, Label, capped, dealt
from detection.pictures import opened, part

SAME = 6
"""Differing bits of a `dhash`, at most, of pictures that count as one."""
_FLAT = 3
"""Fewer set bits, or fewer unset ones, than this: a picture without contrast, whose hash says nothing."""
_GRIDS = ("grid2x2",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row of a list."""

    repository: str
    path: str
    blob: str
    label: Label
    kind: str
    content: Content = Content.UNKNOWN
    is_matched: bool = False


def listed(path: Path) -> Iterator[Listed]:
    """The rows of a list.

    Raises:
        ConfigurationError: It is no list.
    """
    try:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                yield Listed(
                    repository=row["repo"],
                    path=row["path"],
                    blob=row["blob"],
                    label=Label(row["label"]),
                    kind=row["generator"],
                    content=content_of(row),
                    is_matched=row.get("matched") == "1",
                )
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: not a list of pictures: {error}", hint="It needs the columns repo, path, blob, label, generator."
        ) from error


_WORDS: Mapping[str, Content] = {
    "mixed": Content.GALLERY,
    "graphic": Content.GRAPHIC,
    "artwork": Content.GRAPHIC,
    "painting": Content.GALLERY,
    "photo style": Content.PHOTOREALISTIC,
}
"""What a word in the columns `kind` and `generator` says a picture shows; the first that is there counts."""


def content_of(row: Mapping[str, str]) -> Content:
    """What a row of a list shows, as far as the list knows of kinds.

    Where a row does not say, a photograph is one, and other pictures are of a gallery unless photographs match them.
    """
    if "kind" not in row:
        return Content.UNKNOWN
    text = f"{row['kind']} {row['generator']}".lower()
    for word, content in _WORDS.items():
        if word in text:
            return content
    is_photographic = row["label"] == Label.REAL or row.get("matched") == "1"
    return Content.PHOTOREALISTIC if is_photographic else Content.GALLERY


def measured(rows: Iterable[Listed], copies: Path) -> Iterator[Item]:
    """Read every file once: its sha256 and what its picture looks like. Absent and damaged files are left out."""
    by_repository: dict[str, list[Listed]] = defaultdict(list)
    for row in rows:
        by_repository[row.repository].append(row)
    for repository, listed_rows in tqdm(sorted(by_repository.items()), "repositories"):
        copy = copy_of(repository, copies)
        if copy is None:
            continue
        licence = licence_of(copy)
        for row, data in zip(listed_rows, read_blobs(copy, [row.blob for row in listed_rows]), strict=True):
            if data is not None:
                yield from _items(row, data, licence)


def _items(row: Listed, data: bytes, licence: str) -> Iterator[Item]:
    pixels = opened(data)
    if pixels is None:
        return
    grid = row.kind.endswith(_GRIDS)
    for quarter in ("0", "1", "2", "3") if grid else ("",):
        picture = Image.fromarray(part(pixels, quarter))
        yield Item(
            repository=row.repository,
            path=row.path,
            blob=row.blob,
            quarter=quarter,
            sha256=hashlib.sha256(data).hexdigest(),
            label=row.label,
            kind=row.kind.removesuffix("-grid2x2"),
            source=row.repository,
            licence=licence,
            fold=0,
            dhash=f"{fingerprint.dhash(picture):016x}",
            content=row.content,
            matched=row.repository if row.is_matched else "",
        )


def once(items: Iterable[Item]) -> list[Item]:
    """Without copies and near-copies: the first of each stays.

    Every hash is cut into eight bytes; two that differ in at most six bits share a byte.
    """
    kept: list[Item] = []
    seen: set[tuple[str, str]] = set()
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for item in items:
        value = int(item.dhash, 16)
        if (item.sha256, item.quarter) in seen:
            continue
        seen.add((item.sha256, item.quarter))
        pieces = [(number, value >> 8 * number & 0xFF) for number in range(8)]
        if _FLAT <= value.bit_count() <= 64 - _FLAT:
            near = {other for piece in pieces for other in buckets[piece]}
            if any(fingerprint.distance(value, other) <= SAME for other in near):
                continue
            for piece in pieces:
                buckets[piece].append(value)
        kept.append(item)
    return kept


def by_source(items: Sequence[Item]) -> list[Item]:
    """Deal repositories out to folds of about one size, and leave nothing out."""
    folds = dealt(Counter(item.source for item in items))
    return [replace(item, fold=folds[item.source]) for item in items]


def by_family(items: Sequence[Item]) -> list[Item]:
    """Divide by repository and family; see the module's text."""
    sizes: Counter[int] = Counter()
    fold_of: dict[str, int] = {}
    for source, members in _sources(items).items():
        groups = Counter(GROUPS[family(item.kind)] for item in members if item.label is Label.AI)
        if groups:
            fold_of[source] = groups.most_common(1)[0][0]
            sizes[fold_of[source]] += sum(item.label is Label.REAL for item in members)
    photographs = {source: len(members) for source, members in _sources(items).items() if source not in fold_of}
    fold_of |= dealt(photographs, sizes)
    placed = (replace(item, fold=fold_of[item.source]) for item in items)
    return [item for item in placed if item.label is Label.REAL or GROUPS[family(item.kind)] == item.fold]


def _sources(items: Iterable[Item]) -> Mapping[str, list[Item]]:
    sources: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        sources[item.source].append(item)
    return sources


def manifest(
    lists: Sequence[Path],
    copies: Path,
    *,
    most: int,
    fewer: Mapping[str, int],
    folded: Callable[[Sequence[Item]], list[Item]] = by_family,
) -> list[Item]:
    """Lists in, a manifest out.

    Args:
        lists: Tables.
        copies: A folder of git copies.
        most: Pictures of one repository, label and kind.
        fewer: Smaller caps of some repositories, for sets whose pictures are all alike.
        folded: `by_family` or `by_source`.

    Raises:
        ConfigurationError: A list is none, or not one of its files is there.
    """
    rows = [row for path in lists for row in listed(path)]
    items = once(measured(rows, copies))
    if not items:
        raise ConfigurationError(f"{copies}: not one of {len(rows):,} files is there", hint="Clone the repositories.")
    kept: list[Item] = []
    for source, members in sorted(_sources(items).items()):
        kept += capped(members, fewer.get(source, most))
    return sorted(folded(_paired(kept)), key=lambda item: (item.repository, item.path, item.quarter))


def _paired(items: Sequence[Item]) -> list[Item]:
    """With no word of a matched set where only one label of it is left."""
    labels: dict[str, set[Label]] = defaultdict(set)
    for item in items:
        labels[item.matched].add(item.label)
    return [item if len(labels[item.matched]) == len(Label) else replace(item, matched="") for item in items]
