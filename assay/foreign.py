"""Files that are no images, named by their content: what stands where a picture was expected, and what to do then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from assay.formats import FORMATS

_SPACE = 0x20
"""The first byte of a box is part of its length; that of a text is no less than a space."""
_HEAD = 4096
"""Bytes that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """What a file is that no reader here opens."""

    what: str
    """With its article, as a sentence goes on: "a PDF document"."""
    hint: str
    """What to do about it."""


def recognise(data: bytes) -> Foreign | None:
    """Return what a file is that is no image in a known format; None where its content does not tell.

    Args:
        data: The file, or its beginning; no more than its first 4,096 bytes are looked at.
    """
    head = data[:_HEAD]
    if not head:
        return _EMPTY
    if head[0] < _SPACE and head[4:8] in _BOXES:
        return _BOXES[head[4:8]]
    if head[4:8] == b"ftyp":
        return _RAW if head[8:12] == b"crx " else _VIDEO
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WAVE"):
        return _VIDEO if head[8:12] == b"AVI " else _AUDIO
    if not head.strip(b"\0"):
        return _ZEROS
    return _recognise_text(head.removeprefix(b"\xef\xbb\xbf").lstrip())


def _recognise_text(head: bytes) -> Foreign | None:
    for found, is_it in _TEXTS:
        if is_it(head):
            return found
    return None


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; a character may be cut at the end."""
    if _CONTROLS.search(head):
        return False
    try:
        head[:-3].decode()
    except UnicodeDecodeError:
        return False
    return True


def _starts(pattern: bytes) -> Callable[[bytes], bool]:
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda head: compiled.match(head) is not None


_FETCH = "Fetch the image itself from its source."
_EXPORT = "Export it as JPEG, PNG or TIFF first."

_EMPTY = Foreign(what="an empty file", hint="Fetch the file again: nothing of it arrived.")
_ZEROS = Foreign(what="a file of zero bytes only", hint="Fetch the file again: its content did not arrive.")
_LFS = Foreign(
    what="a Git LFS pointer, which stands for a file that was not fetched",
    hint="Fetch the files themselves with: git lfs pull",
)
_ANNEX = Foreign(
    what="a git-annex pointer, which stands for a file that was not fetched",
    hint="Fetch the files themselves with: git annex get",
)
_WEB_PAGE = Foreign(
    what="a web page (HTML), as servers send in place of what is missing or needs a sign-in",
    hint="Open the address in a browser, and save the image itself.",
)
_SERVICE_ERROR = Foreign(
    what="an error message of a storage service (XML)",
    hint="Check the address and its permissions, and fetch it again.",
)
_JSON = Foreign(what="a JSON text, as services send for an error", hint="See what it says, and fetch the image itself.")
_XML = Foreign(what="an XML text", hint=_FETCH)
_TEXT = Foreign(what="a text", hint="See what it says, and fetch the image itself.")
_SVG = Foreign(what="an SVG drawing, which holds no pixels", hint="Export it as PNG first.")
_PDF = Foreign(what="a PDF document", hint="Extract its images first, for instance with: pdfimages -all")
_POSTSCRIPT = Foreign(what="a PostScript document", hint=_EXPORT)
_VIDEO = Foreign(what="a video", hint="Only images are examined. Save a frame as PNG to examine what it shows.")
_AUDIO = Foreign(what="a sound recording", hint="Only images are examined.")
_ARCHIVE = Foreign(
    what="an archive (ZIP or alike), or an office document", hint="Unpack it, and name the images in it."
)
_PHOTOSHOP = Foreign(what="a Photoshop document (PSD)", hint=_EXPORT)
_JPEG_2000 = Foreign(what="a JPEG 2000 image, which is not opened here", hint=_EXPORT)
_RAW = Foreign(what="a camera raw file", hint="Export it as TIFF or JPEG first.")
_MANIFEST = Foreign(
    what="a C2PA manifest without its image", hint="Name the image; a manifest beside it is found by its name."
)
_OTHER_IMAGE = Foreign(
    what="an image in a format that is not opened here", hint=f"Export it as one of: {', '.join(FORMATS)}."
)

_BOXES = {
    b"jumb": _MANIFEST,
    b"moov": _VIDEO,
    b"mdat": _VIDEO,
    b"wide": _VIDEO,
    b"free": _VIDEO,
    b"skip": _VIDEO,
}
"""Types of the first box (ISO/IEC 14496-12; QuickTime files need no `ftyp`)."""

_MAGIC = (
    (b"version https://git-lfs.github.com/spec/", _LFS),
    (b"version https://hawser.github.com/spec/", _LFS),
    (b"/annex/objects/", _ANNEX),
    (b"%PDF-", _PDF),
    (b"%!PS", _POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", _POSTSCRIPT),
    (b"8BPS", _PHOTOSHOP),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _JPEG_2000),
    (b"\xff\x4f\xff\x51", _JPEG_2000),
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ\0", _ARCHIVE),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
    (b"\0\0\1\xba", _VIDEO),
    (b"\0\0\1\xb3", _VIDEO),
    (b"ID3", _AUDIO),
    (b"OggS", _AUDIO),
    (b"fLaC", _AUDIO),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"II\x1a\0\0\0HEAPCCDR", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"IIU\0", _RAW),
    (b"FOVb", _RAW),
    (b"\0\0\1\0", _OTHER_IMAGE),
    (b"DDS ", _OTHER_IMAGE),
    (b"qoif", _OTHER_IMAGE),
    (b"\x76\x2f\x31\x01", _OTHER_IMAGE),
    (b"#?RADIANCE", _OTHER_IMAGE),
    (b"II\xbc", _OTHER_IMAGE),
    (b"gimp xcf ", _OTHER_IMAGE),
    (b"AT&TFORM", _OTHER_IMAGE),
)
_PROLOGUE = rb"(?:<\?xml[^>]*>|<!--(?>.*?-->)|\s)*+"
"""What may stand before the first element; atomic, so that hostile text is not tried in every way."""
_TEXTS: tuple[tuple[Foreign, Callable[[bytes], bool]], ...] = (
    (_WEB_PAGE, _starts(_PROLOGUE + rb"<(?:!doctype\s+html|html|head|body|script|title|meta)\b")),
    (_SVG, _starts(_PROLOGUE + rb"(?:<!doctype\s+svg[^>]*>)?+" + _PROLOGUE + rb"<(?:\w+:)?svg\b")),
    (_SERVICE_ERROR, _starts(_PROLOGUE + rb"<error\b")),
    (_XML, _starts(rb"<\?xml\b")),
    (_OTHER_IMAGE, _starts(rb"P[1-7]\s++(?:#[^\n]*\n\s*+)*+\d+\s+\d+\s")),
    (_JSON, _starts(rb"\{\s*[\"}]|\[\s*[\[{\"\]]")),
    (_TEXT, _is_text),
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
