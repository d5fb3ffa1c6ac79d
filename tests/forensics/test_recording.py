from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.containers import Block, Kind
from forensics.recording import read_recording


def _read(key: bytes, value: bytes, kind: Kind = Kind.VIDEO) -> dict[str, str]:
    return {field.name: field.value for field in read_recording(Block(kind=kind, payload=key + b"\0" + value))}


PARIS = {"GPSLatitude": "+48.8583", "GPSLongitude": "+002.2944"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (b"\xa9xyz", b"\0\x12\x15\xc7+48.8583+002.2944/", PARIS),
        (b"\xa9xyz", b"+48.8583+002.2944/", PARIS),
        (b"com.apple.quicktime.location.ISO6709", b"+48.8583+002.2944+035.000/", PARIS),
        (
            b"com.apple.quicktime.location.ISO6709",
            b"-4851.5-00217.4/",
            {"GPSLatitude": "-48,51.5", "GPSLongitude": "-002,17.4"},
        ),
        (
            b"com.apple.quicktime.location.ISO6709",
            b"+485130+0021724/",
            {"GPSLatitude": "+48,51,30", "GPSLongitude": "+002,17,24"},
        ),
        (b"com.apple.quicktime.location.name", "Café".encode(), {"GPSLocationName": "Café"}),
        (b"com.apple.quicktime.location.accuracy.horizontal", b"4.9", {}),
        (b"com.example.serial", b"77", {"SerialNumber": "77"}),
        (b"slno", b"ABC123\0", {"SerialNumber": "ABC123"}),
        (b"CAME", b"\x01\x02\xff", {"SerialNumberHash": "0102ff"}),
    ],
)
def test_entries_of_a_video_are_read(key: bytes, value: bytes, expected: dict[str, str]) -> None:
    assert _read(key, value) == expected


@pytest.mark.parametrize("name", [b"Quay\0", b"\xfe\xff" + "Quay".encode("utf-16-be") + b"\0\0", b"\0"])
def test_a_place_of_3gpp_has_a_name_and_coordinates(name: bytes) -> None:
    where = struct.pack(">Biii", 0, round(2.5 * 65536), round(-48.25 * 65536), 0)
    expected = {"GPSLatitude": "-48.250000", "GPSLongitude": "2.500000"}
    expected |= {"GPSLocationName": "Quay"} if len(name) > 1 else {}
    assert _read(b"loci", bytes(4) + b"\x15\xc7" + name + where) == expected


def test_the_country_of_a_mobile_network_is_named() -> None:
    assert _read(b"MobileCountryCode", b"310", Kind.SAMSUNG) == {"MobileCountryCode": "310"}


def _entry(key: bytes, kind: bytes, size: int, values: bytes) -> bytes:
    return key + kind + bytes([size]) + struct.pack(">H", len(values) // size) + values + bytes(-len(values) % 4)


def test_telemetry_names_the_camera_and_the_first_position() -> None:
    inner = _entry(b"MINF", b"c", 1, b"HERO") + _entry(b"CASN", b"c", 1, b"C3461325001234")
    inner += _entry(b"GPS5", b"l", 20, struct.pack(">5i", 488583000, 22944000, 0, 0, 0))
    nested = b"DEVC\0\1" + struct.pack(">H", len(inner)) + inner
    found = {field.name: field.value for field in read_recording(Block(kind=Kind.GOPRO, payload=nested))}
    assert found == {"CameraSerialNumber": "C3461325001234", "GPSLatitude": "48.858300", "GPSLongitude": "2.294400"}


@given(
    st.sampled_from([Kind.VIDEO, Kind.SAMSUNG, Kind.GOPRO]),
    st.sampled_from([b"loci\0", b"\xa9xyz\0", b"slno\0", b"DEVC\0\1", b""]),
    st.binary(max_size=80),
)
def test_no_entry_raises(kind: Kind, start: bytes, rest: bytes) -> None:
    list(read_recording(Block(kind=kind, payload=start + rest)))
