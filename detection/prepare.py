"""Turns the files of a manifest into a set that can be trained on: crops of one size, without their containers.

A set is a folder: `items.csv` (the rows whose files were there), `facts.csv` (what an audit asks about each file) and
`crops.npy`, uint8 of shape (items, crops, side, side, 3), and `overlap.npy`, how much each item counts. It can be
interrupted and resumed.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.vocabulary import Pixels
from detection.crops import crop
from detection.manifest import Item, Label, balanced, read, write
from detection.overlap import overlap
from detection.pictures import files, limited, opened, part

SIDE, PER_ITEM = 320, 2
_NATIVE = 0.4
"""The part of crops that are cut from native pixels; the others from a smaller copy."""
_SMALLEST = 0.25
_CHUNK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a file shows before anybody looks at the picture."""

    width: int
    height: int
    bytes: int
    format: str
    quantisation: int
    """Sum of the first JPEG quantisation table; 0 for other formats."""
    has_exif: int
    has_profile: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A set on disk."""

    items: tuple[Item, ...]
    facts: tuple[Facts, ...]
    crops: NDArray[np.uint8]
    """Shape (items, crops, side, side, 3), mapped from the file."""
    overlap: NDArray[np.float64]
    """How much each item counts, see `detection.overlap`."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """1 for what a model made, 0 for photographs."""
        return np.array([item.label is Label.AI for item in self.items], np.int64)

    @property
    def sources(self) -> NDArray[np.str_]:
        """Of each item."""
        return np.array([item.source for item in self.items])

    @property
    def folds(self) -> NDArray[np.int64]:
        """Of each item."""
        return np.array([item.fold for item in self.items])

    def weights(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """How much each of some items counts in training: labels alike, a kind by the root of its number, by overlap.

        Args:
            chosen: Indices of items.
        """
        items = [self.items[item] for item in chosen]
        return balanced([(item.label, item.source, item.kind) for item in items]) * self.overlap[chosen]


def load(folder: Path) -> Prepared:
    """A set that was prepared.

    Raises:
        ConfigurationError: There is none, or it is not finished.
    """
    items, crops = folder / "items.csv", folder / "crops.npy"
    if not items.exists() or not crops.exists():
        raise ConfigurationError(f"{folder}: no prepared set", hint="Finish assay data prepare first.")
    with (folder / "facts.csv").open(newline="") as lines:
        facts = tuple(_facts(row) for row in csv.DictReader(lines))
    return Prepared(
        items=read(items), facts=facts, crops=np.load(crops, mmap_mode="r"), overlap=np.load(folder / "overlap.npy")
    )


def _facts(row: dict[str, str]) -> Facts:
    return Facts(**{name: value if name == "format" else int(value) for name, value in row.items()})  # type: ignore[arg-type]


def prepare(items: Sequence[Item], place: Path, out: Path, *, seed: int = 0, workers: int = 2) -> Prepared:
    """Write a set.

    Args:
        items: Of a manifest.
        place: A folder of git copies, or of the files themselves.
        out: The set's folder; parts that it has are not made again.
        seed: Of positions and scales.
        workers: Processes.

    Raises:
        ConfigurationError: Not one of the files is there.
    """
    parts = out / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    ordered = sorted(items, key=lambda item: (item.repository, item.path, item.quarter))
    chunks = [ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = [
            pool.submit(_chunk, chunk, place, parts / f"{number:05d}.npz", seed) for number, chunk in enumerate(chunks)
        ]
        for job in tqdm(jobs, "prepared", unit="part", mininterval=5):
            job.result()
    return _joined([parts / f"{number:05d}.npz" for number in range(len(chunks))], ordered, out)


def _chunk(items: Sequence[Item], place: Path, target: Path, seed: int) -> None:
    """Prepare some items; in a process of its own."""
    if target.exists():
        return
    kept, crops, facts = [], [], []
    for item, data in files(items, place):
        made = None if data is None else _made(item, data, seed)
        if made is not None:
            kept.append(item.id)
            facts.append(made[0])
            crops.append(made[1])
    stream = io.BytesIO()
    np.savez(
        stream,
        ids=np.array(kept, str),
        facts=np.array([[str(value) for value in astuple(fact)] for fact in facts], str),
        crops=np.array(crops, np.uint8),
    )
    write_whole(target, stream.getvalue())


def _made(item: Item, data: bytes, seed: int) -> tuple[Facts, Pixels] | None:
    pixels = opened(data)
    if pixels is None:
        return None
    random = np.random.default_rng([seed, int(item.sha256[:8] or "0", 16), int(item.quarter or 0)])
    picture = part(pixels, item.quarter)
    crops = np.stack([_square(limited(picture), random) for _ in range(PER_ITEM)])
    return _facts_of(data, picture), crops


def _square(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A random square, from native pixels or from a smaller copy that still holds it."""
    height, width = pixels.shape[:2]
    smallest = min(1.0, max(_SMALLEST, SIDE / min(height, width)))
    if random.random() > _NATIVE and smallest < 1:
        scale = math.exp(random.uniform(math.log(smallest), 0))
        size = max(SIDE, round(width * scale)), max(SIDE, round(height * scale))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
        height, width = pixels.shape[:2]
    top, left = (int(random.integers(max(0, length - SIDE) + 1)) for length in (height, width))
    return crop(pixels, top, left, SIDE)


def _facts_of(data: bytes, picture: Pixels) -> Facts:
    with Image.open(io.BytesIO(data)) as image:
        tables = getattr(image, "quantization", None) or {}
        return Facts(
            width=picture.shape[1],
            height=picture.shape[0],
            bytes=len(data),
            format=image.format or "",
            quantisation=sum(next(iter(tables.values()), [])),
            has_exif=int(bool(image.getexif())),
            has_profile=int("icc_profile" in image.info),
        )


def _joined(parts: Sequence[Path], items: Sequence[Item], out: Path) -> Prepared:
    by_id = {item.id: item for item in items}
    kept: list[Item] = []
    facts: list[tuple[str, ...]] = []
    for one in _opened(parts):
        kept += [by_id[name] for name in one["ids"].tolist()]
        facts += [tuple(row) for row in one["facts"].tolist()]
    if not kept:
        raise ConfigurationError(
            f"{out}: not one of {len(items):,} files is there", hint="Clone the listed repositories."
        )
    whole = np.lib.format.open_memmap(out / "crops.partial", "w+", np.uint8, (len(kept), PER_ITEM, SIDE, SIDE, 3))
    at = 0
    for one in _opened(parts):
        crops = one["crops"]
        whole[at : at + len(crops)] = crops
        at += len(crops)
    whole.flush()
    labels = np.array([item.label is Label.AI for item in kept], np.int64)
    np.save(out / "overlap.npy", overlap(whole[:, 0], labels))
    (out / "crops.partial").replace(out / "crops.npy")
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow([field.name for field in fields(Facts)])
    table.writerows(facts)
    write_whole(out / "facts.csv", stream.getvalue().encode())
    write(out / "items.csv", kept)
    for one_part in parts:
        one_part.unlink()
    return load(out)


def _opened(parts: Sequence[Path]) -> Iterator[dict[str, NDArray[np.generic]]]:
    for path in parts:
        with np.load(path, allow_pickle=False) as stored:
            if len(stored["ids"]):
                yield dict(stored)
