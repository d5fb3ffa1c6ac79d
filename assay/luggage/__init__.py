"""What a file carries beside its picture, and how another picture of the same size gets it.

Within one container every piece goes over as it stands, byte for byte, but for a short list that describes the old
encoding: sizes, offsets, colour tables, checksums of the old bytes, thumbnails of the old pixels, and the manifest
store, which becomes history. Into another container the pieces are wrapped anew; one that has no place there is an
error.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.containers import Block, Container, Kind, walk
from assay.errors import ConfigurationError, SelfCheckError
from assay.luggage import jpeg, png, tiff, webp
from assay.luggage.pieces import Luggage

__all__ = ["FORMATS", "MIMES", "Sift", "carried_over", "require_carried", "sifted_over"]

Sift = Callable[[Block], tuple[Block | None, tuple[str, ...]]]
"""What is left of a block, None for nothing, and the names of what is not. EXIF is a TIFF structure of its own."""

FORMATS = {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
"""Suffixes that are written, and Pillow's names."""
MIMES = {"PNG": "image/png", "WEBP": "image/webp", "JPEG": "image/jpeg", "TIFF": "image/tiff"}

_SUFFIXES = {"PNG": ".png", "WEBP": ".webp", "JPEG": ".jpg", "TIFF": ".tif"}
_CARRY = {"JPEG": jpeg.carry, "PNG": png.carry, "WEBP": webp.carry, "TIFF": tiff.carry}
_PACK = {"JPEG": jpeg.pack, "PNG": png.pack, "WEBP": webp.pack, "TIFF": tiff.pack}
_STRANGERS = {"JPEG": jpeg.strangers, "PNG": png.strangers, "WEBP": webp.strangers}


def carried_over(source: bytes, came_as: str, picture: bytes, form: str, *, name: str, icc: bytes | None) -> bytes:
    """A file with the pixels of `picture` and everything else of `source`.

    Args:
        source: The file that came.
        came_as: Its format, a name of Pillow's.
        picture: A file of nothing but the new pixels, of the same size.
        form: The format of `picture`: a value of `FORMATS`.
        name: Of the file that came, for errors.
        icc: Its colour profile, for a container of another kind.

    Raises:
        ConfigurationError: What it carries has no place in a file of that format.
    """
    if came_as == form:
        return _CARRY[form](source, picture)
    luggage = _luggage(source, came_as, name, form, icc)
    packed, homeless = _PACK[form](picture, luggage)
    if homeless:
        raise _no_place(name, ", ".join(dict.fromkeys(homeless)), came_as, form)
    return packed


def sifted_over(
    source: bytes, came_as: str, picture: bytes, form: str, *, name: str, icc: bytes | None, sift: Sift
) -> tuple[bytes, tuple[str, ...]]:
    """A file with the pixels of `picture` and what `sift` leaves of each block of metadata; nothing else goes on.

    Args: as for `carried_over`.

    Returns:
        The file, and the names of what was left out.

    Raises:
        ConfigurationError: What is left has no place in a file of that format.
    """
    container = walk(source, came_as)
    left_out = [*container.belongings, *(_STRANGERS[came_as](source) if came_as in _STRANGERS else ())]
    if container.end is not None and len(source) > container.end:
        left_out.append("bytes behind the picture")
    kept: list[Block] = []
    for block in _unwrapped(container, came_as):
        rest, names = sift(block)
        kept += [] if rest is None else [rest]
        left_out += names
    bare = png.described(picture, source) if came_as == form == "PNG" else picture
    packed, homeless = _PACK[form](bare, Luggage(blocks=tuple(kept), icc=icc))
    if homeless:
        raise _no_place(name, ", ".join(dict.fromkeys(homeless)), came_as, form)
    return packed, tuple(dict.fromkeys(left_out))


def require_carried(source: bytes, came_as: str, delivered: bytes, form: str, name: str) -> None:
    """Walk a finished file again, and look in it for every block of metadata that the source has.

    EXIF and Photoshop's resources are left out, for they lose their thumbnails; so is a container of another kind,
    where pieces are wrapped anew.

    Raises:
        SelfCheckError: One is not there, byte for byte.
    """
    if came_as != form:
        return
    wanted, found = ({(each.kind, each.payload) for each in walk(data, form).blocks} for data in (source, delivered))
    lost = sorted({kind.value for kind, _ in wanted - found if kind not in (Kind.EXIF, Kind.PHOTOSHOP)})
    if lost:
        raise SelfCheckError(
            f"{name}: what would be written lacks {', '.join(lost)} of the original",
            hint="Nothing was written. Please report it; a copy in another format can be marked.",
        )


def _luggage(source: bytes, came_as: str, name: str, form: str, icc: bytes | None) -> Luggage:
    container = walk(source, came_as)
    if container.belongings:
        raise _no_place(name, ", ".join(container.belongings), came_as, form)
    return Luggage(blocks=_unwrapped(container, came_as), icc=icc)


def _unwrapped(container: Container, came_as: str) -> tuple[Block, ...]:
    blocks = tuple(png.unwrapped(block) for block in container.blocks)
    if came_as == "TIFF":
        return tuple(tiff.as_exif(block) if block.kind is Kind.EXIF else block for block in blocks)
    return blocks


def _no_place(name: str, what: str, came_as: str, form: str) -> ConfigurationError:
    suffix = _SUFFIXES.get(came_as, ".png")
    return ConfigurationError(
        f"{name}: carries {what}, which has no place in a {form}", hint=f"Name an output that ends in {suffix}."
    )
