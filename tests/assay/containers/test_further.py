"""What stands behind the picture: pictures, videos and trailers, as cameras and phones put them there."""

from __future__ import annotations

import struct

import pytest

from assay.containers import Kind, walk
from assay.containers.further import MAX_FURTHER
from tests.forensics.metadata_files import exif, observations, packet, save, values

GPS = exif({}, gps={1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 24.0)})
PLACE = {"Latitude": "48.858333", "Longitude": "2.290000"}
PLACE_OF_VIDEO = {"Latitude": "48.858300", "Longitude": "2.290000"}
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def video(*entries: bytes) -> bytes:
    return box(b"ftyp", b"mp42\0\0\0\0") + box(b"mdat", bytes(50)) + box(b"moov", box(b"mvhd", bytes(9)), *entries)


XYZ = box(b"udta", box(b"\xa9xyz", b"\0\x12\x15\xc7+48.8583+002.2900/"))


def _metadata(*, versioned: bool, key: bytes = b"com.apple.quicktime.location.ISO6709") -> bytes:
    """A `meta` box with one key, as QuickTime (without a version) or MP4 writes it."""
    keys = box(b"keys", bytes(4), struct.pack(">I", 1), struct.pack(">I4s", 8 + len(key), b"mdta"), key)
    value = box(b"data", struct.pack(">II", 1, 0), b"+48.8583+002.2900/")
    ilst = box(b"ilst", box(struct.pack(">I", 1), value))
    return box(b"meta", bytes(4) if versioned else b"", box(b"hdlr", bytes(25)), keys, ilst)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_picture_behind_the_picture_has_a_place_of_its_own(format_name: str) -> None:
    further = save("JPEG", exif=GPS)
    note = observations(save(format_name) + bytes(10) + further)["location"]
    assert values(note) == PLACE


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_video_of_a_motion_photo_has_a_place_of_its_own(format_name: str) -> None:
    note = observations(save(format_name) + video(XYZ))["location"]
    assert values(note) == PLACE_OF_VIDEO


@pytest.mark.parametrize(
    "entries",
    [
        _metadata(versioned=False),
        _metadata(versioned=True),
        box(b"udta", _metadata(versioned=True)),
        box(b"trak", box(b"udta", box(b"\xa9xyz", b"+48.8583+002.2900/"))),
        box(b"udta", box(b"loci", bytes(6), b"\0\0", struct.pack(">3i", round(2.5 * 65536), round(48.75 * 65536), 0))),
    ],
    ids=["QuickTime", "MP4", "in user data", "of a track", "3GPP"],
)
def test_a_video_says_where_in_every_way(entries: bytes) -> None:
    note = observations(save("JPEG") + video(entries))["location"]
    expected = {"Latitude": "48.750000", "Longitude": "2.500000"} if b"loci" in entries else PLACE_OF_VIDEO
    assert values(note) == expected


def test_a_video_says_with_what() -> None:
    note = observations(save("JPEG") + video(box(b"udta", box(b"slno", b"R58M12ABCDE\0"))))["serial-numbers"]
    assert list(values(note).values()) == ["R58M12ABCDE"]


def test_other_entries_of_a_video_are_nothing() -> None:
    data = save("JPEG") + video(_metadata(versioned=False, key=b"com.apple.quicktime.make"), box(b"udta", box(b"name")))
    assert not {"location", "serial-numbers"} & observations(data).keys()


@pytest.mark.parametrize("kind", [b"mpvd", b"moov"])
def test_the_video_inside_an_avif_is_read(kind: bytes) -> None:
    inside = box(b"mpvd", video(XYZ)) if kind == b"mpvd" else video(XYZ)[74:]
    assert "location" in observations(save("AVIF") + inside)


def test_the_trailer_of_a_samsung_phone_is_read() -> None:
    field = b"\0\0\xa1\x0a\x08\0\0\0MCC_Data310"
    directory = b"SEFH" + struct.pack("<IIHHII", 106, 1, 0, 0x0AA1, len(field), len(field))
    trailer = video(XYZ) + field + directory + struct.pack("<I", len(directory)) + b"SEFT"
    data = save("JPEG") + trailer
    assert walk(data, "JPEG").end == len(data)
    expected = PLACE_OF_VIDEO | {"Country of the mobile network": "310"}
    assert values(observations(data)["location"]) == expected


def test_xmp_of_a_further_picture_is_read_for_places_and_nothing_else() -> None:
    xmp = packet(exif_GPSLatitude="48,51.5N", exif_GPSLongitude="2,17.4E", xmp_CreatorTool="Adobe Firefly")
    found = observations(save("JPEG") + save("JPEG", xmp=xmp))
    assert values(found["location"]) == PLACE
    assert not {"software", "firefly"} & found.keys()


def test_bytes_that_spell_a_video_or_exif_by_chance_are_nothing() -> None:
    noise = b"ftyp" + bytes(20) + b"moov" + b"Exif\0\0" + b"\xff\xe1" + b"ftyp" * 500
    found = observations(save("JPEG") + noise)
    assert set(found) == {"bytes-after-end"}


def test_the_number_of_further_blocks_is_bounded() -> None:
    one = b"\xff\xe1" + struct.pack(">H", 2 + len(GPS)) + GPS
    assert len(walk(save("JPEG") + one * 5_000, "JPEG").further) <= MAX_FURTHER
    entries = box(b"udta", *(box(b"\xa9xyz", b"+48.8583+002.2900/") for _ in range(30_000)))
    assert len(walk(save("JPEG") + video(entries), "JPEG").further) <= MAX_FURTHER


def test_an_ordinary_picture_has_nothing_further() -> None:
    for format_name in FORMATS:
        assert walk(save(format_name, exif=GPS) if format_name != "BMP" else save("BMP"), format_name).further == ()


def test_a_second_exif_block_in_one_jpeg_is_a_block_of_its_own() -> None:
    jpeg = save("JPEG", exif=exif({0x010F: "Canon"}))
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(GPS)) + GPS
    at = 4 + int.from_bytes(jpeg[4:6], "big")
    data = jpeg[:at] + segment + jpeg[at:]
    assert [block.kind for block in walk(data, "JPEG").blocks] == [Kind.EXIF, Kind.EXIF]
    assert values(observations(data)["location"]) == PLACE
