"""Writes `flowers.csv`: path, blob, split and caption of every photograph.

    python -m generation.training.manifest CLONE

Exact copies are listed once. One photograph in ten, chosen by its blob id, is held out of training.
"""

from __future__ import annotations

import argparse
import csv
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from generation.training.captions import KINDS, caption
from generation.training.flowers import MANIFEST, read_listed

_HELD_OUT = 10


def _listed(source: Path) -> Iterator[tuple[str, str, str]]:
    """Kind, path and blob of each photograph."""
    git = ["git", "-C", str(source), "ls-tree", "-r", "HEAD", "flowers"]
    seen = set()
    for line in subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines():  # noqa: S603
        facts, _, path = line.partition("\t")
        kind, blob = Path(path).parent.name, facts.split()[2]
        if kind in KINDS and blob not in seen and path.lower().endswith((".jpg", ".jpeg", ".png")):
            seen.add(blob)
            yield kind, path, blob


def main() -> None:
    """Measure every photograph and write the list."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path, help="a git copy of the repository")
    rows = list(_listed(source := parser.parse_args().source))
    with MANIFEST.open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["kind", "path", "blob", "split", "caption"])
        for (kind, path, blob), data in zip(rows, read_listed(source, [row[2] for row in rows]), strict=True):
            pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            split = "train" if int(blob[:8], 16) % _HELD_OUT else "test"
            table.writerow([kind, path, blob, split, caption(kind, pixels)])


if __name__ == "__main__":
    main()
