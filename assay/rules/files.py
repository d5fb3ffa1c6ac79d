"""Rules about the file itself: can it be examined, and is it of a kind and size that may be published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.rules.rule import Context, Rule, parameter
from assay.vocabulary import Picture, Report

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "MPO", "HEIF", "JXL")

_ALSO = {"MPO": "JPEG"}
"""What a file of one format is, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable(Rule):
    """Every check could examine the file."""

    id = "readable"
    why = "A file that could not be examined has passed no check, and looks the same as one that passed them all."
    remedy = "Open the file by hand; fetch it again if it is damaged, or raise the limits if it is only large."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message naming the checks that failed."""
        failed = sorted({failure.check for failure in report.failures})
        if failed:
            yield f"it could not be examined ({', '.join(failed)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedFormat(Rule):
    """The file has an allowed format and size.

    The format is found by content, never by extension. `JPEG` allows JPEG files with further pictures behind the first
    as well (multi-picture format, Ultra HDR), which every reader of JPEG opens; `MPO` allows those alone. Width and
    height are as stored, before the orientation is applied.
    """

    id = "allowed-format"
    why = "Formats that carry no credentials, and files too large for readers, get into a site by accident."
    remedy = "Export the picture again in an allowed format and size."

    formats: tuple[str, ...] = parameter("allowed formats", default=(), choices=_FORMATS)
    max_bytes: int | None = parameter("greatest size of the file in bytes", default=None, minimum=1)
    max_width: int | None = parameter("greatest width in pixels", default=None, minimum=1)
    max_height: int | None = parameter("greatest height in pixels", default=None, minimum=1)

    def problem(self) -> str | None:
        """At least one parameter is needed."""
        given = (self.formats, self.max_bytes, self.max_width, self.max_height)
        return None if any(given) else "Give at least one of 'formats', 'max_bytes', 'max_width', 'max_height'."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message for each limit that is exceeded."""
        yield from _above(report.exhibit.byte_size, self.max_bytes, "bytes")
        picture = report.exhibit.picture
        if picture is not None:
            yield from self._check_picture(picture)
        elif self.formats or self.max_width or self.max_height:
            yield "it is not an image that could be opened"

    def _check_picture(self, picture: Picture) -> Iterator[str]:
        if self.formats and not {picture.format, _ALSO.get(picture.format)} & set(self.formats):
            yield f"its format is {picture.format}; allowed: {', '.join(self.formats)}"
        yield from _above(picture.width, self.max_width, "pixels wide")
        yield from _above(picture.height, self.max_height, "pixels high")


def _above(value: int | None, limit: int | None, unit: str) -> Iterator[str]:
    if value is not None and limit is not None and value > limit:
        yield f"it is {value} {unit}; {limit} are allowed"
