"""The image formats that Assay opens, told apart by their first bytes and never by their extension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from assay.errors import UnsupportedFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One format, or several that share their first bytes."""

    name: str
    mime: str
    extensions: tuple[str, ...]
    readers: tuple[str, ...]
    """Pillow's names of the plug-ins that may open it."""
    plugin: str | None = None
    """`module:function` that registers a reader which Pillow lacks; the module alone where importing it is enough."""

    def register(self, name: str) -> None:
        """Make sure that Pillow has a reader.

        Args:
            name: The file at hand, for the error.

        Raises:
            UnsupportedFormat: The reader belongs to an extra that is not installed.
        """
        if self.plugin is None:
            return
        module, _, function = self.plugin.partition(":")
        try:
            plugin = import_module(module)
        except ImportError as error:
            raise UnsupportedFormat(
                f"{name}: {self.name} needs a reader that is not installed",
                hint="Install the extra: pip install 'assay[formats]'",
            ) from error
        if function:
            getattr(plugin, function)()


_FAMILIES = (
    Family(name="JPEG", mime="image/jpeg", extensions=(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), readers=("JPEG",)),
    Family(name="PNG", mime="image/png", extensions=(".png", ".apng"), readers=("PNG",)),
    Family(name="WEBP", mime="image/webp", extensions=(".webp",), readers=("WEBP",)),
    Family(name="AVIF", mime="image/avif", extensions=(".avif",), readers=("AVIF",)),
    Family(name="TIFF", mime="image/tiff", extensions=(".tif", ".tiff"), readers=("TIFF",)),
    Family(name="GIF", mime="image/gif", extensions=(".gif",), readers=("GIF",)),
    Family(name="BMP", mime="image/bmp", extensions=(".bmp", ".dib"), readers=("BMP",)),
    Family(
        name="HEIF",
        mime="image/heic",
        extensions=(".heic", ".heif", ".hif"),
        readers=("HEIF",),
        plugin="pillow_heif:register_heif_opener",
    ),
    Family(name="JXL", mime="image/jxl", extensions=(".jxl",), readers=("JXL",), plugin="pillow_jxl"),
)
FORMATS: Mapping[str, Family] = {family.name: family for family in _FAMILIES}

IMAGE_EXTENSIONS = frozenset(extension for family in _FAMILIES for extension in family.extensions)

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def sniff(head: bytes) -> Family | None:
    """The format that the first 64 bytes announce; None for anything else."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return FORMATS[name]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FORMATS["WEBP"]
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    return None


def _sniff_brands(head: bytes) -> Family | None:
    """ISO/IEC 14496-12, section 4.3: a major brand, a version, then compatible brands."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
    if brands & _AVIF_BRANDS:
        return FORMATS["AVIF"]
    return FORMATS["HEIF"] if brands & _HEIF_BRANDS else None
