"""What a walk over folders leaves out although it is a picture, a film or a document with pictures: counted, and named.

A gate that looks at a folder has not looked at these, so whoever runs it is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath

from assay.errors import ConfigurationError
from assay.files import printable
from assay.formats import IMAGE_EXTENSIONS
from assay.report.escape import visible

HIDDEN = "in hidden folders"
LINKED = "behind symbolic links"
CLOSED = "that could not be opened"
_NAMED = 3
"""Files of one kind that are named; the others are counted."""

_BY_KIND: Mapping[str, str] = {
    "SVG": "svg svgz",
    "JPEG 2000": "jp2 j2k j2c jpc jpf jpx jpm",
    "PSD": "psd psb",
    "PDF": "pdf",
    "EPS": "eps ai",
    "camera RAW": "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f",
    "video": "3g2 3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg ogv qt webm wmv",
    "other images": "cur dds exr fit fits hdr icns ico jxr pbm pcx pgm pnm ppm qoi tga wbmp wdp xcf",
}
KINDS: Mapping[str, str] = {f".{extension}": kind for kind, names in _BY_KIND.items() for extension in names.split()}
"""Kinds that Assay does not open, by extension."""

_MAGIC = (
    (0, b"%PDF-", "PDF"),
    (0, b"8BPS", "PSD"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"<svg", "SVG"),
    (0, b"FUJIFILMCCD-RAW", "camera RAW"),
    (0, b"\x1a\x45\xdf\xa3", "video"),
    (4, b"ftyp", "video"),
)


class LeftOut:
    """Counts what is left out, by kind, and keeps the first names of each kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._names: dict[str, list[str]] = {}

    def add(self, kind: str, path: Path) -> None:
        """Count one file or folder."""
        self._counts[kind] += 1
        names = self._names.setdefault(kind, [])
        if len(names) < _NAMED:
            names.append(visible(printable(str(path))))

    def add_unknown(self, path: Path, head: bytes) -> None:
        """Count a file that is no image for Assay, if it is of a kind that may show something.

        Args:
            path: Of the file.
            head: Its first 64 bytes.
        """
        if kind := KINDS.get(path.suffix.lower()) or _by_content(head):
            self.add(kind, path)

    def __len__(self) -> int:
        return self._counts.total()

    def __str__(self) -> str:
        """Every kind with its number and first names, such as `2 SVG (a.svg, b.svg); 1 PDF (c.pdf)`."""
        return "; ".join(f"{count:,} {kind} ({self._some(kind)})" for kind, count in self._counts.items())

    def _some(self, kind: str) -> str:
        names = self._names[kind]
        more = self._counts[kind] - len(names)
        return ", ".join(names) + (f" and {more:,} more" if more else "")

    def nothing_else_in(self, folder: Path) -> ConfigurationError:
        """Return the error for a folder that holds no image, with what it holds instead."""
        instead = f"; left out: {self}" if self else ""
        return ConfigurationError(f"{folder}: no image in this folder or below{instead}", hint="Check the path.")


def may_show_something(name: str) -> bool:
    """Whether a file is named like an image, a film or a document with pictures."""
    suffix = PurePath(name).suffix.lower()
    return suffix in IMAGE_EXTENSIONS or suffix in KINDS


def _by_content(head: bytes) -> str | None:
    if head[4:11] in (b"ftypM4A", b"ftypM4B"):  # sound
        return None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for at, magic, kind in _MAGIC:
        if (start if magic == b"<svg" else head)[at : at + len(magic)] == magic:
            return kind
    return None
