"""Whether the mark in the noise and the one in the pixels disturb each other.

    python -m tests.benchmarks.both_marks WORK [--count 100]

Images of the model that comes with Assay are drawn with and without the first, then marked with and without the second,
changed, and read for both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from assay import catalog
from assay.jobs.robustness.bench import UNMARKED, bench_for, evaluation_key, in_batches, setup_for
from assay.jobs.robustness.page import share
from assay.jobs.robustness.results import FOUND
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from generation.loading import open_model
from generation.models import spec_named

CHANGES = ("clean", "jpeg-90", "jpeg-75", "jpeg-50", "blur-1", "noise-0.02")
_LATENT, _PIXEL = "sealed-seed", "spread"
_SHIFT = 48
"""Of an image's id, whose first 16 bits a small picture carries."""


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="where drawn images are kept")
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    adapter = open_model(spec_named("pocket"))
    bench = bench_for(adapter, setup_for(adapter, count=options.count), options.work)
    key, latent, pixel = evaluation_key(0), catalog.latent_watermark(_LATENT), catalog.pixel_watermark(_PIXEL)
    sealed, plain = bench.images(_LATENT, options.count), bench.images(UNMARKED, options.count)
    seals = [bench.seal(number) for number in range(options.count)]

    def both(pictures: list[Pixels]) -> list[Pixels]:
        pairs = zip(pictures, seals, strict=True)
        return [pixel.mark(pixels, key, seal.payload >> _SHIFT) for pixels, seal in pairs]

    def in_noise(pictures: list[Pixels]) -> str:
        pairs = zip(in_batches(bench, pictures), seals, strict=True)
        found = [latent.measure(noise, seal).log10_p < FOUND for noise, seal in pairs]
        return share(sum(found), len(found))

    def in_pixels(pictures: list[Pixels]) -> str:
        read = [pixel.read(pixels, [key]) for pixels in pictures]
        right = [
            one is not None and one.payload == seal.payload >> _SHIFT for one, seal in zip(read, seals, strict=True)
        ]
        return share(sum(right), len(right))

    layered, marked = both(sealed), both(plain)
    print("| change | in the noise: alone | with the other | in the pixels: alone | with the other |")
    print("| --- | --- | --- | --- | --- |")
    for name in CHANGES:
        one, two, three = ([_changed(name, pixels) for pixels in each] for each in (sealed, layered, marked))
        print(f"| {name} | {in_noise(one)} | {in_noise(two)} | {in_pixels(three)} | {in_pixels(two)} |", flush=True)


def _changed(name: str, pixels: Pixels) -> Pixels:
    return pixels if name == "clean" else perturbation(name).apply(pixels)


if __name__ == "__main__":
    main()
