"""Read the public marks that Stable Diffusion and FLUX leave with the package `invisible-watermark` (method dwtDct).

The embedder takes the chroma channel U, reduces it to the low band of one Haar level, and in each block of 4 x 4 moves
the largest magnitude to a quarter (0) or three quarters (1) of its step of 36. The blocks take the message's bits in
turn, again and again.

The package's own decoder asks in which half of its step the largest magnitude of a block lies. Three things defeat it:

- What was moved down is often no longer the largest. Here every entry within the largest one's step may be the one that
  was moved, and counts by how far it stands out from its block: it is the likelihood ratio of 1 to 0.
- Smooth parts of a picture lie in one half of a step before anything is embedded. Here a block is compared with those
  around it, which carry other bits.
- The embedder may have been given floats, for which OpenCV has the neutral chroma at 0.5 and not at 128, or red for
  blue, or JPEG halved the chroma since. Here each is tried.

The messages are public and fixed. So there is no key over which a p-value would be exact: the ones given here hold if
the bits read from an unmarked picture are fair, independent coins, which no theorem says (how often photographs were
mistaken: `tests/benchmarks/legacy.py`). And anybody can put such a mark into any picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from assay.stats import log10_bonferroni
from assay.vocabulary import Pixels

Plane: TypeAlias = NDArray[np.float32]

LOG10_LEVEL = -6.0
"""What is above this is not said to be a find."""
LEAST_PIXELS = 256 * 256
"""The embedder refuses pictures with fewer."""
MOST_PIXELS = 2**21
"""Of a larger picture, bands of rows are read that have as many together: each bit is then in 680 blocks and more, for
messages of 48 bits."""
_BAND = 16
"""Rows of blocks in a band, so that few of them have a stranger for a neighbour."""
STEP = 36.0
OFFSETS = {"uint8": 2 * 128 - 0.75, "float": 2 * 0.5}
"""What the embedder had on top of 0.492 (B - Y) in the low band, where an entry is half the sum of four pixels. Going
back to uint8, it cuts off the fraction, which is a multiple of a quarter: 3/8 of a pixel are lost on average."""
_BLUR = math.sqrt(8) - 3
"""A pole of the inverse of the blur in `_sharpened`."""
_TAPS = 4
_NOISE = 6.0
"""Standard deviation that is assumed of an entry after embedding; JPEG needs it, clean pictures do not mind."""
_LEAST_SPREAD = 4.0
"""Of the entries of a block, lest nothing be more telling than the smallest rounding error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is embedded in every picture of some generators."""

    name: str
    generators: str
    bits: tuple[int, ...]
    passed_over: int = 0
    """How many bits at the beginning of every eight are embedded, but not compared."""

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Which bits tell anything."""
        return np.arange(len(self.bits)) % 8 >= self.passed_over


def _digits(number: int) -> tuple[int, ...]:
    return tuple(int(digit) for digit in f"{number:b}")


def _letters(text: bytes) -> tuple[int, ...]:
    return tuple(int(digit) for letter in text for digit in f"{letter:08b}")


MESSAGES = (
    Message(
        name="SD1",
        generators="Stable Diffusion 1, by its own scripts",
        bits=_letters(b"StableDiffusionV1"),
        passed_over=3,
    ),
    Message(name="SD2", generators="Stable Diffusion 2, by its own scripts", bits=_letters(b"SDV2")),
    Message(name="SDXL", generators="SDXL, by Stability AI's code or diffusers", bits=_digits(0xB3EC907BB19E)),
    Message(name="FLUX", generators="FLUX.1 or FLUX.2, by their own code", bits=_digits(0x2AFE879CF52E)),
)
"""FLUX's is written with 48 digits, of which `bin` in its code drops the two leading zeros: 46 are embedded.

SD1's letters begin alike, and in a width like 512 the eight bits of a letter stay in the same columns: a picture with
upright stripes would look like text, if what letters have in common were compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How well a picture agrees with one message, read in one way."""

    message: str
    generators: str
    variant: str
    """How it was read: as embedded in "uint8" or "float", "BGR" or "RGB", and what happened since. A strong mark may
    agree as well when it is read in another way; the first is given."""
    matching: int
    """Bits that are those of the message, of those compared."""
    bits: int
    """Bits that were compared: the whole message, but 85 of SD1's 136."""
    log10_p: float
    """log10 of the binomial tail, corrected for all messages and variants: see the module on what that rests on."""


def find(pixels: Pixels) -> Finding | None:
    """The mark in a picture that was neither cropped nor scaled.

    Args:
        pixels: uint8 of shape (height, width, 3), RGB.

    Returns:
        What agrees best with a message; None where nothing does with a corrected p-value of 1e-6.
    """
    best = min(readings(pixels), key=lambda finding: finding.log10_p, default=None)
    return best if best is not None and best.log10_p <= LOG10_LEVEL else None


def readings(pixels: Pixels) -> list[Finding]:
    """Every message, read in every way, whether it is there or not.

    Args:
        pixels: uint8 of shape (height, width, 3), RGB.

    Returns:
        The same number for every picture, but none for one that is too small for a mark.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 8 or height * width < LEAST_PIXELS:  # noqa: PLR2004 - a block is 8 x 8 pixels
        return []
    rows = _rows_read(height // 8, width // 8)
    numbers = (rows[:, None] * (width // 8) + np.arange(width // 8)).ravel()
    ways = [(variant, message) for variant in _variants(_cut(pixels, rows)) for message in MESSAGES]
    return [_compared(evidence, numbers, name, message, len(ways)) for (name, evidence), message in ways]


def _rows_read(height: int, width: int) -> NDArray[np.intp]:
    """Which rows of blocks are read in a picture of that many: all, or bands that lie evenly over a large one."""
    count = MOST_PIXELS // (64 * width * _BAND)
    if height * width * 64 <= MOST_PIXELS or (count + 1) * _BAND > height:
        return np.arange(height)
    starts = np.linspace(0, height - _BAND, max(1, count)).astype(np.intp)
    return (starts[:, None] + np.arange(_BAND)).ravel()


def _cut(pixels: Pixels, rows: NDArray[np.intp]) -> Pixels:
    """The pixels of these rows of blocks, one below the other."""
    if len(rows) == pixels.shape[0] // 8:
        return pixels
    return np.concatenate([pixels[8 * row : 8 * row + 8] for row in rows])


def _compared(evidence: Plane, numbers: NDArray[np.intp], variant: str, message: Message, tries: int) -> Finding:
    """Compare with one message; `numbers` says which block of the whole picture each piece of evidence is of."""
    size, compared = len(message.bits), message.compared
    summed = np.bincount(numbers % size, evidence.ravel(), size)
    matching = int(np.count_nonzero(((summed > 0) == np.array(message.bits, bool))[compared]))
    bits = int(np.count_nonzero(compared))
    return Finding(
        message=message.name,
        generators=message.generators,
        variant=variant,
        matching=matching,
        bits=bits,
        log10_p=log10_bonferroni(_log10_binomial_tail(matching, bits), tries),
    )


def _log10_binomial_tail(matching: int, size: int) -> float:
    """log10 of the chance that so many or more of `size` fair coins show heads."""
    return math.log10(sum(math.comb(size, heads) for heads in range(matching, size + 1))) - size * math.log10(2)


def _variants(pixels: Pixels) -> Iterator[tuple[str, Plane]]:
    """Each way to read, and the evidence of each block for a 1: positive or negative, shape (height // 8, width // 8).

    The embedder leaves out what is beyond a multiple of four pixels, and then blocks that are not whole: together, what
    is beyond a multiple of eight.
    """
    height, width = pixels.shape[0] // 8, pixels.shape[1] // 8
    for order, chroma in _chroma(pixels[: 8 * height, : 8 * width]):
        for since, plane in (("", chroma), (", chroma halved since", _sharpened(chroma))):
            blocks = plane.reshape(height, 4, width, 4).swapaxes(1, 2).reshape(-1, 16)
            rarity = _rarity(blocks)
            for path, offset in OFFSETS.items():
                ratios = _log_ratios(blocks, rarity, offset).reshape(height, width)
                yield f"{path} {order}{since}", _relative(ratios)


def _chroma(pixels: Pixels) -> Iterator[tuple[str, Plane]]:
    """The low band of 0.492 (B - Y), in the range ±223, by the order in which the embedder was given the channels."""
    fours = sum(pixels[down::2, across::2].astype(np.float32) for down in (0, 1) for across in (0, 1))
    red, green, blue = np.moveaxis(np.asarray(fours, np.float32), -1, 0)
    for order, first, last in (("BGR", blue, red), ("RGB", red, blue)):
        yield order, 0.246 * (0.886 * first - 0.587 * green - 0.299 * last)


def _sharpened(plane: Plane) -> Plane:
    """What JPEG had stored if it halved the chroma.

    Decoders interpolate it linearly, with weights of 3/4 and 1/4. Seen in the low band again, that is a blur by
    (1/8, 3/4, 1/8) in each direction, mirrored at the edges, whose inverse decays like `_BLUR` to the n.
    """
    for axis in (0, 1):
        margins = [(0, 0), (0, 0)]
        margins[axis] = (_TAPS, _TAPS)
        taps = math.sqrt(2) * _BLUR ** np.abs(np.arange(-_TAPS, _TAPS + 1.0))
        padded = np.moveaxis(np.pad(plane, margins, mode="symmetric"), axis, 0)
        length = plane.shape[axis]
        parts = (np.float32(tap) * padded[start : start + length] for start, tap in enumerate(taps))
        plane = np.moveaxis(np.asarray(sum(parts), np.float32), 0, axis)
    return plane


def _rarity(blocks: Plane) -> Plane:
    """How unlikely each entry is among those of its block: the inverse of a Cauchy density, up to a factor."""
    deviations = blocks - blocks.mean(axis=1, keepdims=True)
    spreads = np.maximum(np.abs(deviations).mean(axis=1, keepdims=True), np.float32(_LEAST_SPREAD))
    return np.asarray(1 + (deviations / spreads) ** 2, np.float32)


def _log_ratios(blocks: Plane, rarity: Plane, offset: float) -> NDArray[np.float32]:
    """The log likelihood ratio of a 1 to a 0 in each block.

    A moved entry stays in its step, and none was in a higher one: it is within the step of the largest. How it lies
    there is known, how it would lie there otherwise is what `rarity` says; the block's first entry is never moved.
    """
    magnitudes = np.abs(blocks[:, 1:] + np.float32(offset))
    within = magnitudes - np.float32(STEP) * np.floor(magnitudes.max(axis=1, keepdims=True) / np.float32(STEP))
    weights = np.where(within > -1, rarity[:, 1:], np.float32(0))  # not 0: rounding may put the largest just below
    zero, one = (
        (weights * np.exp(-0.5 * ((within - np.float32(place * STEP)) / np.float32(_NOISE)) ** 2)).sum(axis=1)
        for place in (0.25, 0.75)
    )
    return np.asarray(np.log(one / zero), np.float32)


def _relative(ratios: Plane) -> Plane:
    """Each block's ratio compared with its neighbours', in units of their spread.

    Wide enough across not to see one bit only, for all messages' runs of equal bits are shorter and rows may have the
    same bits in the same columns; otherwise as narrow as can be, for the picture changes from place to place.
    """
    centred = ratios - _averaged(ratios, 3, 9)
    return np.asarray(centred / (np.sqrt(_averaged(centred**2, 3, 3)) + np.float32(0.1)), np.float32)


def _averaged(plane: Plane, down: int, across: int) -> Plane:
    """The mean over a window around each place; beyond the edges the plane goes on as it ends."""
    padded = np.pad(plane, ((down // 2,) * 2, (across // 2,) * 2), mode="edge")
    rows = sliding_window_view(padded, down, axis=0).mean(axis=-1)
    return np.asarray(sliding_window_view(rows, across, axis=1).mean(axis=-1), np.float32)
