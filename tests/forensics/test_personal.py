from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.vocabulary import Detail
from forensics.personal import MAX_DETAILS, coordinate, devices, distinct, is_prompt, places


def _values(found: object) -> dict[str, str]:
    return {each.name: each.value for each in found}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "side", "expected"),
    [
        ("48.8583", "", "48.8583"),
        ("+48.858300", "", "48.8583"),
        ("-2.5", "", "-2.5"),
        ("2.5", "W", "-2.5"),
        ("2.5", "w", "-2.5"),
        ("48,51.5N", "", "48.858333"),
        ("48,51,30S", "", "-48.858333"),
        ("48 51 59/2", "N", "48.858194"),
        ("48/1, 51/1, 296/10", "", "48.858222"),
        ("48° 51' 29.6\" S", "", "-48.858222"),
        ("48 deg 51' 30\" N", "", "48.858333"),
        ("W 2:17:24", "", "-2.29"),
        ("4 17 60", "E", "4.3"),
        ("51,60N", "", "52"),
    ],
)
def test_angles_are_read_in_every_form(text: str, side: str, expected: str) -> None:
    number = coordinate(text, side)
    assert number is not None
    assert abs(number - Fraction(expected)) < Fraction(1, 10**6)


@pytest.mark.parametrize(
    "text", ["", "N", "north", "1 2 3 4", "1/0", "1e99", "1,61", "1,2,60.1", "--1", "inf", "nan", "1.2.3"]
)
def test_what_is_no_angle_is_none(text: str) -> None:
    assert coordinate(text) is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "label"),
    [
        ("exif:GPSLatitude", "exif:GPSLongitude", "Latitude"),
        ("GpsLatitude", "GpsLongtitude", "Latitude"),
        ("drone-dji:Latitude", "drone-dji:Longitude", "Latitude"),
        ("lat", "lng", "Latitude"),
        ("http://ns.adobe.com/exif/1.0/GPSLatitude", "http://ns.adobe.com/exif/1.0/GPSLongitude", "Latitude"),
        ("exif:GPSDestLatitude", "exif:GPSDestLongitude", "Destination latitude"),
        ("EarthPosLatitude", "EarthPosLongitude", "Earthpos latitude"),
        ("dctermsDecimalLatitude", "dctermsDecimalLongitude", "Dctermsdecimal latitude"),
    ],
)
def test_coordinates_are_known_by_the_end_of_their_name(latitude: str, longitude: str, label: str) -> None:
    found = list(places([(latitude, "48.5"), (longitude, "2.25")]))
    assert _values(found) == {label: "48.500000", label.replace("atitude", "ongitude").replace("L", "L"): "2.250000"}
    assert all(each.private for each in found)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("GPSLatitude", "0"), ("GPSLongitude", "0.0")], {}),
        ([("GPSLatitude", "0"), ("GPSLongitude", "7")], {"Latitude": "0.000000", "Longitude": "7.000000"}),
        ([("GPSLatitude", "5")], {"Latitude": "5.000000"}),
        ([("GPSLatitude", "+999.0"), ("GPSLongitude", "+999.0")], {}),
        ([("GPSLatitude", "999"), ("GPSLongitude", "1")], {}),
        ([("GPSLatitude", "48,858222")], {"Latitude": "48,858222"}),
        ([("GPSLatitude", "unknown")], {}),
        ([("exifEX:ISOSpeedLatitudeyyy", "12"), ("GPSLatitudeRef", "N"), ("LatitudeAccuracy", "3")], {}),
        ([("GPSLatitude", "5"), ("GPSLatitudeRef", "S")], {"Latitude": "-5.000000"}),
        ([("GPSAltitude", "120.1"), ("AbsoluteAltitude", "150"), ("GPSAltitudeRef", "0")], {"Altitude (m)": "120.1"}),
        ([("GPSAltitude", "0"), ("GPSDestAltitude", "4294967295")], {}),
        ([("GPSAreaInformation", "Old harbour"), ("GPSCity", "---")], {"Area": "Old harbour"}),
        ([("cell:cgi", "310-410-1"), ("other:cgi", "x")], {"Mobile cell": "310-410-1"}),
        ([("photoshop:City", "Paris"), ("Iptc4xmpExt:LocationName", "Louvre"), ("SubjectLocation", "10 20")], {}),
        ([("GPSPosition", "48.85 2.29"), ("GPSCoordinates", "0 0")], {"Position": "48.85 2.29"}),
    ],
)
def test_what_is_a_place_and_what_is_none(items: list[tuple[str, str]], expected: dict[str, str]) -> None:
    assert _values(places(items)) == expected


def test_fields_of_a_fixed_form_hold_nothing_else() -> None:
    assert list(places([("GPSLatitude", "48,858222")], as_written=False)) == []


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("exifEX:BodySerialNumber", "Body serial number"),
        ("aux:SerialNumber", "Body serial number"),
        ("DroneSerialNumber", "Drone serial number"),
        ("MicrosoftPhoto:CameraSerialNumber", "Camera serial number"),
        ("flashSerialNo", "Flash serial no"),
        ("camera_serial_number", "Camera serial number"),
        ("InternalSerialNumber", "Internal serial number"),
        ("SerialNumberHash", "Serial number hash"),
        ("aux:OwnerName", "Camera owner"),
        ("exifEX:CameraOwnerName", "Camera owner"),
        ("OwnersDeviceId", "Owners device id"),
        ("IMEI", "Imei"),
        ("DroneSN", "Drone sn"),
    ],
)
def test_devices_and_owners_are_known_by_the_end_of_their_name(name: str, label: str) -> None:
    (found,) = devices([(name, " 77 ")])
    assert (found.name, found.value, found.private) == (label, "77", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crs:DefaultsSpecificToSerial", "77"),
        ("plus:CopyrightOwnerName", "Jane"),
        ("xmpRights:Owner", "Jane"),
        ("serialisation", "77"),
        ("SerialNumber", "N/A"),
        ("SerialNumber", "000-000"),
        ("SerialNumber", ""),
        ("tiff:Artist", "Jane"),
    ],
)
def test_what_ties_a_picture_to_nobody_is_left_out(name: str, value: str) -> None:
    assert list(devices([(name, value)])) == []


@pytest.mark.parametrize("name", ["prompt", "com.adobe.prompt", "negative_prompt", "Iptc4xmpExt:AIPromptInformation"])
def test_prompts_are_known_by_their_name(name: str) -> None:
    assert is_prompt(name)


@pytest.mark.parametrize("name", ["AIPromptWriterName", "promptly", "prompt_strength", "", "x" * 10_000])
def test_other_names_are_no_prompts(name: str) -> None:
    assert not is_prompt(name)


def test_a_report_bears_so_many_values_and_each_once() -> None:
    details = [Detail(name=str(at % 3), value=str(at // 3)) for at in range(1_000)]
    assert len(distinct(details)) == MAX_DETAILS
    assert len(distinct(details[:3])) == 1
    assert len(distinct(details[:3], by_name=True)) == 3


NAMES = ("GPSLatitude", "Longitude", "GPSLatitudeRef", "lat", "GPSAltitude", "SerialNumber", "cell:lac", "GPSPosition")


@given(st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=30), st.text(max_size=120))))
def test_no_names_and_values_raise(items: list[tuple[str, str]]) -> None:
    assert all(each.private for each in (*places(items), *devices(items)))


def test_long_runs_of_spaces_cost_nothing() -> None:
    items = [("GPSLatitude", " " * 100 + "x"), ("a" * 80 + "latitude", "1"), ("a_" * 40 + "serial", "1")] * 5_000
    assert len(list(devices(items))) == 5_000
    list(places(items))
