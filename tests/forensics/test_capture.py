from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, TiffImagePlugin

from assay.vocabulary import Claim
from forensics.capture import camera, location, serial_numbers, software
from forensics.fields import Source
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import fields, observations, packet, values


def _rational(numerator: int, denominator: int) -> TiffImagePlugin.IFDRational:
    return TiffImagePlugin.IFDRational(numerator, denominator)


def test_a_camera_is_named_with_its_settings() -> None:
    block = files.exif(
        {files.MAKE: "NIKON", files.MODEL: "D90", files.SOFTWARE: "Ver.1.00"},
        exif={
            ExifTags.Base.ExposureTime: _rational(1, 200),
            ExifTags.Base.FNumber: _rational(28, 10),
            ExifTags.Base.ISOSpeedRatings: (200, 0),
            ExifTags.Base.FocalLength: _rational(85, 1),
            ExifTags.Base.LensModel: "85 mm",
        },
    )
    note = observations(files.save("JPEG", exif=block))["camera"]
    assert note.claim is Claim.CAPTURED
    assert values(note) == {
        "Make": "NIKON",
        "Model": "D90",
        "Lens": "85 mm",
        "Software": "Ver.1.00",
        "Exposure time (s)": "1/200",
        "F-number": "2.8",
        "ISO": "200",
        "Focal length (mm)": "85",
    }


def test_xmp_names_a_camera_too_and_without_one_there_is_nothing() -> None:
    (note,) = camera(fields((Source.XMP, "tiff:Make", "Canon")))
    assert values(note) == {"Make": "Canon"}
    assert list(camera(fields((Source.EXIF, "FNumber", "14/5")))) == []


def test_all_programs_are_listed_with_the_place_that_names_them() -> None:
    (note,) = software(
        fields(
            (Source.EXIF, "Software", "One"),
            (Source.XMP, "xmp:CreatorTool", "Two"),
            (Source.PNG, "Software", ""),
            (Source.IIM, "Originating Program", "One"),
        )
    )
    assert note.claim is None
    assert values(note) == {"Software [EXIF]": "One", "Software [XMP]": "Two", "Software [IIM]": "One"}


def test_serial_numbers_and_owners_are_private() -> None:
    block = files.exif({}, exif={files.BODY_SERIAL: "3012345", files.OWNER: "Jane Doe"})
    note = observations(files.save("JPEG", exif=block, xmp=packet(aux_LensSerialNumber="77")))["serial-numbers"]
    assert values(note) == {"Body serial number": "3012345", "Lens serial number": "77", "Camera owner": "Jane Doe"}
    assert all(each.private for each in note.details)
    assert "Jane" not in note.summary


@pytest.mark.parametrize("value", ["", "0000000000", "0", "-", " 0 "])
def test_numbers_that_say_nothing_are_left_out(value: str) -> None:
    assert list(serial_numbers(fields((Source.EXIF, "BodySerialNumber", value)))) == []


@pytest.mark.parametrize(
    ("latitude", "ref", "expected"),
    [((48.0, 51.0, 29.6), "N", "48.858222"), ((48.0, 51.0, 29.6), "S", "-48.858222"), ((48.5,), "N", "48.500000")],
)
def test_a_place_is_read_from_gps_fields(latitude: tuple[float, ...], ref: str, expected: str) -> None:
    gps = {
        ExifTags.GPS.GPSLatitudeRef: ref,
        ExifTags.GPS.GPSLatitude: latitude,
        ExifTags.GPS.GPSLongitudeRef: "W",
        ExifTags.GPS.GPSLongitude: (2.0, 17.0, 40.0),
    }
    note = observations(files.save("JPEG", exif=files.exif({}, gps=gps)))["location"]
    assert values(note) == {"Latitude": expected, "Longitude": "-2.294444"}
    assert all(each.private for each in note.details)
    assert not any(character.isdigit() for character in note.summary)


@pytest.mark.parametrize(
    ("latitude", "expected"), [("48,51.4937N", "48.858228"), ("48,51,29.6S", "-48.858222"), ("48.5N", "48.500000")]
)
def test_a_place_is_read_from_xmp(latitude: str, expected: str) -> None:
    (note,) = location(fields((Source.XMP, "exif:GPSLatitude", latitude), (Source.XMP, "exif:GPSLongitude", "2,17E")))
    assert values(note)["Latitude"] == expected


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("0 0 0", "0 0 0"),
        ("4294967295", "1"),
        ("91 0 0", "1"),
        ("1", "181"),
        ("1", ""),
        ("1 2 3 4", "1"),
        ("one", "1"),
        ("1/0", "1"),
        ("1e999999999", "1"),
        ("-1", "1"),
    ],
)
def test_what_is_no_place_is_none(latitude: str, longitude: str) -> None:
    found = fields((Source.GPS, "GPSLatitude", latitude), (Source.GPS, "GPSLongitude", longitude))
    assert list(location(found)) == []


def test_a_date_alone_in_the_gps_directory_is_no_place() -> None:
    assert list(location(fields((Source.GPS, "GPSDateStamp", "2026:05:04")))) == []


@given(st.text(max_size=20), st.text(max_size=3), st.fractions())
def test_no_values_raise(value: str, ref: str, number: Fraction) -> None:
    for each in (value, str(number)):
        found = fields(
            (Source.GPS, "GPSLatitude", each),
            (Source.GPS, "GPSLatitudeRef", ref),
            (Source.GPS, "GPSLongitude", each),
            (Source.XMP, "exif:GPSLatitude", each),
            (Source.XMP, "exif:GPSLongitude", each),
        )
        list(location(found))
