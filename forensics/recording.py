"""What devices record beside the picture: a video's user data, the trailer of Samsung's phones, GoPro's telemetry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.containers import Block, Kind
from forensics.fields import Field, Source
from forensics.text import decode

_ISO_6709 = re.compile(r"([+-]\d{2,6}(?:\.\d{1,12})?)([+-]\d{3,7}(?:\.\d{1,12})?)", re.ASCII)
"""Latitude and longitude side by side, in degrees, or with minutes and seconds (ISO 6709:2008, annex H)."""
_FIXED = 1 << 16
_SERIALS = {"slno": "SerialNumber", "SNum": "SerialNumber", "CAME": "SerialNumberHash", "LENS": "LensSerialNumber"}
_BINARY = frozenset({"CAME"})
_MAX_ENTRIES = 10_000
_NESTED, _CAMERA_SERIAL = 0, b"CASN"
_POSITIONS = frozenset({b"GPS5", b"GPS9"})
_GOPRO_SCALE = 10_000_000


def read_recording(block: Block) -> Iterator[Field]:
    """Yield the coordinates, place names and serial numbers of one entry; never raises."""
    if block.kind is Kind.GOPRO:
        yield from _telemetry(block.payload)
        return
    key, _, value = block.payload.partition(b"\0")
    name = key.decode("latin-1")
    if block.kind is Kind.SAMSUNG:
        yield _field(name, value.decode("ascii", "replace"))
    elif name == "loci":
        yield from _place(value)
    elif name in _SERIALS:
        yield _field(_SERIALS[name], value.hex() if name in _BINARY else decode(value))
    else:
        text = value[4:] if name == "\xa9xyz" and not value.startswith((b"+", b"-")) else value
        yield from _entry(name, decode(text))


def _entry(name: str, text: str) -> Iterator[Field]:
    match = _ISO_6709.search(text)
    if match is not None:
        yield _field("GPSLatitude", _degrees(match[1], 2))
        yield _field("GPSLongitude", _degrees(match[2], 3))
    elif "serial" in name.lower():
        yield _field("SerialNumber", text)
    elif name.endswith("location.name"):
        yield _field("GPSLocationName", text)


def _degrees(text: str, width: int) -> str:
    """Degrees, then minutes and seconds where more digits stand before the point than degrees have."""
    sign, whole, fraction = text[0], *text[1:].partition(".")[::2]
    parts = [whole[:width], *(whole[at : at + 2] for at in range(width, len(whole), 2))]
    return sign + ",".join(parts) + (f".{fraction}" if fraction else "")


def _place(value: bytes) -> Iterator[Field]:
    """A name, then longitude and latitude as 16.16 fixed point (3GPP TS 26.244, section 8.10)."""
    code = "utf-16" if value[6:8] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    end = value.find(b"\0\0" if code == "utf-16" else b"\0", 6)
    if end < 0:
        return
    at = end + (2 if code == "utf-16" else 1) + 1
    longitude, latitude = (int.from_bytes(value[start : start + 4], "big", signed=True) for start in (at, at + 4))
    if len(value) >= at + 8:
        yield _field("GPSLatitude", f"{latitude / _FIXED:.6f}")
        yield _field("GPSLongitude", f"{longitude / _FIXED:.6f}")
    if name := decode(value[6:end], code):
        yield _field("GPSLocationName", name)


def _telemetry(payload: bytes) -> Iterator[Field]:
    """The camera's serial number among the entries of GoPro's metadata format (GPMF); entries in entries are opened."""
    at = 0
    for _ in range(_MAX_ENTRIES):
        if at + 8 > len(payload):
            return
        key, kind = payload[at : at + 4], payload[at + 4]
        size = payload[at + 5] * int.from_bytes(payload[at + 6 : at + 8], "big")
        at += 8
        if kind == _NESTED:
            continue  # what is inside follows directly
        if key == _CAMERA_SERIAL:
            yield _field("CameraSerialNumber", decode(payload[at : at + size]))
        elif key in _POSITIONS and any(payload[at : at + min(size, 8)]):
            yield from _position(payload[at : at + 8])
        at += (size + 3) & ~3


def _position(sample: bytes) -> Iterator[Field]:
    """The first of the positions, in the scale that all GoPro cameras use: ten-millionths of a degree."""
    for name, start in (("GPSLatitude", 0), ("GPSLongitude", 4)):
        number = int.from_bytes(sample[start : start + 4], "big", signed=True)
        yield _field(name, f"{number / _GOPRO_SCALE:.6f}")


def _field(name: str, value: str) -> Field:
    return Field(source=Source.VIDEO, name=name, value=value)
