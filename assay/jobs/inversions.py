"""Which of the ledger's rows are worth an inversion?

To invert a picture takes seconds of a processor for each model and size, to look at its size, its perceptual hash and
its colours takes none. So a picture is read as it is at the kinds of the rows that it may be a copy of, and at those of
just its size; and it is laid over the row whose colours are most like its own. However many kinds the ledger holds, no
more is tried than the bounds below, unless it is asked for.

Nothing here depends on a key, and the p-value is corrected for every row, tried or not: leaving rows out cannot make a
find more likely.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from assay import fingerprint
from assay.vocabulary import Pixels
from generation.local import shown

if TYPE_CHECKING:
    from assay.jobs.registry import Registry
    from assay.ledger import Entry, Ledger
    from assay.ledger.reading import Kind

MOST_WHOLE, MOST_LAID = 2, 1
"""Kinds at which a picture is read as it is, and rows whose thumbnails it is laid over."""
NEAR_BITS = 10
"""Of 64 bits of the perceptual hash in which a copy may differ, whatever its size and light."""
NEAR_COLOURS = 2.0
"""How far apart the colours of a turned or cropped copy may be, see `Registry.alike`."""
THOROUGH_LAID = 8
"""Rows whose thumbnails a picture is laid over where everything is tried."""
LEAST_CORRELATION = 0.6
"""As in `Worth`. Copies share .8 and more, the best fit of two pictures of one kind seldom .7."""


class Worth(NamedTuple):
    """What of the ledger a picture is held against."""

    whole: tuple[Kind, ...]
    """Read as it is, brought to their size."""
    laid: tuple[Entry, ...]
    """Read where the picture lies over their thumbnails."""
    least_correlation: float
    """Detail that it has to share with a thumbnail to be read there."""


def worth(registry: Registry, ledger: Ledger, pixels: Pixels, size: tuple[int, int], *, thorough: bool) -> Worth:
    """What is worth its cost for one picture, or everything.

    Args:
        registry: What is in the ledger.
        ledger: The same, open.
        pixels: uint8 of shape (height, width, 3), perhaps reduced.
        size: Height and width that the picture has as it was received.
        thorough: Everything.
    """
    if thorough:
        return Worth(registry.kinds, tuple(registry.alike(ledger, pixels, THOROUGH_LAID)), -1)
    near = registry.near(fingerprint.dhash(Image.fromarray(pixels)), NEAR_BITS, MOST_WHOLE)
    copied = (ledger.get(image_id) for image_id in near)
    kinds = [kind for entry in copied if entry is not None for kind in registry.kinds if is_of(entry, kind)]
    kinds += [kind for kind in registry.kinds if (kind.height, kind.width) == size]
    laid = registry.alike(ledger, pixels, MOST_LAID, within=NEAR_COLOURS)
    return Worth(tuple(dict.fromkeys(kinds))[:MOST_WHOLE], tuple(laid), LEAST_CORRELATION)


def is_of(entry: Entry, kind: Kind) -> bool:
    """Whether a row is of a kind."""
    return (entry.model, entry.height, entry.width) == (kind.model, kind.height, kind.width)


def in_words(left_out: Iterable[Kind]) -> str:
    """That these kinds were not tried, why, and what tries them: a sentence."""
    names = [f"{shown(kind.model)} at {kind.width} x {kind.height}" for kind in left_out]
    some = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else "")
    return (
        f"Rows of {some} were not all tried: neither size nor content of the picture speaks for them. "
        "To try all, at seconds for each: --thorough."
    )


_SHOWN = 3
"""Kinds that are named, of those that were not tried."""
