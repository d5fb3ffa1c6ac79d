"""False finds of sealed seed: fresh keys tried on images that were made without them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.jobs.robustness.bench import UNMARKED, Bench, batches, folder_id, in_batches
from assay.jobs.robustness.pictures import opened, paths_in
from assay.jobs.robustness.results import LEVELS, Null
from assay.vocabulary import Latents, Pixels, Seal
from generation.invert import estimate
from watermark import blind
from watermark.estimate import level
from watermark.sealed_seed import template

EACH = 20
"""Images that one key is tried on: the noise behind two of them is nearly orthogonal, so the draws are nearly
independent, and most of the work, a key's noise, is done once for all of them."""
KEYS = 250
"""Keys of one part of the work."""
SAMPLED = 25
"""Keys of one part whose first p-value is tested for uniformity."""
SEARCHED_KEYS = 5
"""Keys of one part of the work where each is searched for at every turn, crop and scale of every image."""
_SAVED_SECONDS = 20.0
GENERATED, PHOTOGRAPHS = "generations without a mark", "photographs"
SEARCHED = "half of each, searched blind"


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
    return _estimated(bench, "null-generated", bench.images(UNMARKED, count))


def photographs(bench: Bench, folder: Path, count: int) -> NDArray[np.float32]:
    """The same for the first photographs of a folder.

    Raises:
        ConfigurationError: There are fewer.
    """
    return _estimated(bench, f"null-photographs-{folder_id(folder)}", squares(bench, folder, count))


def _estimated(bench: Bench, name: str, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
    estimates: list[Latents] = []
    for numbers in batches(len(pictures)):

        def make(numbers: Sequence[int] = numbers) -> list[Latents]:
            return estimate(bench.adapter, [pictures[number] for number in numbers])

        estimates += bench.strip(name, numbers, make)
    return _prepared(estimates)


def squares(bench: Bench, folder: Path, count: int | None = None) -> list[Pixels]:
    """The first photographs of a folder and those below it, or all, cut to squares of the model's size.

    Raises:
        ConfigurationError: There are fewer.
    """
    paths = paths_in(folder)
    if len(paths) < (count or 1):
        raise ConfigurationError(
            f"{folder}: {len(paths)} photographs, {count or 'some'} wanted",
            hint="Use a folder with more, or a smaller --null-images.",
        )
    return [opened(path, bench.size[0]) for path in paths[:count]]


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
    from scipy.special import log_ndtr  # noqa: PLC0415 - slow to import

    path = bench.folder / f"null-{images.partition(' ')[0]}-{len(prepared)}.json"
    ln10 = float(np.log(10))
    return _counted(path, draws, lambda part: log_ndtr(-_part(bench, images, prepared, part)) / ln10)


def searched(bench: Bench, pictures: Sequence[Pixels], draws: int) -> Iterator[Tally]:
    """The same through the whole blind search: every turn, crop, scale, shift and refinement, for every fresh key.

    Args:
        bench: Whose seed decides the keys.
        pictures: Without a mark of theirs.
        draws: Pairs of key and picture, at least.

    Yields:
        As `null`.
    """
    path = bench.folder / f"null-searched-{len(pictures)}.json"
    if path.exists() and _tally(path).draws >= draws:
        return
    surveys = [
        blind.survey(picture, bench.size, bench.shape[1:], lambda many: in_batches(bench, many), level)
        for picture in tqdm(pictures, "surveyed", mininterval=10)
    ]

    def part(number: int) -> NDArray[np.float64]:
        labels = (f"{bench.setup.seed} searched {number * SEARCHED_KEYS + key}" for key in range(SEARCHED_KEYS))
        templates = [template(fresh_seal(label), bench.shape) for label in labels]
        return np.array([[blind.search(one, wanted).log10_p for one in surveys] for wanted in templates])

    yield from _counted(path, draws, part)


def _counted(path: Path, draws: int, part: Callable[[int], NDArray[np.float64]]) -> Iterator[Tally]:
    """Add parts, each the log10 of p-values of shape (keys, images), until there are enough; kept at the path."""
    tally = _tally(path) if path.exists() else Tally()
    saved = time.monotonic()
    while tally.draws < draws:
        tally = _added(tally, part(tally.parts))
        if time.monotonic() - saved > _SAVED_SECONDS or tally.draws >= draws:
            state = {name: getattr(tally, name) for name in Tally.__slots__}
            write_whole(path, json.dumps(state).encode())
            saved = time.monotonic()
            yield tally


def _tally(path: Path) -> Tally:
    return Tally(**_tuples(json.loads(path.read_text())))


def as_result(tally: Tally, images: str, count: int) -> Null:
    """What the results file keeps."""
    from scipy.stats import kstest  # noqa: PLC0415 - slow to import

    exact = images != SEARCHED
    return Null(
        images=images,
        count=count,
        draws=tally.draws,
        each=min(EACH, count) if exact else count,
        exceeding=tally.exceeding,
        uniform_p=round(float(kstest(tally.sample, "uniform").pvalue), 4) if exact else None,
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


def _added(tally: Tally, log10_p: NDArray[np.float64]) -> Tally:
    counts = [int((log10_p <= np.log10(level)).sum()) for level in LEVELS]
    return Tally(
        parts=tally.parts + 1,
        draws=tally.draws + log10_p.size,
        exceeding=tuple(before + count for before, count in zip(tally.exceeding, counts, strict=True)),
        sample=(*tally.sample, *(round(float(p), 6) for p in 10 ** log10_p[:SAMPLED, 0])),
    )


def _tuples(state: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else cast("int", value) for name, value in state.items()}
