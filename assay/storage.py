"""Which ways of storing a picture are known well enough to write it again, and what to do about the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PIL import Image

from assay.containers.tiff import Tiff
from assay.errors import UnreadableError

_DEEP = 16
_DEEP_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_SAVE_RGB = "Save it as RGB with 8 bits a channel first."
_MEANINGS = {0: "white is 0", 1: "grey", 2: "RGB", 3: "palette", 4: "a mask", 5: "CMYK", 6: "YCbCr", 8: "CIELAB"}
_COMPRESSIONS = {1: "none", 5: "LZW", 8: "Deflate", 32946: "Deflate", 32773: "PackBits"}
_FORMATS = {2: "signed numbers", 3: "floating point", 4: "no defined format"}
_BITS, _COMPRESSION, _MEANING, _FILL_ORDER, _SAMPLES = 258, 259, 262, 266, 277
_PLANES, _EXTRA, _SAMPLE_FORMAT, _INKS, _KIND, _DNG = 284, 338, 339, 332, 254, 50706
_UNPREMULTIPLIED = 2
_LAYOUTS = {0: (1, False), 1: (1, True), 2: (3, True), 3: (1, False), 5: (4, False)}
"""Channels by meaning, and whether one of transparency may follow."""


def require_known(image: Image.Image, data: bytes, name: str) -> None:
    """Refuse what Pillow would change by reading it.

    Raises:
        UnreadableError: Several frames or pictures, more than 8 bits of colour, or a layout that is not known.
    """
    problem = next(_problems(image, data), None)
    if problem is not None:
        raise UnreadableError(f"{name}: {problem[0]}", hint=problem[1])


def _problems(image: Image.Image, data: bytes) -> Iterator[tuple[str, str]]:
    """What is wrong, and the remedy."""
    if image.format == "MPO":
        more = getattr(image, "n_frames", 2) - 1
        yield (
            f"holds {more} more picture{'s' if more > 1 else ''}, which would go on without a mark",
            "Save the first picture as a JPEG of its own, and mark that.",
        )
    if getattr(image, "n_frames", 1) > 1:
        yield "has several frames", "Take the frame that you want out, and mark that."
    if image.format == "PNG":
        yield from _png_problems(image, data)
    elif image.format == "TIFF":
        yield from _tiff_problems(data)
    elif image.format == "AVIF" and (at := data.find(b"av1C")) >= 0 and data[at + 6] & 0x40:
        yield "10 or 12 bits a channel would lose some", _SAVE_RGB
    if image.mode in ("F", "I", "1", "LAB", "YCbCr", "HSV", "La", "RGBa", "PA"):
        yield f"pixels of the kind {image.mode} are not written again", _SAVE_RGB


def _png_problems(image: Image.Image, data: bytes) -> Iterator[tuple[str, str]]:
    if data[24] != _DEEP:
        return
    if image.mode not in _DEEP_GREY:
        yield "16-bit colour would lose half of its bits", "Save it with 8 bits a channel first."
    elif "transparency" in image.info:
        yield "16-bit grey with a transparent shade", "Save it with 8 bits a channel and an alpha channel first."


def _tiff_problems(data: bytes) -> Iterator[tuple[str, str]]:
    tiff = Tiff.parse(data)
    if tiff is None or tiff.is_big:
        yield "a BigTIFF is not written again", "Save it as a classic TIFF first."
        return
    entries = tiff.read(tiff.first).entries
    tags = {tag: tiff.integers(entry, 8) for tag, entry in entries.items() if tag in _DEFAULTS}
    stated = {tag: tags.get(tag) or default for tag, default in _DEFAULTS.items()}
    yield from _layout_problems(stated)
    if _DNG in entries or stated[_KIND][0] & 1:
        yield "the first picture of the file is a preview of another", "Develop it to a TIFF or a JPEG first."


_DEFAULTS: Mapping[int, tuple[int, ...]] = {
    _BITS: (1,), _COMPRESSION: (1,), _MEANING: (1,), _FILL_ORDER: (1,), _SAMPLES: (1,),
    _PLANES: (1,), _EXTRA: (), _SAMPLE_FORMAT: (1,), _INKS: (1,), _KIND: (0,),
}  # fmt: skip
"""Of TIFF 6.0, section 8."""


def _layout_problems(stated: Mapping[int, tuple[int, ...]]) -> Iterator[tuple[str, str]]:
    (meaning, *_), (compression, *_), (samples, *_) = stated[_MEANING], stated[_COMPRESSION], stated[_SAMPLES]
    bits, extra = stated[_BITS], stated[_EXTRA]
    if meaning not in _LAYOUTS:
        yield f"{_MEANINGS.get(meaning, f'colours of kind {meaning}')} in a TIFF is not written again", _SAVE_RGB
        return
    if compression not in _COMPRESSIONS:
        words = "JPEG inside a TIFF" if compression in (6, 7) else f"compression {compression} in a TIFF"
        yield f"{words} is not written again", "Save it with LZW, Deflate or no compression first."
    if set(stated[_SAMPLE_FORMAT]) != {1}:
        words = _FORMATS.get(max(stated[_SAMPLE_FORMAT]), "an unknown format")
        yield f"pixels of {words} are not written again", _SAVE_RGB
    if set(bits) == {_DEEP} and (meaning, samples) != (1, 1):
        yield "16-bit colour would lose half of its bits", "Save it with 8 bits a channel first."
    elif set(bits) not in ({8}, {_DEEP}):
        words = "1 bit a channel in a TIFF is" if max(bits) == 1 else f"{max(bits)} bits a channel in a TIFF are"
        yield f"{words} not written again", _SAVE_RGB
    channels, may_be_transparent = _LAYOUTS[meaning]
    is_transparent = samples == channels + 1 and extra == (_UNPREMULTIPLIED,)
    if samples != channels and not (may_be_transparent and is_transparent):
        yield "further channels, or premultiplied transparency, are not written again", _SAVE_RGB
    if stated[_PLANES][0] != 1 and samples > 1:
        yield "channels in planes of their own are not written again", "Save it with interleaved channels first."
    if stated[_FILL_ORDER][0] != 1:
        yield "reversed bits are not written again", _SAVE_RGB
    if meaning == 5 and stated[_INKS][0] != 1:  # noqa: PLR2004 - CMYK
        yield "inks other than cyan, magenta, yellow and black", _SAVE_RGB
