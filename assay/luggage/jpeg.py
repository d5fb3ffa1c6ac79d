"""JPEG: application segments and comments stand in front of the coded picture, belongings behind it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.containers import Kind
from assay.containers.jpeg import markers
from assay.containers.tiff import HEADERS
from assay.luggage.exif import without_thumbnail
from assay.luggage.photoshop import as_resource, without_thumbnails
from assay.luggage.pieces import Luggage

_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF
_SOS, _EOI, _COM = 0xDA, 0xD9, 0xFE
_EXIF, _PHOTOSHOP, _ICC = b"Exif\0\0", b"Photoshop 3.0\0", b"ICC_PROFILE\0"
_XMP, _XMP_EXTENSION = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_READ = (b"JFIF\0", b"JFXX\0", b"Exif\0", b"Adobe", _PHOTOSHOP, _ICC, _XMP, _XMP_EXTENSION)
_LARGEST = 65_533
"""Bytes in a segment, less its length."""

Segment = tuple[int, bytes]
"""Marker and payload."""


def carry(source: bytes, picture: bytes) -> bytes:
    """Segments of the source, the coded picture, and what follows the picture in the source."""
    segments, end = _front(source)
    kept = [(marker, payload) for marker, payload in segments if not _describes_the_coding(marker, payload)]
    return _joined(picture, _blanked(_without_manifests(kept)), source[end:], has_own_header=False)


def strangers(source: bytes) -> list[str]:
    """Names of segments that no reader here knows."""
    return [
        f"APP{marker - _APP0}"
        for marker, payload in _without_manifests(_front(source)[0])
        if _APP0 <= marker <= _APP15 and not payload.startswith(_READ)
    ]


def pack(picture: bytes, luggage: Luggage) -> tuple[bytes, list[str]]:
    """A JPEG with the luggage in segments, and the names of what has no place."""
    segments: list[Segment] = []
    homeless: list[str] = []
    for block in luggage.blocks:
        match block.kind:
            case Kind.EXIF:
                segments.append((_APP1, _EXIF + without_thumbnail(block.payload)))
            case Kind.XMP:
                segments.append((_APP1, _XMP + block.payload))
            case Kind.XMP_EXTENSION:
                segments.append((_APP1, _XMP_EXTENSION + block.payload))
            case Kind.PHOTOSHOP:
                segments.append((_APP13, _PHOTOSHOP + without_thumbnails(block.payload)))
            case Kind.IIM:
                segments.append((_APP13, _PHOTOSHOP + as_resource(block.payload)))
            case Kind.COMMENT:
                segments.append((_COM, block.payload))
            case Kind.PNG_TEXT:
                segments.append((_COM, block.payload.replace(b"\0", b": ", 1)))
            case _:
                homeless.append(block.kind.value)
    homeless += [f"{len(payload):,} bytes in one piece" for _, payload in segments if len(payload) > _LARGEST]
    if homeless:
        return b"", homeless
    return _joined(picture, [*segments, *_profile(luggage.icc or b"")], b"", has_own_header=True), []


def _profile(icc: bytes) -> Iterator[Segment]:
    """A colour profile in numbered pieces (ICC.1:2022, annex B.4)."""
    room = _LARGEST - len(_ICC) - 2
    pieces = [icc[at : at + room] for at in range(0, len(icc), room)]
    for number, piece in enumerate(pieces, 1):
        yield _APP2, _ICC + bytes([number, len(pieces)]) + piece


def _front(data: bytes) -> tuple[list[Segment], int]:
    """Everything before the first scan, and where the picture ends."""
    segments: list[Segment] = []
    in_front = True
    for marker, start, stop in markers(data):
        in_front = in_front and marker != _SOS
        if marker == _EOI:
            return segments, stop
        if in_front:
            segments.append((marker, data[start:stop]))
    return segments, len(data)


def _describes_the_coding(marker: int, payload: bytes) -> bool:
    if marker == _APP0:
        return not payload.startswith(b"JFIF\0")  # the other kind is a thumbnail
    return marker != _COM and (not _APP0 < marker <= _APP15 or marker == _APP14)


def _without_manifests(segments: list[Segment]) -> list[Segment]:
    """No C2PA boxes: they are about the bytes as they were. A box in several segments has one number in all."""
    stores = {payload[2:4] for marker, payload in segments if marker == _APP11 and b"jumdc2pa" in payload[:64]}
    return [each for each in segments if each[0] != _APP11 or each[1][2:4] not in stores]


def _blanked(segments: list[Segment]) -> list[Segment]:
    """No thumbnails; a thumbnail may stand in the later segments of a long EXIF block."""
    places = [at for at, (marker, payload) in enumerate(segments) if marker == _APP1 and payload.startswith(_EXIF)]
    blanked = [
        (marker, _PHOTOSHOP + without_thumbnails(payload[len(_PHOTOSHOP) :]))
        if marker == _APP13 and payload.startswith(_PHOTOSHOP)
        else (marker, payload)
        for marker, payload in segments
    ]
    if not places:
        return blanked
    first, *more = places
    goes_on = [at for at in more if not segments[at][1].startswith(HEADERS, len(_EXIF))]
    bodies = [segments[at][1][len(_EXIF) :] for at in (first, *goes_on)]
    whole = without_thumbnail(b"".join(bodies))
    for at, body in zip((first, *goes_on), bodies, strict=True):
        blanked[at] = (_APP1, _EXIF + whole[: len(body)])
        whole = whole[len(body) :]
    return blanked


def _joined(picture: bytes, segments: list[Segment], behind: bytes, *, has_own_header: bool) -> bytes:
    """Segments in front of the coding of a picture, whose own JFIF header is kept where they bring none."""
    own: list[Segment] = []
    start = 2
    for marker, first, stop in markers(picture):
        if not (_APP0 <= marker <= _APP15 or marker == _COM):
            break
        if marker == _APP14 or (marker == _APP0 and has_own_header):
            own.append((marker, picture[first:stop]))
        start = stop
    in_order = sorted([*own, *segments], key=lambda each: (each[0] != _APP0, each[0] == _APP14))
    return b"".join([picture[:2], *(_segment(*each) for each in in_order), picture[start:], behind])


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload
