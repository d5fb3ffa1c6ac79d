from __future__ import annotations

import pytest

from forensics.trailing import looks_like
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import observations, values

ZIP = b"PK\x03\x04" + bytes(40)


@pytest.mark.parametrize(
    ("trailer", "kind"),
    [
        (ZIP, "a ZIP archive"),
        (b"\0\0" + ZIP, "a ZIP archive"),
        (b"\0\0\0\x18ftypmp42" + bytes(12), "an MP4 or another ISO media file"),
        (b"\xff\xd8\xff\xe0JFIF", "a JPEG"),
        (b"\0\xff\xd8\xff\xe0JFIF", "a JPEG"),
        (b"\x89PNG\r\n\x1a\n", "a PNG"),
        (b"%PDF-1.7", "a PDF"),
        (b"Rar!\x1a\x07\x01", "a RAR archive"),
        (b"a secret message, in English", "text"),
        (b"<html><script>", "markup"),
        (bytes(1000), "padding"),
        (b"\n", "padding"),
        (b"\xff" * 100, "padding"),
        (bytes(range(1, 255)), "unrecognised data"),
    ],
)
def test_what_stands_behind_is_named_by_its_first_bytes(trailer: bytes, kind: str) -> None:
    assert looks_like(trailer) == kind


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_bytes_behind_the_end_are_counted_in_every_format(format_name: str) -> None:
    whole = files.save(format_name)
    assert "bytes-after-end" not in observations(whole)
    note = observations(whole + ZIP)["bytes-after-end"]
    assert note.claim is None
    assert values(note) == {"Offset": str(len(whole)), "Bytes": str(len(ZIP)), "Looks like": "a ZIP archive"}
    assert note.summary == "44 bytes stand behind the end of the image: a ZIP archive."
