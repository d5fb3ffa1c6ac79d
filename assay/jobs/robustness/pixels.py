"""How well marks in the pixels survive: pictures of a folder marked, changed and read, in a run that can be resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.stats import binom

from assay.errors import ConfigurationError
from assay.jobs.robustness.bench import evaluation_key
from assay.jobs.robustness.kept import load, save
from assay.jobs.robustness.pictures import opened, paths_in
from assay.jobs.robustness.quality import lpips, psnr, ssim
from assay.perturb import perturbation
from assay.vocabulary import PixelReading, Pixels, PixelWatermark

ROWS = (
    *("clean", "jpeg-75", "jpeg-50", "jpeg-30", "jpeg-20", "jpeg-10", "webp-50", "blur-1", "blur-2", "median-5"),
    *("noise-0.02", "noise-0.0627", "salt-0.05", "grey", "contrast-1.6", "brightness-1.5", "gamma-2", "hue-30"),
    *("rotate-2", "rotate-7", "rotate-45", "rotate-137", "turn-90", "flip-horizontal", "flip-vertical"),
    *("crop-75", "crop-50", "crop-50+jpeg-80", "crop-in-place-60", "drop-50", "overlay-10"),
    *("resize-0.5", "resize-0.25", "scale-0.5", "scale-2", "aspect-1.2", "perspective-3", "perspective-10"),
    *("screenshot", "rotate-7+crop-75+jpeg-75", "resize-0.5+jpeg-50", "wrong-key"),
)
"""What is measured by default. 0.0627 is 16 of 255."""
_FOUND = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelSetup:
    """What all rows of one file have in common."""

    pictures: str
    """What they are, in words."""
    digest: str
    """First 16 hexadecimal digits of the SHA-256 over the SHA-256 of all of them, as they were marked."""
    count: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelRow:
    """One method under one change, picture by picture."""

    method: str
    name: str
    found: tuple[bool, ...]
    """Whether so many bits of the payload were read as fair coins match once in a million; for a wrong key, any."""
    exact: tuple[bool, ...]
    """Whether all of them were."""
    milliseconds: float
    """Median time to read one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the mark of one method costs, picture by picture."""

    method: str
    bits: int
    psnr: tuple[float, ...]
    ssim: tuple[float, ...]
    lpips: tuple[float, ...]
    milliseconds: float
    """Median time to mark one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelResults:
    """A results file."""

    setup: PixelSetup
    qualities: tuple[Quality, ...] = ()
    rows: tuple[PixelRow, ...] = ()

    def row(self, method: str, name: str) -> PixelRow | None:
        """The row of that method and name, if it was measured."""
        return next((row for row in self.rows if (row.method, row.name) == (method, name)), None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Photographs:
    """The pictures that are marked, and the marks that were put in."""

    words: str
    pixels: tuple[Pixels, ...]
    seed: int

    @cached_property
    def setup(self) -> PixelSetup:
        """What they are."""
        digests = b"".join(sha256(pixels.tobytes()).digest() for pixels in self.pixels)
        return PixelSetup(
            pictures=self.words, digest=sha256(digests).hexdigest()[:16], count=len(self.pixels), seed=self.seed
        )

    def payload(self, watermark: PixelWatermark, number: int) -> int:
        """What a picture carries."""
        bits = watermark.bits((self.pixels[number].shape[0], self.pixels[number].shape[1]))
        random = np.random.default_rng([self.seed, number]).bytes(8)
        return int.from_bytes(random, "big") >> 64 - bits


def photographs(folder: Path, *, count: int, side: int | None, words: str | None, seed: int = 0) -> Photographs:
    """The first pictures of a folder and those below it.

    Args:
        folder: Of PNG, JPEG or WebP files.
        count: How many, at most.
        side: Cut to squares and brought to this side; None leaves them as they are.
        words: What they are; by default the name of the folder and their size.
        seed: Of payloads and of what is left to chance.

    Raises:
        ConfigurationError: There are none.
    """
    paths = paths_in(folder)[:count]
    if not paths:
        raise ConfigurationError(f"{folder}: no pictures", hint="Name a folder of PNG, JPEG or WebP files.")
    size = "native size" if side is None else f"{side} pixels a side"
    return Photographs(
        words=words or f"{folder.name}, {size}", pixels=tuple(opened(path, side) for path in paths), seed=seed
    )


def measure(
    pictures: Photographs, path: Path, methods: Mapping[str, PixelWatermark], names: Sequence[str] = ROWS
) -> Iterator[PixelRow]:
    """Measure what the results file lacks; what was yielded is in it.

    Raises:
        ConfigurationError: There is no such row, or the file is of other pictures.
    """
    for name in names:
        if name not in ("clean", "wrong-key"):
            perturbation(name)
    results = load(path, PixelResults(setup=pictures.setup))
    for method, watermark in methods.items():
        missing = [name for name in names if results.row(method, name) is None]
        if not missing:
            continue
        quality, marked = _marked(pictures, method, watermark)
        kept = tuple(one for one in results.qualities if one.method != method)
        results = replace(results, qualities=(*kept, quality))
        for name in missing:
            row = _row(pictures, method, watermark, marked, name)
            results = replace(results, rows=(*results.rows, row))
            save(path, results)
            yield row


def _marked(pictures: Photographs, method: str, watermark: PixelWatermark) -> tuple[Quality, list[Pixels]]:
    key, marked, seconds = evaluation_key(pictures.seed), [], []
    for number, pixels in enumerate(pictures.pixels):
        begun = time.perf_counter()
        marked.append(watermark.mark(pixels, key, pictures.payload(watermark, number)))
        seconds.append(time.perf_counter() - begun)
    pairs = list(zip(pictures.pixels, marked, strict=True))
    quality = Quality(
        method=method,
        bits=watermark.bits((pictures.pixels[0].shape[0], pictures.pixels[0].shape[1])),
        psnr=tuple(round(psnr(*pair), 2) for pair in pairs),
        ssim=tuple(round(ssim(*pair), 4) for pair in pairs),
        lpips=tuple(round(lpips(*pair), 4) for pair in pairs),
        milliseconds=round(1000 * float(np.median(seconds)), 1),
    )
    return quality, marked


def _row(
    pictures: Photographs, method: str, watermark: PixelWatermark, marked: Sequence[Pixels], name: str
) -> PixelRow:
    wrong = name == "wrong-key"
    key = evaluation_key(pictures.seed + wrong)
    right, seconds = [], []
    for number, pixels in enumerate(marked):
        changed = pixels if wrong or name == "clean" else perturbation(name).apply(pixels, seed=number)
        begun = time.perf_counter()
        read_out = watermark.read(changed, [key])
        seconds.append(time.perf_counter() - begun)
        right.append(_matching(read_out, pictures.payload(watermark, number), wrong=wrong))
    return PixelRow(
        method=method,
        name=name,
        found=tuple(share >= 0 for share in right),
        exact=tuple(share == 1 for share in right),
        milliseconds=round(1000 * float(np.median(seconds)), 1),
    )


def _matching(reading: PixelReading | None, payload: int, *, wrong: bool) -> float:
    """The share of bits that are right; -1 where they are no more than coins might be."""
    if reading is None:
        return -1
    if wrong:
        return 1 if reading.log10_p <= math.log10(_FOUND) else -1
    right = reading.bits - (reading.payload ^ payload).bit_count()
    return right / reading.bits if right >= least_matching(reading.bits) or reading.payload == payload else -1


def least_matching(bits: int) -> int:
    """Of how many matching bits on fair coins happen with a chance of 1e-6 at most; more than all where none do."""
    return next((least for least in range(bits + 1) if binom.sf(least - 1, bits, 0.5) <= _FOUND), bits + 1)


def finite(values: Sequence[float]) -> list[float]:
    """Without the infinities of pictures that a method left as they were."""
    return [value for value in values if math.isfinite(value)]
