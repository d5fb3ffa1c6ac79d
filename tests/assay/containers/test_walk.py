"""The formats whose structure is told in a few lines, and what holds for all."""

from __future__ import annotations

import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assay.containers import Kind, walk
from assay.containers.model import MAX_STEPS
from tests.forensics.metadata_files import PHOTOGRAPHS, exif, packet, photograph_file, png, save

FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "JXL", "TIFF", "BMP", "other")
SEEDS = {
    "JPEG": save("JPEG", exif=exif({0x010F: "Canon"}), xmp=packet(), comment=b"x"),
    "PNG": png({"a": "b"}, exif=exif({0x010F: "Canon"})),
    "GIF": save("GIF", comment=b"x"),
    "WEBP": save("WEBP", exif=exif({0x010F: "Canon"}), xmp=packet()),
    "AVIF": save("AVIF", exif=exif({0x010F: "Canon"}), xmp=packet()),
    "TIFF": save("TIFF"),
    "BMP": save("BMP"),
}


def _chunk(name: bytes, body: bytes = b"", *, checksum: int | None = None) -> bytes:
    right = zlib.crc32(name + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", right)


# --- PNG --------------------------------------------------------------------------------------------------------------


def test_png_ends_behind_its_last_chunk() -> None:
    data = SEEDS["PNG"]
    for trailer in (b"", b"\n", b"PK\x03\x04"):
        container = walk(data + trailer, "PNG")
        assert (container.end, container.truncated, container.damaged) == (len(data), False, ())
    assert [(block.kind, block.payload) for block in container.blocks] == [
        (Kind.PNG_TEXT, b"a\0b"),
        (Kind.EXIF, exif({0x010F: "Canon"})[6:]),
    ]


def test_png_without_its_last_chunk_is_truncated() -> None:
    for cut in (8, 20, len(SEEDS["PNG"]) - 12, len(SEEDS["PNG"]) - 1):
        container = walk(SEEDS["PNG"][:cut], "PNG")
        assert (container.end, container.truncated) == (cut, True)


def test_only_the_checksums_of_critical_chunks_matter() -> None:
    start = b"\x89PNG\r\n\x1a\n"
    data = start + _chunk(b"IDAT", b"x", checksum=1) * 2 + _chunk(b"tEXt", b"x", checksum=1) + _chunk(b"IEND")
    assert walk(data, "PNG").damaged == ("the checksum of a IDAT chunk is wrong",)


def test_endless_chunks_are_not_followed_to_the_end() -> None:
    container = walk(b"\x89PNG\r\n\x1a\n" + _chunk(b"teST") * (MAX_STEPS + 1), "PNG")
    assert container.end is None
    assert container.damaged


# --- GIF --------------------------------------------------------------------------------------------------------------


def test_gif_ends_behind_its_trailer() -> None:
    frames = [Image.new("P", (8, 8), value) for value in range(3)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 255, 255, 9, 9, 9])
    data = save("GIF", frames[0], save_all=True, append_images=frames[1:], comment=b"c" * 600)
    container = walk(data + b"rest", "GIF")
    assert (container.end, container.truncated, container.damaged) == (len(data), False, ())
    assert {block.payload for block in container.blocks} == {b"c" * 600}


def test_xmp_of_a_gif_is_unwrapped() -> None:
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    netscape = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    data = SEEDS["GIF"][:-1] + netscape + b"!\xff\x0bXMP DataXMP" + packet() + magic + b";"
    container = walk(data, "GIF")
    assert container.end == len(data)
    assert [block.payload for block in container.blocks] == [b"x", packet()]


def test_gif_cut_short_is_truncated() -> None:
    data = SEEDS["GIF"]
    for cut in (6, 12, 30, len(data) - 1):
        assert walk(data[:cut], "GIF").truncated


def test_gif_whose_trailer_is_missing_ends_where_no_block_follows() -> None:
    data = SEEDS["GIF"]
    container = walk(data[:-1] + data, "GIF")
    assert (container.end, container.truncated) == (len(data) - 1, False)
    assert container.damaged


@pytest.mark.parametrize("body", [b"!\xfe\0" * (MAX_STEPS + 1), b"!\xfe" + b"\1x" * (MAX_STEPS + 1)])
def test_a_gif_of_endless_blocks_is_given_up(body: bytes) -> None:
    container = walk(b"GIF89a" + bytes(7) + body, "GIF")
    assert container.end is None
    assert container.damaged


# --- WebP and BMP -----------------------------------------------------------------------------------------------------


def test_webp_ends_where_its_header_says() -> None:
    data = SEEDS["WEBP"]
    container = walk(data + b"rest", "WEBP")
    assert (container.end, container.truncated, container.damaged) == (len(data), False, ())
    found = {block.kind: block.payload for block in container.blocks}
    assert found == {Kind.EXIF: exif({0x010F: "Canon"})[6:], Kind.XMP: packet()}
    cut = walk(data[:-3], "WEBP")
    assert (cut.end, cut.truncated) == (len(data) - 3, True)


def test_exif_that_leaves_its_webp_is_said_to_be_unread() -> None:
    data = save("WEBP", exif=exif({0x010F: "Canon"}))
    at = data.index(b"EXIF") + 4
    (block,) = walk(data[:at] + (9_999).to_bytes(4, "little") + data[at + 4 :], "WEBP").blocks
    assert (block.kind, block.payload) == (Kind.UNREAD, b"the EXIF reaches beyond the end of the image")


def test_a_chunk_that_leaves_its_webp_is_damage() -> None:
    riff = b"RIFF" + struct.pack("<I", 4 + 8) + b"WEBP" + b"VP8 " + struct.pack("<I", 99)
    assert walk(riff, "WEBP").damaged == ("a chunk reaches beyond the end of the image",)
    endless = b"WEBP" + (b"VP8 " + bytes(4)) * (MAX_STEPS + 1)
    assert walk(b"RIFF" + struct.pack("<I", len(endless)) + endless, "WEBP").damaged


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_ends_behind_its_pixels(mode: str) -> None:
    data = save("BMP", Image.new(mode, (13, 7)))
    assert walk(data + b"rest", "BMP").end == len(data)
    assert walk(data[:-1], "BMP").truncated


def test_bmp_of_every_header_is_measured() -> None:
    core = b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + struct.pack("<IHHHH", 12, 3, 2, 1, 24) + bytes(24)
    assert walk(core + b"rest", "BMP").end == len(core)
    rle = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + struct.pack("<IiiHHII", 40, 3, 2, 1, 8, 1, 9) + bytes(16 + 9)
    assert walk(rle + b"rest", "BMP").end == len(rle)
    unknown = rle[:34] + bytes(4) + rle[38:]
    assert walk(unknown, "BMP").end is None
    wide = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + struct.pack("<IiiHHII", 40, 2**30, 2, 1, 8, 0, 0) + bytes(16)
    assert walk(wide, "BMP").end is None
    v5 = b"BM" + struct.pack("<IHHI", 0, 0, 0, 138) + struct.pack("<IiiHHII", 124, 1, 1, 1, 24, 0, 0) + bytes(84)
    v5 += struct.pack("<IIII", 0, 124 + 4, 10, 0) + bytes(4) + bytes(10)
    assert walk(v5 + b"rest", "BMP").end == len(v5)
    assert walk(b"BM", "BMP").truncated


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_of_another_format_have_no_end_and_no_blocks(name: str) -> None:
    for data in (b"", b"text", bytes(100)):
        container = walk(data, name)
        assert (container.end, container.truncated, container.blocks) == (None, False, ())


@settings(max_examples=150)
@given(
    st.sampled_from(FORMATS), st.sampled_from([b"", *(seed[:24] for seed in SEEDS.values())]), st.binary(max_size=400)
)
def test_random_bytes_never_raise(name: str, head: bytes, rest: bytes) -> None:
    data = head + rest
    container = walk(data, name)
    assert container.end is None or 0 <= container.end <= len(data)


@settings(max_examples=300)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_damaged_files_never_raise(name: str, data: st.DataObject) -> None:
    damaged = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, min(len(damaged), 600) - 1))] = data.draw(st.integers(0, 255))
    container = walk(bytes(damaged), name)
    assert container.end is None or 0 <= container.end <= len(damaged)


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_every_cut_of_a_file_is_truncated_or_ends_at_the_cut(name: str) -> None:
    whole = SEEDS[name]
    for cut in range(0, len(whole), 7):
        container = walk(whole[:cut], name)
        assert container.truncated or container.end is None or container.end <= cut


def test_real_photographs_are_whole() -> None:
    for which in PHOTOGRAPHS:
        data = photograph_file(which)
        container = walk(data, "JPEG")
        assert (container.end, container.truncated, container.belongings) == (len(data), False, ())


def test_a_file_that_is_asked_for_again_is_not_walked_again() -> None:
    data = SEEDS["JPEG"]
    first = walk(data, "JPEG")
    assert walk(data, "JPEG") is first
    assert walk(data, "PNG") != first
    assert walk(SEEDS["GIF"], "GIF") != first
    assert walk(bytes(bytearray(data)), "JPEG") == first


def test_five_megabytes_of_scan_are_searched_in_milliseconds() -> None:
    scan = SEEDS["JPEG"]
    at = scan.rindex(b"\xff\xd9")
    data = scan[:at] + b"\x12\xff\x00\x34" * (5 * 2**18) + scan[at:]
    start = time.perf_counter()
    assert walk(data, "JPEG").end == len(data)
    assert time.perf_counter() - start < 1.0  # every fourth byte is stuffed, 64 times as many as in real files
