"""The same file with other pixels: what a mark must leave alone is left alone.

Transparency, colour profile, orientation tag, EXIF and XMP, 16 bits of a grey picture and the ink of a CMYK one stay;
a JPEG keeps its own quantisation. Old Content Credentials do not: they are about the bytes as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from assay.errors import ConfigurationError, UnreadableError
from assay.vocabulary import Pixels

FORMATS = {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
"""Suffixes that are written, and Pillow's names."""
MIMES = {"PNG": "image/png", "WEBP": "image/webp", "JPEG": "image/jpeg", "TIFF": "image/tiff"}

Change = Callable[[Pixels], Pixels]
"""From uint8 of shape (height, width, 3), as stored, not turned upright, to the same shape."""

_SIXTEEN_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_STEP = 257
"""Of 16 bits in one of 8."""
_DEEP_COLOUR = 16
_KEPT_BY = {"PNG": ("exif", "icc_profile"), "WEBP": ("exif", "icc_profile", "xmp"), "TIFF": ("exif", "icc_profile")}
_KEPT_BY["JPEG"] = ("exif", "icc_profile", "xmp", "dpi", "comment")


def repainted(data: bytes, name: str, suffix: str, change: Change) -> bytes:
    """A file's picture changed, and written in the format of a suffix.

    Args:
        data: The file.
        name: Of the file, for errors.
        suffix: A key of `FORMATS`.
        change: Called once.

    Raises:
        UnreadableError: The file is no picture that can be opened, or one of several frames, or of 16-bit colour.
        ConfigurationError: The format cannot hold such a picture.
    """
    form = FORMATS[suffix]
    try:
        with Image.open(BytesIO(data)) as image:
            _require_simple(image, data, name)
            image.load()
            stream = BytesIO()
            _changed(image, change).save(stream, form, **_options(image, form))
    except UnreadableError:
        raise
    except OSError as error:
        if "cannot write mode" in str(error):
            raise ConfigurationError(
                f"{name}: {form} cannot hold it: {error}", hint="Name an output that ends in .png or .tif."
            ) from error
        raise UnreadableError(f"{name}: no picture that can be opened: {error}", hint="Check the file.") from error
    return stream.getvalue()


def encoded_png(pixels: Pixels) -> bytes:
    """A PNG of nothing but these pixels."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _require_simple(image: Image.Image, data: bytes, name: str) -> None:
    if getattr(image, "n_frames", 1) > 1:
        raise UnreadableError(f"{name}: has several frames", hint="Take the frame that you want out, and mark that.")
    if image.format == "PNG" and data[24] == _DEEP_COLOUR and image.mode not in (*_SIXTEEN_BIT, "I"):
        raise UnreadableError(
            f"{name}: 16-bit colour would lose half of its bits", hint="Save it with 8 bits a channel first."
        )


def _changed(image: Image.Image, change: Change) -> Image.Image:
    mode = image.mode
    if mode in _SIXTEEN_BIT:
        return _deep_grey(image, change)
    if mode == "CMYK":
        inks = np.array(image)
        inks[..., :3] = 255 - change(255 - inks[..., :3])
        return Image.fromarray(inks, "CMYK")
    if mode == "L":
        return Image.fromarray(_channel(np.asarray(image), change))
    if mode == "LA":
        grey, alpha = image.split()
        return Image.merge("LA", (Image.fromarray(_channel(np.asarray(grey), change)), alpha))
    if image.has_transparency_data:
        layers = np.array(image.convert("RGBA"))
        layers[..., :3] = change(np.ascontiguousarray(layers[..., :3]))
        return Image.fromarray(layers, "RGBA")
    return Image.fromarray(change(np.array(image.convert("RGB"))))


def _channel(grey: NDArray[np.uint8], change: Change) -> NDArray[np.uint8]:
    changed: NDArray[np.uint8] = change(np.repeat(grey[..., None], 3, axis=2))[..., 1]
    return np.ascontiguousarray(changed)


def _deep_grey(image: Image.Image, change: Change) -> Image.Image:
    """What changes in 8 bits is added to the 16."""
    deep = np.array(image).astype(np.int64)
    shallow = np.rint(deep / _STEP).astype(np.uint8)
    added = _channel(shallow, change).astype(np.int64) - shallow
    return Image.fromarray(np.clip(deep + _STEP * added, 0, 65_535).astype(np.uint16))


def _options(image: Image.Image, form: str) -> dict[str, Any]:
    """How the new file is saved."""
    info = {name: image.info[name] for name in _KEPT_BY[form] if image.info.get(name)}
    if image.getexif():
        info["exif"] = image.getexif().tobytes()
    match form:
        case "JPEG" if image.format == "JPEG":
            return {**info, "qtables": image.quantization, "subsampling": JpegImagePlugin.get_sampling(image)}  # type: ignore[attr-defined]
        case "JPEG":
            return {**info, "quality": 95, "subsampling": 0}
        case "WEBP":
            return {**info, "lossless": True}
        case "TIFF":
            return {**info, "compression": "tiff_lzw"}
        case _:
            return info
