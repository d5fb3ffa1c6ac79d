from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL.PngImagePlugin import PngInfo

from assay.containers import Block, Kind, walk
from forensics.fields import Fields, Source
from forensics.reading import MAX_XMP_BYTES, read_fields
from tests.forensics import metadata_files as files

PACKET = files.packet(photoshop_Credit="Desk")
EXIF = files.exif({files.MAKE: "Nikon"})
DIGEST = b"0123456789ABCDEF0123456789ABCDEF"


def _fields(data: bytes, format_name: str) -> Fields:
    return read_fields(walk(data, format_name).blocks)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_and_xmp_are_read_in_every_container(format_name: str) -> None:
    options = {"exif": EXIF, "xmp": PACKET}
    if format_name == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", PACKET.decode())
        options = {"exif": EXIF, "pnginfo": info}  # type: ignore[dict-item]
    if format_name == "TIFF":
        options = {"tiffinfo": {files.MAKE: "Nikon", 700: PACKET}}  # type: ignore[dict-item]
    found = _fields(files.save(format_name, **options), format_name)
    assert found.first(Source.EXIF, "Make") == "Nikon"
    assert found.first(Source.XMP, "photoshop:Credit") == "Desk"
    assert found.problems == ()


def test_iim_is_read_in_jpeg_and_tiff() -> None:
    record = files.iim((2, 80, b"Jane"))
    in_tiff = files.save("TIFF", tiffinfo={33723: record})
    in_resources = files.save("TIFF", tiffinfo={34377: files.photoshop((0x0404, record))})
    in_jpeg = files.with_iim(files.save("JPEG"), (2, 80, b"Jane"))
    for data, format_name in ((in_tiff, "TIFF"), (in_resources, "TIFF"), (in_jpeg, "JPEG")):
        assert _fields(data, format_name).first(Source.IIM, "By-line") == "Jane"


def test_every_comment_of_a_jpeg_is_read() -> None:
    data = files.with_segments(files.save("JPEG", comment=b"second"), files.segment(0xFE, b"first"))
    assert [field.value for field in _fields(data, "JPEG").everything(Source.COMMENT)] == ["first", "second"]


def test_comment_and_xmp_of_a_gif_are_read() -> None:
    data = files.save("GIF", comment=b"by hand")
    extension = b"!\xff\x0bXMP DataXMP" + PACKET + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    data = data[:-1] + extension + data[-1:]
    found = _fields(data, "GIF")
    assert found.first(Source.COMMENT, "comment") == "by hand"
    assert found.first(Source.XMP, "photoshop:Credit") == "Desk"
    assert found.problems == ()


def test_text_behind_the_pixels_of_a_png_is_read() -> None:
    data, chunk = files.save("PNG"), b"tEXtparameters\0late"
    late = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    assert _fields(data[:-12] + late + data[-12:], "PNG").first(Source.PNG, "parameters") == "late"


@pytest.mark.parametrize(
    ("name", "payload", "source", "value"),
    [
        ("exif", EXIF, Source.EXIF, "Nikon"),
        ("exif", EXIF[6:], Source.EXIF, "Nikon"),
        ("APP1", EXIF, Source.EXIF, "Nikon"),
        ("APP1", b"http://ns.adobe.com/xap/1.0/\0" + PACKET, Source.XMP, "Desk"),
        ("xmp", PACKET, Source.XMP, "Desk"),
        ("iptc", files.iim((2, 110, b"Desk")), Source.IIM, "Desk"),
        ("iptc", files.photoshop((0x0404, files.iim((2, 110, b"Desk")))), Source.IIM, "Desk"),
        ("8bim", files.photoshop((0x0404, files.iim((2, 110, b"Desk")))), Source.IIM, "Desk"),
    ],
)
def test_the_profiles_that_imagemagick_writes_are_read(name: str, payload: bytes, source: Source, value: str) -> None:
    lines = [payload.hex()[at : at + 72] for at in range(0, 2 * len(payload), 72)]
    text = f"\n{name}\n{len(payload):8}\n" + "\n".join(lines) + "\n"
    found = _fields(files.png({f"Raw profile type {name}": text}, compressed=True), "PNG")
    assert value in [field.value for field in found.everything(source)]


def test_a_profile_that_is_no_profile_is_a_problem_or_nothing() -> None:
    assert _fields(files.png({"Raw profile type exif": "\nexif\n 4\nzz"}), "PNG").problems
    broken = files.png({"Raw profile type exif": "\nexif\n 4\n00ff"}, compressed=True).replace(
        b"exif\0\0x", b"exif\0\0y"
    )
    assert _fields(broken, "PNG").problems == ("a raw profile in a text block is empty, or cannot be unpacked",)
    assert _fields(files.png({"Raw profile type icc": "\nicc\n 4\n00ff"}), "PNG").items == ()


def _extension(digest: bytes, offset: int, piece: bytes) -> bytes:
    body = b"http://ns.adobe.com/xmp/extension/\0" + digest + (1000).to_bytes(4, "big") + offset.to_bytes(4, "big")
    return files.segment(0xE1, body + piece)


def test_extended_xmp_is_joined_when_the_main_packet_names_it() -> None:
    main = files.packet(xmpNote_HasExtendedXMP=DIGEST.decode())
    whole = files.packet(files.listed("dc:creator", "Jane"))
    data = files.save("JPEG", xmp=main)
    pieces = [_extension(DIGEST, 100, whole[100:]), _extension(DIGEST, 0, whole[:100]), _extension(b"x" * 32, 0, b"<")]
    found = _fields(files.with_segments(data, *pieces), "JPEG")
    assert found.first(Source.XMP, "dc:creator") == "Jane"
    assert found.problems == ()
    unnamed = _fields(files.with_segments(files.save("JPEG", xmp=PACKET), *pieces), "JPEG")
    assert unnamed.of(Source.XMP, "dc:creator") == ()
    # What a replaced packet has left behind says nothing about the picture, but it is still in the file.
    assert [each.first(Source.XMP, "dc:creator") for each in unnamed.further] == ["Jane"]
    assert unnamed.problems == ()


def test_exif_and_xmp_among_image_resources_are_read() -> None:
    resources = files.photoshop((0x0422, EXIF[6:]), (0x0424, PACKET))
    found = _fields(
        files.with_segments(files.save("JPEG"), files.segment(0xED, b"Photoshop 3.0\0" + resources)), "JPEG"
    )
    assert found.first(Source.EXIF, "Make") == "Nikon"
    assert found.first(Source.XMP, "photoshop:Credit") == "Desk"


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exif_that_cannot_be_read_is_a_problem_in_every_container(format_name: str) -> None:
    broken = b"Exif\0\0" + b"QQ\0*" + EXIF[10:]
    data = files.save(format_name, exif=EXIF).replace(EXIF[6:10], b"QQ\0*")
    assert _fields(data, format_name).problems == ("the EXIF has no TIFF header",)
    assert read_fields([Block(kind=Kind.EXIF, payload=broken)]).problems
    assert read_fields([], [Block(kind=Kind.EXIF, payload=broken)]).problems


def test_what_a_container_could_not_read_is_a_problem() -> None:
    block = Block(kind=Kind.UNREAD, payload=b"the EXIF is compressed with Brotli")
    assert read_fields([block]).problems == ("the EXIF is compressed with Brotli",)


def test_xmp_is_bounded_over_all_packets() -> None:
    large = Block(kind=Kind.XMP, payload=files.packet(files.element("dc:description", "x" * (MAX_XMP_BYTES // 2))))
    found = read_fields([large, large])
    assert len(found.of(Source.XMP, "dc:description")) == 1
    assert found.problems == ("there is more XMP than 16,777,216 bytes",)


def test_what_cannot_be_read_is_named_once() -> None:
    blocks = [Block(kind=Kind.XMP, payload=b"<a>")] * 9
    assert read_fields(blocks).problems == (
        "the XMP packet is not well-formed XML",
        "there are more than 4 blocks of one kind: XMP",
    )
    bomb = Block(kind=Kind.PNG_COMPRESSED_TEXT, payload=b"big\0\0" + zlib.compress(b"x" * 9 * 2**20))
    assert read_fields([bomb]).problems == ("the compressed text grows beyond the bound",)


@settings(max_examples=80)
@given(st.lists(st.builds(Block, kind=st.sampled_from(Kind), payload=st.binary(max_size=60)), max_size=8))
def test_no_blocks_raise(blocks: list[Block]) -> None:
    read_fields(blocks)
