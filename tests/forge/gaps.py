"""Pieces of JPEG, PNG and WebP that a hash can leave out, and what can then be done to them without a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO

from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.carriers import JPEG, PNG, Carrier, jpeg_segments, png_chunk, png_chunks, riff_chunks
from tests.forge.bindings import Ranges
from tests.seeds import encode, photograph

Pieces = Callable[[bytes], Ranges]
Edit = Callable[[bytes], bytes]

MAKER, OTHER_MAKER = b"Assay Test Camera", b"Other Test Camera"
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- %s --></x:xmpmeta>' % MAKER


@cache
def described(carrier: Carrier, *, room: int = 0) -> bytes:
    """Return a photograph with EXIF, XMP and a colour profile.

    Args:
        carrier: JPEG, PNG, WebP or AVIF.
        room: Bytes that the maker of the camera keeps for notes in EXIF.
    """
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = MAKER.decode()
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.Base.ImageDescription] = "x" * room
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", _XMP.decode())
    own = {"pnginfo": text} if carrier is PNG else {"xmp": _XMP}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    stream = BytesIO()
    photograph().save(stream, carrier.name, exif=exif, icc_profile=profile, **own)
    return stream.getvalue()


# --- which pieces -----------------------------------------------------------------------------------------------------


def pieces(carrier: Carrier, kind: bytes, start: bytes = b"") -> Pieces:
    """Return a function that finds all pieces of a kind, with their heads.

    Args:
        carrier: JPEG, PNG or WebP.
        kind: The marker of a JPEG segment, or the type of a chunk.
        start: What the content has to start with.
    """
    head = 4 if carrier is JPEG else 8

    def find(data: bytes) -> Ranges:
        return [
            extent
            for found, extent in _all(carrier, data)
            if found == kind and data[extent.start + head :].startswith(start)
        ]

    return find


def contents(found: Pieces) -> Pieces:
    """Leave out the content of JPEG segments, and hash their heads."""
    return lambda data: [slice(each.start + 4, each.stop) for each in found(data)]


def through(found: Pieces, further: int) -> Pieces:
    """Go on for some bytes after the end of a piece: into the next."""
    return lambda data: [slice(each.start, each.stop + further) for each in found(data)]


def middle_of(found: Pieces) -> Pieces:
    """Leave out the second third of a piece."""

    def find(data: bytes) -> Ranges:
        thirds = ((each.start, (each.stop - each.start) // 3) for each in found(data))
        return [slice(start + third, start + 2 * third) for start, third in thirds]

    return find


def _all(carrier: Carrier, data: bytes) -> list[tuple[bytes, slice]]:
    if carrier is JPEG:
        return [(bytes([marker]), extent) for marker, extent in jpeg_segments(data)]
    return list((png_chunks if carrier is PNG else riff_chunks)(data))


# --- what is done to them ---------------------------------------------------------------------------------------------


def over(found: Pieces, old: bytes, new: bytes) -> Edit:
    """Put other bytes over what stands in the first piece."""

    def edit(data: bytes) -> bytes:
        extent = found(data)[0]
        assert old in data[extent]
        assert len(old) == len(new)
        return data[: extent.start] + data[extent].replace(old, new, 1) + data[extent.stop :]

    return edit


def blank(found: Pieces) -> Edit:
    """Put zeros over the first piece."""

    def edit(data: bytes) -> bytes:
        extent = found(data)[0]
        return data[: extent.start] + bytes(extent.stop - extent.start) + data[extent.stop :]

    return edit


def another_picture(carrier: Carrier, found: Pieces) -> Edit:
    """Put a whole other picture into the place of the first piece, which comes before the picture data: JPEG or PNG."""

    def edit(data: bytes) -> bytes:
        extent = found(data)[0]
        room = extent.stop - extent.start
        return data[: extent.start] + _filling(carrier, room) + data[extent.stop :]

    return edit


def _filling(carrier: Carrier, room: int) -> bytes:
    """A picture of the same size, without its first header, with an end after which nobody reads on."""
    other = encode(photograph("flower"), carrier.name)
    if carrier is JPEG:
        _, first = next(jpeg_segments(other))
        return other[first.stop :].ljust(room, b"\0")
    body = b"".join(other[extent] for kind, extent in png_chunks(other) if kind != b"IHDR")
    return body + png_chunk(b"teXt", bytes(room - len(body) - 12))
