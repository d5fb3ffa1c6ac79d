"""The picture itself, with the maps that checks drew of it laid over, beside, or swiped across."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from PIL import Image

from assay.vocabulary import Pixels

_HERE = Path(__file__).parent
_LOSSLESS = 2_000_000
"""Pixels up to which a picture is shown without loss; larger ones as a JPEG of hardly any."""
_LARGEST = 24_000_000

_mount = st.components.v2.component(
    "assay_viewer",
    html='<div class="viewer"></div>',
    css=(_HERE / "viewer.css").read_text(),
    js=(_HERE / "viewer.js").read_text(),
)


class Shown(NamedTuple):
    """A picture as a browser gets it: encoded here from decoded pixels, never the bytes of a file."""

    data: bytes
    mime: str
    caption: str


def encoded(pixels: Pixels) -> Shown:
    """A picture for the viewer.

    Args:
        pixels: uint8 of shape (height, width, 3).
    """
    image, stream = Image.fromarray(pixels), BytesIO()
    if image.width * image.height <= _LOSSLESS:
        image.save(stream, "PNG", compress_level=1)
        return Shown(stream.getvalue(), "image/png", "Encoded without loss.")
    caption = "Shown as a JPEG of quality 95."
    if image.width * image.height > _LARGEST:
        image = image.reduce(2)
        caption = "Shown at half its size, as a JPEG of quality 95: it is too large for a browser."
    image.save(stream, "JPEG", quality=95, subsampling=0)
    return Shown(stream.getvalue(), "image/jpeg", caption)


def viewer(shown: Shown, *, alt: str, maps: Sequence[tuple[str, bytes]] = (), key: str) -> None:
    """Draw the viewer.

    Args:
        shown: From `encoded`.
        alt: What the picture is, for who cannot see it.
        maps: Name and 8-bit greyscale PNG of each map.
        key: Of the widget.
    """
    names = "".join(name for name, _ in maps)
    _mount(
        key=key,
        data={
            "id": sha256(shown.data + names.encode()).hexdigest(),
            "picture": _url(shown.data, shown.mime),
            "alt": alt,
            "caption": shown.caption,
            "maps": [{"name": name, "url": _url(data, "image/png")} for name, data in maps],
        },
    )


def _url(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
