"""Where each format keeps a C2PA manifest store and its image data: enough to attack a file, byte by byte.

Independent of the code under test, and of the C2PA library: an attacker has neither to ask. C2PA 2.2, appendix A.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Parts = list[slice]


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """One format, as an attacker sees it."""

    name: str
    """Pillow's."""
    mime: str
    extension: str
    store_parts: Callable[[bytes], Parts]
    """Where the bytes of the manifest store lie; joined, they are the store."""
    wrapping: Callable[[bytes], Parts]
    """Store and container structure around it: what stripping removes."""
    picture_data: Callable[[bytes], slice]
    """Compressed picture data."""
    strip: Callable[[bytes], bytes]
    embed: Callable[[bytes, bytes], bytes]
    """Put a store into a file that has none."""
    insert: Callable[[bytes], bytes]
    """Add something that every reader skips, and that C2PA counts as a change."""
    seal: Callable[[bytes], bytes] = bytes
    """Make checksums of the container right again."""

    def store(self, data: bytes) -> bytes:
        """The manifest store."""
        return b"".join(data[part] for part in self.store_parts(data))

    def with_store(self, data: bytes, store: bytes) -> bytes:
        """The file with another store of the same length in the same place."""
        parts, at, changed = self.store_parts(data), 0, bytearray(data)
        assert sum(part.stop - part.start for part in parts) == len(store)
        for part in parts:
            length = part.stop - part.start
            changed[part] = store[at : at + length]
            at += length
        return self.seal(bytes(changed))


def cut(data: bytes, parts: Sequence[slice]) -> bytes:
    """Everything but these parts."""
    kept, at = [], 0
    for part in parts:
        kept.append(data[at : part.start])
        at = part.stop
    return b"".join((*kept, data[at:]))


def put(data: bytes, at: int, extra: bytes) -> bytes:
    return data[:at] + extra + data[at:]


# --- JPEG: APP11 segments (A.3.1) -------------------------------------------------------------------------------------

_APP11, _COM, _SOS = 0xEB, 0xFE, 0xDA
_LARGEST_PIECE = 60_000


def jpeg_segments(data: bytes) -> Iterator[tuple[int, slice]]:
    """Marker and extent of each segment up to the start of the scan, which is the last."""
    at = 2
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        yield marker, slice(at, at + 2 + length)
        if marker == _SOS:
            return
        at += 2 + length


def _jpeg_wrapping(data: bytes) -> Parts:
    return [extent for marker, extent in jpeg_segments(data) if marker == _APP11]


def _jpeg_store(data: bytes) -> Parts:
    """After marker, length, `JP`, instance and sequence number; continuations repeat the box header of 8 bytes."""
    segments = _jpeg_wrapping(data)
    return [slice(part.start + (12 if number == 0 else 20), part.stop) for number, part in enumerate(segments)]


def _jpeg_data(data: bytes) -> slice:
    *_, (_, scan) = jpeg_segments(data)
    return slice(scan.stop, data.rindex(b"\xff\xd9"))


def _jpeg_embed(data: bytes, store: bytes) -> bytes:
    _, first = next(jpeg_segments(data))
    pieces = [store[at : at + _LARGEST_PIECE] for at in range(0, len(store), _LARGEST_PIECE)]
    segments = b""
    for number, piece in enumerate(pieces, 1):
        segments += jpeg_piece(number, (store[:8] if number > 1 else b"") + piece)
    return put(data, first.stop, segments)


def jpeg_piece(number: int, piece: bytes) -> bytes:
    """A segment with a piece of a store; from the second on, the piece begins with the first 8 bytes of the store."""
    return jpeg_segment(_APP11, b"JP" + struct.pack(">HI", 1, number) + piece)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _jpeg_insert(data: bytes) -> bytes:
    _, first = next(jpeg_segments(data))
    return put(data, first.stop, b"\xff\xfe\x00\x09comment")


JPEG = Carrier(
    name="JPEG",
    mime="image/jpeg",
    extension=".jpg",
    store_parts=_jpeg_store,
    wrapping=_jpeg_wrapping,
    picture_data=_jpeg_data,
    strip=lambda data: cut(data, _jpeg_wrapping(data)),
    embed=_jpeg_embed,
    insert=_jpeg_insert,
)


# --- PNG: caBX chunk (A.3.2) ------------------------------------------------------------------------------------------


def png_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Type and extent of each chunk, header and checksum included."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], slice(at, end)
        at = end


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_wrapping(data: bytes) -> Parts:
    return [extent for kind, extent in png_chunks(data) if kind == b"caBX"]


def _png_body(extent: slice) -> slice:
    return slice(extent.start + 8, extent.stop - 4)


def _png_seal(data: bytes) -> bytes:
    chunks = (data[_png_body(extent)] for _, extent in png_chunks(data))
    kinds = (kind for kind, _ in png_chunks(data))
    return data[:8] + b"".join(map(png_chunk, kinds, chunks))


PNG = Carrier(
    name="PNG",
    mime="image/png",
    extension=".png",
    store_parts=lambda data: [_png_body(extent) for extent in _png_wrapping(data)],
    wrapping=_png_wrapping,
    picture_data=lambda data: _png_body(next(extent for kind, extent in png_chunks(data) if kind == b"IDAT")),
    strip=lambda data: cut(data, _png_wrapping(data)),
    embed=lambda data, store: put(data, 33, png_chunk(b"caBX", store)),
    insert=lambda data: put(data, 33, png_chunk(b"tEXt", b"Comment\0harmless")),
    seal=_png_seal,
)


# --- WebP: C2PA chunk at the end (A.3.6) ------------------------------------------------------------------------------


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Type and extent of each chunk, header and padding included."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = min(at + 8 + size + size % 2, len(data))
        yield data[at : at + 4], slice(at, end)
        at = end


def _riff_body(data: bytes, extent: slice) -> slice:
    size = int.from_bytes(data[extent.start + 4 : extent.start + 8], "little")
    return slice(extent.start + 8, extent.start + 8 + size)


def _riff_seal(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _webp_wrapping(data: bytes) -> Parts:
    return [extent for kind, extent in riff_chunks(data) if kind == b"C2PA"]


def _webp_data(data: bytes) -> slice:
    extent = next(extent for kind, extent in riff_chunks(data) if kind in (b"VP8 ", b"VP8L"))
    return _riff_body(data, extent)


WEBP = Carrier(
    name="WEBP",
    mime="image/webp",
    extension=".webp",
    store_parts=lambda data: [_riff_body(data, extent) for extent in _webp_wrapping(data)],
    wrapping=_webp_wrapping,
    picture_data=_webp_data,
    strip=lambda data: _riff_seal(cut(data, _webp_wrapping(data))),
    embed=lambda data, store: _riff_seal(data + _riff_chunk(b"C2PA", store)),
    insert=lambda data: _riff_seal(put(data, _webp_wrapping(data)[0].start, _riff_chunk(b"ZZZZ", b"harmless"))),
)


# --- AVIF: uuid box (A.5) ---------------------------------------------------------------------------------------------

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_UUID_HEADER = 8 + 16 + 4 + len(b"manifest\0") + 8
"""Box header, identifier, version and flags, purpose, offset of a Merkle box."""


def bmff_boxes(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Type and extent of each box at the top."""
    at = 0
    while at + 8 <= len(data):
        end = at + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], slice(at, end)
        at = end


def bmff_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def _avif_wrapping(data: bytes) -> Parts:
    return [
        extent
        for kind, extent in bmff_boxes(data)
        if kind == b"uuid" and data[extent.start + 8 : extent.start + 24] == C2PA_UUID
    ]


def _avif_strip(data: bytes) -> bytes:
    """Turned into a box of padding: other boxes are found by their place in the file."""
    stripped = bytearray(data)
    for extent in _avif_wrapping(data):
        stripped[extent] = bmff_box(b"free", bytes(extent.stop - extent.start - 8))
    return bytes(stripped)


def _avif_data(data: bytes) -> slice:
    extent = next(extent for kind, extent in bmff_boxes(data) if kind == b"mdat")
    return slice(extent.start + 8, extent.stop)


AVIF = Carrier(
    name="AVIF",
    mime="image/avif",
    extension=".avif",
    store_parts=lambda data: [slice(extent.start + _UUID_HEADER, extent.stop) for extent in _avif_wrapping(data)],
    wrapping=_avif_wrapping,
    picture_data=_avif_data,
    strip=_avif_strip,
    embed=lambda data, store: data + bmff_box(b"uuid", C2PA_UUID + bytes(4) + b"manifest\0" + bytes(8) + store),
    insert=lambda data: data + bmff_box(b"zzzz", b"harmless"),
)


# --- TIFF: tag 52545 (A.3.5); little-endian with one directory, as Pillow and the C2PA library write it ---------------

_C2PA_TAG, _IMAGE_DESCRIPTION, _STRIP_OFFSETS, _STRIP_BYTES = 52545, 270, 273, 279
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
_ASCII, _UNDEFINED = 2, 7


def tiff_entries(data: bytes) -> dict[int, tuple[int, int, bytes]]:
    """Tag -> type, count, and the four bytes that hold the value or its offset."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = (struct.unpack_from("<HHI4s", data, at + 2 + 12 * number) for number in range(count))
    return {tag: (kind, length, value) for tag, kind, length, value in entries}


def _tiff_with_entries(data: bytes, entries: dict[int, tuple[int, int, bytes]]) -> bytes:
    """A new directory at the end; the old one becomes dead bytes."""
    data += b"\0" * (len(data) % 2)
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHI4s", tag, *entries[tag]) for tag in sorted(entries)) + bytes(4)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory


def _tiff_add(data: bytes, tag: int, kind: int, body: bytes) -> bytes:
    entry = (kind, len(body), struct.pack("<I", len(data)))
    return _tiff_with_entries(data + body, {**tiff_entries(data), tag: entry})


def tiff_strip_at(data: bytes, place: int) -> bytes:
    """Let the first strip begin elsewhere; it has to be the only one."""
    return _tiff_with_entries(data, {**tiff_entries(data), _STRIP_OFFSETS: (4, 1, struct.pack("<I", place))})


def _tiff_store(data: bytes) -> Parts:
    entry = tiff_entries(data).get(_C2PA_TAG)
    if entry is None:
        return []
    (at,) = struct.unpack("<I", entry[2])
    return [slice(at, at + entry[1])]


def _tiff_strip(data: bytes) -> bytes:
    entries = {tag: entry for tag, entry in tiff_entries(data).items() if tag != _C2PA_TAG}
    return _tiff_with_entries(data, entries)


def _tiff_data(data: bytes) -> slice:
    entries = tiff_entries(data)
    starts, sizes = (_tiff_numbers(data, entries[tag]) for tag in (_STRIP_OFFSETS, _STRIP_BYTES))
    return slice(starts[0], starts[0] + sizes[0])


def _tiff_numbers(data: bytes, entry: tuple[int, int, bytes]) -> tuple[int, ...]:
    kind, count, value = entry
    size = _TYPE_SIZES[kind] * count
    raw = value[:size] if size <= 4 else data[int.from_bytes(value, "little") :][:size]
    return struct.unpack(f"<{count}{'H' if kind == 3 else 'I'}", raw)


TIFF = Carrier(
    name="TIFF",
    mime="image/tiff",
    extension=".tif",
    store_parts=_tiff_store,
    wrapping=_tiff_store,
    picture_data=_tiff_data,
    strip=_tiff_strip,
    embed=lambda data, store: _tiff_add(data, _C2PA_TAG, _UNDEFINED, store),
    insert=lambda data: _tiff_add(data, _IMAGE_DESCRIPTION, _ASCII, b"harmless\0"),
)


# --- GIF: application extension (A.3.7) -------------------------------------------------------------------------------

_GIF_HEADER = b"\x21\xff\x0bC2PA_GIF\x01\x00\x00"


def _gif_first_block(data: bytes) -> int:
    """After the screen descriptor and the global colour table."""
    flags = data[10]
    return 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)


def gif_sub_blocks(data: bytes, at: int) -> tuple[Parts, int]:
    """Extents of the data in a run of sub-blocks, and where the run ends."""
    parts = []
    while data[at]:
        parts.append(slice(at + 1, at + 1 + data[at]))
        at += 1 + data[at]
    return parts, at + 1


def _gif_wrapping(data: bytes) -> Parts:
    at, found = data.find(_GIF_HEADER), []
    while at >= 0:
        _, end = gif_sub_blocks(data, at + len(_GIF_HEADER))
        found.append(slice(at, end))
        at = data.find(_GIF_HEADER, end)
    return found


def _gif_store(data: bytes) -> Parts:
    return [part for extent in _gif_wrapping(data) for part in gif_sub_blocks(data, extent.start + len(_GIF_HEADER))[0]]


def _gif_embed(data: bytes, store: bytes) -> bytes:
    pieces = (store[at : at + 255] for at in range(0, len(store), 255))
    body = b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"
    return put(data, _gif_first_block(data), _GIF_HEADER + body)


def _gif_data(data: bytes) -> slice:
    """The first image's first sub-blocks of LZW codes."""
    at = _gif_first_block(data)
    while data[at] == 0x21:
        _, at = gif_sub_blocks(data, at + 2)
    flags = data[at + 9]
    codes = at + 10 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0) + 1
    return slice(codes + 1, codes + 1 + data[codes])


GIF = Carrier(
    name="GIF",
    mime="image/gif",
    extension=".gif",
    store_parts=_gif_store,
    wrapping=_gif_wrapping,
    picture_data=_gif_data,
    strip=lambda data: cut(data, _gif_wrapping(data)),
    embed=_gif_embed,
    insert=lambda data: put(data, len(data) - 1, b"\x21\xfe\x08harmless\0"),
)

CARRIERS = {carrier.name: carrier for carrier in (JPEG, PNG, WEBP, AVIF, TIFF, GIF)}
