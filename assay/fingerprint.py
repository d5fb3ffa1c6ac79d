"""Likeness of pictures: a perceptual hash and its distance."""

from __future__ import annotations

from PIL import Image

HASH_BITS = 64
_SIDE = 8


def dhash(image: Image.Image) -> int:
    """The difference hash of a picture: for each of 8 x 8 cells, is it darker than the cell to its right?

    It survives scaling, recompression and changes of brightness or contrast; it does not survive rotation, flips or
    strong crops, and says nothing of a picture without contrast. The method is Neal Krawetz's "Kind of Like That"
    (2013), with area averages as the reduction.

    Args:
        image: A decoded picture of any mode and size, as stored: orientation is not applied.

    Returns:
        64 bits, row by row, the top left cell in the most significant bit.
    """
    values = image.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX).tobytes()
    bits = 0
    for at in range(len(values)):
        if at % (_SIDE + 1) < _SIDE:
            bits = bits << 1 | (values[at] < values[at + 1])
    return bits


def distance(a: int, b: int) -> int:
    """The number of bits, 0 to 64, in which two hashes differ; about 32 for pictures that have nothing in common."""
    return (a ^ b).bit_count()
