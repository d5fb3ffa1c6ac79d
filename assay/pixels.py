"""One way from whatever a decoder yields to upright 8-bit RGB, and a list of what was done on the way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from assay.vocabulary import Pixels

_ORIENTATION = 0x0112
_SIXTEEN_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})


def upright_rgb(image: Image.Image) -> tuple[Pixels, tuple[str, ...]]:
    """Decode the first frame and convert it.

    Colour values stay as stored: an embedded RGB profile is not applied, because forensic traces live in the values.

    Returns:
        Pixels, uint8 of shape (height, width, 3) in [0, 255], and notes such as "transparency laid over white".

    Raises:
        Exception: Whatever the decoder raises on damaged data.
    """
    notes: list[str] = []
    if getattr(image, "n_frames", 1) > 1:
        image.seek(0)
        notes.append("first of several frames")
    image.load()
    try:
        turned = ImageOps.exif_transpose(image) if image.getexif().get(_ORIENTATION, 1) in range(2, 9) else None
    except Exception:  # EXIF that cannot be read keeps no picture from being looked at: the metadata check names it
        turned = None
    if turned is not None:
        notes.append("turned upright by its orientation tag")
        image = turned
    pixels, conversion = _to_rgb(image)
    return pixels, (*notes, *conversion)


def _to_rgb(image: Image.Image) -> tuple[Pixels, tuple[str, ...]]:
    mode = image.mode
    if mode == "RGB":
        return _array(image), ()
    if mode in _SIXTEEN_BIT:
        return _grey(np.array(image, dtype=np.float32), 65535.0), ("16-bit grey scaled to 8 bits",)
    if mode in ("I", "F"):
        return _wide_grey(np.array(image, dtype=np.float32))
    if mode == "LAB":
        return _array(_from_lab(image)), ("CIELAB converted to sRGB",)
    if image.has_transparency_data:
        return _array(_over_white(image)), ("transparency laid over white",)
    note = () if mode in ("L", "1") else (f"{mode} converted to RGB",)
    return _array(image.convert("RGB")), note


def _array(image: Image.Image) -> Pixels:
    return np.array(image, dtype=np.uint8)


def _wide_grey(values: NDArray[np.float32]) -> tuple[Pixels, tuple[str, ...]]:
    """Bring 32-bit grey to 8 bits by the smallest usual range that holds it."""
    np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    lowest, highest = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    for full_scale in (1.0, 255.0, 65535.0):
        if lowest >= 0 and highest <= full_scale:
            return _grey(values, full_scale), (f"32-bit grey scaled from [0, {full_scale:g}] to 8 bits",)
    values -= lowest
    return _grey(values, highest - lowest), ("32-bit grey stretched from its own range to 8 bits",)


def _grey(values: NDArray[np.float32], full_scale: float) -> Pixels:
    """Grey values in [0, full_scale] -> three equal channels; in place, because it may be large."""
    values *= 255.0 / full_scale
    np.rint(values, out=values)
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


def _over_white(image: Image.Image) -> Image.Image:
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ValueError("the colour transform yielded nothing")
    return converted
