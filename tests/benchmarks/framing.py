"""Reading where the picture is not the frame: `python -m tests.benchmarks.framing FOLDER --out FILE [--count 100]`.

Photographs of FOLDER, marked at 512 pixels and then at their own size: in screenshots, collages and borders, cropped,
stretched, inverted, covered. The whole search reads them, and what is read is compared as `verify` does. Each marked
picture is a line of FILE as soon as it was read, so that a run goes on where it was stopped; `--table` prints what FILE
holds. Parts of one collage are counted each for itself, though they are read together.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from assay.jobs.robustness.pictures import opened, paths_in
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from tests.benchmarks.comparison import KEY, SIDE, Change, Key, append, half_covered, said, table, told
from watermark.spread import Spread

SIDES: Mapping[str, int | None] = {"512 px": SIDE, "native": None}
PHONE, DESKTOP = (1080, 2340), (1920, 1080)
"""Width and height of the screens, in pixels."""
COLLAGE, QUARTERS = "collage of four pictures", "four quarters"
_PARTS = 4
_LINE = "The quick brown fox jumps over the lazy dog. " * 6
_opened = lru_cache(maxsize=8)(opened)


class _Framed(NamedTuple):
    """A picture that is read, once it is made."""

    name: str
    parts: Mapping[int, Path]
    """The original behind each payload that is in it."""
    made: Callable[[], Pixels]


def _on_a_phone(pixels: Pixels, _: Pixels, __: np.random.Generator) -> Pixels:
    """As wide as the screen or as high as its bars leave room, between black bars, under a clock."""
    shown = ImageOps.contain(Image.fromarray(pixels), (PHONE[0], PHONE[1] - 140), Image.Resampling.LANCZOS)
    screen = Image.new("RGB", PHONE)
    ImageDraw.Draw(screen).text((40, 20), "09:41", fill="white", font_size=32)
    screen.paste(shown, ((PHONE[0] - shown.width) // 2, (PHONE[1] - shown.height) // 2))
    return np.array(screen)


def _on_a_desktop(scale: float) -> Change:
    def change(pixels: Pixels, _: Pixels, __: np.random.Generator) -> Pixels:
        """Over a page of text; what does not fit on the screen is cut off."""
        screen = Image.new("RGB", DESKTOP, (245, 245, 245))
        text = ImageDraw.Draw(screen)
        for top in range(20, DESKTOP[1], 22):
            text.text((20, top), _LINE, fill=(60, 60, 60))
        screen.paste(_scaled(pixels, scale, scale), (420, 120))
        return np.array(screen)

    return change


def _scaled(pixels: Pixels, across: float, down: float) -> Image.Image:
    size = round(pixels.shape[1] * across), round(pixels.shape[0] * down)
    return Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)


def _cropped(share: float, *, corner: bool) -> Change:
    def change(pixels: Pixels, _: Pixels, __: np.random.Generator) -> Pixels:
        """To a share of its area; a few pixels off the corner, so that no tile begins there."""
        height, width = (round(length * share**0.5) for length in pixels.shape[:2])
        top, left = (3, 5) if corner else ((pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2)
        return pixels[top : top + height, left : left + width]

    return change


def _stretched(across: float) -> Change:
    return lambda pixels, _, __: np.array(_scaled(pixels, across, 1))


def _in_a_meme(pixels: Pixels, _: Pixels, __: np.random.Generator) -> Pixels:
    """In a white border with words above, as JPEG."""
    meme = ImageOps.expand(Image.fromarray(pixels), (20, 160, 20, 40), "white")
    ImageDraw.Draw(meme).text((30, 50), "WHEN THE MARK SURVIVES", fill="black", font_size=40)
    return perturbation("jpeg-80").apply(np.array(meme))


FRAMINGS: Mapping[str, Change] = {
    "phone screenshot, PNG": _on_a_phone,
    "phone screenshot, JPEG 80": lambda *given: perturbation("jpeg-80").apply(_on_a_phone(*given)),
    "desktop screenshot at 1.0": _on_a_desktop(1.0),
    "desktop screenshot at .5": _on_a_desktop(0.5),
    **{
        f"crop to {percent} %, {'corner' if corner else 'centre'}": _cropped(percent / 100, corner=corner)
        for percent in (30, 10, 5)
        for corner in (False, True)
    },
    **{f"stretch {across:g}": _stretched(across) for across in (0.6, 0.75, 1.33, 1.7)},
    "inverted": lambda pixels, _, __: 255 - pixels,
    "half covered": half_covered,
    "meme border": _in_a_meme,
}
"""What holds one marked picture."""


def main() -> None:
    """Measure what FILE lacks, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100, help="photographs at 512 pixels")
    parser.add_argument("--native", type=int, default=40, help="photographs at their own size")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    options = parser.parse_args()
    if not options.table:
        counts = dict(zip(SIDES, (options.count, options.native), strict=True))
        append(options.out, _measured(paths_in(options.folder), counts, told(options.out).keys()))
    names = (*FRAMINGS, COLLAGE, QUARTERS)
    print(table(told(options.out), dict.fromkeys(SIDES, names)))


def _measured(paths: Sequence[Path], counts: Mapping[str, int], done: Set[Key]) -> Iterator[tuple[int, str, str, str]]:
    for size, count in counts.items():
        for number in range(min(count, len(paths))):
            for name, parts, made in _framed(paths, number, SIDES[size]):
                left = [part for part in parts if (part, size, name) not in done]
                if not left:
                    continue
                pixels = np.ascontiguousarray(made())
                found = {one.payload: one for one in Spread().search(pixels, [KEY]).readings}
                for part in left:
                    yield part, size, name, said(found.get(part), _opened(parts[part], SIDES[size]), pixels)


def _framed(paths: Sequence[Path], number: int, side: int | None) -> Iterator[_Framed]:
    """All that is made of a photograph; of every fourth and those before it, a collage."""
    own, other = paths[number], paths[(number + len(paths) // 2) % len(paths)]
    for name, change in FRAMINGS.items():
        yield _Framed(name, {number: own}, partial(_changed, own, other, number, side, change))
    copies = dict.fromkeys(range(_PARTS * number, _PARTS * (number + 1)), own)
    yield _Framed(QUARTERS, copies, partial(_quarters, copies, side))
    if number % _PARTS == _PARTS - 1:
        pictures = {each: paths[each] for each in range(number - _PARTS + 1, number + 1)}
        yield _Framed(COLLAGE, pictures, partial(_collage, pictures, side))


def _changed(own: Path, other: Path, number: int, side: int | None, change: Change) -> Pixels:
    marked = _marked(own, side, number)
    foreign = ImageOps.fit(Image.fromarray(_opened(other, side)), (marked.shape[1], marked.shape[0]))
    return change(marked, np.array(foreign), np.random.default_rng(number))


@lru_cache(maxsize=16)
def _marked(path: Path, side: int | None, payload: int) -> Pixels:
    return Spread().mark(_opened(path, side), KEY, payload)


def _quarters(copies: Mapping[int, Path], side: int | None) -> Pixels:
    """One picture whose quarters come from four copies that were marked each for itself."""
    marked = [_marked(path, side, payload) for payload, path in copies.items()]
    down, across = (length // 2 for length in marked[0].shape[:2])
    joined = marked[0].copy()
    joined[:down, across:] = marked[1][:down, across:]
    joined[down:, :across] = marked[2][down:, :across]
    joined[down:, across:] = marked[3][down:, across:]
    return joined


def _collage(pictures: Mapping[int, Path], side: int | None) -> Pixels:
    """Four pictures, two by two, each whole; smaller ones on white."""
    marked = [_marked(path, side, payload) for payload, path in pictures.items()]
    down, across = (max(pixels.shape[axis] for pixels in marked) for axis in (0, 1))
    joined = np.full((2 * down, 2 * across, 3), 255, np.uint8)
    for at, pixels in enumerate(marked):
        top, left = at // 2 * down, at % 2 * across
        joined[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return joined


if __name__ == "__main__":
    main()
