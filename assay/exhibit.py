"""Bytes -> `Exhibit`: the format by content, bounds before decoding, pixels decoded once.

Everything here parses untrusted input, so Assay runs it in a guarded worker (`assay.guard`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from PIL import Image, UnidentifiedImageError

from assay.bounds import JPEG, reduction, require_within
from assay.containers import walk
from assay.errors import DamagedImage, LimitExceeded, UnreadableError, UnsupportedFormat
from assay.files import printable
from assay.foreign import recognise
from assay.formats import FORMATS, Family, sniff
from assay.sizes import stated_size
from assay.vocabulary import Exhibit, ExhibitFacts, Limits, Picture, Pixels

Image.MAX_IMAGE_PIXELS = None  # our own bound is lower, applies to every format, and only where pixels are decoded

_DNG_VERSION, _NEW_SUBFILE_TYPE, _SUB_IFDS = 50706, 254, 330
_THUMBNAILS = frozenset({"JPEG", "PNG", "WEBP"})
_THUMBNAIL_PIXELS = 2**21
_EOI, _FILLING = b"\xff\xd9", bytes.fromhex("5aa53cc36996") * 16
_REFETCH = "Fetch the file again and compare its size with the source's."


def receive(source: Path | bytes, name: str, limits: Limits) -> Exhibit:
    """Read the bytes of one input, once; everything that follows works on these bytes.

    Args:
        source: A path, or bytes that were read already.
        name: What reports call the input.
        limits: Only `max_bytes` is used here.

    Raises:
        UnreadableError: The path is missing, not a regular file, or may not be read.
        LimitExceeded: More bytes than allowed; no more than that many were read.
    """
    data, sidecar = (source, None) if isinstance(source, bytes) else _read(source, name, limits)
    if len(data) > limits.max_bytes:
        raise LimitExceeded(
            f"{name}: more than {limits.max_bytes:,} bytes", hint="Raise --max-bytes if you trust the source."
        )
    facts = ExhibitFacts(name=printable(name), byte_size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return Exhibit(facts=facts, data=data, sidecar=sidecar)


def _read(path: Path, name: str, limits: Limits) -> tuple[bytes, bytes | None]:
    try:
        with _opened(path) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError(f"{name}: not a regular file", hint="Name an image file, or a folder of them.")
            data = _read_at_most(stream, limits.max_bytes + 1, stated=status.st_size)
    except OSError as error:
        hint = "Check the spelling." if error.errno == errno.ENOENT else "Check the permissions."
        raise UnreadableError(f"{name}: {error.strerror}", hint=hint) from error
    return data, read_sidecar(path, limits)


def _read_at_most(stream: IO[bytes], most: int, *, stated: int) -> bytes:
    """Read a file; memory is taken for as many bytes as the system states, and for more only where there are more."""
    data = stream.read(min(stated + 1, most))
    return data + stream.read(most - len(data)) if stated < len(data) < most else data


def read_sidecar(path: Path, limits: Limits) -> bytes | None:
    """The manifest beside the file, if any, under the name that C2PA 2.2, section 11.4, recommends."""
    try:
        with _opened(path.with_suffix(".c2pa")) as stream:
            return stream.read(limits.max_bytes) or None
    except OSError:
        return None


def _opened(path: Path) -> IO[bytes]:
    """Without waiting for whoever writes into a pipe of that name."""
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def inspect(exhibit: Exhibit, limits: Limits) -> Exhibit:
    """Find the format by content and read the container's own account of the picture; nothing is decoded.

    A picture may state any size: `assay.bounds.reduction` says whether its pixels are decoded.

    Raises:
        UnsupportedFormat: No format that is opened here, or its reader is not installed, or a camera raw file.
        DamagedImage: The header cannot be read.
    """
    family = _family(exhibit)
    name = exhibit.facts.name
    picture = _described(exhibit.data, family, name, limits)
    container = walk(exhibit.data, picture.format)
    behind = (f"behind the picture: {each}" for each in container.belongings)
    notes = (*_extension_notes(name, family), *container.damaged, *behind)
    if container.truncated:
        notes += ("the file stops before the end of the image",)
    picture = replace(picture, truncated=container.truncated, notes=notes)
    return replace(exhibit, facts=replace(exhibit.facts, picture=picture))


def _described(data: bytes, family: Family, name: str, limits: Limits) -> Picture:
    """What its reader says of the picture; its header alone where the reader would take memory for all pixels."""
    stated = stated_size(data, family.name, name)
    if stated is not None and stated[0] * stated[1] > limits.max_pixels:
        family.register(name)
        width, height = stated
        return Picture(
            format=family.name, mime=family.mime, width=width, height=height, frames=1, mode="colours not read"
        )
    with open_image(data, family, name) as image:
        _require_rendered(image, name)
        return Picture(
            format=image.format or family.name,
            mime=family.mime,
            width=image.size[0],
            height=image.size[1],
            frames=_count_frames(image, name),
            mode=image.mode,
        )


def _family(exhibit: Exhibit) -> Family:
    family = sniff(exhibit.data[:64])
    if family is not None:
        return family
    problem = f"{exhibit.facts.name}: not an image in a known format"
    if (found := recognise(exhibit.data)) is not None:
        raise UnsupportedFormat(f"{problem}: {found.what}", hint=found.hint)
    raise UnsupportedFormat(problem, hint=f"Known, by content: {', '.join(FORMATS)}.")


def open_image(data: bytes, family: Family, name: str) -> Image.Image:
    """Open an image with the readers of one format only, without decoding it.

    Raises:
        UnsupportedFormat: The format's reader is not installed.
        DamagedImage: The header cannot be read.
    """
    family.register(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # readers warn about damaged tags; what matters is checked or raised
        try:
            return Image.open(BytesIO(data), formats=family.readers)
        except UnidentifiedImageError as error:
            raise DamagedImage(f"{name}: the {family.name} header is damaged", hint=_REFETCH) from error
        except Exception as error:  # readers raise what they like on hostile headers
            raise DamagedImage(f"{name}: the {family.name} header cannot be read: {error}", hint=_REFETCH) from error


def decode(exhibit: Exhibit, limits: Limits, *, divisor: int = 1) -> tuple[Pixels, tuple[str, ...]]:
    """Decode the first frame: upright, uint8 of shape (height, width, 3), and what had to be done to get there.

    Args:
        exhibit: As received.
        limits: How many pixels may be decoded, and in how much memory.
        divisor: How many times narrower and lower than stored, from `assay.bounds.reduction`; above 1 for JPEG only.

    Raises:
        DamagedImage: The pixels cannot be decoded, or the bytes stop early.
        LimitExceeded: More pixels than allowed, or decoding needs more memory than a worker has.
    """
    name = exhibit.facts.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels, notes = _upright(exhibit, _ended(exhibit), limits, divisor)
            if _lacks_its_end(exhibit):
                others, _ = _upright(exhibit, _ended(exhibit, _FILLING), limits, divisor)
                if (pixels != others).any():
                    raise DamagedImage(
                        f"{name}: the pixels cannot be decoded: the picture data stop early", hint=_REFETCH
                    )
            return pixels, notes
        except UnreadableError:
            raise
        except MemoryError as error:
            raise LimitExceeded(
                f"{name}: decoding needs more than {limits.memory_bytes:,} bytes", hint="Raise --max-memory."
            ) from error
        except Exception as error:  # see open_image
            raise DamagedImage(f"{name}: the pixels cannot be decoded: {error}", hint=_REFETCH) from error


def _upright(exhibit: Exhibit, data: bytes, limits: Limits, divisor: int) -> tuple[Pixels, tuple[str, ...]]:
    from assay.pixels import upright_rgb  # noqa: PLC0415 - numpy is loaded only where pixels are wanted

    family, name = _family(exhibit), exhibit.facts.name
    require_within(stated_size(data, family.name, name) or (0, 0), name, limits.max_pixels)
    with open_image(data, family, name) as image:
        if divisor > 1:
            image.draft(None, (image.width // divisor, image.height // divisor))
        require_within(image.size, name, limits.max_pixels)
        return upright_rgb(image)


def _lacks_its_end(exhibit: Exhibit) -> bool:
    """Whether it is a JPEG without its end marker: the picture data before it may be whole."""
    picture = exhibit.facts.picture
    return picture is not None and picture.truncated and picture.format in JPEG


def _ended(exhibit: Exhibit, filling: bytes = b"") -> bytes:
    """The file, with the end marker that a JPEG lacks.

    Filling in front of the marker changes no pixel where the picture data are whole, for decoders skip what follows
    them; where something is missing, it is decoded in its place.
    """
    return exhibit.data.rstrip(b"\xff") + filling + _EOI if _lacks_its_end(exhibit) else exhibit.data


def preview(exhibit: Exhibit, limits: Limits, side: int = 320) -> bytes | None:
    """A small upright JPEG of at most `side` pixels a side; None where the pixels cannot be decoded, or may not be."""
    try:
        reduction(exhibit.facts, limits)
        with open_image(_ended(exhibit), _family(exhibit), exhibit.facts.name) as image:
            return _small(image, side)
    except Exception:  # see open_image; `decode` says what is wrong, where that is asked for
        return None


def thumbnail(data: bytes, side: int = 160) -> bytes | None:
    """A picture that a manifest holds, as a small upright JPEG; it is written by strangers, and bounded tightly.

    Returns:
        At most `side` pixels a side; None for another format than JPEG, PNG or WebP, for a picture of more than two
        megapixels, and for one that cannot be decoded.
    """
    family = sniff(data[:64])
    if family is None or family.name not in _THUMBNAILS:
        return None
    try:
        with open_image(data, family, "thumbnail") as image:
            return _small(image, side) if image.width * image.height <= _THUMBNAIL_PIXELS else None
    except Exception:  # see open_image
        return None


def _small(image: Image.Image, side: int) -> bytes:
    from assay.pixels import upright_rgb  # noqa: PLC0415 - see decode

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.draft("RGB", (side, side))  # JPEG alone can decode at a fraction of its size
        pixels, _ = upright_rgb(image)
    small = Image.fromarray(pixels)
    small.thumbnail((side, side))
    stream = BytesIO()
    small.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _count_frames(image: Image.Image, name: str) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # see open_image
        raise DamagedImage(f"{name}: the frames cannot be counted: {error}", hint=_REFETCH) from error


def _require_rendered(image: Image.Image, name: str) -> None:
    """Refuse camera raw files: they are TIFFs whose first picture is a thumbnail, and a verdict would be on that."""
    tags: Any = getattr(image, "tag_v2", {})
    is_thumbnail = _SUB_IFDS in tags and tags.get(_NEW_SUBFILE_TYPE) == 1
    if _DNG_VERSION in tags or is_thumbnail:
        raise UnsupportedFormat(f"{name}: a camera raw file", hint="Export it as TIFF or JPEG first.")


def _extension_notes(name: str, family: Family) -> tuple[str, ...]:
    extension = Path(name).suffix.lower()
    claimed = next((other for other in FORMATS.values() if extension in other.extensions), family)
    if claimed is family:
        return ()
    return (f"named {extension}, but the content is {family.name}",)
