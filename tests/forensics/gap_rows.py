"""Rows of the tamper matrix about bytes that a signer left out of the hash: metadata, and what makes the picture.

Every specimen is signed by the desk that the reader trusts, in a way that the C2PA library accepts, and then edited
without a key.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image

from tests.carriers import AVIF, CARRIERS, GIF, JPEG, PNG, TIFF, WEBP, Carrier, png_chunk, tiff_strip_at
from tests.forensics.gaps import Gap, Lay, gap_row, laid, under_update
from tests.forensics.tamper_rows import TRUSTED, UNCOVERED, Row
from tests.forge import USUAL, BmffHash, DataHash, NamedHash
from tests.forge.bindings import Ranges
from tests.forge.bmff import find
from tests.forge.gaps import (
    MAKER,
    OTHER_MAKER,
    Edit,
    Pieces,
    another_picture,
    blank,
    contents,
    described,
    middle_of,
    over,
    pieces,
    through,
)
from tests.seeds import encode, encoded, photograph

_EXIF = {
    JPEG.name: pieces(JPEG, b"\xe1", b"Exif"),
    PNG.name: pieces(PNG, b"eXIf"),
    WEBP.name: pieces(WEBP, b"EXIF"),
    AVIF.name: lambda data: [_around(data, MAKER)],
}
_XMP = {
    JPEG.name: pieces(JPEG, b"\xe1", b"http:"),
    PNG.name: pieces(PNG, b"iTXt", b"XML:com.adobe.xmp"),
    WEBP.name: pieces(WEBP, b"XMP "),
}
_PROFILE = {
    JPEG.name: pieces(JPEG, b"\xe2", b"ICC_PROFILE"),
    PNG.name: pieces(PNG, b"iCCP"),
    WEBP.name: pieces(WEBP, b"ICCP"),
}
_PROFILE_EDITS = {
    JPEG.name: (b"lcms", b"LCMS"),
    PNG.name: (b"ICC Profile", b"icc profile"),
    WEBP.name: (b"lcms", b"LCMS"),
}
_ROOM = {JPEG.name: 7_000, PNG.name: 34_000}
"""Bytes of EXIF that hold another picture of the same size."""
_UPRIGHT = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01"
"""Orientation in EXIF, as Pillow writes it: short, one value, 1."""


def _around(data: bytes, text: bytes) -> slice:
    at = data.index(text)
    return slice(at, at + len(text))


def _metadata(found: Mapping[str, Pieces], change: Callable[[Carrier], tuple[bytes, bytes]]) -> Lay:
    """A piece of metadata left out, and changed."""

    def lay(carrier: Carrier) -> Gap:
        where = found[carrier.name]
        return Gap(
            picture=described(carrier), binding=DataHash(leave_out=where), edits=(over(where, *change(carrier)),)
        )

    return lay


def _contents_of_exif(carrier: Carrier) -> Gap:
    where = contents(_EXIF[carrier.name])
    return Gap(picture=described(carrier), binding=DataHash(leave_out=where), edits=(over(where, MAKER, OTHER_MAKER),))


def _exif_in_avif(_carrier: Carrier) -> Gap:
    """The item with EXIF, which lies in `mdat` beside the picture."""
    picture = described(AVIF)
    media, maker = find(picture, "/mdat").extent, _around(picture, MAKER)
    subset = [{"offset": maker.start - media.start, "length": len(MAKER)}]
    binding = BmffHash(exclusions=(*USUAL, {"xpath": "/mdat", "subset": subset}))
    return Gap(picture=picture, binding=binding, edits=(over(_EXIF[AVIF.name], MAKER, OTHER_MAKER),))


def _swapped_in_exif(carrier: Carrier) -> Gap:
    where = _EXIF[carrier.name]
    picture = described(carrier, room=_ROOM[carrier.name])
    return Gap(picture=picture, binding=DataHash(leave_out=where), edits=(another_picture(carrier, where),))


def _picture_data(carrier: Carrier) -> Gap:
    """A third of the picture data; the whole chunk of a PNG, whose checksums notice less."""
    if carrier is PNG:
        where = pieces(PNG, b"IDAT")
        return Gap(picture=encoded("PNG"), binding=DataHash(leave_out=where), edits=(_blackened(where),))
    where = middle_of(lambda data: [carrier.picture_data(data)])
    edits = () if carrier is GIF else (blank(where),)  # codes of a GIF that were not made for each other end the file
    return Gap(picture=encoded(carrier.name), binding=DataHash(leave_out=where), edits=edits)


def _blackened(where: Pieces) -> Edit:
    """Put the data of a black picture into a chunk of the same length."""

    def edit(data: bytes) -> bytes:
        extent = where(data)[0]
        black = encode(Image.new("RGB", photograph().size), "PNG")
        body = black[PNG.picture_data(black)]
        chunk = png_chunk(b"IDAT", body.ljust(extent.stop - extent.start - 12, b"\0"))
        return data[: extent.start] + chunk + data[extent.stop :]

    return edit


def _all_after_the_manifest(carrier: Carrier) -> Gap:
    """Headers, tables and picture data of a JPEG: the other picture is the smaller one."""

    def where(data: bytes) -> Ranges:
        return [slice(carrier.wrapping(data)[-1].stop, len(data))]

    picture = encoded(carrier.name).ljust(20_000, b"\0")
    return Gap(picture=picture, binding=DataHash(leave_out=where), edits=(another_picture(carrier, where),))


def _on_into_the_picture(carrier: Carrier) -> Gap:
    where = through(_PROFILE[carrier.name] if carrier is not PNG else _EXIF[PNG.name], 40)
    return Gap(picture=described(carrier), binding=DataHash(leave_out=where))


_HEADERS = {JPEG.name: pieces(JPEG, b"\xc0"), PNG.name: pieces(PNG, b"IHDR")}
_HEIGHT, _HALF = (107).to_bytes(2), (48).to_bytes(2)


def _header(carrier: Carrier) -> Gap:
    where = _HEADERS[carrier.name]
    return Gap(picture=encoded(carrier.name), binding=DataHash(leave_out=where), edits=(over(where, _HEIGHT, _HALF),))


_TABLES: dict[str, Pieces] = {
    JPEG.name: pieces(JPEG, b"\xdb"),
    PNG.name: pieces(PNG, b"PLTE"),
    GIF.name: lambda data: [slice(13, 13 + 3 * 2 ** ((data[10] & 7) + 1))],
}


def _tables(carrier: Carrier) -> Gap:
    where = _TABLES[carrier.name]
    image = photograph().quantize(64) if carrier is PNG else photograph()
    picture = encode(image, carrier.name)
    extent = where(picture)[0]
    entries = picture[extent.start + 20 : extent.start + 60]
    return Gap(
        picture=picture, binding=DataHash(leave_out=where), edits=(over(where, entries, bytes(reversed(entries))),)
    )


def _transparency(_carrier: Carrier) -> Gap:
    """The colour that is transparent."""
    where = pieces(PNG, b"tRNS")
    image = photograph()
    one, other = (_colour(image, at) for at in ((0, 0), (80, 53)))
    stream = BytesIO()
    image.save(stream, "PNG", transparency=one)
    edit = over(where, struct.pack(">3H", *one), struct.pack(">3H", *other))
    return Gap(picture=stream.getvalue(), binding=DataHash(leave_out=where), edits=(edit,))


def _colour(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    colour = image.getpixel(at)
    assert isinstance(colour, tuple)
    return colour


def _codes(_carrier: Carrier) -> Gap:
    """The codes of a JPEG: the two shortest exchanged."""
    where = pieces(JPEG, b"\xc4")

    def edit(data: bytes) -> bytes:
        first = where(data)[1].start + 4 + 1 + 16  # marker and length, number, codes of each length
        return data[:first] + data[first : first + 2][::-1] + data[first + 2 :]

    return Gap(picture=encoded("JPEG"), binding=DataHash(leave_out=where), edits=(edit,))


def _in_the_manifest(_carrier: Carrier) -> Gap:
    """A TIFF whose strip lies behind the manifest, in the value of the manifest's tag."""
    picture = encoded("TIFF")
    strip = picture[TIFF.picture_data(picture)]

    def embed(data: bytes, store: bytes) -> bytes:
        whole = TIFF.embed(data, store + strip)
        return tiff_strip_at(whole, TIFF.store_parts(whole)[0].stop - len(strip))

    def edit(data: bytes) -> bytes:
        at = data.rindex(strip)  # the first place is where the picture lay before it was signed: nothing names it now
        return data[:at] + bytes(len(strip)) + data[at + len(strip) :]

    return Gap(picture=picture, binding=DataHash(), edits=(edit,), carrier=replace(TIFF, embed=embed))


def _named(edit: Edit, **choices: Any) -> Lay:
    """Return a JPEG with a hash of each segment by its name."""
    return laid(Gap(picture=described(JPEG), binding=NamedHash(**choices), edits=(edit,)))


def _reversed_tables(data: bytes) -> bytes:
    extent = _TABLES[JPEG.name](data)[0]
    entries = data[extent.start + 20 : extent.start + 60]
    return data[: extent.start + 20] + entries[::-1] + data[extent.start + 60 :]


def _middle(data: bytes) -> bytes:
    return blank(middle_of(lambda each: [JPEG.picture_data(each)]))(data)


METADATA_ROWS = (
    gap_row("gap-exif", "EXIF", _metadata(_EXIF, lambda _: (MAKER, OTHER_MAKER)), "JPEG PNG WEBP", TRUSTED),
    gap_row("gap-exif-content", "the content of the EXIF segment", _contents_of_exif, "JPEG", TRUSTED),
    gap_row("gap-exif-item", "EXIF in the box of picture data", _exif_in_avif, "AVIF", TRUSTED),
    gap_row(
        "named-exif",
        "EXIF and XMP, by the name of their segments",
        _named(over(_EXIF[JPEG.name], MAKER, OTHER_MAKER), excluded=("APP1",)),
        "JPEG",
        TRUSTED,
    ),
    gap_row("gap-xmp", "XMP", _metadata(_XMP, lambda _: (MAKER, OTHER_MAKER)), "JPEG PNG WEBP", TRUSTED),
    gap_row(
        "gap-orientation",
        "EXIF, and the picture turned by it",
        _metadata(_EXIF, lambda _: (_UPRIGHT, _UPRIGHT[:-1] + b"\x06")),
        "JPEG PNG WEBP",
        TRUSTED,
    ),
    gap_row(
        "gap-profile",
        "colour profile",
        _metadata(_PROFILE, lambda carrier: _PROFILE_EDITS[carrier.name]),
        "JPEG PNG WEBP",
        TRUSTED,
    ),
)
"""The signer left out metadata: the pixels are the signed ones, the metadata need not be."""

PICTURE_ROWS = (
    gap_row("gap-picture", "a third of the picture data", _picture_data, " ".join(CARRIERS)),
    gap_row("gap-header", "the frame header", _header, "JPEG PNG"),
    gap_row("gap-tables", "quantisation tables, palette", _tables, "JPEG PNG GIF"),
    gap_row("gap-codes", "Huffman tables", _codes, "JPEG"),
    gap_row("gap-transparency", "transparency of the palette", _transparency, "PNG"),
    gap_row("gap-into", "metadata, and a few bytes of what comes after it", _on_into_the_picture, "JPEG PNG WEBP"),
    gap_row("gap-all", "everything after the manifest", _all_after_the_manifest, "JPEG"),
    gap_row(
        "gap-exif-swapped", "EXIF, and another picture put in its place", _swapped_in_exif, "JPEG PNG", as_signed=False
    ),
    gap_row("gap-manifest", "picture data that lies in the place of the manifest", _in_the_manifest, "TIFF"),
    gap_row("named-tables", "quantisation tables, by their name", _named(_reversed_tables, excluded=("DQT",)), "JPEG"),
    gap_row("named-scan", "picture data, by its name", _named(_middle, excluded=("SOS",)), "JPEG"),
    gap_row("named-end", "all that comes after the last name in the list", _named(_middle, last="C2PA"), "JPEG"),
    Row(
        id="gap-update",
        what="a third of the picture data, by the parent of an update manifest",
        make=under_update(_picture_data),
        expected=UNCOVERED,
        only=("JPEG", "PNG"),
    ),
)
"""The signer left out bytes that make the picture, or what was left out makes it now."""
