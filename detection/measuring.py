"""What the experts say of many pictures, under every delivery: the rows from which all tables and fits are made."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from assay.errors import ConfigurationError
from assay.perturb import perturbation
from assay.vocabulary import Detector, Pixels
from detection.crops import crops
from detection.delivery import DELIVERIES
from detection.manifest import Item, Label
from detection.pictures import files, limited, opened
from detection.quality import Quality, quality

_CHUNK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One picture under one delivery."""

    id: str
    path: str
    label: Label
    kind: str
    source: str
    fold: int
    delivery: str
    quality: Quality
    logits: Mapping[str, float]
    """By expert: the mean over squares."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Names the row: the file, the picture in it, the delivery."""
        return self.path, self.id, self.delivery


def measure(pixels: Pixels, experts: Sequence[Detector], count: int) -> tuple[Quality, dict[str, float]]:
    """Quality of a picture, and the mean logit of each expert.

    Args:
        pixels: uint8 of shape (height, width, 3).
        experts: Who looks.
        count: Squares, at most.
    """
    picture = limited(pixels)
    logits = {expert.id: float(np.mean(expert.logits(crops(picture, expert.side, count)))) for expert in experts}
    return quality(picture), logits


def rows(
    wanted: Mapping[Item, Sequence[str]],
    place: Path,
    open_experts: Callable[[], Sequence[Detector]],
    *,
    count: int = 4,
    workers: int = 2,
) -> Iterator[Row]:
    """Measure pictures, in parallel; files that are absent or damaged are left out.

    Args:
        wanted: The deliveries, of `DELIVERIES`, under which each item is measured.
        place: A folder of git copies, or of the files.
        open_experts: Called once in each process.
        count: Squares of each picture.
        workers: Processes.
    """
    ordered = sorted(
        ((item, tuple(names)) for item, names in wanted.items() if names),
        key=lambda pair: (pair[0].repository, pair[0].path, pair[0].quarter),
    )
    chunks = [ordered[at : at + _CHUNK] for at in range(0, len(ordered), _CHUNK)]
    if not chunks:
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _prepare, (open_experts, workers)) as pool:
        jobs = [pool.submit(_chunk, chunk, place, count) for chunk in chunks]
        for job in jobs:
            yield from job.result()


_EXPERTS: list[Detector] = []
"""Of a worker process."""


def _prepare(open_experts: Callable[[], Sequence[Detector]], workers: int) -> None:
    import torch  # noqa: PLC0415 - in the worker

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
    _EXPERTS[:] = open_experts()


def _chunk(wanted: Sequence[tuple[Item, tuple[str, ...]]], place: Path, count: int) -> list[Row]:
    deliveries = {item.id: names for item, names in wanted}
    found = files([item for item, _ in wanted], place)
    return [row for item, data in found if data is not None for row in _rows(item, data, deliveries[item.id], count)]


def _rows(item: Item, data: bytes, deliveries: Sequence[str], count: int) -> Iterator[Row]:
    pixels = opened(data, item.quarter)
    if pixels is None:
        return
    picture = limited(pixels)
    for delivery in deliveries:
        chain = DELIVERIES[delivery]
        seed = int(item.sha256[:8], 16)
        found, logits = measure(perturbation(chain).apply(picture, seed) if chain else picture, _EXPERTS, count)
        yield Row(
            id=item.id,
            path=item.path,
            label=item.label,
            kind=item.kind,
            source=item.source,
            fold=item.fold,
            delivery=delivery,
            quality=found,
            logits=logits,
        )


def write(path: Path, found: Iterable[Row]) -> None:
    """Add rows to a file, a line of JSON each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        for row in found:
            stream.write(json.dumps(asdict(row)) + "\n")
            stream.flush()


def read(path: Path) -> tuple[Row, ...]:
    """The rows of a file; a line that was cut off at the end is left out.

    Raises:
        ConfigurationError: It is no file of rows.
    """
    try:
        lines = path.read_text().split("\n")
        return tuple(_row(json.loads(line)) for line in lines[:-1])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: no file of rows: {error}", hint="Measure again.") from error


def _row(fields: dict[str, Any]) -> Row:
    own = {name: fields[name] for name in Row.__slots__}
    return Row(**{**own, "label": Label(own["label"]), "quality": Quality(**own["quality"])})
