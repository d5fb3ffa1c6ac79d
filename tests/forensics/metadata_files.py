"""Files with metadata, written byte by byte or by Pillow: never by the code under test."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from assay.vocabulary import Exhibit, ExhibitFacts, Observation, Outcome, Picture, Settings
from forensics.fields import Field, Fields, Source
from forensics.metadata import Metadata

NAMESPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}
PHOTOGRAPHS = ("china", "flower")
MAKE, MODEL, ORIENTATION, SOFTWARE, ARTIST, COPYRIGHT, DESCRIPTION = (
    0x010F,
    0x0110,
    0x0112,
    0x0131,
    0x013B,
    0x8298,
    0x010E,
)
DATE_TIME_ORIGINAL, USER_COMMENT, BODY_SERIAL, OWNER = 0x9003, 0x9286, 0xA431, 0xA430
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
A1111 = (
    "a lighthouse in fog\nNegative prompt: people\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1234567, Size: 512x512, Model hash: c0d1994c73, Model: sd_v15"
)


def packet(body: str = "", **attributes: str) -> bytes:
    """An XMP packet; attributes are `prefix_name`, the body holds elements."""
    declared = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in NAMESPACES.items())
    written = " ".join(f"{name.replace('_', ':', 1)}={quoteattr(value)}" for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {written}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def element(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def listed(name: str, *values: str, kind: str = "Seq") -> str:
    items = "".join(element("rdf:li", value) for value in values)
    return f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>"


def exif(main: Mapping[int, Any] | None = None, **directories: Mapping[int, Any]) -> bytes:
    """EXIF by Pillow; `exif=` and `gps=` fill the directories of that name."""
    block = Image.Exif()
    for tag, value in (main or {}).items():
        block[tag] = value
    for name, tag in (("exif", EXIF_IFD), ("gps", GPS_IFD)):
        for inner, value in directories.get(name, {}).items():
            block.get_ifd(tag)[inner] = value
    return block.tobytes()


def iim(*datasets: tuple[int, int, bytes]) -> bytes:
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, number, len(value)) + value for record, number, value in datasets
    )


def photoshop(*resources: tuple[int, bytes]) -> bytes:
    return b"".join(
        b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(body)) + body + b"\0" * (len(body) & 1)
        for number, body in resources
    )


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with segments right behind its start."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def with_iim(jpeg: bytes, *datasets: tuple[int, int, bytes]) -> bytes:
    return with_segments(jpeg, segment(0xED, b"Photoshop 3.0\0" + photoshop((0x0404, iim(*datasets)))))


def with_thumbnail(jpeg: bytes, thumbnail: bytes) -> bytes:
    """The JPEG with an EXIF block of two directories, the second of which holds a thumbnail."""
    first = 8 + 2 + 12 + 4
    data = first + 2 + 24 + 4
    block = (
        struct.pack(">2sHI", b"MM", 42, 8)
        + struct.pack(">HHHIHHI", 1, ORIENTATION, 3, 1, 1, 0, first)
        + struct.pack(">HHHIIHHIII", 2, 0x0201, 4, 1, data, 0x0202, 4, 1, len(thumbnail), 0)
        + thumbnail
    )
    return with_segments(jpeg, segment(0xE1, b"Exif\0\0" + block))


def photograph_file(which: str) -> bytes:
    """A photograph that scikit-learn carries, as it lies there; importing the library would take seconds."""
    (folder,) = (find_spec("sklearn") or pytest.fail("scikit-learn is missing")).submodule_search_locations or ()
    return (Path(folder) / "datasets" / "images" / f"{which}.jpg").read_bytes()


def photograph(which: str) -> Image.Image:
    """That photograph, 640 x 427 pixels, RGB."""
    return Image.open(BytesIO(photograph_file(which))).convert("RGB")


def picture(size: tuple[int, int] = (48, 32)) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert("RGB")


def save(format_name: str = "JPEG", image: Image.Image | None = None, **options: Any) -> bytes:
    """A picture in a format, with Pillow's options for it (`exif`, `xmp`, `comment`)."""
    stream = BytesIO()
    (image or picture()).save(stream, format_name, **options)
    return stream.getvalue()


def png(texts: Mapping[str, str] | None = None, *, compressed: bool = False, **options: Any) -> bytes:
    """A PNG with text chunks: iTXt where Latin-1 does not suffice."""
    info = PngInfo()
    for key, value in (texts or {}).items():
        info.add_text(key, value, zip=compressed)
    return save("PNG", pnginfo=info, **options)


def exhibit(data: bytes, name: str = "a.jpg") -> Exhibit:
    with Image.open(BytesIO(data)) as image:
        width, height = image.size
        facts = Picture(format=image.format or "", mime="", width=width, height=height, frames=1, mode=image.mode)
    return Exhibit(facts=ExhibitFacts(name=name, picture=facts), data=data)


def examine(data: bytes) -> tuple[Outcome, ...]:
    return Metadata(Settings(home=Path("/nowhere"))).examine(exhibit(data))


def observations(data: bytes) -> dict[str, Observation]:
    """What the check observes in a file, by signal."""
    return {note.signal: note for note in examine(data) if isinstance(note, Observation)}


def fields(*items: tuple[Source, str, str]) -> Fields:
    return Fields(items=tuple(Field(source=source, name=name, value=value) for source, name, value in items))


def values(note: Observation) -> dict[str, str]:
    return {each.name: each.value for each in note.details}
