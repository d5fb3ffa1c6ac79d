from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from assay.containers import Kind, walk
from assay.errors import ConfigurationError, SelfCheckError, UnreadableError
from assay.luggage import require_carried, webp
from assay.luggage.exif import without_thumbnail
from assay.luggage.photoshop import as_resource, without_thumbnails
from assay.repaint import Repainted, repainted, require_same
from assay.vocabulary import Pixels
from tests.pictures import photograph

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
IIM = b"\x1c\x02\x19\x00\x05tulip"


def same(pixels: Pixels) -> Pixels:
    return pixels


def saved(form: str, image: Image.Image | None = None, **options: Any) -> bytes:
    stream = BytesIO()
    (image or Image.fromarray(photograph(0)[:64, :96])).save(stream, form, **options)
    return stream.getvalue()


def blocks(data: bytes, form: str) -> set[tuple[Kind, bytes]]:
    return {(block.kind, block.payload) for block in walk(data, form).blocks}


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = "Maker", 6
    tags.get_ifd(0x8769)[0xA431] = "serial"
    tags.get_ifd(0x8825)[1] = "N"
    return tags


def jpeg(**options: Any) -> bytes:
    plain = saved("JPEG", exif=exif().tobytes(), xmp=XMP, comment=b"a comment", dpi=(240, 240), **options)
    resources = b"Photoshop 3.0\0" + as_resource(IIM)
    unknown = b"something of a camera's own"
    segments = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body
        for marker, body in ((0xED, resources), (0xE7, unknown))
    )
    return plain[:20] + segments + plain[20:] + b"what a camera appends"


def png() -> bytes:
    text = PngInfo()
    text.add_text("parameters", "a tulip\nSteps: 20")
    text.add_text("parameters", "a tulip", zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return saved("PNG", pnginfo=text, exif=exif().tobytes(), dpi=(300, 300), icc_profile=b"profile")


def tiff(**options: Any) -> bytes:
    tags = ImageFileDirectory_v2()
    tags[270], tags[274], tags[700], tags[33723] = "a tulip", 6, XMP, IIM
    tags.tagtype[33723] = 7
    return saved("TIFF", tiffinfo=tags, dpi=(300, 300), icc_profile=b"profile", **options)


def test_a_jpeg_keeps_its_segments_and_what_follows_it() -> None:
    data = jpeg(quality=70, progressive=True)
    after = repainted(data, "in", ".jpg", same).data
    assert blocks(after, "JPEG") == blocks(data, "JPEG")
    assert after.endswith(b"what a camera appends")
    assert b"something of a camera's own" in after
    with Image.open(BytesIO(after)) as image:
        assert image.info["progressive"]
        assert image.info["dpi"] == (240, 240)


def test_a_png_keeps_its_chunks() -> None:
    after = repainted(png(), "in", ".png", same).data
    assert blocks(after, "PNG") == blocks(png(), "PNG")
    with Image.open(BytesIO(after)) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.info["icc_profile"] == b"profile"


def test_a_webp_keeps_its_chunks() -> None:
    data = saved("WEBP", quality=60, exif=exif().tobytes(), xmp=XMP, icc_profile=b"profile")
    after = repainted(data, "in", ".webp", same).data
    assert blocks(after, "WEBP") == blocks(data, "WEBP")
    with Image.open(BytesIO(after)) as image:
        assert image.info["icc_profile"] == b"profile"


def test_a_tiff_keeps_its_tags() -> None:
    data = tiff(compression="tiff_adobe_deflate")
    with Image.open(BytesIO(repainted(data, "in", ".tif", same).data)) as after, Image.open(BytesIO(data)) as before:
        assert {tag: after.tag_v2[tag] for tag in (270, 274, 282, 700, 34675)} == {  # type: ignore[attr-defined]
            tag: before.tag_v2[tag]  # type: ignore[attr-defined]
            for tag in (270, 274, 282, 700, 34675)
        }
        assert bytes(after.tag_v2[33723]) == IIM  # type: ignore[attr-defined]
        assert after.info["compression"] == "tiff_adobe_deflate"
        assert np.array_equal(np.asarray(after), np.asarray(before))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg", ".tif"])
def test_a_declaration_goes_into_every_container(suffix: str) -> None:
    data = saved("WEBP", exif=exif().tobytes(), xmp=XMP, icc_profile=b"profile")
    after = repainted(data, "in", suffix, same).data
    with Image.open(BytesIO(after)) as image:
        assert image.info["icc_profile"] == b"profile"
        assert image.getexif()[0x010F] == "Maker"
        assert image.getexif().get_ifd(0x8769)[0xA431] == "serial"
        assert image.getexif().get_ifd(0x8825)[1] == "N"
    assert XMP in after


def test_text_of_a_png_becomes_comments_of_a_jpeg() -> None:
    after = repainted(png(), "in", ".jpg", same).data
    assert (Kind.COMMENT, b"parameters: a tulip\nSteps: 20") in blocks(after, "JPEG")
    assert (Kind.XMP, XMP) in blocks(after, "JPEG")


@pytest.mark.parametrize(
    ("data", "suffix", "what"), [(png(), ".webp", "tEXt"), (tiff(), ".png", "IPTC IIM"), (jpeg(), ".png", "Photoshop")]
)
def test_what_has_no_place_is_refused_by_name(data: bytes, suffix: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what) as caught:
        repainted(data, "in", suffix, same)
    assert "Name an output that ends in ." in caught.value.hint


def test_a_thumbnail_of_the_old_pixels_does_not_go_on() -> None:
    small = saved("JPEG")
    head = b"II*\0" + struct.pack("<I", 8)
    first = struct.pack("<HHHII", 1, 0x0112, 3, 1, 6) + struct.pack("<I", 26)
    second = struct.pack("<HHHII", 2, 513, 4, 1, 56) + struct.pack("<HHII", 514, 4, 1, len(small)) + bytes(4)
    whole = head + first + second + small
    blank = without_thumbnail(whole)
    assert len(blank) == len(whole)
    assert small not in blank
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + blank)
    assert tags[0x0112] == 6
    data = saved("JPEG", exif=b"Exif\0\0" + whole)
    after = repainted(data, "in", ".jpg", same).data
    assert small in data
    assert small not in after
    with Image.open(BytesIO(after)) as image:
        assert image.getexif()[0x0112] == 6


def test_photoshop_keeps_all_resources_but_thumbnails() -> None:
    thumbnail = b"8BIM" + struct.pack(">HHI", 1036, 0, 3) + b"old\0"
    assert without_thumbnails(as_resource(IIM) + thumbnail + b"rest") == as_resource(IIM) + b"rest"


@pytest.mark.parametrize("quality", [10, 50, 75, 80, 95])
def test_the_quality_of_a_webp_is_read_from_its_quantiser(quality: int) -> None:
    data = saved("WEBP", Image.fromarray(photograph(0)), quality=quality)
    found = webp.quality(data)
    assert found is not None
    again = saved("WEBP", Image.fromarray(photograph(0)), quality=found)
    assert len(again) == pytest.approx(len(data), rel=0.12)


def test_a_lossless_webp_stays_lossless_and_keeps_colours_under_transparency() -> None:
    layers = np.dstack([photograph(0), np.zeros(photograph(0).shape[:2], np.uint8)])
    data = saved("WEBP", Image.fromarray(layers, "RGBA"), lossless=True, exact=True)
    assert webp.quality(data) is None
    wanted = repainted(data, "in", ".webp", same)
    require_same(wanted.data, wanted, "in")
    assert np.array_equal(wanted.intended, layers)


def test_what_was_written_is_compared() -> None:
    wanted = repainted(saved("JPEG"), "in", ".jpg", same)
    require_same(wanted.data, wanted, "in")
    swapped = Repainted(
        data=wanted.data, intended=np.ascontiguousarray(wanted.intended[..., ::-1]), mode="RGB", is_lossless=False
    )
    with pytest.raises(SelfCheckError, match="the colours"):
        require_same(wanted.data, swapped, "in")
    exact = repainted(saved("PNG"), "in", ".png", same)
    other = saved("PNG", Image.fromarray(np.asarray(exact.intended) ^ np.uint8(1)))
    with pytest.raises(SelfCheckError, match="the pixels"):
        require_same(other, exact, "in")
    with pytest.raises(SelfCheckError, match="instead of"):
        require_same(saved("PNG", Image.new("L", (96, 64))), exact, "in")


def test_further_pictures_are_refused_by_name() -> None:
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    data = saved("MPO", first, save_all=True, append_images=[second])
    with pytest.raises(UnreadableError, match="1 more picture,") as caught:
        repainted(data, "in", ".jpg", same)
    assert "first picture" in caught.value.hint


def test_a_file_that_lost_its_metadata_is_not_handed_over() -> None:
    require_carried(png(), "PNG", repainted(png(), "in", ".png", same).data, "PNG", "in")
    with pytest.raises(SelfCheckError, match="lacks iTXt, tEXt, zTXt"):
        require_carried(png(), "PNG", saved("PNG"), "PNG", "in")
