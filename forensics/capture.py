"""Plain facts: camera, place, serial numbers, software. All of them are as easily written as read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from assay.vocabulary import Claim, Observation
from forensics.fields import Fields, Source
from forensics.generators import graph_text
from forensics.notes import detail, observe

_SETTINGS = {
    "ExposureTime": "Exposure time (s)",
    "FNumber": "F-number",
    "ISO": "ISO",
    "FocalLength": "Focal length (mm)",
}
_FRACTIONS = frozenset({"ExposureTime"})
_SERIAL_NUMBERS = (
    ("Body serial number", "BodySerialNumber", ("exifEX:BodySerialNumber", "aux:SerialNumber")),
    ("Lens serial number", "LensSerialNumber", ("exifEX:LensSerialNumber", "aux:LensSerialNumber")),
    ("Camera serial number", "CameraSerialNumber", ()),
    ("Camera owner", "CameraOwnerName", ("exifEX:CameraOwnerName", "aux:OwnerName")),
)
_MAX_PARTS = 3
_PART = re.compile(r"\d{1,10}(\.\d{1,12}|/0*[1-9]\d{0,9})?", re.ASCII)
_MAX_LATITUDE, _MAX_LONGITUDE = 90, 180


def _of_camera(fields: Fields, name: str) -> str:
    """Make or model of the camera; nothing where ComfyUI keeps its graph in the field."""
    value = fields.first(Source.EXIF, name) or fields.first(Source.XMP, f"tiff:{name}")
    return value if graph_text(value) == value else ""


def camera(fields: Fields) -> Iterator[Observation]:
    """Make, model and exposure."""
    make, model = _of_camera(fields, "Make"), _of_camera(fields, "Model")
    if not make and not model:
        return
    lens = fields.first(Source.EXIF, "LensModel") or fields.first(Source.XMP, "exifEX:LensModel", "aux:Lens")
    yield observe(
        "camera",
        Claim.CAPTURED,
        "The metadata names a camera or scanner. Anyone can write such fields, or copy them from another file.",
        [
            detail("Make", make),
            detail("Model", model),
            detail("Lens", lens),
            detail("Software", fields.first(Source.EXIF, "Software")),
            *(detail(label, _number(name, fields.first(Source.EXIF, name))) for name, label in _SETTINGS.items()),
        ],
    )


def _number(name: str, value: str) -> str:
    """A rational as people write it: 1/125 s, but f/2.8."""
    first = value.partition(" ")[0]
    if "/" not in first or name in _FRACTIONS:
        return first
    return f"{float(Fraction(first)):.4g}"


def software(fields: Fields) -> Iterator[Observation]:
    """The programs that say they wrote the file."""
    values = dict.fromkeys((field.source.value, field.value) for field in fields.software if field.value)
    if values:
        yield observe(
            "software",
            None,
            "The metadata names the software that wrote the file.",
            [detail(f"Software [{source}]", value) for source, value in values],
        )


def serial_numbers(fields: Fields) -> Iterator[Observation]:
    """Numbers and names that tie a picture to one camera and its owner."""
    found = []
    for label, tag, properties in _SERIAL_NUMBERS:
        value = fields.first(Source.EXIF, tag) or fields.first(Source.XMP, *properties)
        if value.strip("0 -"):
            found.append(detail(label, value, private=True))
    if found:
        yield observe("serial-numbers", None, "The metadata holds serial numbers or the camera's owner.", found)


def location(fields: Fields) -> Iterator[Observation]:
    """Where the picture was taken, according to GPS fields."""
    latitude, longitude = _from_exif(fields, "Latitude"), _from_exif(fields, "Longitude")
    if latitude is None or longitude is None:
        latitude, longitude = _from_xmp(fields, "Latitude"), _from_xmp(fields, "Longitude")
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):  # zeros: the receiver had no fix
        return
    if abs(latitude) > _MAX_LATITUDE or abs(longitude) > _MAX_LONGITUDE:
        return
    yield observe(
        "location",
        None,
        "The metadata says where the picture was taken.",
        [
            detail("Latitude", f"{float(latitude):.6f}", private=True),
            detail("Longitude", f"{float(longitude):.6f}", private=True),
        ],
    )


def _from_exif(fields: Fields, axis: str) -> Fraction | None:
    """Degrees, minutes and seconds as rationals, the hemisphere apart (CIPA DC-008, section 4.6.7)."""
    return _degrees(
        fields.first(Source.GPS, f"GPS{axis}").split(), fields.first(Source.GPS, f"GPS{axis}Ref").strip()[:1]
    )


def _from_xmp(fields: Fields, axis: str) -> Fraction | None:
    """`48,51.49N`: degrees and minutes, or degrees, minutes and seconds (XMP part 2, section 1.2.7.4)."""
    value = fields.first(Source.XMP, f"exif:GPS{axis}")
    return _degrees(value[:-1].split(","), value[-1:])


def _degrees(parts: list[str], hemisphere: str) -> Fraction | None:
    if not 1 <= len(parts) <= _MAX_PARTS or not all(_PART.fullmatch(part) for part in parts):
        return None
    total = sum((Fraction(part) / 60**at for at, part in enumerate(parts)), Fraction())
    return -total if hemisphere.upper() in ("S", "W") else total
