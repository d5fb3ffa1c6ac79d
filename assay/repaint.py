"""The same file with other pixels: what a mark must leave alone is left alone.

Transparency and the colours under it, 16 bits of a grey picture and the ink of a CMYK one stay; a JPEG keeps its own
quantisation, a lossy WebP its quality; everything that is no pixel goes over with `assay.luggage`. What cannot be kept
is refused, with a remedy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from assay.errors import ConfigurationError, SelfCheckError, UnreadableError
from assay.luggage import FORMATS, MIMES, Sift, carried_over, sifted_over, tiff, webp
from assay.storage import require_known
from assay.vocabulary import Pixels

__all__ = ["FORMATS", "MIMES", "Repainted", "encoded_png", "repainted", "require_same"]

Change = Callable[[Pixels], Pixels]
"""From uint8 of shape (height, width, 3), as stored, not turned upright, to the same shape."""

_SIXTEEN_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_STEP = 257
"""Of 16 bits in one of 8."""
_MOST_SHIFT, _MOST_LOSS = 3.0, 12.0
"""Grey levels by which a channel's mean, and a value on average, may differ after lossy coding. A wrong colour space, a
lost profile or swapped channels differ by tens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repainted:
    """A file, and the pixels that it is to show."""

    data: bytes = field(repr=False)
    intended: NDArray[np.generic] = field(repr=False)
    """As stored, before the orientation tag is applied; with alpha, ink or 16 bits where the file has them."""
    mode: str
    """Pillow's name for their layout."""
    is_lossless: bool
    left_out: tuple[str, ...] = ()
    """Names of what a sift took from the metadata."""


def repainted(data: bytes, name: str, suffix: str, change: Change, sift: Sift | None = None) -> Repainted:
    """A file's picture changed, and written in the format of a suffix.

    Args:
        data: The file.
        name: Of the file, for errors.
        suffix: A key of `FORMATS`.
        change: Called once.
        sift: What of the metadata goes over; None for everything.

    Raises:
        UnreadableError: The file is no picture that can be opened, or one that is stored in a way that would be lost.
        ConfigurationError: The format cannot hold such a picture, or something that the file carries.
    """
    form = FORMATS[suffix]
    try:
        stored, _ = tiff.upright(data)
        with _loaded(stored, name) as image:
            require_known(image, data, name)
            came_as = image.format or ""
            changed = _fitting(_changed(image, change), form)
            options = {**_options(image, data, form), **_density(image, form, is_anew=sift is not None)}
            stream = BytesIO()
            changed.save(stream, form, **options)
            icc = image.info.get("icc_profile")
    except OSError as error:
        raise ConfigurationError(
            f"{name}: {form} cannot hold it: {error}", hint="Name an output that ends in .png or .tif."
        ) from error
    picture = stream.getvalue()
    left_out: tuple[str, ...] = ()
    if sift is None:
        whole = carried_over(data, came_as, picture, form, name=name, icc=icc)
    else:
        whole, left_out = sifted_over(data, came_as, picture, form, name=name, icc=icc, sift=sift)
    return Repainted(
        data=whole,
        intended=np.asarray(changed),
        mode=changed.mode,
        is_lossless=form != "JPEG" and not (form == "WEBP" and not options.get("lossless")),
        left_out=left_out,
    )


def require_same(delivered: bytes, wanted: Repainted, name: str) -> None:
    """Open a finished file again, and compare its pixels with those that it is to show.

    Raises:
        SelfCheckError: They differ: in layout, anywhere in a lossless file, or by more than coding explains.
    """
    stored, _ = tiff.upright(delivered)
    with Image.open(BytesIO(stored)) as image:
        image.load()
        opened = image.convert("RGBA") if (image.mode, wanted.mode) == ("RGB", "RGBA") else image
        mode, found = opened.mode, np.asarray(opened)
    same_layout = mode == wanted.mode or {mode, wanted.mode} <= _SIXTEEN_BIT
    if not same_layout or found.shape != wanted.intended.shape:
        raise _differs(name, f"{found.shape} {mode} instead of {wanted.intended.shape} {wanted.mode}")
    if wanted.is_lossless:
        if not np.array_equal(found, wanted.intended):
            raise _differs(name, "the pixels")
        return
    channels = max(1, found.size // (found.shape[0] * found.shape[1]))
    difference = found.astype(np.int16).reshape(-1, channels) - wanted.intended.astype(np.int16).reshape(-1, channels)
    if np.abs(difference.mean(axis=0)).max() > _MOST_SHIFT or np.abs(difference).mean() > _MOST_LOSS:
        raise _differs(name, "the colours")
    if mode == "RGBA" and difference[:, 3].any():
        raise _differs(name, "the transparency")


def encoded_png(pixels: Pixels) -> bytes:
    """A PNG of nothing but these pixels."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _loaded(data: bytes, name: str) -> Image.Image:
    """A decoded picture.

    Raises:
        UnreadableError: It cannot be decoded; a decoder may raise anything on damaged data.
    """
    try:
        image = Image.open(BytesIO(data))
        image.load()
    except Exception as error:
        raise UnreadableError(f"{name}: no picture that can be opened: {error}", hint="Check the file.") from error
    return image


def _differs(name: str, what: str) -> SelfCheckError:
    return SelfCheckError(
        f"{name}: opened again, what would be written differs from what was meant: {what}",
        hint="Nothing was written. Name an output that ends in .png or .tif, and please report it.",
    )


def _changed(image: Image.Image, change: Change) -> Image.Image:
    mode = image.mode
    if mode in _SIXTEEN_BIT:
        return _deep_grey(image, change)
    if mode == "CMYK":
        inks = np.array(image)
        inks[..., :3] = 255 - change(255 - inks[..., :3])
        return Image.fromarray(inks, "CMYK")
    if mode == "L" and not image.has_transparency_data:
        return Image.fromarray(_channel(np.asarray(image), change))
    if mode in ("L", "LA"):
        grey, alpha = image.convert("LA").split()
        return Image.merge("LA", (Image.fromarray(_channel(np.asarray(grey), change)), alpha))
    if image.has_transparency_data:
        layers = np.array(image.convert("RGBA"))
        layers[..., :3] = change(np.ascontiguousarray(layers[..., :3]))
        return Image.fromarray(layers, "RGBA")
    return Image.fromarray(change(np.array(image.convert("RGB"))))


def _fitting(image: Image.Image, form: str) -> Image.Image:
    """The same colours in a layout that the format has.

    Raises:
        OSError: It has none; Pillow would convert to 8-bit RGB without a word.
    """
    if form != "WEBP" or image.mode in ("RGB", "RGBA"):
        return image
    if image.mode not in ("L", "LA"):
        raise OSError(f"cannot write mode {image.mode} as WEBP")
    return image.convert("RGB" if image.mode == "L" else "RGBA")


def _channel(grey: NDArray[np.uint8], change: Change) -> NDArray[np.uint8]:
    changed: NDArray[np.uint8] = change(np.repeat(grey[..., None], 3, axis=2))[..., 1]
    return np.ascontiguousarray(changed)


def _deep_grey(image: Image.Image, change: Change) -> Image.Image:
    """What changes in 8 bits is added to the 16."""
    deep = np.array(image).astype(np.int64)
    shallow = np.rint(deep / _STEP).astype(np.uint8)
    added = _channel(shallow, change).astype(np.int64) - shallow
    return Image.fromarray(np.clip(deep + _STEP * added, 0, 65_535).astype(np.uint16))


def _options(image: Image.Image, data: bytes, form: str) -> dict[str, Any]:
    """How the new picture is coded."""
    match form:
        case "JPEG" if isinstance(image, JpegImagePlugin.JpegImageFile):
            return _like_the_old(image)
        case "JPEG":
            return {"quality": 95, "subsampling": 0}
        case "WEBP":
            quality = webp.quality(data) if image.format == "WEBP" else None
            if quality is None:
                return {"lossless": True, "exact": True}
            return {"quality": quality, "exact": True, "alpha_quality": 100}
        case "TIFF":
            return {"compression": image.info.get("compression", "tiff_lzw") if image.format == "TIFF" else "tiff_lzw"}
        case _:
            return {}


def _density(image: Image.Image, form: str, *, is_anew: bool) -> dict[str, Any]:
    """Dots per inch, where metadata are wrapped anew; within one container they else go over as they are written."""
    dpi = image.info.get("dpi")
    return {"dpi": dpi} if dpi and form != "WEBP" and (is_anew or form != image.format) else {}


def _like_the_old(image: JpegImagePlugin.JpegImageFile) -> dict[str, Any]:
    """Quantisation, subsampling, order of the scans, and whether colours are stored as RGB."""
    sampling = JpegImagePlugin.get_sampling(image)
    options: dict[str, Any] = {"qtables": image.quantization, "progressive": bool(image.info.get("progressive"))}
    if image.mode == "RGB" and sampling >= 0:
        options["subsampling"] = sampling
    if image.mode == "RGB" and image.info.get("adobe_transform") == 0:
        options["keep_rgb"] = True
    return options
