from __future__ import annotations

import hashlib
import os
import struct
import time
import tracemalloc
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from assay import exhibit
from assay.errors import DamagedImage, LimitExceeded, UnreadableError, UnsupportedFormat
from assay.formats import FORMATS
from assay.vocabulary import Exhibit, ExhibitFacts, Limits
from tests.seeds import photograph

LIMITS = Limits()


def _encode(format_name: str, size: tuple[int, int] = (40, 24), **options: Any) -> bytes:
    if plugin := FORMATS.get(format_name):
        plugin.register("x")
    stream = BytesIO()
    Image.new("RGB", size, (10, 200, 30)).save(stream, format_name, **options)
    return stream.getvalue()


def _inspect(data: bytes, name: str = "x", limits: Limits = LIMITS) -> Exhibit:
    return exhibit.inspect(exhibit.receive(data, name, limits), limits)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_is_opened_by_content_and_decoded(format_name: str) -> None:
    received = _inspect(_encode(format_name), "photo")
    picture = received.picture
    assert (picture.format, picture.width, picture.height, picture.frames) == (format_name, 40, 24, 1)
    assert picture.mime == FORMATS[format_name].mime
    assert not picture.truncated
    pixels, _ = exhibit.decode(received, LIMITS)
    assert pixels.shape == (24, 40, 3)
    assert np.abs(pixels.astype(int) - (10, 200, 30)).max() <= 12


def test_multi_picture_jpeg() -> None:
    stream = BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(stream, "MPO", save_all=True, append_images=frames[1:])
    received = _inspect(stream.getvalue(), "x.jpg")
    assert (received.picture.format, received.picture.frames) == ("MPO", 2)
    pixels, notes = exhibit.decode(received, LIMITS)
    assert "first of several frames" in notes
    assert pixels[0, 0, 0] > 200


def test_hash_is_of_the_bytes_as_received() -> None:
    data = _encode("PNG")
    facts = exhibit.receive(data, "x", LIMITS).facts
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.byte_size == len(data)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="no files of the kernel's here")
def test_a_file_that_holds_more_than_the_system_states_is_read_whole() -> None:
    path = Path("/proc/version")
    assert path.stat().st_size == 0
    assert exhibit.receive(path, "x", LIMITS).data == path.read_bytes()
    with pytest.raises(LimitExceeded):
        exhibit.receive(path, "x", Limits(max_bytes=10))


@pytest.mark.parametrize("size", [0, 1, 9, 10])
def test_a_file_up_to_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(size))
    assert exhibit.receive(path, "x", Limits(max_bytes=10)).data == bytes(size)
    path.write_bytes(bytes(size + 11))
    with pytest.raises(LimitExceeded):
        exhibit.receive(path, "x", Limits(max_bytes=10))


def test_no_memory_is_taken_for_bytes_that_a_file_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"small")
    tracemalloc.start()
    try:
        exhibit.receive(path, "x", LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_misleading_extension_is_noted() -> None:
    assert _inspect(_encode("PNG"), "x.jpg").picture.notes == ("named .jpg, but the content is PNG",)
    assert _inspect(_encode("PNG"), "x.png").picture.notes == ()
    assert _inspect(_encode("PNG"), "x.data").picture.notes == ()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "TIFF", "BMP"])
def test_truncation_is_noted(name: str) -> None:
    data = _encode(name)
    received = _inspect(data[:-4])
    assert received.picture.truncated
    assert "the file stops before the end of the image" in received.picture.notes


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_its_end_marker_is_decoded_where_its_data_are_whole(mode: str, options: dict[str, Any]) -> None:
    stream = BytesIO()
    photograph().convert(mode).save(stream, "JPEG", **options)
    data = stream.getvalue()
    whole, notes = exhibit.decode(_inspect(data), LIMITS)
    for cut in (1, 2):
        received = _inspect(data[:-cut])
        assert received.picture.notes == ("the file stops before the end of the image",)
        pixels, same = exhibit.decode(received, LIMITS)
        assert np.array_equal(pixels, whole)
        assert same == notes
        assert exhibit.preview(received, LIMITS) == exhibit.preview(_inspect(data), LIMITS)
    for cut in (5, 50, len(data) // 2):
        received = _inspect(data[:-cut])
        with pytest.raises(DamagedImage, match="x: the pixels cannot be decoded"):
            exhibit.decode(received, LIMITS)


def test_reading_files(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(_encode("PNG"))
    received = exhibit.receive(path, str(path), LIMITS)
    assert received.data == path.read_bytes()
    assert received.sidecar is None
    os.mkfifo(tmp_path / "x.c2pa")
    assert exhibit.receive(path, str(path), LIMITS).sidecar is None
    (tmp_path / "x.c2pa").unlink()
    (tmp_path / "x.c2pa").write_bytes(b"manifest")
    assert exhibit.receive(path, str(path), LIMITS).sidecar == b"manifest"


@pytest.mark.parametrize("kind", ["missing", "folder", "device", "fifo", "forbidden"])
def test_what_is_no_readable_file_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.jpg"
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "forbidden":
        path.write_bytes(b"x")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
    with pytest.raises(UnreadableError) as caught:
        exhibit.receive(path, "the name", LIMITS)
    assert str(caught.value).startswith("the name: ")
    assert caught.value.hint


def test_no_more_is_read_than_allowed(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    with path.open("wb") as stream:
        stream.truncate(10**10)  # sparse
    started = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"more than 1,000 bytes"):
        exhibit.receive(path, "x", Limits(max_bytes=1000))
    assert time.monotonic() - started < 1
    assert exhibit.receive(b"x" * 1000, "x", Limits(max_bytes=1000)).facts.byte_size == 1000
    with pytest.raises(LimitExceeded):
        exhibit.receive(b"x" * 1001, "x", Limits(max_bytes=1000))


@pytest.mark.parametrize("format_name", FORMATS)
def test_of_too_many_pixels_the_header_is_read_and_nothing_is_decoded(format_name: str) -> None:
    data = _encode(format_name, (128, 64))
    for most in (8191, 8192):
        received = _inspect(data, limits=Limits(max_pixels=most))
        picture = received.picture
        assert (picture.format, picture.width, picture.height, picture.frames) == (format_name, 128, 64, 1)
    with pytest.raises(LimitExceeded, match=r"128 x 64 pixels, more than 8,191"):
        exhibit.decode(received, Limits(max_pixels=8191))
    exhibit.decode(received, Limits(max_pixels=8192))


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "AVIF", "HEIF", "JXL"])
def test_readers_that_take_memory_on_opening_are_not_asked_about_too_large_pictures(
    format_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _encode(format_name, (128, 64))
    monkeypatch.setattr(exhibit, "open_image", lambda *_: pytest.fail("it was opened"))
    picture = _inspect(data, limits=Limits(max_pixels=8191)).picture
    assert (picture.width, picture.height, picture.mode) == (128, 64, "colours not read")


def test_the_frames_of_any_picture_are_counted() -> None:
    data = _encode("GIF", save_all=True, append_images=[Image.new("L", (40, 24), i) for i in range(1, 5)])
    assert _inspect(data, limits=Limits(max_frames=4)).picture.frames == 5


@pytest.mark.parametrize(("divisor", "shape"), [(2, (12, 20, 3)), (4, (6, 10, 3)), (8, (3, 5, 3))])
def test_a_jpeg_is_decoded_at_a_fraction_of_its_size(divisor: int, shape: tuple[int, int, int]) -> None:
    pixels, _ = exhibit.decode(_inspect(_encode("JPEG")), LIMITS, divisor=divisor)
    assert pixels.shape == shape
    assert np.abs(pixels.astype(int) - (10, 200, 30)).max() <= 12


def test_a_reduced_picture_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels, notes = exhibit.decode(_inspect(_encode("JPEG", exif=exif)), LIMITS, divisor=2)
    assert pixels.shape == (20, 12, 3)
    assert notes == ("turned upright by its orientation tag",)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 40])
def test_other_content_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"x\.jpg: not an image in a known format"):
        _inspect(data, "x.jpg")


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"BM", b"\xff\x0a\xff", b"\0\0\0\x0cftypavif"],
)
def test_broken_headers_are_damaged(data: bytes) -> None:
    with pytest.raises(DamagedImage):
        _inspect(data)


def test_camera_raw_is_refused() -> None:
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[50706] = b"\1\4\0\0"
    ifd.tagtype[50706] = 1
    with pytest.raises(UnsupportedFormat, match="camera raw"):
        _inspect(_encode("TIFF", tiffinfo=ifd))
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[254], ifd[330] = 1, 8
    with pytest.raises(UnsupportedFormat, match="camera raw"):
        _inspect(_encode("TIFF", tiffinfo=ifd))


def test_undecodable_pixels_are_damaged() -> None:
    data = bytearray(_encode("PNG"))
    at = data.index(b"IDAT")
    data[at + 6 : at + 10] = b"\xff\xff\xff\xff"
    received = _inspect(bytes(data))
    with pytest.raises(DamagedImage, match=r"x: the pixels cannot be decoded"):
        exhibit.decode(received, LIMITS)
    assert exhibit.preview(received, LIMITS) is None


def test_too_little_memory_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    received = _inspect(_encode("BMP"))

    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", refuse)
    with pytest.raises(LimitExceeded, match="decoding needs more than"):
        exhibit.decode(received, LIMITS)


def test_a_size_that_changes_between_header_and_decoding_is_bounded() -> None:
    received = _inspect(_encode("PNG"))
    with pytest.raises(LimitExceeded):
        exhibit.decode(received, Limits(max_pixels=10))


def test_preview_is_small_and_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    small = exhibit.preview(_inspect(_encode("JPEG", (1000, 500), exif=exif)), LIMITS)
    assert small is not None
    with Image.open(BytesIO(small)) as image:
        assert image.format == "JPEG"
        assert image.size == (160, 320)


def test_there_is_no_preview_of_what_is_not_decoded() -> None:
    received = _inspect(_encode("JPEG"))
    assert exhibit.preview(received, Limits(max_pixels=240)) is not None
    assert exhibit.preview(received, Limits(max_pixels=239)) is None


def test_a_thumbnail_is_small_and_bounded() -> None:
    def picture(format_name: str, width: int) -> bytes:
        stream = BytesIO()
        Image.new("L", (width, 1024)).save(stream, format_name)
        return stream.getvalue()

    made = exhibit.thumbnail(picture("PNG", 2048))
    assert made is not None
    with Image.open(BytesIO(made)) as small:
        assert (small.format, small.size) == ("JPEG", (160, 80))
    assert exhibit.thumbnail(picture("PNG", 2049)) is None
    for data in (b"", picture("GIF", 8), picture("TIFF", 8), picture("JPEG", 64)[:300]):
        assert exhibit.thumbnail(data) is None


def test_exhibit_without_pixels_or_picture_says_so() -> None:
    with pytest.raises(LookupError, match="pixels were not decoded"):
        _ = _inspect(_encode("PNG")).pixels
    with pytest.raises(LookupError, match="no picture was opened"):
        _ = Exhibit(facts=ExhibitFacts(name="x")).picture


def test_pixels_that_were_decoded_are_there() -> None:
    values = np.zeros((2, 2, 3), dtype=np.uint8)
    assert Exhibit(facts=ExhibitFacts(name="x"), decoded=values).pixels is values


SEEDS = [_encode(name) for name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), st.floats(0, 1))
def test_mutated_files_are_examined_or_named(data: bytes, edits: list[tuple[float, int]], keep: float) -> None:
    mutated = bytearray(data)
    for place, value in edits:
        mutated[int(place * (len(mutated) - 1))] = value
    mutant = bytes(mutated[: max(1, int(len(mutated) * (0.5 + keep / 2)))])
    with suppress(UnreadableError):  # anything else fails the test
        received = _inspect(mutant, limits=Limits(max_pixels=100_000))
        exhibit.decode(received, Limits(max_pixels=100_000))


def test_giant_dimensions_in_a_header_cost_nothing() -> None:
    data = bytearray(_encode("BMP"))
    data[18:26] = struct.pack("<ii", 2**30, 2**30)
    started = time.monotonic()
    picture = _inspect(bytes(data)).picture
    assert (picture.width, picture.height) == (2**30, 2**30)
    assert time.monotonic() - started < 0.5
