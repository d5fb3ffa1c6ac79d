from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags

from forensics.dates import TOLERANCE, capture_date, dates_disagree, parse_date
from forensics.fields import Source
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import fields, observations, packet, values

EXIF, XMP, IIM, GPS = Source.EXIF, Source.XMP, Source.IIM, Source.GPS


@pytest.mark.parametrize(
    ("text", "start", "span"),
    [
        ("2026:05:04 18:39:11", "2026-05-04T18:39:11", timedelta(minutes=1)),
        ("2026-05-04T18:39:11.25+02:00", "2026-05-04T18:39:11", timedelta(minutes=1)),
        ("2026-05-04T18:39", "2026-05-04T18:39", timedelta(minutes=1)),
        ("2026-05-04", "2026-05-04", timedelta(days=1)),
        ("20260504 183911+0200", "2026-05-04T18:39:11", timedelta(minutes=1)),
        ("2026:05", "2026-05-01", timedelta(days=31)),
        ("2026", "2026-01-01", timedelta(days=366)),
        ("20260000", "2026-01-01", timedelta(days=366)),
        ("2026-05-04T18:39:60", "2026-05-04T18:39:59", timedelta(minutes=1)),
        ("2014:09:259", "2014-09-01", timedelta(days=31)),
    ],
)
def test_dates_are_as_precise_as_they_are_written(text: str, start: str, span: timedelta) -> None:
    first = datetime.fromisoformat(start)
    assert parse_date(text) == (first, first + span)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000:00:00 00:00:00",
        ":  :     :  :",
        "2026:13:01",
        "2026:02:30",
        "1601-01-01",
        "May 4",
        "20260",
        "２０２６",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


def test_every_capture_date_of_a_file_is_listed() -> None:
    block = files.exif(
        {},
        exif={files.DATE_TIME_ORIGINAL: "2026:05:04 18:39:11"},
        gps={ExifTags.GPS.GPSDateStamp: "2026:05:04"},
    )
    data = files.with_iim(
        files.save("JPEG", exif=block, xmp=packet(photoshop_DateCreated="2026-05-04T18:39:11")),
        (2, 55, b"20260504"),
        (2, 60, b"183911+0200"),
    )
    found = observations(data)
    assert values(found["capture-date"]) == {
        "DateTimeOriginal [EXIF]": "2026:05:04 18:39:11",
        "DateCreated [XMP]": "2026-05-04T18:39:11",
        "Date Created [IIM]": "20260504 183911+0200",
        "GPSDateStamp [GPS]": "2026:05:04",
    }
    assert "dates-disagree" not in found


@pytest.mark.parametrize(
    ("source", "name", "value"),
    [
        (XMP, "photoshop:DateCreated", "2026-05-01"),
        (XMP, "photoshop:DateCreated", "2025"),
        (XMP, "exif:DateTimeOriginal", "2026-05-06T12:00:00"),
        (IIM, "Date Created", "20260601"),
        (GPS, "GPSDateStamp", "2026:05:02"),
        (XMP, "xmp:CreateDate", "2026-05-01T00:00:00Z"),
    ],
)
def test_dates_more_than_a_day_apart_disagree(source: Source, name: str, value: str) -> None:
    notes = list(dates_disagree(fields((EXIF, "DateTimeOriginal", "2026:05:04 18:39:11"), (source, name, value))))
    assert [note.contradiction for note in notes] == [True]
    assert value in values(notes[0]).values()


@pytest.mark.parametrize(
    ("source", "name", "value"),
    [
        (XMP, "photoshop:DateCreated", "2026-05-05T20:00:00+14:00"),
        (XMP, "photoshop:DateCreated", "2026-05"),
        (XMP, "photoshop:DateCreated", "2026"),
        (IIM, "Date Created", "20260503"),
        (GPS, "GPSDateStamp", "2026:05:05"),
        (XMP, "xmp:CreateDate", "2030-01-01T00:00:00Z"),
        (EXIF, "DateTimeDigitized", "2002:12:08 12:00:00"),
        (XMP, "photoshop:DateCreated", "0000-00-00"),
    ],
    ids=["zones", "month", "year", "day before", "day after", "scanned later", "fixed date of phones", "no date"],
)
def test_zones_missing_parts_and_later_copies_do_not_disagree(source: Source, name: str, value: str) -> None:
    assert not list(dates_disagree(fields((EXIF, "DateTimeOriginal", "2026:05:04 18:39:11"), (source, name, value))))


@pytest.mark.parametrize(
    ("source", "name", "value"), [(XMP, "photoshop:DateCreated", "2026-06-20"), (IIM, "Date Created", "20260620")]
)
def test_an_edited_work_may_be_younger_than_its_capture(source: Source, name: str, value: str) -> None:
    found = fields((EXIF, "DateTimeOriginal", "2026:05:04 18:39:11"), (source, name, value))
    assert list(dates_disagree(found, is_edited=True)) == []
    assert list(dates_disagree(found))


@pytest.mark.parametrize(
    ("source", "name", "value"),
    [
        (XMP, "photoshop:DateCreated", "2026-05-01"),
        (IIM, "Date Created", "20250601"),
        (XMP, "exif:DateTimeOriginal", "2026-06-20"),
        (GPS, "GPSDateStamp", "2026:06:20"),
        (XMP, "xmp:CreateDate", "2026-05-01"),
    ],
    ids=["created before", "created before, IPTC", "captured twice", "captured twice, GPS", "made before"],
)
def test_an_edit_explains_nothing_else(source: Source, name: str, value: str) -> None:
    found = fields((EXIF, "DateTimeOriginal", "2026:05:04 18:39:11"), (source, name, value))
    assert [note.contradiction for note in dates_disagree(found, is_edited=True)] == [True]


@pytest.mark.parametrize(
    ("declared", "is_contradiction"),
    [
        ({"Iptc4xmpExt_DigitalSourceType": "compositeWithTrainedAlgorithmicMedia"}, False),
        ({"Iptc4xmpExt_DigitalSourceType": "composite"}, False),
        ({"Iptc4xmpExt_DigitalSourceType": "humanEdits"}, False),
        ({"photoshop_Credit": "Edited with Google AI"}, False),
        ({"Iptc4xmpExt_DigitalSourceType": "digitalCapture"}, True),
        ({"Iptc4xmpExt_DigitalSourceType": "minorHumanEdits"}, True),
        ({"xmp_CreatorTool": "Photo Desk 1.0"}, True),
    ],
)
def test_only_a_declared_edit_explains_a_later_date(declared: dict[str, str], is_contradiction: bool) -> None:
    block = files.exif({}, exif={files.DATE_TIME_ORIGINAL: "2026:05:04 18:39:11"})
    xmp = packet(photoshop_DateCreated="2026-05-20T10:00:00", **declared)
    assert ("dates-disagree" in observations(files.save("JPEG", exif=block, xmp=xmp))) is is_contradiction


@given(
    st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2090-01-01")),
    st.timedeltas(-2 * TOLERANCE, 2 * TOLERANCE),
)
def test_two_times_disagree_exactly_when_the_tolerance_is_exceeded(first: datetime, apart: timedelta) -> None:
    first = first.replace(microsecond=0, second=0)
    second = (first + apart).replace(microsecond=0, second=0)
    found = fields(
        (EXIF, "DateTimeOriginal", first.strftime("%Y:%m:%d %H:%M:%S")),
        (XMP, "exif:DateTimeOriginal", second.isoformat()),
    )
    beyond = abs(second - first) > TOLERANCE + timedelta(minutes=1)
    assert bool(list(dates_disagree(found))) is beyond


@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    parse_date(text)
    list(
        capture_date(fields((EXIF, "DateTimeOriginal", text), (IIM, "Date Created", text), (IIM, "Time Created", text)))
    )
