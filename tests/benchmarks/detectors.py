"""How fast detectors look: `python -m tests.benchmarks.detectors [FOLDER]`, the third part of `make bench`.

Pictures of a folder, or of the photographs that scikit-learn brings, are looked at by one process a core, decoding
included, as `assay evaluate` does: one square a picture (triage), eight (full), and the pass that encodes a picture
again in six ways and looks at two squares of each. Beside them, the share of the time that the experts did not take.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from assay.jobs.detect import PANEL, WEIGHTS, open_experts
from assay.vocabulary import Detector
from detection import panel
from detection.crops import crops
from detection.measuring import measure
from detection.panel import FULL, TRIAGE
from detection.pictures import limited, opened

ROUNDS, PICTURES = 3, 48
_EXPERTS: list[Detector] = []
"""Of a worker process."""


def _prepare() -> None:
    torch.set_num_threads(1)
    _EXPERTS[:] = open_experts(WEIGHTS, "cpu")


def _look(data: bytes, count: int) -> float:
    """Seconds that the experts took of it."""
    pixels = opened(data)
    if pixels is None:
        return 0.0
    picture = limited(pixels)
    squares = [crops(picture, expert.side, count) for expert in _EXPERTS]
    started = time.perf_counter()
    for expert, own in zip(_EXPERTS, squares, strict=True):
        expert.logits(own)
    return time.perf_counter() - started


def _stable(data: bytes, _: int) -> float:
    pixels = opened(data)
    if pixels is None:
        return 0.0
    for again in panel.re_encoded(pixels):
        measure(again, _EXPERTS, panel.QUICK)
    return 0.0


def pictures(folder: Path | None) -> list[bytes]:
    """JPEG files of about a megapixel."""
    if folder is not None:
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()][:PICTURES]
    found = []
    for number in range(PICTURES):
        pixels = load_sample_images().images[number % 2]
        stream = io.BytesIO()
        Image.fromarray(np.roll(pixels, 7 * number, axis=1)).resize((1280, 854)).save(stream, "JPEG", quality=90)
        found.append(stream.getvalue())
    return found


def _rate(pool: ProcessPoolExecutor, work: Callable[[bytes, int], float], data: Sequence[bytes], count: int) -> str:
    rates, shares = [], []
    workers = os.cpu_count() or 1
    for _ in range(ROUNDS):
        started = time.perf_counter()
        inside = sum(pool.map(work, data, [count] * len(data)))
        wall = time.perf_counter() - started
        rates.append(len(data) / wall)
        shares.append(1 - inside / (wall * workers))
    rest = f"{statistics.median(shares):.0%}" if work is _look else "-"
    return f"{statistics.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f}) | {rest}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="pictures; default: two photographs, again and again")
    data = pictures(parser.parse_args().folder)
    panel.load(WEIGHTS / PANEL)
    workers = os.cpu_count() or 1
    print(f"{len(data)} pictures, {workers} processes, medians of {ROUNDS} rounds\n")
    print("| | images/s (lowest to highest) | not the experts |\n| --- | --- | --- |")
    with ProcessPoolExecutor(workers, get_context("spawn"), _prepare) as pool:
        list(pool.map(_look, data[: 2 * workers], [1] * 2 * workers))  # warm
        print(f"| triage, {TRIAGE} square | {_rate(pool, _look, data, TRIAGE)} |")
        print(f"| full, {FULL} squares | {_rate(pool, _look, data, FULL)} |")
        print(f"| re-encoding six times, {panel.QUICK} squares each | {_rate(pool, _stable, data, FULL)} |")


if __name__ == "__main__":
    main()
