"""What marking and reading pixels cost: `python -m tests.benchmarks.pixel_speed`, a part of `make bench`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from hashlib import sha256

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from assay.perturb import perturbation
from assay.vocabulary import Pixels
from watermark.spread import Spread

ROUNDS = 15
KEY, OTHER = (sha256(name).digest() for name in (b"a key", b"another"))
SIZES = {"512 x 512": (512, 512), "12 megapixels": (4000, 3000)}


def main() -> None:
    """Measure and print."""
    print(f"{torch.get_num_threads()} threads; medians of {ROUNDS} rounds")
    photograph = Image.fromarray(load_sample_image("china.jpg"))
    for name, size in SIZES.items():
        pixels = np.asarray(photograph.resize(size, Image.Resampling.LANCZOS))
        marked = Spread().mark(pixels, KEY, 1)
        _say(f"{name}: mark", lambda pixels=pixels: Spread().mark(pixels, KEY, 1))
        _say(f"{name}: read as it is", lambda marked=marked: Spread().read(marked, [KEY]))
        turned = perturbation("rotate-20").apply(marked)
        _say(f"{name}: read turned by 20 degrees", lambda turned=turned: Spread().read(turned, [KEY]))
        _say(f"{name}: read, without a mark", lambda pixels=pixels: Spread().read(pixels, [KEY]))
        _say(f"{name}: read, a mark of another key", lambda marked=marked: Spread().read(marked, [OTHER]))


def _say(name: str, run: Callable[[], Pixels | object]) -> None:
    run()
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    middle = statistics.median(seconds)
    print(f"{name:42} {1000 * middle:8.1f} ms  {1 / middle:8.1f} a second")


if __name__ == "__main__":
    main()
