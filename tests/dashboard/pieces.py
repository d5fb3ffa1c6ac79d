"""Files that pages are shown."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from generation.declaration import Declaration, Ingredient, Relationship
from generation.sign import sign
from tests.authority import Authority
from tests.forensics.metadata_files import A1111, exif, packet, photograph, png, save
from tests.pictures import smoothed
from tests.seeds import encode, encoded

GENERATOR = "Example Generator"
IMAGE_DESCRIPTION, ARTIST = 0x010E, 0x013B


def model_made() -> bytes:
    """A PNG that the detector takes for a model's, and draws a map of: a photograph as a crude decoder leaves it."""
    stream = BytesIO()
    Image.fromarray(smoothed(np.array(photograph("china")))).save(stream, "PNG")
    return stream.getvalue()


def signed(authority: Authority, data: bytes | None = None, *, title: str = "tulip.jpg") -> bytes:
    """A JPEG that the authority's signer says a model made."""
    declaration = Declaration(title=title, software=GENERATOR)
    return sign(encoded("JPEG") if data is None else data, "image/jpeg", authority.signer(), declaration)


def edited(authority: Authority, *, title: str = "front page.jpg", part: str = "pagoda.jpg") -> bytes:
    """A signed JPEG with a history: a generated picture, opened, with a photograph put into it."""
    flower = save(image=photograph("flower"), quality=90)
    before = signed(authority, flower, title="flower as it was drawn.jpg")
    declaration = Declaration(
        title=title,
        source_type=None,
        software="Example Editor",
        ingredients=(
            Ingredient(data=before, mime="image/jpeg", title="flower.jpg", relationship=Relationship.PARENT),
            Ingredient(
                data=save(image=photograph("china")), mime="image/jpeg", title=part, relationship=Relationship.COMPONENT
            ),
        ),
    )
    return sign(flower, "image/jpeg", authority.signer(), declaration)


def declared() -> bytes:
    """A PNG whose text says that a generator made it."""
    return png({"parameters": A1111}, image=photograph("flower").resize((192, 128)))


def talkative(words: str) -> bytes:
    """A JPEG that says these words wherever metadata has room for them."""
    xmp = packet(dc_title=words, photoshop_Credit=words, xmp_CreatorTool=words)
    return save(exif=exif({IMAGE_DESCRIPTION: words, ARTIST: words}), xmp=xmp, comment=words.encode())


def inbox(folder: Path, authority: Authority, count: int = 50) -> Path:
    """A folder of small files: one in ten is signed, one in ten says that a generator made it, one is broken."""
    folder.mkdir(parents=True)
    for number in range(count):
        plain = encode(photograph(("china", "flower")[number % 2]).resize((160 + number, 120)), "JPEG")
        match number % 10:
            case 1:
                name, data = f"{number:02}-signed.jpg", signed(authority, plain)
            case 2:
                name, data = f"{number:02}-declared.png", declared() + b"\0" * number
            case 3 if number == 3:
                name, data = f"{number:02}-broken.jpg", plain[: len(plain) // 2]
            case _:
                name, data = f"{number:02}-photo.jpg", plain
        (folder / name).write_bytes(data)
    return folder
