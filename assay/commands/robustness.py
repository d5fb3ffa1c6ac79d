"""`assay evaluate --suite robustness`: measure again what the documentation claims of watermarks."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError
from assay.options import ArgumentGroup, positive

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from assay.jobs.robustness.bench import Bench
    from assay.jobs.robustness.null import Tally


def add_options(group: ArgumentGroup) -> None:
    """What can be said of this suite."""
    group.add_argument(
        "--side", type=positive, metavar="N", help="with a FOLDER: cut its pictures to squares of N pixels"
    )
    group.add_argument("--words", metavar="TEXT", help="of a FOLDER: what its pictures are")
    group.add_argument("--out", type=Path, metavar="FILE", help="the results file; rows that it has are not made again")
    group.add_argument("--work", type=Path, metavar="FOLDER", help="where drawn images are kept")
    group.add_argument("--count", type=positive, default=200, metavar="N", help="images a row (default 200)")
    group.add_argument("--methods", type=_names, metavar="NAME,…", help="default: sealed-seed and the baselines")
    group.add_argument("--rows", type=_names, metavar="NAME,…", help="default: all; - for none")
    group.add_argument("--steps", type=positive, default=20, metavar="N", help="to draw with (default 20)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of prompts, marks and noise (default 0)")
    group.add_argument("--model", default="pocket", metavar="NAME", help="default pocket, which comes with Assay")
    group.add_argument("--null", type=positive, metavar="DRAWS", help="also try fresh keys, this many times")
    group.add_argument("--null-images", type=positive, default=200, metavar="N", help="on so many (default 200)")
    group.add_argument("--null-search", type=positive, metavar="DRAWS", help="and through the blind search")
    group.add_argument("--photographs", type=Path, metavar="FOLDER", help="and on so many photographs")
    group.add_argument("--latents", type=positive, metavar="N", help="also train a network to see marks in so many")
    group.add_argument("--pairs", type=positive, metavar="N", help="also compare images with and without a mark")


def run(options: Namespace) -> int:
    """Measure, and say what was measured."""
    return _on_noise(options) if options.folder is None else _on_pixels(options)


def _on_pixels(options: Namespace) -> int:
    from tqdm import tqdm

    from assay import catalog
    from assay.jobs.robustness import pixels
    from assay.jobs.robustness.page import share

    if options.out is None:
        raise ConfigurationError("this suite keeps what it finds", hint="Name --out FILE.")
    chosen = options.methods or tuple(catalog.PIXEL_WATERMARKS)
    for name in chosen:
        if name not in catalog.PIXEL_WATERMARKS:
            raise ConfigurationError(f"{name}: no such watermark", hint=f"Use {', '.join(catalog.PIXEL_WATERMARKS)}.")
    methods = {name: catalog.pixel_watermark(name) for name in chosen}
    names = pixels.ROWS if options.rows is None else options.rows
    pictures = pixels.photographs(
        options.folder, count=options.count, side=options.side, words=options.words, seed=options.seed
    )
    for row in tqdm(pixels.measure(pictures, options.out, methods, names), "measured", unit="row", leave=False):
        tqdm.write(
            f"{row.name:28} {row.method:12} exact {share(sum(row.exact), len(row.exact))}  {row.milliseconds} ms"
        )
    return 0


def _on_noise(options: Namespace) -> int:
    from assay.device import available
    from assay.jobs.robustness.bench import bench_for, setup_for
    from assay.jobs.robustness.page import share
    from assay.jobs.robustness.results import FOUND
    from assay.jobs.robustness.rows import METHODS, ROWS, measure
    from generation.loading import open_model
    from generation.models import spec_named

    if options.out is None or options.work is None:
        raise ConfigurationError("this suite keeps what it draws and finds", hint="Name --out FILE and --work FOLDER.")
    devices = available()
    if not devices:
        raise ConfigurationError("evaluating needs models", hint="Install the extra: pip install 'assay[models]'.")
    adapter = open_model(spec_named(options.model), device=options.device or devices[0])
    setup = setup_for(adapter, count=options.count, steps=options.steps, seed=options.seed)
    bench = bench_for(adapter, setup, options.work)
    names = ROWS if options.rows is None else tuple(name for name in options.rows if name != "-")
    for row, _ in measure(bench, options.out, options.methods or METHODS, names):
        found = share(sum(value < FOUND for value in row.log10_p), len(row.log10_p))
        exact = "" if row.payload is None else f"  payload {share(sum(row.payload), len(row.payload))}"
        print(f"{row.name:28} {row.method:18} found {found}{exact}", flush=True)
    if options.null is not None:
        _try_fresh_keys(bench, options)
    if options.null_search is not None:
        _search_for_fresh_keys(bench, options)
    if options.latents is not None:
        _tell_apart(bench, options)
    if options.pairs is not None:
        _compare(bench, options)
    return 0


def _try_fresh_keys(bench: Bench, options: Namespace) -> None:
    from assay.jobs.robustness.null import GENERATED, PHOTOGRAPHS, generated, null, photographs

    count = options.null_images
    sources: dict[str, Callable[[], NDArray[np.float32]]] = {GENERATED: lambda: generated(bench, count)}
    if options.photographs is not None:
        sources[PHOTOGRAPHS] = lambda: photographs(bench, options.photographs, count)
    for images, make in sources.items():
        for tally in null(bench, images, make(), options.null):
            _keep(bench, options.out, tally, images, count)


def _search_for_fresh_keys(bench: Bench, options: Namespace) -> None:
    from assay.jobs.robustness.bench import UNMARKED
    from assay.jobs.robustness.null import SEARCHED, searched, squares

    half = options.null_images // 2
    pictures = bench.images(UNMARKED, half) + squares(bench, _photographs(options), half)
    for tally in searched(bench, pictures, options.null_search):
        _keep(bench, options.out, tally, SEARCHED, 2 * half)


def _keep(bench: Bench, path: Path, tally: Tally, images: str, count: int) -> None:
    from assay.jobs.robustness.kept import load, save
    from assay.jobs.robustness.null import as_result
    from assay.jobs.robustness.results import Results

    result = as_result(tally, images, count)
    results = load(path, Results(setup=bench.setup))
    save(path, replace(results, nulls=(*(each for each in results.nulls if each.images != images), result)))
    print(f"{images}: {result.draws:,} draws, {result.exceeding} found", flush=True)


def _tell_apart(bench: Bench, options: Namespace) -> None:
    from assay.jobs.robustness.hidden import ATTACKED, told_apart
    from assay.jobs.robustness.kept import load, save
    from assay.jobs.robustness.page import share
    from assay.jobs.robustness.results import Results

    for method, payload in ATTACKED:
        results = load(options.out, Results(setup=bench.setup))
        if any(
            (one.method, one.payload, one.train) == (method, payload, options.latents) for one in results.told_apart
        ):
            continue
        found = told_apart(bench, method, payload, options.latents)
        save(options.out, replace(results, told_apart=(*results.told_apart, found)))
        print(f"{method}, {payload} payload: told apart {share(found.correct, found.judged)}", flush=True)


def _compare(bench: Bench, options: Namespace) -> None:
    from assay.jobs.robustness.hidden import compared
    from assay.jobs.robustness.kept import load, save
    from assay.jobs.robustness.results import Results

    for method in options.methods or ("sealed-seed",):
        found = compared(bench, method, _photographs(options), options.pairs)
        results = load(options.out, Results(setup=bench.setup))
        save(options.out, replace(results, pairs=(*(one for one in results.pairs if one.method != method), found)))
        far, agrees = found.frechet_difference, found.agreement_difference
        print(f"{method}: Fréchet distance differs by {far}, agreement by {agrees}", flush=True)


def _photographs(options: Namespace) -> Path:
    if options.photographs is None:
        raise ConfigurationError("this needs photographs, too", hint="Name a folder: --photographs FOLDER")
    folder: Path = options.photographs
    return folder


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)
