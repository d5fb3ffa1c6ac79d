"""`make bench`: what marking, drawing, reading and scanning cost, beside what they cannot be faster than.

    python -m tests.benchmarks.marks [--rows N] [--device cpu|cuda]

Drawing has the bare diffusers pipeline as its peer, in alternating rounds; scanning the time that it takes to read the
table once. The model is the one that comes with Assay.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from assay.device import available
from assay.vocabulary import Pixels, Seal
from generation import pocket
from generation.adapters import Adapter
from generation.invert import STEPS, estimate
from generation.loading import open_model
from generation.models import spec_named
from generation.pictures import to_pixels
from watermark.sealed_seed import SealedSeed, template
from watermark.sign_table import build, identify

DRAWN_STEPS, GUIDANCE = 20, 3.0
BATCHES = (1, 16)
ROUNDS = 5
PROMPT = "a close-up of a pink tulip"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the sign table")
    parser.add_argument("--device", default=available()[0])
    options = parser.parse_args()
    adapter = open_model(spec_named("pocket"), device=options.device)
    shape = adapter.latent_shape(adapter.spec.size, adapter.spec.size)
    print(f"on {options.device}, {torch.get_num_threads()} threads; medians of {ROUNDS} rounds")
    marking = _median(lambda: template(_seal(), shape))
    pictures: list[Pixels] = []
    for batch in BATCHES:
        seconds, pictures = _draw(adapter, batch, options.device)
        print(f"marking, share of drawing in batches of {batch:<2}  {marking * batch / seconds:.3%}")
    for batch in BATCHES:
        _read(adapter, pictures[:batch])
    with tempfile.TemporaryDirectory() as folder:
        _scan(Path(folder), shape, options.rows)


def _draw(adapter: Adapter, batch: int, device: str) -> tuple[float, list[Pixels]]:
    """Seconds for one batch, and its pictures."""
    bare = pocket.load(device=device)
    shape = adapter.latent_shape(adapter.spec.size, adapter.spec.size)
    prompts = [PROMPT] * batch

    def plainly() -> object:
        return bare(prompts, num_inference_steps=DRAWN_STEPS, guidance_scale=GUIDANCE, output_type="np").images

    def ours() -> list[Pixels]:
        noise = torch.from_numpy(np.stack([template(_seal(), shape) for _ in prompts]))
        return to_pixels(adapter.draw(prompts, noise, steps=DRAWN_STEPS, guidance=GUIDANCE))

    plainly()
    pictures = ours()
    pairs = [(_seconds(ours), _seconds(plainly)) for _ in range(ROUNDS)]
    seconds = statistics.median(own for own, _ in pairs)
    ratios = sorted(own / other for own, other in pairs)
    print(
        f"drawing, batches of {batch:<2}       {batch / seconds:8.1f} images/s   {statistics.median(ratios):.2f} x the "
        f"bare pipeline's time (rounds {ratios[0]:.2f} to {ratios[-1]:.2f}); {DRAWN_STEPS} steps, guidance {GUIDANCE:g}"
    )
    return seconds, pictures


def _read(adapter: Adapter, pictures: Sequence[Pixels]) -> None:
    mark, seal = SealedSeed(), _seal()
    seconds = _median(lambda: [mark.measure(noise, seal) for noise in estimate(adapter, pictures)])
    print(f"reading, batches of {len(pictures):<2}       {len(pictures) / seconds:8.1f} images/s   {STEPS} steps")


def _scan(folder: Path, shape: tuple[int, int, int], rows: int) -> None:
    secret = secrets.token_bytes(32)
    path, nonce = folder / "signs.table", secrets.token_bytes(4)

    def seal_of(payload: int) -> Seal:
        return Seal(secret=secret, nonce=nonce + payload.to_bytes(8, "big"), payload=payload)

    def seals() -> Iterator[Seal]:
        return map(seal_of, range(rows))

    begin = time.perf_counter()
    table = build(path, shape, seals(), bytes(32))
    print(
        f"sign table, {rows:,} rows  {time.perf_counter() - begin:8.1f} s to build, {path.stat().st_size / 1e6:.0f} MB"
    )
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)
    noise += template(seal_of(rows // 2), shape)
    prepared = SealedSeed().prepare(noise)
    touch = _median(lambda: np.fromfile(path, np.uint64).sum())
    scan = _median(lambda: table.scan(prepared))
    found = identify(table, noise, seal_of)
    if found is None or found.seal.payload != rows // 2:
        raise RuntimeError("the row that was hidden was not found")
    whole = _median(lambda: identify(table, noise, seal_of))
    print(f"scanning it              {scan:8.2f} s, {scan / touch:.2f} x reading it once")
    print(f"with full statistics     {whole:8.2f} s")


def _seal() -> Seal:
    return Seal(secret=secrets.token_bytes(32), nonce=secrets.token_bytes(12), payload=secrets.randbits(64))


def _median(call: Callable[[], object]) -> float:
    call()
    return statistics.median(_seconds(call) for _ in range(ROUNDS))


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
