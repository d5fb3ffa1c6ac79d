from __future__ import annotations

import pytest
from PIL import Image, ImageOps

from forensics.thumbnail import DIFFERENT, MAX_BYTES
from tests.forensics.metadata_files import (
    PHOTOGRAPHS,
    observations,
    photograph,
    save,
    segment,
    values,
    with_segments,
    with_thumbnail,
)

SIZE = (640, 427)
OTHER = {"china": "flower", "flower": "china"}


def _bars(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (160, 120), color="black")


FRAMINGS = {
    "scaled": lambda image: image.resize((160, 107)),
    "bars": _bars,
    "stretched": lambda image: image.resize((160, 120)),
    "filled": lambda image: ImageOps.fit(image, (160, 120)),
    "turned left": lambda image: image.resize((160, 107)).transpose(Image.Transpose.ROTATE_90),
    "turned round": lambda image: image.resize((160, 107)).transpose(Image.Transpose.ROTATE_180),
    "turned right": lambda image: image.resize((160, 107)).transpose(Image.Transpose.ROTATE_270),
    "darker": lambda image: image.resize((160, 107)).point(lambda value: value // 2),
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("which", PHOTOGRAPHS)
def test_a_thumbnail_of_the_same_picture_is_no_contradiction(which: str, framing: str) -> None:
    image = photograph(which)
    data = with_thumbnail(save("JPEG", image, quality=85), save("JPEG", FRAMINGS[framing](image), quality=60))
    assert "thumbnail-differs" not in observations(data)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("which", PHOTOGRAPHS)
def test_a_thumbnail_of_another_picture_is_a_contradiction(which: str, framing: str) -> None:
    thumbnail = FRAMINGS[framing](photograph(OTHER[which]))
    data = with_thumbnail(save("JPEG", photograph(which), quality=85), save("JPEG", thumbnail, quality=60))
    note = observations(data)["thumbnail-differs"]
    assert note.contradiction
    assert note.claim is None
    assert int(values(note)["Difference"].split()[0]) >= DIFFERENT


def test_a_strong_crop_leaves_another_picture_behind() -> None:
    image = photograph("china")
    cropped = image.crop((0, 213, 250, 427))
    assert "thumbnail-differs" in observations(
        with_thumbnail(save("JPEG", cropped), save("JPEG", image.resize((160, 107))))
    )


def test_pictures_without_contrast_are_not_compared() -> None:
    flat = Image.new("RGB", SIZE, (90, 90, 90))
    thumbnail = save("JPEG", photograph("china").resize((160, 107)))
    assert "thumbnail-differs" not in observations(with_thumbnail(save("JPEG", flat), thumbnail))


@pytest.mark.parametrize(
    "thumbnail",
    [b"\xff\xd8\xff\xe0 no JPEG", b"text", save("JPEG", Image.new("RGB", (16, 16))), save("PNG")],
    ids=["damaged", "text", "tiny", "another format"],
)
def test_what_cannot_be_compared_is_skipped(thumbnail: bytes) -> None:
    assert "thumbnail-differs" not in observations(with_thumbnail(save("JPEG", photograph("china")), thumbnail))


def test_large_files_are_not_decoded() -> None:
    filler = [segment(0xE5, bytes(65_000))] * (MAX_BYTES // 65_000 + 1)
    data = with_thumbnail(save("JPEG", photograph("china")), save("JPEG", photograph("flower").resize((160, 107))))
    assert "thumbnail-differs" in observations(data)
    assert "thumbnail-differs" not in observations(with_segments(data, *filler))


def test_pictures_of_many_pixels_are_not_decoded() -> None:
    large = save("JPEG", photograph("china").resize((4200, 3000)), quality=20)
    assert len(large) < MAX_BYTES
    thumbnail = save("JPEG", photograph("flower").resize((160, 107)))
    assert "thumbnail-differs" not in observations(with_thumbnail(large, thumbnail))
