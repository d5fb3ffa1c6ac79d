"""What is said of a marked picture's content: `python -m tests.benchmarks.comparison FOLDER --out FILE [--count 200]`.

Photographs of FOLDER in threes: honest edits of the first one, marked; and its mark copied onto the second one, whole,
cropped, covered by the third one and in a screenshot. Each picture is a line of FILE as soon as it was read, so that a
run goes on where it was stopped; `--table` prints what FILE holds.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path

import numpy as np

from assay.fingerprint import thumbnail
from assay.jobs.pixel_marks import compared
from assay.jobs.robustness.pictures import opened, paths_in
from assay.perturb import perturbation
from assay.stats import clopper_pearson
from assay.vocabulary import PixelReading, Pixels
from tests.assay.ledger.entries import entry_for
from watermark.comparison import Shows
from watermark.spread import Spread

SIDE, KEY = 512, bytes(range(32))
EDITED = 90
"""Pictures that are edited in every honest way."""
UNREAD = "not read"
Change = Callable[[Pixels, Pixels, np.random.Generator], Pixels]
"""Of a marked picture; the other one is foreign and of the same size."""
Key = tuple[int, str, str]
"""What a line of FILE is about: number of the marked picture, kind, and name of the change."""


def _cropped(share: float) -> Change:
    def change(pixels: Pixels, _: Pixels, random: np.random.Generator) -> Pixels:
        side = round(SIDE * share**0.5)
        top, left = random.integers(0, SIDE - side + 1, 2)
        return pixels[top : top + side, left : left + side]

    return change


def half_covered(pixels: Pixels, other: Pixels, random: np.random.Generator) -> Pixels:
    """One half, whichever, by that of another picture."""
    covered, down, across = pixels.copy(), pixels.shape[0] // 2, pixels.shape[1] // 2
    at = [np.s_[:down, :], np.s_[down:, :], np.s_[:, :across], np.s_[:, across:]][random.integers(4)]
    covered[at] = other[at]
    return covered


def _in_a_screenshot(pixels: Pixels, _: Pixels, random: np.random.Generator) -> Pixels:
    """Black bars above and below, a status bar of text in white, as JPEG."""
    screen = np.zeros((1110, SIDE, 3), np.uint8)
    screen[8:20, 20:480] = random.integers(0, 2, (12, 460, 1)) * np.uint8(255)
    screen[300 : 300 + SIDE] = pixels
    return perturbation("jpeg-80").apply(screen)


def _perturbed(name: str) -> Change:
    return lambda pixels, _, random: perturbation(name).apply(pixels, seed=int(random.integers(2**31)))


HONEST: Mapping[str, Change] = {
    "half covered": half_covered,
    "in a screenshot": _in_a_screenshot,
    "cropped to 30 %": _cropped(0.3),
    "cropped to 10 %": _cropped(0.1),
    "cropped to 5 %": _cropped(0.05),
    **{
        name: _perturbed(name)
        for name in (
            "jpeg-30",
            "rotate-20+crop-80",
            "perspective-10",
            "aspect-1.2",
            "noise-0.1",
            "blur-2",
            "screenshot",
        )
    },
}
COPIED: Mapping[str, Change] = {
    "whole": lambda pixels, _, __: pixels,
    **{name: HONEST[name] for name in tuple(HONEST)[:5]},
}


def main() -> None:
    """Measure what FILE lacks, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="pairs of a marked and a foreign picture")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    options = parser.parse_args()
    if not options.table:
        append(options.out, _measured(options.folder, options.count, told(options.out).keys()))
    print(table(told(options.out), {"honest": HONEST, "copied": COPIED}))


def append(path: Path, measured: Iterable[tuple[int, str, str, str]]) -> None:
    """Write each line as soon as it was measured."""
    with path.open("a") as lines:
        for line in measured:
            print(json.dumps(line), file=lines, flush=True)


def told(path: Path) -> dict[Key, str]:
    """What a file that `append` wrote holds; empty where there is none."""
    lines = path.read_text().splitlines() if path.exists() else ()
    return {(number, kind, name): answer for number, kind, name, answer in map(json.loads, lines)}


def _measured(folder: Path, count: int, done: Set[Key]) -> Iterator[tuple[int, str, str, str]]:
    paths = paths_in(folder)
    for number in range(count):
        chosen = [("copied", name, change) for name, change in COPIED.items()]
        chosen += [("honest", name, change) for name, change in HONEST.items() if number < EDITED]
        chosen = [each for each in chosen if (number, *each[:2]) not in done]
        if not chosen:
            continue
        own, foreign, third = (opened(paths[(number + count * by) % len(paths)], SIDE) for by in range(3))
        pictures = {"honest": (_marked(own, number), foreign), "copied": (_marked(foreign, number), third)}
        for kind, name, change in chosen:
            random = np.random.default_rng([number, len(name)])
            pixels = np.ascontiguousarray(change(*pictures[kind], random))
            found = Spread().read(pixels, [KEY])
            yield number, kind, name, said(found if found and found.payload == number else None, own, pixels)


def _marked(pixels: Pixels, number: int) -> Pixels:
    return Spread().mark(pixels, KEY, number)


def said(found: PixelReading | None, original: Pixels, pixels: Pixels) -> str:
    """What a received picture, read like this, is said to show of the original that its mark names."""
    if found is None:
        return UNREAD
    height, width = original.shape[:2]
    entry = entry_for(b"", width=width, height=height, thumbnail=thumbnail(original))
    return compared(found, entry, pixels).shows.value


def table(told: Mapping[Key, str], kinds: Mapping[str, Iterable[str]]) -> str:
    """Shares that were read, and of those what each was said to show, with exact 95 % intervals, in Markdown.

    Changes of which nothing was measured have no row.

    Args:
        told: As `told` returns it.
        kinds: The changes of each kind, in their order.
    """
    columns = ("", "change", "pictures", "read", *Shows)
    lines = [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]
    for kind, changes in kinds.items():
        counts = {name: Counter(answer for key, answer in told.items() if key[1:] == (kind, name)) for name in changes}
        for name, count in {**counts, "all": sum(counts.values(), Counter())}.items():
            if not count:
                continue
            read = count.total() - count[UNREAD]
            shares = (_share(read, count.total()), *(_share(count[shows], read) for shows in Shows))
            lines.append(f"| {kind} | {name} | {count.total():,} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _share(found: int, count: int) -> str:
    if not count:
        return ""
    low, high = clopper_pearson(found, count)
    return f"{found / count:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
