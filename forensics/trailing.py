"""Bytes that stand behind the end of the image."""

from __future__ import annotations

from collections.abc import Iterator

from assay.containers import Container
from assay.vocabulary import Observation
from forensics.notes import detail, observe

_SAMPLE = 4_096
_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"%PDF-", "a PDF"),
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG\r\n\x1a\n", "a PNG"),
    (b"GIF8", "a GIF"),
    (b"RIFF", "a RIFF file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_MIN_TEXT_SHARE = 0.95
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"


def bytes_after_end(data: bytes, container: Container) -> Iterator[Observation]:
    """How many bytes there are, and what they look like."""
    if container.end is None or container.end >= len(data):
        return
    count, kind = len(data) - container.end, looks_like(data[container.end :])
    yield observe(
        "bytes-after-end",
        None,
        f"{count:,} byte{'s' if count > 1 else ''} stand behind the end of the image: {kind}.",
        [detail("Offset", container.end), detail("Bytes", count), detail("Looks like", kind)],
    )


def looks_like(trailer: bytes) -> str:
    """What stands behind an image, in words, by its first bytes."""
    rest = trailer.lstrip(b"\0\xff\r\n\t ")
    if not rest:
        return "padding"
    if trailer[4:8] == b"ftyp":
        return "an MP4 or another ISO media file"
    start = trailer.lstrip(b"\0")
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            return name
    sample = rest[:_SAMPLE]
    printable = len(sample) - len(sample.translate(None, _PRINTABLE))
    if printable < _MIN_TEXT_SHARE * len(sample):
        return "unrecognised data"
    return "markup" if sample.startswith(b"<") else "text"
