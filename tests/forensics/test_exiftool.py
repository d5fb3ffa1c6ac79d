"""An independent reader names the personal data in the public test files, and none of it may be missed.

Needs ExifTool (Debian: libimage-exiftool-perl), and says so where it is not there.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.errors import UnreadableError
from assay.exhibit import inspect, receive
from assay.vocabulary import Exhibit, Limits, Observation, Settings
from forensics.credentials import Credentials
from forensics.metadata import Metadata

_PERSONAL = re.compile(r"(?:EXIF|Exif|ExifEX)?(GPS\w+|\w*SerialNumber|\w*OwnerName|CameraOwner|Latitude|Longitude)")
_GROUPS_LEFT_OUT = ("Composite", "System", "File", "ICC")
"""What ExifTool works out from other fields, and what is no metadata."""
_MAX_OFF = 0.1
"""Metres of altitude, and far more than the degrees of a coordinate are off by rounding."""
_MAX_DEGREES_OFF = 2e-5

_FORMATS = [
    part
    for suffix in ("jpg", "jpeg", "png", "webp", "tif", "tiff", "avif", "heic", "jxl", "gif", "mpo")
    for part in ("-ext", suffix)
]

NOT_PERSONAL = {
    "GPSVersionID": "the version of the format",
    "GPSLatitudeRef": "part of the latitude",
    "GPSLongitudeRef": "part of the longitude",
    "GPSAltitudeRef": "part of the altitude",
    "GPSTimeStamp": "a time, which the capture date says too",
    "GPSDateStamp": "a date, which the capture date says too",
    "GPSSatellites": "the number of satellites",
    "GPSMapDatum": "the name of the coordinate system",
    "GPSImgDirection": "a direction without a place",
    "GPSImgDirectionRef": "a direction without a place",
    "GPSDifferential": "whether a correction was applied",
    "GPSHorizontalAccuracy": "how exact the place is",
}
"""Fields that say nothing without the others, and why."""
MISSED = {
    ("adobe-20220124-I.jpg", "LensSerialNumber"): "it says N/A",
    ("exif_gps.jpg", "GPSLatitude"): "it says 4294967295 degrees, and no longitude stands beside it",
}
"""File name and field: what is not found, and why that is right."""


@pytest.fixture(scope="module")
def named(shared: Path) -> list[tuple[Path, str, str]]:
    """File, field and value of everything personal that ExifTool finds."""
    if shutil.which("exiftool") is None:
        pytest.skip("ExifTool is not installed: apt-get install libimage-exiftool-perl")
    command = ["exiftool", "-r", *_FORMATS, "-j", "-G1:3", "-a", "-ee", "-n", str(shared)]
    # It ends with an error because some of the files are broken on purpose.
    listed: list[dict[str, Any]] = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    return [(Path(each["SourceFile"]), *pair) for each in listed for pair in _personal(each)]


def _personal(tags: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in tags.items():
        groups, _, name = key.rpartition(":")
        match = _PERSONAL.fullmatch(name)
        if match is not None and not groups.startswith(_GROUPS_LEFT_OUT) and match[1] not in NOT_PERSONAL:
            yield match[1], str(value).strip()


def _exhibit(path: Path) -> Exhibit | None:
    try:
        return inspect(receive(path, path.name, Limits()), Limits())
    except UnreadableError:
        return None


def _found(exhibit: Exhibit, settings: Settings) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for outcome in (*Metadata(settings).examine(exhibit), *Credentials(settings).examine(exhibit)):
        if isinstance(outcome, Observation):
            found.setdefault(outcome.signal, []).extend(each.value for each in outcome.details)
    return found


def _is_among(name: str, value: str, found: dict[str, list[str]]) -> bool:
    if not name.startswith(("GPS", "L")) or "Serial" in name:
        return value.removeprefix("0x") in found.get("serial-numbers", ())
    numbers = [abs(float(each)) for each in found.get("location", ()) if re.fullmatch(r"-?[\d.]+", each)]
    tolerance = _MAX_OFF if "Altitude" in name else _MAX_DEGREES_OFF
    wanted = _degrees(value)
    return any(abs(each - wanted) <= tolerance for each in numbers)


def _degrees(text: str) -> float:
    """A number, or what the assertions of a manifest hold: degrees and minutes, then the hemisphere."""
    parts = [float(part) for part in text.rstrip("NSEW").split(",")]
    return abs(parts[0]) + sum(part / 60**at for at, part in enumerate(parts[1:], start=1))


def test_nothing_personal_that_exiftool_names_is_missed(
    named: list[tuple[Path, str, str]], stranger_settings: Settings
) -> None:
    missed, compared = [], 0
    for path in sorted({path for path, _, _ in named}):
        exhibit = _exhibit(path)
        if exhibit is None:  # of a format that is not read, such as EPS or a list in JSON
            continue
        found = _found(exhibit, stranger_settings)
        for name, value in [(name, value) for file, name, value in named if file == path and value.strip("0 ")]:
            compared += 1
            if not _is_among(name, value, found) and (path.name, name) not in MISSED:
                missed.append((path.name, name))
    assert missed == []
    assert compared > 30
