from __future__ import annotations

import gzip
import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UnsupportedFormat
from assay.exhibit import inspect, receive
from assay.foreign import recognise
from assay.formats import FORMATS, sniff
from assay.vocabulary import Limits
from tests.seeds import encoded

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 12345\n"
S3 = b"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.jpg", b"x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"", "an empty file", "again"),
        (bytes(5000), "a file of zero bytes only", "again"),
        (LFS, "a Git LFS pointer", "git lfs pull"),
        (b"/annex/objects/SHA256E-s1--ab.jpg\n", "a git-annex pointer", "git annex get"),
        (b"<!doctype html><html><body>404 not found</body></html>", "a web page", "browser"),
        (b"\xef\xbb\xbf\r\n<!-- error -->\n<HTML lang=en>", "a web page", "browser"),
        (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' ''>", "a web page", "browser"),
        (S3, "an error message of a storage service", "permissions"),
        (b"<Error><Code>NoSuchKey</Code></Error>", "an error message of a storage service", "permissions"),
        (b'{"message": "Not Found"}', "a JSON text", "fetch"),
        (b' [\n {"error": 1}]', "a JSON text", "fetch"),
        (b"<?xml version='1.0'?><feed/>", "an XML text", "Fetch"),
        (b"404: Not Found", "a text", "fetch"),
        (b"The free encyclopedia", "a text", "fetch"),
        ("Grüße – ".encode() * 1000, "a text", "fetch"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing", "PNG"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC '' ''>\n<svg/>", "an SVG drawing", "PNG"),
        (b"%PDF-1.7\n", "a PDF document", "images"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript document", "Export"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video", "frame"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video", "frame"),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "a video", "frame"),
        (b"RIFF\0\0\0\0AVI LIST", "a video", "frame"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound recording", "images"),
        (b"\x1a\x45\xdf\xa3\x01", "a video", "frame"),
        (_zip(), "an archive", "Unpack"),
        (gzip.compress(b"x", mtime=0), "an archive", "Unpack"),
        (b"8BPS\0\1", "a Photoshop document", "Export"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), "a JPEG 2000 image", "Export"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera raw file", "TIFF"),
        (b"FUJIFILMCCD-RAW 0201", "a camera raw file", "TIFF"),
        (b"\0\0\1\0jumb\0\0\0\x1ejumdc2pa", "a C2PA manifest", "Name the image"),
        (b"\0\0\1\0\1\0", "an image in a format that is not opened", "JPEG"),
        (b"P6\n# made\n4 4\n255\n" + bytes(48), "an image in a format that is not opened", "JPEG"),
    ],
)
def test_what_is_no_image_is_named_with_a_remedy(data: bytes, what: str, remedy: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        inspect(receive(data, "x.jpg", Limits()), Limits())
    assert str(caught.value).startswith(f"x.jpg: not an image in a known format: {what}")
    assert remedy in caught.value.hint


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x03" * 4, b"abc\xff\xfe" * 9, b"Dear\x07diary"])
def test_what_cannot_be_told_is_not_named(data: bytes) -> None:
    assert recognise(data) is None


@pytest.mark.parametrize("format_name", sorted(set(FORMATS) - {"HEIF", "JXL"}))
def test_images_are_told_first(format_name: str) -> None:
    assert sniff(encoded(format_name)[:64]) is FORMATS[format_name]


@given(st.binary(max_size=300))
def test_any_bytes_are_named_or_not(data: bytes) -> None:
    recognise(data)


@pytest.mark.parametrize("piece", [b"<!--", b"<!-- -->", b"<?xml ", b"<?xml?> ", b" ", b"P1\n#\n", b"[[", b"{ "])
def test_naming_takes_no_time(piece: bytes) -> None:
    started = time.monotonic()
    recognise(piece * 2**20)
    assert time.monotonic() - started < 1
