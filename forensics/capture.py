"""Plain facts: camera, place, serial numbers, software. All of them are as easily written as read."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from assay.vocabulary import Claim, Observation
from forensics.bags import without_name
from forensics.fields import Fields, Source
from forensics.names import is_generator, self_declared
from forensics.notes import detail, observe
from forensics.personal import devices, distinct, places

_SETTINGS = {
    "ExposureTime": "Exposure time (s)",
    "FNumber": "F-number",
    "ISO": "ISO",
    "FocalLength": "Focal length (mm)",
}
_FRACTIONS = frozenset({"ExposureTime"})
_FIXED = frozenset({Source.GPS, Source.VIDEO})
_PERSONAL_SOURCES = (Source.GPS, Source.EXIF, Source.MAKER, Source.XMP, Source.PNG, Source.VIDEO)


def _of_camera(fields: Fields, name: str) -> str:
    """Make or model of the camera; nothing where ComfyUI keeps its graph in the field."""
    value = fields.first(Source.EXIF, name) or fields.first(Source.XMP, f"tiff:{name}")
    return "" if without_name(value).startswith("{") else value


def camera(fields: Fields) -> Iterator[Observation]:
    """Make, model and exposure; nothing where a generator has put its own name there."""
    if self_declared(fields) is not None or any(is_generator(each.value) for each in fields.makers):
        return
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
    """Numbers and names that tie a picture to one camera, phone or drone, and to its owner."""
    found = distinct(each for _, items in _sources(fields) for each in devices(items))
    if found:
        yield observe("serial-numbers", None, "The metadata holds serial numbers or the camera's owner.", found)


def location(fields: Fields) -> Iterator[Observation]:
    """Where the picture was taken, or what else of a place its device wrote down."""
    found = distinct(
        (each for source, items in _sources(fields) for each in places(items, as_written=source not in _FIXED)),
        by_name=True,
    )
    if found:
        is_taken = {"Latitude", "Longitude"} <= {each.name for each in found}
        words = "says where the picture was taken" if is_taken else "holds signs of a place"
        yield observe("location", None, f"The metadata {words}.", found)


def _sources(fields: Fields) -> Iterator[tuple[Source, list[tuple[str, str]]]]:
    """Names and values, one list for each place in the file where they stand side by side."""
    for each in (fields, *fields.further):
        for source in _PERSONAL_SOURCES:
            if found := each.everything(source):
                yield source, [(field.name, field.value) for field in found]
