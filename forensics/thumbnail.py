"""Does the thumbnail that EXIF keeps show the same picture?"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageStat

from assay.vocabulary import Observation, Picture
from forensics.fields import Fields
from forensics.notes import detail, observe

DIFFERENT = 20
"""Bits of the perceptual hash that differ at least. Of 283 camera files of 40 makes, unedited ones reach at most 12,
and the three above the bound were cropped or turned after the shot; of unrelated pairs, nine in ten reach it."""
MAX_PIXELS = 12_500_000
MAX_BYTES = 2**20
"""Of the JPEG: decoding a larger one, even at an eighth of its size, would cost more than all other checks."""
_MIN_SIDE = 32
_MIN_CONTRAST = 8.0
"""Standard deviation in grey levels; the hash of a flat picture is noise."""
_SIDE = 160
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def thumbnail_differs(fields: Fields, data: bytes, picture: Picture) -> Iterator[Observation]:
    """Compare the two at small size, whichever way one of them was turned or framed."""
    if fields.thumbnail is None or picture.width * picture.height > MAX_PIXELS or len(data) > MAX_BYTES:
        return
    small, large = _decode(fields.thumbnail), _decode(data)
    if small is None or large is None or min(ImageStat.Stat(each).stddev[0] for each in (small, large)) < _MIN_CONTRAST:
        return
    from assay.fingerprint import HASH_BITS  # noqa: PLC0415 - numpy is loaded only where pictures are compared

    least = HASH_BITS
    for bits in _distances(small, large):
        if bits < DIFFERENT:
            return
        least = min(least, bits)
    yield observe(
        "thumbnail-differs",
        None,
        "The thumbnail in the EXIF shows another picture, or another crop of it: some software keeps the old one.",
        [detail("Difference", f"{least} of {HASH_BITS} bits of the perceptual hash")],
        contradiction=True,
    )


def _decode(data: bytes) -> Image.Image | None:
    """A JPEG in grey at no less than about 160 pixels, in the cheapest way; None where that cannot be done."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG"]) as image:
            width, height = image.size
            if min(width, height) < _MIN_SIDE or width * height > MAX_PIXELS:
                return None
            image.draft("L", (_SIDE, _SIDE))
            return image.convert("L")
    except Exception:  # a decoder raises what it likes on damaged data, and other checks report the damage
        return None


def _distances(small: Image.Image, large: Image.Image) -> Iterator[int]:
    """Distances for every turn, with what one of the two has more at two sides cut off: bars, or the picture itself."""
    from assay.fingerprint import dhash, distance  # noqa: PLC0415 - as above

    for turn in _TURNS:
        turned = large if turn is None else large.transpose(turn)
        yield distance(dhash(small), dhash(turned))
        yield distance(dhash(_framed(small, turned.size)), dhash(turned))
        yield distance(dhash(small), dhash(_framed(turned, small.size)))


def _framed(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    """The largest part in the middle that has the proportions of `shape`."""
    width, height = image.size
    fit = min(width / shape[0], height / shape[1])
    left, top = (width - shape[0] * fit) / 2, (height - shape[1] * fit) / 2
    return image.crop((round(left), round(top), round(width - left), round(height - top)))
