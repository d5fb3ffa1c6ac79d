"""Small natural pictures in every format, made from two photographs that scikit-learn carries."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

PHOTOGRAPHS = ("china", "flower")
_OPTIONS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 90}, "TIFF": {"compression": None}, "AVIF": {"speed": 8}}


@cache
def photograph(which: str = "china") -> Image.Image:
    """160 x 107 pixels, RGB, without metadata."""
    with Image.open(photograph_file(which)) as image:
        small = image.convert("RGB").resize((160, 107), Image.Resampling.LANCZOS)
    return Image.frombytes(small.mode, small.size, small.tobytes())


def photograph_file(which: str) -> Path:
    """The file inside scikit-learn, which is not imported: that would take seconds."""
    specification = find_spec("sklearn")
    assert specification is not None
    assert specification.origin is not None
    return Path(specification.origin).parent / "datasets" / "images" / f"{which}.jpg"


@cache
def encoded(format_name: str, which: str = "china") -> bytes:
    """The picture in one of Pillow's formats; the same bytes every time."""
    return encode(photograph(which), format_name)


def encode(image: Image.Image, format_name: str) -> bytes:
    stream = BytesIO()
    image.save(stream, format_name, **_OPTIONS.get(format_name, {}))
    return stream.getvalue()


def decoded(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB")
