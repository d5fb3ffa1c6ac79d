"""WebP: chunks around the picture (RFC 9649, section 2.7), and how strongly a lossy one was quantised."""

from __future__ import annotations

from assay.containers import Kind
from assay.containers.webp import webp_chunks
from assay.luggage.exif import without_thumbnail
from assay.luggage.pieces import Luggage

_PICTURE = (b"ALPH", b"VP8 ", b"VP8L")
_CODING = frozenset({*_PICTURE, b"VP8X", b"ANIM", b"ANMF", b"C2PA"})
_ICC, _ALPHA, _EXIF, _XMP = 0x20, 0x10, 0x08, 0x04
_FLAGS = {b"ICCP": _ICC, b"EXIF": _EXIF, b"XMP ": _XMP}


def carry(source: bytes, picture: bytes) -> bytes:
    """Every chunk of the source that is not its picture."""
    chunks = {name: source[start + 8 : stop] for name, start, stop in _exact(source) if name not in _CODING}
    if b"EXIF" in chunks:
        at = 6 if chunks[b"EXIF"].startswith(b"Exif\0\0") else 0
        chunks[b"EXIF"] = chunks[b"EXIF"][:at] + without_thumbnail(chunks[b"EXIF"][at:])
    return _joined(picture, chunks)


def strangers(source: bytes) -> list[str]:
    """Names of chunks that no reader here knows."""
    known = _CODING | _FLAGS.keys()
    return [name.decode("latin-1").strip() for name, _, _ in _exact(source) if name not in known]


def pack(picture: bytes, luggage: Luggage) -> tuple[bytes, list[str]]:
    """A WebP with the luggage in chunks, and the names of what has no place."""
    chunks: dict[bytes, bytes] = {}
    homeless: list[str] = []
    for block in luggage.blocks:
        if block.kind is Kind.EXIF and b"EXIF" not in chunks:
            chunks[b"EXIF"] = without_thumbnail(block.payload)
        elif block.kind is Kind.XMP and b"XMP " not in chunks:
            chunks[b"XMP "] = block.payload
        else:
            homeless.append(block.kind.value)
    if luggage.icc:
        chunks[b"ICCP"] = luggage.icc
    return _joined(picture, chunks), homeless


def _exact(data: bytes) -> list[tuple[bytes, int, int]]:
    """Chunks without their padding."""
    return [
        (name, start, start + 8 + int.from_bytes(data[start + 4 : start + 8], "little"))
        for name, start, _ in webp_chunks(data)
    ]


def _joined(picture: bytes, chunks: dict[bytes, bytes]) -> bytes:
    coded = [(name, picture[start + 8 : stop]) for name, start, stop in _exact(picture) if name in _PICTURE]
    if not chunks:
        return picture
    extended = next((picture[start + 8 : stop] for name, start, stop in _exact(picture) if name == b"VP8X"), None)
    flags = sum(_FLAGS.get(name, 0) for name in chunks)
    if extended is not None:
        flags |= extended[0] & _ALPHA
        size = extended[4:]
    else:
        width, height, has_alpha = _size_of(*coded[0])
        flags |= _ALPHA if has_alpha else 0
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = [(b"VP8X", bytes([flags, 0, 0, 0]) + size)]
    profile = [(name, payload) for name, payload in chunks.items() if name == b"ICCP"]
    others = [(name, payload) for name, payload in chunks.items() if name != b"ICCP"]
    body = b"WEBP" + b"".join(_chunk(name, payload) for name, payload in (*head, *profile, *coded, *others))
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunk(name: bytes, payload: bytes) -> bytes:
    return name + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) & 1)


def _size_of(name: bytes, payload: bytes) -> tuple[int, int, bool]:
    """Width, height and transparency of a coded picture (RFC 6386, section 9.1; RFC 9649, section 3.4)."""
    if name == b"VP8L":
        bits = int.from_bytes(payload[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    return int.from_bytes(payload[6:8], "little") & 0x3FFF, int.from_bytes(payload[8:10], "little") & 0x3FFF, False


# --- quality ----------------------------------------------------------------------------------------------------------

_LARGEST_INDEX = 127


def quality(data: bytes) -> int | None:
    """The quality at which libwebp quantises as this file was, from 0 to 100; None for a lossless file."""
    for name, start, stop in _exact(data):
        if name == b"VP8L":
            return None
        if name == b"VP8 ":
            return _quality_of(_quantiser(data[start + 8 : stop]))
    return None


def _quality_of(index: float) -> int:
    """The inverse of libwebp's `QualityToCompression` (src/enc/quant_enc.c): index = 127 (1 - cbrt(linear(q)))."""
    linear = (1 - index / _LARGEST_INDEX) ** 3
    return round(100 * min(linear * 1.5, (linear + 1) / 2))


def _quantiser(payload: bytes) -> float:
    """The quantiser index of a frame, the mean over its segments, in [0, 127] (RFC 6386, sections 9.2 to 9.6)."""
    bits = _Bits(payload[10:])
    bits.literal(2)  # colour space, clamping
    segments: list[int] = []
    is_absolute = False
    if bits.literal(1):
        has_map, has_values = bits.literal(1), bits.literal(1)
        if has_values:
            is_absolute = bool(bits.literal(1))
            segments = [bits.optional(7) for _ in range(4)]
            for _ in range(4):
                bits.optional(6)
        if has_map:
            for _ in range(3):
                if bits.literal(1):
                    bits.literal(8)
    bits.literal(1 + 6 + 3)  # the loop filter
    if bits.literal(1) and bits.literal(1):
        for _ in range(8):
            bits.optional(6)
    bits.literal(2)  # partitions
    base = bits.literal(7)
    indices = [each + (0 if is_absolute else base) for each in segments] or [base]
    return min(max(sum(indices) / len(indices), 0.0), float(_LARGEST_INDEX))


class _Bits:
    """The boolean decoder of RFC 6386, section 7.3, where every bit is as likely as not."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 2
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._range, self._count = 255, 0

    def literal(self, width: int) -> int:
        """An unsigned number."""
        number = 0
        for _ in range(width):
            number = number << 1 | self._bit()
        return number

    def optional(self, width: int) -> int:
        """A signed number behind a flag that says whether it is there; 0 where it is not."""
        if not self.literal(1):
            return 0
        number = self.literal(width)
        return -number if self.literal(1) else number

    def _bit(self) -> int:
        split = 1 + (self._range - 1) * 128 // 256
        bit = int(self._value >= split << 8)
        if bit:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:  # noqa: PLR2004 - half of the scale
            self._value <<= 1
            self._range <<= 1
            self._count += 1
            if self._count == 8:  # noqa: PLR2004 - bits of a byte
                self._count = 0
                self._value |= self._data[self._at] if self._at < len(self._data) else 0
                self._at += 1
        return bit
