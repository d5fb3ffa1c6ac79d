"""When the picture was taken, according to EXIF, XMP, IPTC and GPS, and whether they agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from assay.vocabulary import Observation
from forensics.fields import Fields, Source
from forensics.notes import detail, observe

TOLERANCE = timedelta(hours=26)
"""Local times on Earth differ by at most 26 hours (UTC-12 to UTC+14), and half of the fields name no zone."""

_DATE = re.compile(
    r"\s*(\d{4})(?:[:\-/.]?(\d{2})(?:[:\-/.]?(\d{2}))?)?(?:[T\s]+(\d{2}):?(\d{2})(?::?(\d{2}))?)?(?!\d)",
    re.ASCII,
)
_FIRST_YEAR = 1826
"""Of the oldest photograph that is preserved; smaller years are clocks that were never set."""

_WORK = ((Source.XMP, "photoshop:DateCreated", ""), (Source.IIM, "Date Created", "Time Created"))
"""When the work was created, says the IPTC: of a photograph, when it was taken; of an edited one, maybe the edit."""
_CAPTURED = (
    (Source.EXIF, "DateTimeOriginal", ""),
    (Source.XMP, "exif:DateTimeOriginal", ""),
    *_WORK,
    (Source.GPS, "GPSDateStamp", ""),
)
"""Fields with one meaning (Metadata Working Group guidelines 2.0, section 3.6)."""
_CREATED = ((Source.XMP, "xmp:CreateDate", ""),)
"""When the file was first made: later than the shot in a scan or a montage, never earlier. The EXIF field that means
the same (`DateTimeDigitized`) is left out, for many phones write a fixed date into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A date as precise as it was written: somewhere in [start, stop)."""

    label: str
    text: str
    start: datetime
    stop: datetime

    def is_before(self, other: Moment) -> bool:
        """Whether it was certainly earlier, whatever the time zones."""
        return other.start - self.stop > TOLERANCE


def capture_date(fields: Fields) -> Iterator[Observation]:
    """Every date that says when the picture was taken."""
    if moments := _moments(fields, _CAPTURED):
        words = "The metadata says when the picture was taken, by a clock that anyone can set."
        yield observe("capture-date", None, words, [detail(each.label, each.text) for each in moments])


def dates_disagree(fields: Fields, *, is_edited: bool = False) -> Iterator[Observation]:
    """Dates with one meaning that differ, or a file that was made before the picture was taken.

    Args:
        fields: What the file says.
        is_edited: Whether it declares an edit. What an edit makes is a work of its own, which has its own date: the
            IPTC's date of creation may then be later than the capture, though never earlier.
    """
    captured, created = _moments(fields, _CAPTURED), _moments(fields, _CREATED)
    if is_edited:
        created += _moments(fields, _WORK)
        captured = [each for each in captured if each not in created]
    pairs = [pair for pair in combinations(captured, 2) if pair[0].is_before(pair[1]) or pair[1].is_before(pair[0])]
    pairs += [(early, late) for early in created for late in captured if early.is_before(late)]
    if pairs:
        differing = dict.fromkeys(moment for pair in pairs for moment in pair)
        yield observe(
            "dates-disagree",
            None,
            "The dates in the file contradict each other by more than a day.",
            [detail(moment.label, moment.text) for moment in differing],
            contradiction=True,
        )


def _moments(fields: Fields, places: tuple[tuple[Source, str, str], ...]) -> list[Moment]:
    found = []
    for source, name, time in places:
        text = fields.first(source, name)
        text = f"{text} {fields.first(source, time)}".strip() if time and text else text
        if (span := parse_date(text)) is not None:
            found.append(
                Moment(label=f"{name.rpartition(':')[2]} [{source.value}]", text=text, start=span[0], stop=span[1])
            )
    return found


def parse_date(text: str) -> tuple[datetime, datetime] | None:
    """The span in which a date lies; a zone is left out, for the tolerance covers it. None for what is no date."""
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    if year < _FIRST_YEAR:
        return None
    try:
        start = datetime(year, month or 1, day or 1, hour, minute, min(second, 59))  # noqa: DTZ001 - zones are left out
    except ValueError:
        return None
    return start, start + _precision(month, day, has_time=match[4] is not None)


def _precision(month: int, day: int, *, has_time: bool) -> timedelta:
    """IPTC writes an unknown month or day as 00."""
    if month == 0:
        return timedelta(days=366)
    if day == 0:
        return timedelta(days=31)
    return timedelta(minutes=1) if has_time else timedelta(days=1)
