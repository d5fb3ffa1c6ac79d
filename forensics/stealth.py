"""Text that generators hide in the lowest bit of the pixels ("stealth PNG info"), in PNG and WebP.

The form is that of the web interface's extension `sd_webui_stealth_pnginfo`, which NovelAI writes too: column by
column, from the top left, one bit of the alpha channel a pixel or one bit of red, green and blue each; fifteen bytes of
signature, the number of bits that follow (32 bits, the highest first), then UTF-8 text, plain or packed with gzip.

What it costs: of a PNG, only as many rows are unpacked as agree with the signature, which is the first two of nearly
every picture; the rest is decoded where the whole signature stands there. A WebP can only be decoded as a whole: a
lossy one without alpha has no room and is left alone, and so are animated ones, those of more than 16 megapixels, and,
where there is no alpha channel, of more than 4. Interlaced PNG is not looked at.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from assay.vocabulary import Picture
from forensics.fields import Field, Source
from forensics.text import json_object

MAX_TEXT_BYTES = 8 * 2**20
"""Hidden text after unpacking."""
MAX_WEBP_PIXELS = {True: 2**24, False: 2**22}
"""Of a WebP with and without an alpha channel."""
_MAX_ROW_BYTES = 2**18
_MAX_ENTRIES = 50
_SIGNATURES = {
    "A": (b"stealth_pnginfo", b"stealth_pngcomp"),
    "RGB": (b"stealth_rgbinfo", b"stealth_rgbcomp"),
}
_SIGNATURE_BITS, _LENGTH_BITS = 120, 32
_LOWEST_BIT = bytes(b"01"[value & 1] for value in range(256))
_GZIP = 16 + zlib.MAX_WBITS
_PNG_START, _PIECE = 8, 4096
_BYTES_A_PIXEL = {2: 3, 4: 2, 6: 4}
"""By colour type (W3C PNG 3, section 11.2.1): RGB, grey with alpha, RGB with alpha; none of the others has room."""
_WEBP_ANIMATED, _WEBP_ALPHA, _VP8L_ALPHA = 0x02, 0x10, 0x10


def read_stealth(data: bytes, picture: Picture, max_pixels: int) -> tuple[Field, ...]:
    """Return what is hidden in the pixels: one field an entry, or one without text where the text cannot be read.

    Args:
        data: The file exactly as received.
        picture: Its format and size.
        max_pixels: Larger pictures are not decoded.

    Returns:
        Nothing for other formats, for pictures without the signature, and for what the module leaves alone.
    """
    match picture.format:
        case "PNG" if not _may_begin(data):
            return ()
        case "WEBP" if picture.width * picture.height > _most_pixels(data):
            return ()
        case "PNG" | "WEBP":
            return _decode(data, picture.format, max_pixels)
        case _:
            return ()


# --- the cheap look ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What a PNG says of its rows."""

    height: int
    pixel: int
    """Bytes of one pixel."""
    row: int
    """Bytes of one row, without the filter's."""


def _header(data: bytes) -> _Header | None:
    """Return the shape of the rows; None where nothing can be hidden, or where the rows are interlaced or too long."""
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    depth, colours, interlaced = data[24:25], data[25:26], data[28:29]
    pixel = _BYTES_A_PIXEL.get(int.from_bytes(colours, "big"), 0)
    if data[12:16] != b"IHDR" or depth != b"\x08" or interlaced != b"\0" or not pixel or not width * height:
        return None
    return _Header(height=height, pixel=pixel, row=width * pixel) if width * pixel <= _MAX_ROW_BYTES else None


def _may_begin(data: bytes) -> bool:
    """Whether the first column agrees with a signature, as far down as that reaches.

    The first pixel of a row depends on that of the row above alone, whatever the filter (W3C PNG 3, section 9.2).
    """
    header = _header(data)
    if header is None:
        return False
    channels = [name for name, bytes_ in (("A", (2, 4)), ("RGB", (3, 4))) if header.pixel in bytes_]
    expected = {channel: {_as_bits(each) for each in _SIGNATURES[channel]} for channel in channels}
    seen = dict.fromkeys(channels, "")
    above = bytes(header.pixel)
    for filtered in _rows(data, header):
        above = _unfilter(filtered[0], filtered[1 : 1 + header.pixel], above)
        for channel in channels:
            pixel = above[-1:] if channel == "A" else above[:3]
            seen[channel] += pixel.translate(_LOWEST_BIT).decode("ascii")
        channels = [each for each in channels if any(_agree(seen[each], bits) for bits in expected[each])]
        if not channels or all(len(seen[each]) >= _SIGNATURE_BITS for each in channels):
            break
    return any(seen[each] for each in channels)


def _as_bits(text: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in text)


def _agree(one: str, other: str) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _unfilter(kind: int, pixel: bytes, above: bytes) -> bytes:
    """Undo the filter of a row's first pixel, left of which everything counts as zero."""
    if kind in (0, 1):  # none, or the difference to the left
        return pixel
    halved = kind == 3  # noqa: PLR2004 - the average with the left; else the pixel above, which Paeth chooses as well
    return bytes((value + (up // 2 if halved else up)) & 0xFF for value, up in zip(pixel, above, strict=True))


def _rows(data: bytes, header: _Header) -> Iterator[bytes]:
    """Unpack one row after the other, and no more than is asked for; damaged data ends them."""
    size = header.row + 1
    unpacker, ready, left = zlib.decompressobj(), b"", min(header.height, _SIGNATURE_BITS)
    for piece in _pieces(data):
        packed = piece
        while packed and left:
            try:
                ready += unpacker.decompress(packed, size - len(ready))
            except zlib.error:
                return
            packed = unpacker.unconsumed_tail
            if len(ready) == size:
                yield ready
                ready, left = b"", left - 1
            elif not packed:
                break
        if not left or unpacker.eof:
            return


def _pieces(data: bytes) -> Iterator[bytes]:
    """The packed picture data in small pieces, from the first `IDAT` on."""
    at = _PNG_START
    while at + 8 <= len(data):
        stop = at + 8 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if name == b"IEND":
            return
        if name == b"IDAT":
            for start in range(at + 8, min(stop, len(data)), _PIECE):
                yield data[start : min(stop, start + _PIECE)]
        at = stop + 4


def _most_pixels(data: bytes) -> int:
    """How large a WebP is looked at: none that is animated or has no channel without loss (RFC 9649, section 2)."""
    match data[12:16]:
        case b"VP8L":
            return MAX_WEBP_PIXELS[bool(int.from_bytes(data[24:25], "big") & _VP8L_ALPHA)]
        case b"VP8X":
            flags = int.from_bytes(data[20:21], "big")
            if flags & _WEBP_ANIMATED or not (flags & _WEBP_ALPHA or b"VP8L" in data[30:]):
                return 0
            return MAX_WEBP_PIXELS[bool(flags & _WEBP_ALPHA)]
        case _:
            return 0


# --- the whole text ---------------------------------------------------------------------------------------------------


def _decode(data: bytes, format_name: str, max_pixels: int) -> tuple[Field, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data), formats=(format_name,)) as image:
                if image.width * image.height > max_pixels:
                    return ()
                return _read(image)
        except Exception:  # readers raise what they like on hostile files, and the exhibit has said so already
            return ()


def _read(image: Image.Image) -> tuple[Field, ...]:
    for bands, signatures in _SIGNATURES.items():
        if not set(bands) <= set(image.getbands()):
            continue
        signature = _bytes(image, bands, 0, _SIGNATURE_BITS)
        if signature in signatures:
            text = _text(image, bands, is_packed=signature.endswith(b"comp"))
            return _fields(signature.decode("ascii"), text)
    return ()


def _text(image: Image.Image, bands: str, *, is_packed: bool) -> str:
    """Return the hidden text; empty where it is longer than the picture or the bound, or not what it is said to be."""
    start = _SIGNATURE_BITS + _LENGTH_BITS
    count = int.from_bytes(_bytes(image, bands, _SIGNATURE_BITS, _LENGTH_BITS), "big")
    capacity = image.width * image.height * len(bands) - start
    if not 0 < count <= min(capacity, 8 * MAX_TEXT_BYTES):
        return ""
    raw = _bytes(image, bands, start, count - count % 8)
    try:
        if is_packed:
            unpacker = zlib.decompressobj(_GZIP)
            raw = unpacker.decompress(raw, MAX_TEXT_BYTES)
            if not unpacker.eof:
                return ""
        return raw.decode("utf-8").strip("\0 \t\r\n")
    except (zlib.error, UnicodeDecodeError):
        return ""


def _bytes(image: Image.Image, bands: str, start: int, count: int) -> bytes:
    """Return `count` of the lowest bits, column by column, as bytes; empty where the picture has fewer."""
    a_column = image.height * len(bands)
    first, last = start // a_column, -(-(start + count) // a_column)
    if last > image.width:
        return b""
    columns = image.crop((first, 0, last, image.height)).transpose(Image.Transpose.TRANSPOSE)
    columns = columns.getchannel("A") if bands == "A" else columns.convert("RGB")
    bits = columns.tobytes().translate(_LOWEST_BIT)[start - first * a_column :][:count]
    return int(bits, 2).to_bytes(count // 8, "big")


def _fields(signature: str, text: str) -> tuple[Field, ...]:
    """NovelAI hides an object of named texts, the others one text as it stands in PNG."""
    entries = json_object(text) if text.startswith("{") else None
    named = {key: value for key, value in (entries or {}).items() if isinstance(value, str)}
    if "Comment" in named or "Software" in named:
        pairs = list(named.items())[:_MAX_ENTRIES]
        return tuple(Field(source=Source.HIDDEN, name=name[:_MAX_ENTRIES], value=value) for name, value in pairs)
    return (Field(source=Source.HIDDEN, name=signature, value=text),)
