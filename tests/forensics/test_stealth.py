"""Hidden text, written pixel by pixel and read back; and what it costs where there is none."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assay.vocabulary import Claim, Limits, Observation, Picture, Settings
from forensics import stealth
from forensics.fields import Field, Source
from forensics.metadata import Metadata
from forensics.stealth import read_stealth
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import A1111, exhibit
from tests.forensics.shapes import hidden, with_bits

SIGNATURES = ("stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp")


def _read(data: bytes, max_pixels: int = 10**6) -> tuple[Field, ...]:
    picture = exhibit(data).picture
    return read_stealth(data, picture, max_pixels)


def _field(signature: str, text: str) -> Field:
    return Field(source=Source.HIDDEN, name=signature, value=text)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"compress_level": 0}], ids=["usual", "small", "stored"])
def test_what_is_written_into_a_png_is_read(signature: str, options: dict[str, Any]) -> None:
    assert _read(hidden(A1111, signature, **options)) == (_field(signature, A1111),)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_what_is_written_into_a_webp_is_read(signature: str) -> None:
    assert _read(hidden(A1111, signature, "WEBP", lossless=True, exact=True)) == (_field(signature, A1111),)


def test_the_alpha_channel_of_a_lossy_webp_keeps_it() -> None:
    assert _read(hidden(A1111, "stealth_pngcomp", "WEBP", quality=80)) == (_field("stealth_pngcomp", A1111),)


def test_the_alpha_channel_of_a_grey_png_keeps_it() -> None:
    """Programs that make files smaller drop colours that are not there."""
    image = with_bits(files.picture((160, 140)), A1111.encode(), b"stealth_pnginfo", "A")
    assert _read(files.save("PNG", image.convert("LA"))) == (_field("stealth_pnginfo", A1111),)


@pytest.mark.parametrize("filter_type", range(5))
def test_rows_are_unfiltered_whatever_the_filter(filter_type: int) -> None:
    """Written here filter by filter (W3C PNG 3, section 9.2): Pillow chooses for itself."""
    image = with_bits(files.picture((60, 130)), b"a text", b"stealth_rgbinfo", "RGB")
    assert _read(_filtered_png(image, filter_type)) == (_field("stealth_rgbinfo", "a text"),)


def _filtered_png(image: Image.Image, filter_type: int) -> bytes:
    raw, row = image.tobytes(), image.width * 3
    above, body = bytes(row), b""
    for at in range(0, len(raw), row):
        line = raw[at : at + row]
        predicted = (_predict(filter_type, line, above, x) for x in range(row))
        body += bytes([filter_type]) + bytes(
            (value - guess) & 0xFF for value, guess in zip(line, predicted, strict=True)
        )
        above = line
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _predict(filter_type: int, line: bytes, above: bytes, x: int) -> int:
    left, up, corner = (line[x - 3], above[x], above[x - 3]) if x >= 3 else (0, above[x], 0)
    guess = left + up - corner
    nearest = min((left, up, corner), key=lambda each: abs(guess - each))
    return (0, left, up, (left + up) // 2, nearest)[filter_type]


@pytest.mark.parametrize("size", [(400, 3), (200, 17), (30, 119), (30, 120), (30, 400)], ids=str)
@pytest.mark.parametrize("signature", SIGNATURES[::2])
def test_the_height_of_the_picture_does_not_matter(size: tuple[int, int], signature: str) -> None:
    bands = "A" if "png" in signature else "RGB"
    image = with_bits(files.picture(size), b"a short text", signature.encode(), bands)
    assert _read(files.save("PNG", image)) == (_field(signature, "a short text"),)


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (b"\xff\xfe no text", b"stealth_pnginfo"),
        (b"no gzip", b"stealth_pngcomp"),
        (gzip.compress(b"cut" * 50)[:-9], b"stealth_pngcomp"),
        (b"", b"stealth_pnginfo"),
    ],
    ids=["no UTF-8", "no gzip", "cut gzip", "empty"],
)
def test_what_begins_like_it_and_cannot_be_read_is_told_without_text(payload: bytes, signature: bytes) -> None:
    data = files.save("PNG", with_bits(files.picture((160, 140)), payload, signature, "A"))
    assert _read(data) == (_field(signature.decode(), ""),)
    (note,) = (each for each in files.examine(data) if isinstance(each, Observation))
    assert (note.signal, note.claim) == ("hidden-text", None)


def test_a_length_beyond_the_picture_is_not_believed() -> None:
    image = with_bits(files.picture((160, 140)), b"x" * 20, b"stealth_pnginfo", "A")
    length = image.crop((0, 120, 1, 140)), image.crop((1, 0, 2, 12))
    for part, at in zip(length, ((0, 120), (1, 0)), strict=True):
        part.putalpha(255)
        image.paste(part, at)
    assert _read(files.save("PNG", image)) == (_field("stealth_pnginfo", ""),)


def test_a_text_that_unpacks_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = hidden("x" * 10_000, "stealth_pngcomp")
    assert _read(data)[0].value == "x" * 10_000
    monkeypatch.setattr(stealth, "MAX_TEXT_BYTES", 9_999)
    assert _read(data)[0].value == ""


def test_a_picture_beyond_the_limit_is_not_decoded() -> None:
    data = hidden(A1111, "stealth_pnginfo")
    assert _read(data, max_pixels=160 * 140) != ()
    assert _read(data, max_pixels=160 * 140 - 1) == ()
    narrow = Settings(home=Path("/nowhere"), limits=Limits(max_pixels=100))
    assert not any(isinstance(each, Observation) for each in Metadata(narrow).examine(exhibit(data)))


@pytest.mark.parametrize("which", files.PHOTOGRAPHS)
def test_photographs_hide_nothing_and_are_not_decoded(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = files.photograph(which)
    files_without = [files.save("PNG", photograph), files.save("PNG", photograph.convert("RGBA"))]
    files_without += [files.save(name, photograph) for name in ("JPEG", "TIFF", "GIF", "WEBP", "AVIF")]
    pictures = [exhibit(data).picture for data in files_without]
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    for data, picture in zip(files_without, pictures, strict=True):
        assert read_stealth(data, picture, 10**9) == ()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_of_a_png_without_hidden_text_hardly_anything_is_unpacked(mode: str) -> None:
    noise = Image.effect_noise((1_000, 800), 60).convert(mode)
    data = files.save("PNG", noise)
    taken = 0

    class Counted(bytes):
        """The file, which knows how much of it was taken in pieces."""

        def __getitem__(self, key: Any) -> Any:
            nonlocal taken
            part = bytes.__getitem__(self, key)
            taken += len(part) if isinstance(key, slice) else 1
            return part

    assert not stealth._may_begin(Counted(data))
    assert taken < 40_000 < len(data) // 10


def test_webps_without_room_or_too_large_are_left_alone() -> None:
    still, lossy = files.save("WEBP", lossless=True), files.save("WEBP")
    assert stealth._most_pixels(still) == 2**22
    assert stealth._most_pixels(lossy) == 0
    transparent = files.picture()
    transparent.putalpha(7)
    assert stealth._most_pixels(files.save("WEBP", transparent, lossless=True)) == 2**24
    frames = [files.picture(), files.picture().rotate(90)]
    animated = files.save("WEBP", frames[0], save_all=True, append_images=frames[1:], lossless=True)
    assert stealth._most_pixels(animated) == 0
    large = Picture(format="WEBP", mime="", width=2**11, height=2**11 + 1, frames=1, mode="RGB")
    assert read_stealth(still, large, 10**9) == ()


def test_novelais_object_becomes_fields_of_its_own() -> None:
    text = '{"Software": "NovelAI", "Comment": "{}", "n": 3}'
    assert _read(hidden(text, "stealth_pngcomp")) == (_field("Software", "NovelAI"), _field("Comment", "{}"))
    assert _read(hidden('{"a": "b"}', "stealth_pngcomp")) == (_field("stealth_pngcomp", '{"a": "b"}'),)


def test_the_prompt_that_is_hidden_is_found() -> None:
    found = files.observations(hidden(A1111, "stealth_rgbcomp"))
    assert found["a1111-parameters"].claim is Claim.GENERATED
    assert "hidden in the pixels" in found["a1111-parameters"].summary
    assert "prompt" in found


def test_a_guarded_worker_finds_it_without_being_asked(settings: Settings) -> None:
    from assay.jobs.verify import examine

    (report,) = examine([hidden(A1111, "stealth_pngcomp")], settings=settings, workers=1)
    assert report.verdict.claim is Claim.GENERATED
    assert not report.failures


SEEDS = (hidden(A1111, "stealth_pngcomp"), hidden(A1111, "stealth_rgbinfo"), hidden("x", "stealth_pnginfo", "WEBP"))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SEEDS) - 1), st.data())
def test_damaged_files_raise_nothing(which: int, data: st.DataObject) -> None:
    damaged = bytearray(SEEDS[which])
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, min(len(damaged) - 1, 2_000)))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    picture = Picture(format="WEBP" if which == 2 else "PNG", mime="", width=160, height=140, frames=1, mode="RGBA")
    for field in read_stealth(bytes(damaged[:cut]), picture, 10**6):
        assert field.source is Source.HIDDEN
