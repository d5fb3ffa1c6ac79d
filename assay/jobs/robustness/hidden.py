"""Whether marks show to somebody without the key: in the noise, to a trained network; in pictures, by their quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import catalog
from assay.jobs.robustness.bench import UNMARKED, Bench, evaluation_key, folder_id
from assay.jobs.robustness.null import squares
from assay.jobs.robustness.results import Pairs, ToldApart
from assay.vocabulary import Pixels
from generation.training.captions import colour, colour_in
from generation.training.judge import frechet_resampled, lite2_features
from watermark.steganalysis import distinguish, looks, marked

ATTACKED = (
    ("sealed-seed", "fresh"),
    ("sealed-seed", "fixed"),
    ("gaussian-shading-fixed", "fixed"),
    ("gaussian-shading", "fixed"),
    ("tree-ring", "fixed"),
    ("prc", "fixed"),
)
"""Methods, and whether all images carry one payload; sealed seed is made with a fresh one each."""
JUDGED = 10_000
LOOKED_AT = 2_000
RESAMPLES = 200
_INTERVAL = (2.5, 97.5)


def told_apart(bench: Bench, method: str, payload: str, train: int) -> ToldApart:
    """Train a network to tell a method's noise from fresh noise.

    Args:
        bench: Whose latents' shape and seed are used.
        method: Of `catalog.LATENT_WATERMARKS`.
        payload: `fixed` or `fresh`.
        train: Marked latents to learn from.
    """
    seed = bench.setup.seed
    sampler = marked(
        catalog.latent_watermark(method),
        secret=evaluation_key(seed),
        shape=bench.shape,
        payload=seed if payload == "fixed" else None,
    )
    found = distinguish(sampler, train=train, held_out=JUDGED, seed=seed, device=bench.adapter.device)
    found_looks = looks(sampler(LOOKED_AT, np.random.default_rng([seed, 4])))
    return ToldApart(
        method=method,
        payload=payload,
        train=train,
        correct=round(found.accuracy * found.n),
        judged=found.n,
        textbook_p=min(1.0, len(found_looks) * min(look.p_value for look in found_looks)),
        looked_at=LOOKED_AT,
    )


def compared(bench: Bench, method: str, photographs: Path, count: int) -> Pairs:
    """Draw images with a mark and without, and compare their quality.

    Args:
        bench: Draws, and keeps what it drew.
        method: Of `catalog.LATENT_WATERMARKS`.
        photographs: A folder of what the model was trained to draw; all of them are compared with.
        count: Pairs.

    Raises:
        ConfigurationError: There are no photographs, or the judging network is not installed.
    """
    reference = _features(bench, f"photographs-{folder_id(photographs)}", squares(bench, photographs))
    resampled = [np.bincount(chosen, minlength=count) for chosen in _chosen(bench, count)]
    pictures = {name: bench.images(name, count) for name in (method, UNMARKED)}
    marked_far, plain_far = (
        np.array(frechet_resampled(_features(bench, name, drawn), reference, resampled))
        for name, drawn in pictures.items()
    )
    wanted = [(number, found) for number in range(count) if (found := colour_in(bench.prompt(number)))]
    marked_rates, plain_rates = (_agreement(bench, drawn, wanted) for drawn in pictures.values())
    return Pairs(
        method=method,
        count=count,
        photographs=len(reference),
        frechet=(round(float(marked_far[0]), 3), round(float(plain_far[0]), 3)),
        frechet_difference=_difference(marked_far - plain_far),
        named=len(wanted),
        agreement=(round(float(marked_rates[0]), 4), round(float(plain_rates[0]), 4)),
        agreement_difference=_difference(marked_rates - plain_rates),
    )


def _agreement(bench: Bench, pictures: Sequence[Pixels], wanted: Sequence[tuple[int, str]]) -> NDArray[np.float64]:
    """How often pictures have the colours wanted of them: of all, first, then as the bootstrap draws."""
    hits = np.array([colour(pictures[number]) == found for number, found in wanted])
    return np.array([hits[chosen].mean() for chosen in _chosen(bench, len(wanted))])


def _chosen(bench: Bench, count: int) -> Iterator[NDArray[np.int64]]:
    """Which pairs are taken: each once, then as the bootstrap draws."""
    yield np.arange(count)
    random = np.random.default_rng([bench.setup.seed, 5])
    for _ in range(RESAMPLES):
        yield random.integers(count, size=count)


def _difference(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """What was measured, first, and the interval of the resampled."""
    low, high = np.percentile(values[1:], _INTERVAL)
    return round(float(values[0]), 4), round(float(low), 4), round(float(high), 4)


def _features(bench: Bench, name: str, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
    parts = bench.strip(f"lite2-{name}", range(len(pictures)), lambda: list(lite2_features(np.stack(pictures))))
    return np.stack(parts)
