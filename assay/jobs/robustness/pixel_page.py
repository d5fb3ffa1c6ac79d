"""The page that shows what was measured of marks in the pixels, in Markdown and as curves."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from assay.jobs.robustness.curves import kinds
from assay.jobs.robustness.page import share
from assay.jobs.robustness.pixels import PixelResults, PixelRow, Quality, finite

_INTRODUCTION = """\
# How well marks in the pixels survive

Pictures marked with one key and a payload each, changed as each row says, and read without the original. `make docs`
renders this page from the results files beside it; `assay evaluate FOLDER --suite robustness` measures ours, and
`python -m tests.benchmarks.pixel_peers FOLDER` the others on the same pictures, with the same payloads. Brackets are
95 % intervals (Clopper and Pearson). Names are those of `assay/perturb.py`; noise of .0627 is 16 of 255. Peers are
given each picture brought back to the size of the original, which most of them have to know; ours is not. Rows of
`spread` and `spread.1` are of its first version, those of `spread.2` of the second.
"""


def render(found: Mapping[str, PixelResults]) -> str:
    """The page of several results files, each with the place of its curves."""
    return "\n".join([_INTRODUCTION, *(part for curves, results in found.items() for part in _set(results, curves))])


def _set(results: PixelResults, curves: str) -> list[str]:
    setup = results.setup
    title = f"## {setup.pictures[:1].upper()}{setup.pictures[1:]}: {setup.count} pictures\n"
    drawing = f"![share read by the strength of the change]({curves})\n"
    parts = [
        title,
        _qualities(results),
        *([drawing] if kinds(results) else []),
        _table("Whole payload read", results, lambda row: row.exact),
    ]
    if any(row.found != row.exact for row in results.rows):
        parts.append(
            _table("Found: so many bits right as coins have once in a million", results, lambda row: row.found)
        )
    return parts


def _methods(results: PixelResults) -> list[str]:
    return [quality.method for quality in results.qualities]


def _qualities(results: PixelResults) -> str:
    lines = [
        "| method | bits | PSNR: mean (least), dB | SSIM: mean (least) | LPIPS: mean (most) | mark, ms | read, ms |",
        "| --- | ---: | --- | --- | --- | ---: | ---: |",
    ]
    lines += [_quality(one, results.row(one.method, "clean")) for one in results.qualities]
    return "\n".join(lines) + "\n"


def _quality(one: Quality, clean: PixelRow | None) -> str:
    loud, far = finite(one.psnr) or [float("nan")], one.lpips
    cells = (
        one.method,
        one.bits,
        f"{statistics.mean(loud):.1f} ({min(loud):.1f})",
        f"{statistics.mean(one.ssim):.4f} ({min(one.ssim):.3f})",
        f"{statistics.mean(far):.3f} ({max(far):.3f})",
        f"{one.milliseconds:.0f}",
        "" if clean is None else f"{clean.milliseconds:.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _table(title: str, results: PixelResults, told: Callable[[PixelRow], Sequence[bool]]) -> str:
    methods = _methods(results)
    lines = [f"### {title}\n", f"| row | n | {' | '.join(methods)} |", "| --- | ---: |" + " --- |" * len(methods)]
    for name in dict.fromkeys(row.name for row in results.rows):
        rows = [results.row(method, name) for method in methods]
        counts = sorted({len(row.exact) for row in rows if row is not None})
        cells = ["" if row is None else share(sum(told(row)), len(told(row))) for row in rows]
        lines.append(f"| {name} | {', '.join(map(str, counts))} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
