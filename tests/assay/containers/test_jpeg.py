from __future__ import annotations

import struct

import pytest

from assay.containers import Kind, walk
from assay.containers.model import MAX_STEPS
from tests.forensics.metadata_files import exif, packet, photoshop, save, segment, with_segments

WHOLE = save("JPEG")
MP4 = struct.pack(">I4s8s", 16, b"ftyp", b"mp42\0\0\0\0") + struct.pack(">I4s", 24, b"mdat") + bytes(16)
MOTION = packet('<x:y xmlns:x="http://ns.google.com/photos/1.0/camera/" x:MotionPhoto="1"/>')
GAIN_MAP = packet('<h:y xmlns:h="http://ns.google.com/photos/1.0/container/item/" h:Semantic="GainMap"/>')


def _samsung(payload: bytes = b"") -> bytes:
    directory = b"SEFH" + struct.pack("<III", 107, 1, 0)
    return payload + directory + struct.pack("<I", len(directory)) + b"SEFT"


def _indexed(first: bytes, *further: bytes, size: int | None = None) -> bytes:
    """A JPEG with a multi-picture index (CIPA DC-007), and the pictures it names behind it."""
    pictures = (first, *further)
    index_size = 4 + 8 + 2 + 12 + 4 + 16 * len(pictures)
    base = 2 + 4 + 4
    entries, offset = b"", len(first) + 4 + index_size - base
    for number, each in enumerate(pictures):
        entries += struct.pack(">IIIHH", 0, len(each) if size is None else size, offset if number else 0, 0, 0)
        offset += len(each) if number else 0
    index = b"MPF\0" + struct.pack(">2sHI", b"MM", 42, 8)
    index += struct.pack(">HHHIII", 1, 0xB002, 7, len(entries), 26, 0) + entries
    return with_segments(first, segment(0xE2, index)) + b"".join(further)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"comment": b"\xff\xd9"}])
def test_the_end_is_behind_the_end_marker(options: dict[str, object]) -> None:
    data = save("JPEG", **options)
    for trailer in (b"", b"\0\0", MP4, _samsung()[:-1]):
        container = walk(data + trailer, "JPEG")
        assert (container.end, container.truncated) == (len(data), False)
        assert container.belongings == ()


def test_a_thumbnail_and_its_end_marker_are_inside() -> None:
    data = with_segments(WHOLE, segment(0xE1, b"Exif\0\0" + WHOLE), segment(0xE5, WHOLE))
    assert walk(data + b"x", "JPEG").end == len(data)


@pytest.mark.parametrize("cut", [3, 20, 200, len(WHOLE) - 1])
def test_without_the_end_marker_it_is_truncated(cut: int) -> None:
    container = walk(WHOLE[:cut], "JPEG")
    assert (container.end, container.truncated) == (cut, True)


def test_metadata_is_unwrapped_and_long_exif_is_joined() -> None:
    long = exif({0x010F: "Canon"}) + bytes(70_000)
    segments = [
        segment(0xE1, long[:60_000]),
        segment(0xE1, b"Exif\0\0" + long[60_000:]),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)),
        segment(0xED, b"Photoshop 3.0\0" + photoshop((1, b"x"))),
        segment(0xFE, b"by hand"),
        segment(0xE1, b"unknown"),
    ]
    found = {block.kind: block.payload for block in walk(with_segments(WHOLE, *segments), "JPEG").blocks}
    assert found == {
        Kind.XMP: b"<x/>",
        Kind.XMP_EXTENSION: bytes(40),
        Kind.PHOTOSHOP: photoshop((1, b"x")),
        Kind.COMMENT: b"by hand",
        Kind.EXIF: long[6:],
    }


def test_further_pictures_of_an_index_belong_to_the_file() -> None:
    for further in ((WHOLE,), (WHOLE, WHOLE)):
        data = _indexed(WHOLE, *further)
        container = walk(data + b"x", "MPO")
        assert container.end == len(data)
        (name,) = container.belongings
        assert name.startswith(f"{len(further)} further picture")


def test_pillow_writes_what_is_read_as_an_index() -> None:
    import io

    from PIL import Image

    stream = io.BytesIO()
    picture = Image.new("RGB", (32, 32), "red")
    picture.save(stream, "MPO", save_all=True, append_images=[Image.new("RGB", (32, 32), "blue")])
    container = walk(stream.getvalue(), "MPO")
    assert container.end == len(stream.getvalue())
    assert container.belongings == ("1 further picture (multi-picture format)",)


def test_an_index_whose_pictures_were_dropped_changes_nothing() -> None:
    data = _indexed(WHOLE, WHOLE)[: -len(WHOLE)]
    assert walk(data, "JPEG").end == len(data)
    assert walk(data + bytes(len(WHOLE)), "JPEG").end == len(data)
    assert walk(_indexed(WHOLE, WHOLE, size=10**9), "JPEG").truncated is False


@pytest.mark.parametrize("index", [b"MPF\0", b"MPF\0MM\0*", b"MPF\0MM\0*\0\0\0\x08\0\0\0\0\0\0"])
def test_an_index_without_entries_changes_nothing(index: bytes) -> None:
    assert walk(with_segments(WHOLE, segment(0xE2, index)), "JPEG").belongings == ()


def test_the_video_of_a_motion_photo_belongs_to_the_file_where_it_is_declared() -> None:
    declared = save("JPEG", xmp=MOTION)
    container = walk(declared + MP4 + b"PK\x03\x04 and the rest", "JPEG")
    assert container.end == len(declared + MP4)
    assert container.belongings == ("the video of a motion photo (MP4)",)
    assert walk(WHOLE + MP4, "JPEG").end == len(WHOLE)


def test_a_declared_gain_map_belongs_to_the_file() -> None:
    declared = save("JPEG", xmp=GAIN_MAP)
    assert walk(declared + WHOLE, "JPEG").belongings == ("a gain map",)
    assert walk(declared + WHOLE[:-2], "JPEG").end == len(declared)
    assert walk(WHOLE + WHOLE, "JPEG").end == len(WHOLE)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_samsungs_trailer_is_named(format_name: str) -> None:
    data = save(format_name)
    container = walk(data + _samsung(), format_name)
    assert (container.end, container.belongings) == (len(data + _samsung()), ("a Samsung trailer",))
    with_video = data + _samsung(b"MotionPhoto_Data" + MP4)
    assert walk(with_video, format_name).belongings == ("a Samsung trailer with the video of a motion photo (MP4)",)
    for forged in (b"SEFT", b"x" * 20 + b"SEFT", b"\xff" * 8 + b"SEFT"):
        assert walk(data + forged, format_name).end == len(data)


def test_endless_segments_are_not_followed_to_the_end() -> None:
    container = walk(b"\xff\xd8" + b"\xff\xe5\0\x02" * (MAX_STEPS + 1) + b"\xff\xd9", "JPEG")
    assert container.end is None
    assert container.damaged


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (WHOLE[:-2], True),
        (WHOLE[: WHOLE.index(b"\xff\xda") + 14], True),
        (WHOLE[: WHOLE.index(b"\xff\xda") + 4], False),
        (WHOLE[: WHOLE.index(b"\xff\xda")], False),
        (WHOLE[:2], False),
        (b"\xff\xd8\xff\xeb\xff\xff" + WHOLE[2:-2], False),  # a segment that was cut, and holds what looks like a scan
        (b"\xff\xd8" + b"\xff\xe5\0\x03x" * 3 + WHOLE[2:-2], True),
        (WHOLE, False),  # nothing is missing, so nothing is asked
    ],
)
def test_a_file_that_is_cut_in_the_picture_data_has_all_that_stands_in_front(data: bytes, whole: bool) -> None:
    assert walk(data, "JPEG").is_front_whole is whole
