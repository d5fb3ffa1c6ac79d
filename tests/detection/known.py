"""A cache of features of known skill: as `detection.featured` leaves it, without a network."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from detection.featured import ROUNDS, Cache, Plan, load
from detection.manifest import Content, Item, Label, write
from tests.detection.test_manifest import item

PLAN = Plan(backbone="test_vit", sha256="0" * 64, side=160, taps=(1, 3, 5), width=16, seed=0)


def cache(folder: Path, *, skill: float = 1.0, rounds: int = 3, each: int = 12, sources: int = 6) -> Cache:
    """Block 3 of every view knows the label, the others only the source; half of the sources are matched."""
    random = np.random.default_rng(5)
    items = [one for source in range(sources) for one in _of_source(source, each)]
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "items.csv", items)
    (folder / "plan.json").write_text(json.dumps(asdict(PLAN)))
    noise = random.normal(0, 1, (len(PLAN.taps), 2, PLAN.width))
    for number, turn in enumerate(ROUNDS[:rounds]):
        features = random.normal(0, 1, (len(items), len(turn.views), len(PLAN.taps), 2, PLAN.width))
        for row, one in enumerate(items):
            features[row] += noise * (int(one.source[-1]) % 3)
            features[row, :, 1] += skill * (one.label is Label.AI)
        stream = io.BytesIO()
        np.savez(stream, ids=np.array([one.id for one in items], str), features=features.astype(np.float16))
        place = folder / f"round-{number:02d}"
        place.mkdir()
        (place / "00000.npz").write_bytes(stream.getvalue())
    return load(folder)


def _of_source(source: int, each: int) -> list[Item]:
    name, is_matched = f"owner/source-{source}", source % 2 == 0
    listed = [
        item(source * 1_000 + number, label=Label.AI if number % 2 else Label.REAL, kind="gpt", source=name)
        for number in range(each)
    ]
    return [
        replace(
            one,
            sha256=f"{source:08x}{number:08x}".ljust(64, "0"),
            content=Content.PHOTOREALISTIC if is_matched or one.label is Label.REAL else Content.GALLERY,
            matched=name if is_matched else "",
        )
        for number, one in enumerate(listed)
    ]
