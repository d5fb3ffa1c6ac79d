"""PNG: chunks before and after the picture data (W3C PNG 3, section 5)."""

from __future__ import annotations

import zlib

from assay.containers import Block, Kind
from assay.containers.png import SIGNATURE, png_chunks
from assay.luggage.exif import without_thumbnail
from assay.luggage.pieces import Luggage

_XMP_KEY = b"XML:com.adobe.xmp"
_CODING = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"hIST", b"acTL", b"fcTL", b"fdAT", b"caBX", b"dSIG"})
"""The old encoding, the manifest store, and signatures of the old bytes."""
_BY_COLOUR_TYPE = frozenset({b"bKGD", b"sBIT"})
"""Their form depends on how colours are stored."""
_DESCRIBING = _BY_COLOUR_TYPE | {b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs"}
"""How values are meant: colours, light, density."""
_NAMES = {Kind.PNG_TEXT: b"tEXt", Kind.PNG_COMPRESSED_TEXT: b"zTXt", Kind.PNG_INTERNATIONAL_TEXT: b"iTXt"}


def carry(source: bytes, picture: bytes) -> bytes:
    """Chunks of the source around the picture data, each on its side, and what follows the source's end."""
    has_same_colours = source[24:26] == picture[24:26]
    before: list[bytes] = []
    after: list[bytes] = []
    side, end = before, len(source)
    for name, start, stop in png_chunks(source):
        end = stop
        if name == b"IDAT":
            side = after
        if name in _CODING or (name in _BY_COLOUR_TYPE and not has_same_colours):
            continue
        is_exif = name == b"eXIf"
        side.append(_chunk(name, without_thumbnail(source[start + 8 : stop - 4])) if is_exif else source[start:stop])
    return _joined(picture, before, after) + source[end:]


def strangers(source: bytes) -> list[str]:
    """Names of chunks that no reader here knows."""
    known = _CODING | _DESCRIBING | {b"iCCP", b"eXIf", *_NAMES.values()}
    return [name.decode("latin-1") for name, _, _ in png_chunks(source) if name not in known]


def described(picture: bytes, source: bytes) -> bytes:
    """The picture with what the source says of how its values are meant."""
    has_same_colours = source[24:26] == picture[24:26]
    kept = [
        source[start:stop]
        for name, start, stop in png_chunks(source)
        if name in _DESCRIBING and (has_same_colours or name not in _BY_COLOUR_TYPE)
    ]
    return _joined(picture, kept, [])


def pack(picture: bytes, luggage: Luggage) -> tuple[bytes, list[str]]:
    """A PNG with the luggage in chunks, and the names of what has no place."""
    chunks: list[bytes] = []
    homeless: list[str] = []
    if luggage.icc:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(luggage.icc)))
    for block in luggage.blocks:
        match block.kind:
            case Kind.EXIF:
                chunks.append(_chunk(b"eXIf", without_thumbnail(block.payload)))
            case Kind.XMP:
                chunks.append(_chunk(b"iTXt", _XMP_KEY + bytes(5) + block.payload))
            case Kind.COMMENT:
                chunks.append(_chunk(b"iTXt", b"Comment" + bytes(5) + block.payload))
            case Kind.PNG_TEXT | Kind.PNG_COMPRESSED_TEXT | Kind.PNG_INTERNATIONAL_TEXT:
                chunks.append(_chunk(_NAMES[block.kind], block.payload))
            case _:
                homeless.append(block.kind.value)
    own = [picture[start:stop] for name, start, stop in png_chunks(picture) if name in _DESCRIBING]
    return _joined(picture, [*chunks, *own], []), homeless


def unwrapped(block: Block) -> Block:
    """XMP as what it is, and text in its plainest form; any other block is left alone."""
    if block.kind not in (Kind.PNG_COMPRESSED_TEXT, Kind.PNG_INTERNATIONAL_TEXT):
        return block
    key, _, rest = block.payload.partition(b"\0")
    if block.kind is Kind.PNG_COMPRESSED_TEXT:
        is_packed, text = True, rest[1:]
    else:
        is_packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    if is_packed:
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(text, 8 * 2**20)
        except zlib.error:
            return block
        if unpacker.unconsumed_tail:
            return block
    if key == _XMP_KEY:
        return Block(kind=Kind.XMP, payload=text)
    return Block(kind=Kind.PNG_TEXT, payload=key + b"\0" + text)


def _joined(picture: bytes, before: list[bytes], after: list[bytes]) -> bytes:
    """PLTE and tRNS come after what tells how colours are meant, and before the data (section 5.6)."""
    coding = [(name, picture[start:stop]) for name, start, stop in png_chunks(picture)]
    header = [whole for name, whole in coding if name == b"IHDR"]
    tables = [whole for name, whole in coding if name in (b"PLTE", b"tRNS")]
    data = [whole for name, whole in coding if name == b"IDAT"]
    return b"".join([SIGNATURE, *header, *before, *tables, *data, *after, _chunk(b"IEND", b"")])


def _chunk(name: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + name + payload + zlib.crc32(name + payload).to_bytes(4, "big")
