from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from generation.declaration import Declaration
from generation.embedding import with_store
from generation.sign import sign_and_keep
from generation.signing_key import SigningKey
from tests.carriers import CARRIERS
from tests.seeds import encoded, photograph

FORMATS = ("JPEG", "PNG", "WEBP")


@pytest.mark.parametrize("title", ["t", "tt", "long" * 40_000])
@pytest.mark.parametrize("format_name", FORMATS)
def test_the_store_goes_back_to_where_signing_had_put_it(format_name: str, title: str, desk: SigningKey) -> None:
    """Odd and even lengths, and one that a single segment of a JPEG does not hold."""
    carrier = CARRIERS[format_name]
    signed = sign_and_keep(encoded(format_name), carrier.mime, desk, Declaration(title=title))
    stripped = carrier.strip(signed.data)
    assert len(stripped) < len(signed.data) - len(signed.manifest)
    assert with_store(stripped, signed.manifest) == signed.data


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_other_metadata_stays_where_it_is(format_name: str, mode: str, desk: SigningKey) -> None:
    if mode == "CMYK" and format_name != "JPEG":
        mode = "L"
    exif, stream, carrier = Image.Exif(), BytesIO(), CARRIERS[format_name]
    exif[0x010E] = "a description"
    photograph().convert(mode).save(stream, format_name, exif=exif)
    signed = sign_and_keep(stream.getvalue(), carrier.mime, desk, Declaration(title="t"))
    assert with_store(carrier.strip(signed.data), signed.manifest) == signed.data


@pytest.mark.parametrize("data", [b"", b"hello", encoded("GIF"), encoded("TIFF"), encoded("AVIF"), encoded("BMP")])
def test_other_formats_are_left_alone(data: bytes) -> None:
    assert with_store(data, b"store") is None


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", b"RIFF", b"RIFF1234"])
def test_what_stops_early_raises_nothing(data: bytes) -> None:
    found = with_store(data, b"store" * 30_000)
    assert found is not None
    assert len(found) > 150_000
