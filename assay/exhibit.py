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

from assay.containers import walk
from assay.errors import DamagedImage, LimitExceeded, UnreadableError, UnsupportedFormat
from assay.files import printable
from assay.formats import FORMATS, Family, sniff
from assay.jxl import jxl_size
from assay.vocabulary import Exhibit, ExhibitFacts, Limits, Picture, Pixels

Image.MAX_IMAGE_PIXELS = None  # our own bound is lower, applies to every format, and is an error rather than a warning

_DNG_VERSION, _NEW_SUBFILE_TYPE, _SUB_IFDS = 50706, 254, 330
_THUMBNAILS = frozenset({"JPEG", "PNG", "WEBP"})
_THUMBNAIL_PIXELS = 2**21
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
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnreadableError(f"{name}: not a regular file", hint="Name an image file, or a folder of them.")
            data = stream.read(limits.max_bytes + 1)
    except OSError as error:
        hint = "Check the spelling." if error.errno == errno.ENOENT else "Check the permissions."
        raise UnreadableError(f"{name}: {error.strerror}", hint=hint) from error
    return data, read_sidecar(path, limits)


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

    Raises:
        UnsupportedFormat: No format that is opened here, or its reader is not installed, or a camera raw file.
        LimitExceeded: More pixels or frames than allowed.
        DamagedImage: The header cannot be read.
    """
    family = _family(exhibit)
    name = exhibit.facts.name
    if family.name == "JXL":  # its reader decodes everything on opening, so the bound has to come first
        _require_within(jxl_size(exhibit.data, name), name, limits)
    with open_image(exhibit.data, family, name) as image:
        _require_within(image.size, name, limits)
        _require_rendered(image, name)
        frames = _count_frames(image, name, limits)
        mode, format_name = image.mode, image.format or family.name
    container = walk(exhibit.data, format_name)
    behind = (f"behind the picture: {each}" for each in container.belongings)
    notes = (*_extension_notes(name, family), *container.damaged, *behind)
    if container.truncated:
        notes += ("the file stops before the end of the image",)
    picture = Picture(
        format=format_name,
        mime=family.mime,
        width=image.size[0],
        height=image.size[1],
        frames=frames,
        mode=mode,
        truncated=container.truncated,
        notes=notes,
    )
    return replace(exhibit, facts=replace(exhibit.facts, picture=picture))


def _family(exhibit: Exhibit) -> Family:
    family = sniff(exhibit.data[:64])
    if family is None:
        known = ", ".join(FORMATS)
        raise UnsupportedFormat(
            f"{exhibit.facts.name}: not an image in a known format", hint=f"Known, by content: {known}."
        )
    return family


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


def decode(exhibit: Exhibit, limits: Limits) -> tuple[Pixels, tuple[str, ...]]:
    """Decode the first frame: upright, uint8 of shape (height, width, 3), and what had to be done to get there.

    Raises:
        DamagedImage: The pixels cannot be decoded, or the bytes stop early.
        LimitExceeded: Decoding needs more memory than a worker has.
    """
    from assay.pixels import upright_rgb  # noqa: PLC0415 - numpy is loaded only where pixels are wanted

    name = exhibit.facts.name
    family = _family(exhibit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with open_image(exhibit.data, family, name) as image:
                _require_within(image.size, name, limits)
                return upright_rgb(image)
        except UnreadableError:
            raise
        except MemoryError as error:
            raise LimitExceeded(
                f"{name}: decoding needs more than {limits.memory_bytes:,} bytes", hint="Raise --max-memory."
            ) from error
        except Exception as error:  # see open_image
            raise DamagedImage(f"{name}: the pixels cannot be decoded: {error}", hint=_REFETCH) from error


def preview(exhibit: Exhibit, side: int = 320) -> bytes | None:
    """A small upright JPEG of at most `side` pixels a side; None where the pixels cannot be decoded."""
    try:
        with open_image(exhibit.data, _family(exhibit), exhibit.facts.name) as image:
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


def _require_within(size: tuple[int, int], name: str, limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise LimitExceeded(
            f"{name}: {width} x {height} pixels, more than {limits.max_pixels:,}",
            hint="Raise --max-pixels if you trust the source.",
        )


def _count_frames(image: Image.Image, name: str, limits: Limits) -> int:
    try:
        frames = int(getattr(image, "n_frames", 1))
    except Exception as error:  # see open_image
        raise DamagedImage(f"{name}: the frames cannot be counted: {error}", hint=_REFETCH) from error
    if frames > limits.max_frames:
        raise LimitExceeded(
            f"{name}: {frames} frames, more than {limits.max_frames}",
            hint="Raise --max-frames if you trust the source.",
        )
    return frames


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
