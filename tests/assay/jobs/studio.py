"""A data folder with keys, and one picture that was drawn in it by the model that comes with Assay."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from assay.jobs.generate import Made, Wish, generate
from assay.keys import key_store
from assay.vocabulary import Exhibit, ExhibitFacts, Pixels, Settings
from generation.development import development_key, signing_folder
from tests.conftest import SLOW

WISH = Wish(prompt="a close-up of a yellow sunflower", steps=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    settings: Settings
    picture: Path
    made: Made


def furnish(home: Path) -> Settings:
    """Keys that mark and sign."""
    key_store(home).init()
    development_key(signing_folder(home))
    return Settings(home=home, skip=SLOW)


def open_studio(folder: Path) -> Studio:
    settings = furnish(folder / "home")
    picture = folder / "sunflower.png"
    (made,) = generate(WISH, [picture], settings=settings)
    return Studio(settings=settings, picture=picture, made=made)


def pixels_of(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def exhibit_of(pixels: Pixels, sha256: str | None = None) -> Exhibit:
    return Exhibit(facts=ExhibitFacts(name="received", sha256=sha256), decoded=pixels)
