"""Small files that ask for a lot: of memory, of time, of stack. None of them is an image that anybody wants to see."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

from tests.carriers import AVIF, JPEG, PNG, WEBP, bmff_box, png_chunk, put
from tests.seeds import encoded

Build = Callable[[], bytes]

_PNG_HEADER = b"\x89PNG\r\n\x1a\n"


def _save(image: Image.Image, format_name: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def _blank(mode: str, side: int, format_name: str, **options: Any) -> bytes:
    return _save(Image.new(mode, (side, side)), format_name, **options)


# --- more pixels or frames than anybody asked for: examined by the header, and never decoded --------------------------


WEBP_9000 = b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0/'\xe3\xc9\x08\x07\x10\x11\xfd\x0fDD\xff\x03"
"""9000 x 9000 black pixels, as Pillow saves them without loss; kept, because saving them takes seconds."""
AVIF_8000 = zlib.decompress(
    base64.b85decode(
        "c-muNV30{GsVqn=%S>Yc0uY^>nP!-qnF!*)%uOvxWPkw0jFg-rD4U@mGr5ET4e%9YmgIt2j6f`xnUkLk;<$kLj1W;qULgJoWNTz*"
        "=B2^aN&z{kOi*58nSr5meoj8vu8horq5>f8nOTsW52QshiwjaA*2z0SFv#ADOt5ASAi<MZX6W1~F9Q+~PR`FM%1h3v0Gi9oz}5g1"
        "63;Bih4~2REEYzlW)>jpZ*EFri4X%9m;7hD`p@5HaAcSoJz*A*f2F<uPXq&l)%jC8-s=->D)x7t({A+8-"
        "lcl1fLqDF)^qwK_ZznlstT&S-haBsXbQ_;;R6$v+PtY}xiopk$$4KkY^=RcSnvD0M>PK1CoKH3Z`Kih50|J@y6r_%rx?Bn-"
        "!ancwIJJGvMmJw9WWun"
    )
)
"""8000 x 8000 black pixels, as Pillow saves them; kept for the same reason."""


def _gif_frames() -> bytes:
    frames = [Image.frombytes("P", (16, 16), bytes([n % 251, *range(255)])) for n in range(500)]
    return _save(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _png_frames() -> bytes:
    frames = [Image.frombytes("L", (16, 16), bytes([n % 251, *range(255)])) for n in range(500)]
    return _save(frames[0], "PNG", save_all=True, append_images=frames[1:])


def _tiff(width: int, height: int) -> bytes:
    size = ((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
    place = ((273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 4))
    entries = b"".join(struct.pack("<HHII", *entry) for entry in (*size, *place))
    directory = struct.pack("<H", len(size) + len(place)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory


def _tiff_pages(count: int) -> bytes:
    frames = [Image.new("1", (8, 8)) for _ in range(count)]
    return _save(frames[0], "TIFF", save_all=True, append_images=frames[1:])


def _tiff_loop() -> bytes:
    """A directory whose next directory is itself."""
    data = bytearray(_tiff(8, 8))
    data[-4:] = struct.pack("<I", 8)
    return bytes(data)


def _jxl_absurd() -> bytes:
    """In boxes, because a bare codestream has no place for credentials."""
    codestream = b"\xff\x0a" + (0b11 << 1 | (2**30 - 1) << 3).to_bytes(8, "little") + bytes(64)
    head = bmff_box(b"JXL ", b"\r\n\x87\n") + bmff_box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return head + bmff_box(b"jxlc", codestream)


def _jpeg_of(side: int) -> bytes:
    """A small progressive JPEG whose frame header (ITU-T T.81, B.2.2) states another size."""
    data = _blank("L", 64, "JPEG", progressive=True)
    at = data.index(b"\xff\xc2") + 5
    return data[:at] + struct.pack(">HH", side, side) + data[at + 4 :]


REDUCED = "jpeg-progressive-9000.jpg"


def jpeg_9000() -> bytes:
    """81 megapixels of a progressive JPEG, more than are decoded: half of its size is."""
    return _blank("L", 9_000, "JPEG", progressive=True)


TOO_LARGE: Mapping[str, Build] = {
    "png-144-megapixels.png": lambda: _blank("1", 12_000, "PNG", compress_level=1),
    "webp-lossless-9000.webp": lambda: WEBP_9000,
    "avif-8000.avif": lambda: AVIF_8000,
    "jpeg-absurd.jpg": lambda: _jpeg_of(65_500),
    "gif-500-frames.gif": _gif_frames,
    "png-500-frames.png": _png_frames,
    "tiff-absurd.tif": lambda: _tiff(2**31 - 1, 2**31 - 1),
    "tiff-wide.tif": lambda: _tiff(2**32 - 1, 1),
    "tiff-500-pages.tif": lambda: _tiff_pages(500),
    "bmp-absurd.bmp": lambda: encoded("BMP")[:18] + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + encoded("BMP")[26:],
    "gif-absurd.gif": lambda: encoded("GIF")[:6] + b"\xff\xff\xff\xff" + encoded("GIF")[10:],
    "webp-absurd.webp": lambda: b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0/\xff\xff\xff\x0f" + WEBP_9000[25:],
    "avif-absurd.avif": lambda: AVIF_8000.replace(struct.pack(">II", 8_000, 8_000), struct.pack(">II", 2**31, 2**31)),
    "jxl-absurd.jxl": _jxl_absurd,
}


# --- small pictures with a lot behind them: survived ------------------------------------------------------------------


def _png_with(*chunks: bytes) -> bytes:
    return put(encoded("PNG"), 33, b"".join(chunks))


@cache
def _zipped(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def _xmp_jpeg(packet: bytes) -> bytes:
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    return put(encoded("JPEG"), 2, b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body)


def _xmp_png(packet: bytes) -> bytes:
    return _png_with(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))


def _nested(depth: int) -> bytes:
    return b"<x>" * depth + b"</x>" * depth


_LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><l>&m;</l>"
)
_OUTSIDE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'


def _jumbf(label: bytes, *content: bytes) -> bytes:
    description = bmff_box(b"jumd", b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03" + label + b"\0")
    return bmff_box(b"jumb", description + b"".join(content))


def _nested_jumbf(depth: int) -> bytes:
    store = _jumbf(b"c2pa")
    for _ in range(depth):
        store = _jumbf(b"c2pa", store)
    return store


def _deep_cbor(depth: int) -> bytes:
    claim = _jumbf(b"c2pa.claim", bmff_box(b"cbor", b"\x81" * depth + b"\0"))
    return _jumbf(b"c2pa", _jumbf(b"urn:c2pa:1", claim))


def _exif_loop() -> bytes:
    """An EXIF directory that is its own Exif and GPS directory."""
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2)
    tiff += struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 8) + struct.pack("<I", 8)
    body = b"Exif\0\0" + tiff
    return put(encoded("JPEG"), 2, b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body)


def _nested_boxes(depth: int) -> bytes:
    return b"".join(struct.pack(">I4s", 8 * (depth - n), b"moov") for n in range(depth))


SURVIVED: Mapping[str, Build] = {
    "png-ztxt-100-mb.png": lambda: _png_with(png_chunk(b"zTXt", b"Comment\0\0" + _zipped(100_000_000))),
    "png-itxt-100-mb.png": lambda: _png_with(png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + _zipped(100_000_000))),
    "png-iccp-100-mb.png": lambda: _png_with(png_chunk(b"iCCP", b"profile\0\0" + _zipped(100_000_000))),
    "png-many-ztxt.png": lambda: _png_with(png_chunk(b"zTXt", b"Comment\0\0" + _zipped(900_000)) * 2_000),
    "png-idat-of-zeros.png": lambda: (
        _PNG_HEADER
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
        + png_chunk(b"IDAT", _zipped(100_000_000))
        + png_chunk(b"IEND", b"")
    ),
    "jpeg-xmp-deep.jpg": lambda: _xmp_jpeg(_nested(5_000)),
    "png-xmp-deep.png": lambda: _xmp_png(_nested(1_000_000)),
    "png-xmp-laughs.png": lambda: _xmp_png(_LAUGHS),
    "png-xmp-outside.png": lambda: _xmp_png(_OUTSIDE),
    "png-xmp-wide.png": lambda: _xmp_png(b"<x>" + b"<y a='b'/>" * 2_000_000 + b"</x>"),
    "png-workflow-deep.png": lambda: _png_with(png_chunk(b"tEXt", b"workflow\0" + b"[" * 1_000_000)),
    "png-parameters-long.png": lambda: _png_with(png_chunk(b"tEXt", b"parameters\0" + b"Steps: 1, " * 1_000_000)),
    "jpeg-exif-loop.jpg": _exif_loop,
    "jpeg-many-segments.jpg": lambda: put(encoded("JPEG"), 2, b"\xff\xfe\x00\x03x" * 50_000),
    "tiff-loop.tif": _tiff_loop,
    "tiff-many-entries.tif": lambda: _tiff(8, 8)[:8] + struct.pack("<H", 65_535) + bytes(12 * 65_535 + 4),
    "webp-many-chunks.webp": lambda: WEBP.embed(encoded("WEBP"), b"")[:12] + b"ZZZZ\0\0\0\0" * 1_000_000,
    "avif-nested-boxes.avif": lambda: encoded("AVIF") + _nested_boxes(20_000),
    "png-jumbf-deep.png": lambda: PNG.embed(encoded("PNG"), _nested_jumbf(2_000)),
    "png-cbor-deep.png": lambda: PNG.embed(encoded("PNG"), _deep_cbor(1_000_000)),
    "jpeg-cbor-deep.jpg": lambda: JPEG.embed(encoded("JPEG"), _deep_cbor(50_000)),
    "avif-jumbf-deep.avif": lambda: AVIF.embed(encoded("AVIF"), _nested_jumbf(2_000)),
}


# --- a million pieces: stopped by the clock ---------------------------------------------------------------------------

ENDLESS: Mapping[str, Build] = {
    "png-million-chunks.png": lambda: _png_with(png_chunk(b"tEXt", b"a\0b") * 1_000_000),
    "gif-many-comments.gif": lambda: put(encoded("GIF"), len(encoded("GIF")) - 1, b"\x21\xfe\x01x\0" * 1_000_000),
    "avif-many-boxes.avif": lambda: encoded("AVIF") + bmff_box(b"free", b"") * 1_000_000,
}
