"""Small natural pictures in every format, made from two photographs that scikit-learn carries."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

PHOTOGRAPHS = ("china", "flower")
_OPTIONS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 90}, "TIFF": {"compression": None}, "AVIF": {"speed": 8}}


@cache
def photograph(which: str = "china") -> Image.Image:
    """160 x 107 pixels, RGB."""
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(f"{which}.jpg")).resize((160, 107), Image.Resampling.LANCZOS)


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
