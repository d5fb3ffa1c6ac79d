"""False finds of sealed seed: fresh keys tried on images that were made without them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.jobs.generate import estimate
from assay.jobs.robustness import UNMARKED, Bench, batches
from assay.jobs.robustness_results import LEVELS, Null
from assay.vocabulary import Latents, Pixels, Seal
from watermark.estimate import level
from watermark.sealed_seed import template

EACH = 20
"""Images that one key is tried on: the noise behind two of them is nearly orthogonal, so the draws are nearly
independent, and most of the work, a key's noise, is done once for all of them."""
KEYS = 250
"""Keys of one part of the work."""
SAMPLED = 25
"""Keys of one part whose first p-value is tested for uniformity."""
_SAVED_EVERY = 20
GENERATED, PHOTOGRAPHS = "generations without a mark", "photographs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was counted so far."""

    parts: int = 0
    draws: int = 0
    exceeding: tuple[int, ...] = (0,) * len(LEVELS)
    sample: tuple[float, ...] = ()
    """p-values of independent draws."""


def generated(bench: Bench, count: int) -> NDArray[np.float32]:
    """Prepared estimates of the noise behind unmarked generations, of length 1: shape (count, values)."""
    estimates: list[Latents] = []
    for numbers in batches(count):

        def make(numbers: Sequence[int] = numbers) -> list[Latents]:
            prompts = [bench.prompt(number) for number in numbers]
            return estimate(bench.adapter, bench.draw(prompts, [bench.noise(UNMARKED, number) for number in numbers]))

        estimates += bench.strip("null-generated", numbers, make)
    return _prepared(estimates)


def photographs(bench: Bench, folder: Path, count: int) -> NDArray[np.float32]:
    """The same for the first photographs of a folder, cut to squares of the model's size.

    Raises:
        ConfigurationError: There are fewer.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")]
    if len(paths) < count:
        raise ConfigurationError(f"{folder}: {len(paths)} photographs, {count} wanted", hint="Use --null-images.")
    name = f"null-photographs-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"
    estimates: list[Latents] = []
    for numbers in batches(count):

        def make(numbers: Sequence[int] = numbers) -> list[Latents]:
            return estimate(bench.adapter, [_square(paths[number], bench.size) for number in numbers])

        estimates += bench.strip(name, numbers, make)
    return _prepared(estimates)


def _square(path: Path, size: tuple[int, int]) -> Pixels:
    with Image.open(path) as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        square: Pixels = np.asarray(image.convert("RGB").resize(size[::-1], Image.Resampling.LANCZOS, box=box))
    return square


def _prepared(estimates: Sequence[Latents]) -> NDArray[np.float32]:
    values = np.stack([level(noise).ravel() for noise in estimates])
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values.astype(np.float32)


def null(bench: Bench, images: str, prepared: NDArray[np.float32], draws: int) -> Iterator[Tally]:
    """Try fresh keys until there are that many draws; resumes from what the bench's folder has.

    Part i takes `KEYS` new keys and the `EACH` images that follow those of part i - 1, in a circle.

    Args:
        bench: Whose seed decides the keys.
        images: What they are, in words.
        prepared: From `generated` or `photographs`.
        draws: Pairs of key and image, at least.

    Yields:
        What was counted so far, now and then, and in the end.
    """
    path = bench.folder / f"null-{images.partition(' ')[0]}-{len(prepared)}.json"
    tally = Tally(**_tuples(json.loads(path.read_text()))) if path.exists() else Tally()
    while tally.draws < draws:
        tally = _added(tally, _part(bench, images, prepared, tally.parts))
        if tally.parts % _SAVED_EVERY == 0 or tally.draws >= draws:
            state = {name: getattr(tally, name) for name in Tally.__slots__}
            write_whole(path, json.dumps(state).encode())
            yield tally


def as_result(tally: Tally, images: str, count: int) -> Null:
    """What the results file keeps."""
    from scipy.stats import kstest  # noqa: PLC0415 - slow to import

    each = min(EACH, count)
    uniform = float(kstest(tally.sample, "uniform").pvalue)
    return Null(
        images=images, count=count, draws=tally.draws, each=each, exceeding=tally.exceeding, uniform_p=round(uniform, 4)
    )


def _part(bench: Bench, images: str, prepared: NDArray[np.float32], part: int) -> NDArray[np.float64]:
    """Statistics of shape (KEYS, EACH)."""
    shape = bench.shape
    seals = (fresh_seal(f"{bench.setup.seed} {images} {part * KEYS + key}") for key in range(KEYS))
    templates = np.stack([template(seal, shape).ravel() for seal in seals])
    each = min(EACH, len(prepared))
    group = prepared[np.arange(part * each, (part + 1) * each) % len(prepared)]
    return (templates @ group.T).astype(np.float64)


def fresh_seal(label: str) -> Seal:
    """A key, nonce and payload that nothing was marked with."""
    stream = hashlib.shake_256(f"assay null {label}".encode()).digest(52)
    return Seal(secret=stream[:32], nonce=stream[32:44], payload=int.from_bytes(stream[44:], "big"))


def _added(tally: Tally, statistics: NDArray[np.float64]) -> Tally:
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - with the rest of SciPy

    counts = [int((statistics >= -ndtri(level)).sum()) for level in LEVELS]
    return Tally(
        parts=tally.parts + 1,
        draws=tally.draws + statistics.size,
        exceeding=tuple(before + count for before, count in zip(tally.exceeding, counts, strict=True)),
        sample=(*tally.sample, *(round(float(p), 6) for p in ndtr(-statistics[:SAMPLED, 0]))),
    )


def _tuples(state: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else cast("int", value) for name, value in state.items()}
