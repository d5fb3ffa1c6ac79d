"""The photographs on which marks in the pixels are measured.

    python -m tests.benchmarks.photographs --copies CLONES -o OUT

`docs/pixels/photographs.csv` lists them by repository and blob, in order. They are written as PNG, reduced to 1,600
pixels; `assay evaluate OUT --suite robustness` then measures.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from PIL import Image

from assay.blobs import copy_of, read_blobs
from detection.pictures import limited, opened
from tests.conftest import REPO_ROOT

LIST = REPO_ROOT / "docs" / "pixels" / "photographs.csv"


def main() -> None:
    """Write what is there, and say what is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=Path, required=True, help="git copies of the repositories, as owner+name")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with LIST.open(newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            copy = copy_of(row["repository"], options.copies)
            data = None if copy is None else next(read_blobs(copy, [row["blob"]]))
            pixels = None if data is None else opened(data)
            if pixels is None:
                print(f"{row['repository']} {row['path']}: not there")
                continue
            Image.fromarray(limited(pixels)).save(options.output / f"{number:03d}.png", compress_level=1)


if __name__ == "__main__":
    main()
