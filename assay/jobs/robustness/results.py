"""What was measured of marks in the noise under attack."""

from __future__ import annotations

from dataclasses import dataclass

FOUND = -6.0
"""log10 of the p-value at which a mark counts as found."""
KEYS = 1_000_000
FOUND_OF_KEYS = -12.0
"""The same, with `KEYS` keys tried and corrected for."""
LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Where false finds are counted."""

FORGERIES = ("reprompt", "nonce-reuse", "imprint", "forge-average-", "wrong-key")
"""Beginnings of the names of rows in which the mark is not where it was put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all rows of one file have in common."""

    model: str
    weights: str
    """First 16 hexadecimal digits of the SHA-256 of the model's weights, or its revision."""
    count: int
    """Images of a row; some rows take fewer."""
    steps: int
    guidance: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method under one attack, image by image."""

    method: str
    name: str
    device: str
    """Where the network ran."""
    log10_p: tuple[float, ...]
    payload: tuple[bool, ...] | None
    """Whether the payload was read without an error; None where there is none, or it was not asked for."""
    same: tuple[bool, ...]
    """Whether the picture agrees with the thumbnail of the image whose mark was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """Fresh keys on images that were made without them."""

    images: str
    """What they are, in words."""
    count: int
    """How many of them."""
    draws: int
    """Pairs of a key and an image."""
    each: int
    """How many images each key was tried on; keys are never used again."""
    exceeding: tuple[int, ...]
    """Draws with a p-value at or below each of `LEVELS`."""
    uniform_p: float | None
    """Kolmogorov-Smirnov test of one p-value a key against the uniform law; None where p-values are upper bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldApart:
    """A network trained to tell marked noise from fresh, judged on noise that it had not seen."""

    method: str
    payload: str
    """`fixed` where all images carry the same, `fresh` where each has its own."""
    train: int
    """Marked latents that it learnt from, beside as many fresh ones."""
    correct: int
    judged: int
    textbook_p: float
    """The smallest p-value of textbook tests of independent N(0, 1), times their number."""
    looked_at: int
    """Marked latents that these were made on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Images drawn with a mark and without, for the same prompts."""

    method: str
    count: int
    photographs: int
    """What both are compared with, by the features of EfficientNet-Lite2."""
    frechet: tuple[float, float]
    """With the mark, without."""
    frechet_difference: tuple[float, float, float]
    """With minus without, and the ends of its 95 % interval by a paired bootstrap."""
    named: int
    """Pairs whose prompt names a colour."""
    agreement: tuple[float, float]
    """How many of those have it: with the mark, without."""
    agreement_difference: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A results file."""

    setup: Setup
    rows: tuple[Row, ...] = ()
    nulls: tuple[Null, ...] = ()
    told_apart: tuple[ToldApart, ...] = ()
    pairs: tuple[Pairs, ...] = ()

    def row(self, method: str, name: str) -> Row | None:
        """The row of that method and name, if it was measured."""
        return next((row for row in self.rows if (row.method, row.name) == (method, name)), None)


def is_forgery(name: str) -> bool:
    """Whether a row is about marks on pictures that were not made with them."""
    return name.startswith(FORGERIES)
