from __future__ import annotations

import struct

import pytest

from assay.containers import Block, Kind, walk
from assay.containers.model import MAX_STEPS
from tests.forensics.metadata_files import exif, packet, save

TIFF = exif({0x010F: "Canon"})[6:]
FTYP = struct.pack(">I4s8s", 16, b"ftyp", b"heic\0\0\0\0")


def _box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _infe(item: int, kind: bytes, rest: bytes = b"\0", version: int = 2) -> bytes:
    number = struct.pack(">H" if version == 2 else ">I", item)
    return _box(b"infe", bytes([version, 0, 0, 0]) + number + b"\0\0" + kind + rest)


def _heif(payloads: dict[int, bytes], *, version: int = 1, method: int = 0, many: int = 0) -> bytes:
    """A file with an EXIF item 1 and an XMP item 2, in the media data or (method 1) inside the meta box."""
    infos = [_infe(1, b"Exif"), _infe(2, b"mime", b"\0application/rdf+xml\0", version=3), _infe(3, b"hvc1")]
    iinf = _box(b"iinf", bytes(4) + struct.pack(">H", len(infos)) + b"".join(infos))
    idat = _box(b"idat", b"".join(payloads.values())) if method == 1 else b""

    def iloc(start: int) -> bytes:
        wide = ">I" if version == 2 else ">H"
        items = b""
        for item, payload in payloads.items():
            middle = len(payload) // 2
            items += struct.pack(wide, item) + (struct.pack(">H", method) if version else b"") + b"\0\0"
            items += struct.pack(">IHIIII", 0, 2, start, middle, start + middle, len(payload) - middle)
            start += len(payload)
        body = bytes([version, 0, 0, 0]) + b"\x44\x40" + struct.pack(wide, len(payloads) + many) + items
        return _box(b"iloc", body)

    size = len(FTYP) + len(_box(b"meta", bytes(4) + iinf + iloc(0) + idat)) + 8
    meta = _box(b"meta", bytes(4) + iinf + iloc(0 if method == 1 else size) + idat)
    return FTYP + meta + _box(b"mdat", b"" if method == 1 else b"".join(payloads.values()))


EXIF_ITEM = struct.pack(">I", 6) + b"Exif\0\0" + TIFF
PAYLOADS = {1: EXIF_ITEM, 2: packet(), 3: b"picture"}


@pytest.mark.parametrize(("version", "method"), [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)])
def test_items_are_gathered_from_their_extents(version: int, method: int) -> None:
    data = _heif(PAYLOADS, version=version, method=method)
    container = walk(data, "HEIF")
    assert container.end == len(data)
    assert [(block.kind, block.payload) for block in container.blocks] == [(Kind.EXIF, TIFF), (Kind.XMP, packet())]


def test_items_of_a_real_avif_are_found() -> None:
    data = save("AVIF", exif=exif({0x010F: "Canon"}), xmp=packet())
    assert {block.kind: block.payload for block in walk(data, "AVIF").blocks} == {Kind.EXIF: TIFF, Kind.XMP: packet()}


def test_a_location_box_that_promises_more_items_than_it_has_is_read_as_far_as_it_goes() -> None:
    assert len(walk(_heif(PAYLOADS, many=60_000), "HEIF").blocks) <= 2


def test_extents_that_name_everything_again_and_again_are_bounded() -> None:
    body = bytes([1, 0, 0, 0]) + b"\x44\x00" + struct.pack(">H", 1) + struct.pack(">HHHH", 2, 0, 0, 5_000)
    iloc = _box(b"iloc", body + struct.pack(">II", 0, 2**24) * 5_000)
    iinf = _box(b"iinf", bytes(4) + struct.pack(">H", 1) + _infe(2, b"mime", b"\0application/rdf+xml\0"))
    data = FTYP + _box(b"meta", bytes(4) + iinf + iloc) + _box(b"mdat", bytes(2**20))
    assert all(len(block.payload) <= 2**24 for block in walk(data, "HEIF").blocks)


def test_an_item_that_is_listed_again_and_again_is_bounded() -> None:
    body = bytes([1, 0, 0, 0]) + b"\x44\x00" + struct.pack(">H", 9)
    iloc = _box(b"iloc", body + struct.pack(">HHHHII", 2, 0, 0, 1, 0, 5 * 2**20) * 9)
    iinf = _box(b"iinf", bytes(4) + struct.pack(">H", 1) + _infe(2, b"mime", b"\0application/rdf+xml\0"))
    data = FTYP + _box(b"meta", bytes(4) + iinf + iloc) + _box(b"mdat", bytes(5 * 2**20))
    assert sum(len(block.payload) for block in walk(data, "HEIF").blocks) <= 2**24


def test_extents_without_any_width_are_bounded() -> None:
    body = bytes([1, 0, 0, 0]) + b"\0\0" + struct.pack(">H", 9_000) + struct.pack(">HHHH", 2, 0, 0, 9_999) * 9_000
    iinf = _box(b"iinf", bytes(4) + struct.pack(">H", 1) + _infe(2, b"Exif"))
    (unread,) = walk(FTYP + _box(b"meta", bytes(4) + iinf + _box(b"iloc", body)), "HEIF").blocks
    assert (unread.kind, unread.payload) == (Kind.UNREAD, b"an EXIF item is not where the file says")


@pytest.mark.parametrize("meta", [b"", _box(b"iinf", bytes(6)), _box(b"iloc", bytes(8)), bytes(20)])
def test_a_meta_box_without_items_has_no_metadata(meta: bytes) -> None:
    data = FTYP + _box(b"meta", bytes(4) + meta)
    container = walk(data, "HEIF")
    assert (container.end, container.blocks) == (len(data), ())


def test_boxes_of_every_size_are_followed() -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + bytes(5)
    to_the_end = struct.pack(">I4s", 0, b"mdat") + bytes(9)
    assert walk(FTYP + large, "HEIF").end == len(FTYP + large)
    assert walk(FTYP + to_the_end, "HEIF").end == len(FTYP + to_the_end)


def test_what_is_no_box_stands_behind_the_end() -> None:
    data = FTYP + _box(b"mdat", bytes(20))
    for trailer in (b"PK\x03\x04" + bytes(30), b"text, not a box, of some length", bytes(7), b"\0\0\0\x04mdat"):
        container = walk(data + trailer, "AVIF")
        assert (container.end, container.truncated) == (len(data), False)


def test_a_known_box_that_does_not_fit_is_truncated() -> None:
    data = (FTYP + _box(b"mdat", bytes(200)))[:-1]
    container = walk(data, "AVIF")
    assert (container.end, container.truncated) == (len(data), True)


@pytest.mark.parametrize(("kind", "name"), [(b"mpvd", "motion photo"), (b"sefd", "Samsung")])
def test_what_phones_add_is_named(kind: bytes, name: str) -> None:
    (belonging,) = walk(FTYP + _box(b"mdat") + _box(kind, bytes(8)), "HEIF").belongings
    assert name in belonging


JXL = struct.pack(">I4sI", 12, b"JXL ", 0x0D0A870A)


def test_metadata_boxes_of_jpeg_xl_are_read() -> None:
    data = JXL + FTYP + _box(b"Exif", bytes(4) + TIFF) + _box(b"xml ", packet()) + _box(b"jxlc", bytes(4))
    container = walk(data, "JXL")
    assert container.end == len(data)
    assert [(block.kind, block.payload) for block in container.blocks] == [(Kind.EXIF, TIFF), (Kind.XMP, packet())]


@pytest.mark.parametrize(
    "before", [b"", bytes(4), b"Exif\0\0", bytes(4) + b"Exif\0\0", b"\0\0\0\6Exif\0\0", b"\0\0\0\2ab"]
)
@pytest.mark.parametrize("format_name", ["HEIF", "JXL"])
def test_exif_is_found_whatever_its_writer_put_before_it(before: bytes, format_name: str) -> None:
    data = _heif({1: before + TIFF}) if format_name == "HEIF" else JXL + FTYP + _box(b"Exif", before + TIFF)
    assert Block(kind=Kind.EXIF, payload=TIFF) in walk(data, format_name).blocks


@pytest.mark.parametrize(("kind", "name"), [(b"Exif", b"the EXIF"), (b"xml ", b"the XMP"), (b"jumb", b"the JUMBF box")])
def test_what_jpeg_xl_compresses_is_said_to_be_unread(kind: bytes, name: bytes) -> None:
    (block,) = walk(JXL + FTYP + _box(b"brob", kind + bytes(9)) + _box(b"brob", b"abcd"), "JXL").blocks
    assert block.kind is Kind.UNREAD
    assert block.payload.startswith(name)


def test_metadata_items_that_lie_nowhere_are_said_to_be_unread() -> None:
    blocks = walk(_heif({2: packet(), 3: b"picture"}), "HEIF").blocks
    assert {block.kind for block in blocks} == {Kind.UNREAD, Kind.XMP}


def test_a_bare_codestream_does_not_tell_its_end() -> None:
    assert walk(b"\xff\x0a" + bytes(20), "JXL").end is None


def test_endless_boxes_are_not_followed_to_the_end() -> None:
    container = walk(FTYP + _box(b"free") * (MAX_STEPS + 1), "AVIF")
    assert container.end is None
    assert container.damaged
