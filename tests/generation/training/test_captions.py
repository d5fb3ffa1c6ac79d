from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.training.captions import COLOURS, caption, colour, colour_in, colour_shares, kind_in, phrasings

LEAF = (40, 110, 40)
PAINT = {
    "white": (240, 240, 240),
    "yellow": (240, 215, 30),
    "orange": (240, 130, 20),
    "red": (190, 20, 30),
    "pink": (240, 150, 190),
    "purple": (120, 50, 170),
}


def _flower(name: str, radius: int) -> NDArray[np.uint8]:
    """A disc on green."""
    y, x = np.mgrid[:128, :128] - 63.5
    pixels = np.full((128, 128, 3), LEAF, np.uint8)
    pixels[np.hypot(x, y) < radius] = PAINT[name]
    return pixels


@pytest.mark.parametrize("name", COLOURS)
def test_a_disc_has_its_colour(name: str) -> None:
    assert colour(_flower(name, 40)) == name


def test_leaves_and_sky_have_none() -> None:
    assert colour(np.full((128, 128, 3), LEAF, np.uint8)) is None
    assert colour(np.full((128, 128, 3), (80, 140, 220), np.uint8)) is None


def test_shares_are_shares_and_count_the_middle_more() -> None:
    middle = _flower("red", 30)
    corner = np.roll(middle, (64, 64), (0, 1))
    assert 0 < colour_shares(corner)["red"] < colour_shares(middle)["red"] < 1


def test_captions_tell_kind_colour_and_framing() -> None:
    assert caption("tulip", _flower("pink", 60)) == "a close-up of a pink tulip"
    assert caption("tulip", _flower("orange", 35)) == "an orange tulip"
    assert caption("daisy", _flower("white", 10)) == "daisies in a field"


def test_phrasings_say_the_same() -> None:
    assert phrasings("a close-up of an orange rose") == (
        "a close-up of an orange rose",
        "a photo of a close-up of an orange rose",
        "orange rose",
        "an orange rose",
    )
    assert phrasings("daisies in a field")[0] == "daisies in a field"


def test_kind_and_colour_are_read_back_from_a_caption() -> None:
    for text in ("a close-up of a pink tulip", "pink tulips in a field", "a photo of a pink tulip"):
        assert (kind_in(text), colour_in(text)) == ("tulip", "pink")
    assert (kind_in("daisies in a field"), colour_in("daisies in a field")) == ("daisy", None)
    assert kind_in("a bridge") is None
