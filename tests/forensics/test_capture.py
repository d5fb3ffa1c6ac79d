from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

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


@pytest.mark.parametrize(
    "items",
    [
        ((Source.EXIF, "Make", "Black Forest Labs"), (Source.EXIF, "Model", "flux-schnell")),
        ((Source.XMP, "tiff:Make", "Midjourney"), (Source.XMP, "tiff:Model", "v6")),
        ((Source.EXIF, "Make", "Nobody"), (Source.EXIF, "Software", "AI generated;txt2img;flux")),
        ((Source.EXIF, "Make", 'Prompt: {"1": {"class_type": "KSampler"}}'), (Source.EXIF, "Model", "workflow:{}")),
    ],
)
def test_what_a_generator_puts_there_is_no_camera(items: tuple[tuple[Source, str, str], ...]) -> None:
    assert list(camera(fields(*items))) == []


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
        ("0 0 0", ""),
        ("1 61 0", "1"),
        ("1 2 3 4", "1"),
        ("one", "1"),
        ("1/0", "1"),
        ("1e999999999", "1"),
    ],
)
def test_what_is_no_place_is_none(latitude: str, longitude: str) -> None:
    found = fields((Source.GPS, "GPSLatitude", latitude), (Source.GPS, "GPSLongitude", longitude))
    assert list(location(found)) == []


def test_the_place_that_the_camera_points_at_is_a_place_too() -> None:
    gps = {0x13: "S", 0x14: (48.0, 51.0, 30.0), 0x15: "E", 0x16: (2.0, 17.0, 24.0), 0x1C: b"ASCII\0\0\0Old harbour"}
    note = observations(files.save("JPEG", exif=files.exif({}, gps=gps)))["location"]
    assert values(note) == {
        "Destination latitude": "-48.858333",
        "Destination longitude": "2.290000",
        "Area": "Old harbour",
    }
    assert note.summary == "The metadata holds signs of a place."


def test_an_altitude_alone_is_a_sign_of_a_place() -> None:
    gps = {ExifTags.GPS.GPSAltitude: _rational(2401, 10)}
    assert values(observations(files.save("JPEG", exif=files.exif({}, gps=gps)))["location"]) == {
        "Altitude (m)": "240.1"
    }


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0", bytes(4), b"\0\0\0\6Exif\0\0"])
@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_a_place_is_found_whatever_stands_before_the_exif(prefix: bytes, format_name: str) -> None:
    gps = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 24.0)}
    block = prefix + files.exif({}, gps=gps)[6:]
    data = files.save(format_name)
    if format_name == "PNG":
        chunk = b"eXIf" + block
        data = data[:33] + struct.pack(">I", len(block)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    else:
        data += b"EXIF" + struct.pack("<I", len(block)) + block + b"\0" * (len(block) & 1)
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    assert values(observations(data)["location"]) == {"Latitude": "48.858333", "Longitude": "2.290000"}


def test_the_names_that_drones_use_are_known() -> None:
    body = (
        '<rdf:Description xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:GpsLatitude="+48.8583" '
        'drone-dji:GpsLongtitude="-2.2944" drone-dji:DroneSerialNumber="1581F" drone-dji:AbsoluteAltitude="+150"/>'
    )
    xmp = packet().replace(b"</rdf:RDF>", body.encode() + b"</rdf:RDF>")
    found = observations(files.save("JPEG", xmp=xmp))
    assert values(found["location"]) == {"Latitude": "48.858300", "Longitude": "-2.294400"}
    assert values(found["serial-numbers"]) == {"Drone serial number": "1581F"}


def test_the_place_in_a_structure_of_the_iptc_is_one() -> None:
    inner = files.element("exif:GPSLatitude", "48,51.5N") + files.element("exif:GPSLongitude", "2,17.4E")
    body = f'<Iptc4xmpExt:LocationCreated rdf:parseType="Resource">{inner}</Iptc4xmpExt:LocationCreated>'
    assert "location" in observations(files.save("JPEG", xmp=packet(body)))


def test_what_imagemagick_copies_into_png_text_is_read() -> None:
    texts = {"exif:GPSLatitude": "48/1, 51/1, 30/1", "exif:GPSLatitudeRef": "S", "exif:BodySerialNumber": "77"}
    found = observations(files.png(texts))
    assert values(found["location"]) == {"Latitude": "-48.858333"}
    assert values(found["serial-numbers"]) == {"Body serial number": "77"}


def test_the_exif_of_the_thumbnail_is_read_for_places() -> None:
    gps = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 24.0)}
    thumbnail = files.save("JPEG", exif=files.exif({files.MAKE: "Canon"}, gps=gps))
    found = observations(files.with_thumbnail(files.save("JPEG"), thumbnail))
    assert "location" in found
    assert "camera" not in found


def test_two_equal_coordinates_are_both_named() -> None:
    (note,) = location(fields((Source.XMP, "exif:GPSLatitude", "7"), (Source.XMP, "exif:GPSLongitude", "7")))
    assert values(note) == {"Latitude": "7.000000", "Longitude": "7.000000"}


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("c19-png-exif-prefixed-gps.png", {"location"}),
        ("c20-dji-xmp-gps-serial.jpg", {"location", "serial-numbers"}),
        ("c18-google-edit-dates.jpg", {"digital-source-type", "google-ai", "camera", "capture-date", "rights"}),
    ],
)
def test_the_files_that_were_read_wrongly_before(shared: Path, name: str, signals: set[str]) -> None:
    found = observations((shared.parent / "cases" / "files" / name).read_bytes())
    assert signals <= found.keys()
    assert "dates-disagree" not in found


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
