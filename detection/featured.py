"""Features of a frozen network, made once and kept: of many pictures, in several deliveries, by view.

A cache is a folder: `items.csv`, `plan.json` (with which network, and how), and for each round of `ROUNDS` a folder of
parts. It goes on where it was cut off, takes more pictures at any time, and what is there can be trained on: rounds
begin with what matters most, and each goes through the sources by turns.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from detection.backbone import Backbone
from detection.delivery import REFERENCE, shared
from detection.manifest import Item, read, write
from detection.pictures import files, opened
from detection.views import square, views

PART = 32
"""Pictures of one file: what is lost, at most, when a run is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One pass over all pictures."""

    draw: int
    """0 is the reference delivery, the same for all; every other number draws another chain for each picture."""
    views: tuple[str, ...]


_GRID = ("grid-1", "grid-2", "grid-3", "grid-4")
ROUNDS = (
    Round(draw=0, views=("whole",)),
    Round(draw=0, views=("crop-1",)),
    Round(draw=1, views=("whole", "crop-1")),
    Round(draw=0, views=("crop-2",)),
    Round(draw=2, views=("whole", "crop-1", "crop-2")),
    Round(draw=1, views=("crop-2",)),
    Round(draw=0, views=_GRID),
    Round(draw=1, views=_GRID),
    Round(draw=0, views=("crop-3",)),
    Round(draw=2, views=("crop-3", *_GRID)),
)
"""What matters most comes first: the whole picture of every source, then its detail, then other deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the features of one picture depend on, beside its file."""

    backbone: str
    sha256: str
    """Of the network's checkpoint."""
    side: int
    taps: tuple[int, ...]
    width: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cache:
    """Features on disk."""

    folder: Path
    items: tuple[Item, ...]
    plan: Plan

    def of(self, draw: int, view: str) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """What there is of one view in one delivery: indices of items, and (n, taps, 2, width)."""
        place = {item.id: number for number, item in enumerate(self.items)}
        shape = (0, len(self.plan.taps), 2, self.plan.width)
        indices, values = [np.zeros(0, np.int64)], [np.zeros(shape, np.float16)]
        for number, turn in enumerate(ROUNDS):
            if turn.draw != draw or view not in turn.views:
                continue
            for path in _parts(self.folder / _round(number)):
                with np.load(path, allow_pickle=False) as part:
                    indices.append(np.array([place[name] for name in part["ids"].tolist()], np.int64))
                    values.append(part["features"][:, turn.views.index(view)])
        return np.concatenate(indices), np.concatenate(values)


def ordered(items: Sequence[Item]) -> list[Item]:
    """One picture of each source and label, then the next of each, as far as each goes."""
    rank: Counter[tuple[str, str]] = Counter()
    placed = []
    for item in sorted(items, key=lambda item: item.id):
        placed.append((rank[item.source, item.label], item.source, item.label, item))
        rank[item.source, item.label] += 1
    return [item for *_, item in sorted(placed, key=lambda entry: entry[:3])]


def compute(
    items: Sequence[Item], place: Path, backbone: Backbone, out: Path, *, rounds: int = len(ROUNDS), seed: int = 0
) -> Iterator[tuple[int, int, int]]:
    """Fill a cache, and say after each part: the round, the pictures of it that are done, and of how many.

    Args:
        items: Of a manifest.
        place: A folder of git copies, or of the files themselves.
        backbone: The network.
        out: The folder of the cache; parts that it has are not made again.
        rounds: How many of `ROUNDS`.
        seed: Of the chains.

    Raises:
        ConfigurationError: The folder holds features of another network, or of other chains.
    """
    sequence = ordered(items)
    _begin(out, sequence, _plan(backbone, seed))
    for number, turn in enumerate(ROUNDS[:rounds]):
        folder = out / _round(number)
        folder.mkdir(exist_ok=True)
        parts = _parts(folder)
        known = {name for path in parts for name in _ids(path)}
        missing = [item for item in sequence if item.id not in known]
        for start in range(0, len(missing), PART):
            path = folder / f"{len(parts) + start // PART:05d}.npz"
            write_whole(path, _part(missing[start : start + PART], place, backbone, turn, seed))
            yield number, len(sequence) - len(missing) + min(start + PART, len(missing)), len(sequence)


def load(folder: Path) -> Cache:
    """A cache, however far it is.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        fields = json.loads((folder / "plan.json").read_text())
        plan = Plan(**{**fields, "taps": tuple(fields["taps"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{folder}: no cache of features: {error}", hint="Make one: assay data features."
        ) from error
    return Cache(folder=folder, items=read(folder / "items.csv"), plan=plan)


def _round(number: int) -> str:
    return f"round-{number:02d}"


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.npz"))


def _ids(path: Path) -> list[str]:
    with np.load(path, allow_pickle=False) as part:
        names: list[str] = part["ids"].tolist()
    return names


def _plan(backbone: Backbone, seed: int) -> Plan:
    return Plan(
        backbone=backbone.name,
        sha256=backbone.sha256,
        side=backbone.side,
        taps=backbone.taps,
        width=backbone.width,
        seed=seed,
    )


def _begin(out: Path, items: Sequence[Item], plan: Plan) -> None:
    """Make the folder, or see that it is of the same plan, and list what is new."""
    known: tuple[Item, ...] = ()
    if (out / "plan.json").exists():
        before = load(out)
        if before.plan != plan:
            raise ConfigurationError(
                f"{out}: holds features of another network, or of other chains", hint="Name another folder with -o."
            )
        known = before.items
    out.mkdir(parents=True, exist_ok=True)
    write(out / "items.csv", {item.id: item for item in (*known, *items)}.values())
    write_whole(out / "plan.json", (json.dumps(asdict(plan), indent=1) + "\n").encode())


def _part(items: Sequence[Item], place: Path, backbone: Backbone, turn: Round, seed: int) -> bytes:
    """Features of some pictures, as a file; absent and damaged ones are left out."""
    kept, shown = [], []
    for item, data in files(items, place):
        pixels = None if data is None else opened(data, item.quarter)
        if pixels is not None:
            kept.append(item.id)
            shown.append(views(delivered(square(pixels), item, turn.draw, seed), turn.views, backbone.side))
    many = np.concatenate(shown) if shown else np.zeros((0, backbone.side, backbone.side, 3), np.uint8)
    features = backbone.features(many).reshape(len(kept), len(turn.views), len(backbone.taps), 2, backbone.width)
    stream = io.BytesIO()
    np.savez(stream, ids=np.array(kept, str), features=features)
    return stream.getvalue()


def delivered(picture: Pixels, item: Item, draw: int, seed: int) -> Pixels:
    """A picture after one draw of its delivery: it depends on the file, never on the label."""
    start = [seed, draw, int(item.sha256[:8] or "0", 16), int(item.quarter or 0)]
    random = np.random.default_rng(start)
    chain = shared(random) if draw else REFERENCE
    return perturbation(chain).apply(picture, int(random.integers(2**31)))
