"""Which named values lead to a place, to one device, or to its owner, wherever they stand.

Makers of cameras, phones and drones put the same facts under names of their own. What is alike is the last part of the
name, so that is what counts, in XMP as in PNG text and in the assertions of a manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import zip_longest

from assay.vocabulary import Detail
from forensics.notes import detail

MAX_DETAILS = 40
_MAX_NAME, _MAX_TEXT = 80, 100

_AXIS = re.compile(r"(?!iso)(\w*?)(latitude|longitude|longtitude)(\w*)", re.ASCII)
_SHORT_AXIS = re.compile(r"(?:gps_?)?(lat|lon|lng|long)", re.ASCII)
_QUALIFIERS = ("ref", "accuracy", "error", "deviation", "std", "delta", "span")
_SIDES = {"n": 1, "s": -1, "e": 1, "w": -1}
_LIMITS = {"latitude": 90, "longitude": 180}
_NUMBER = r"\d{1,10}(?:\.\d{1,20}|/0*[1-9]\d{0,9})?"
_COORDINATE = re.compile(
    rf"([nsew]?)\s?([+-]?)\s?({_NUMBER}(?:(?:deg|[\s,;:°'\"′″])+{_NUMBER}){{0,2}})[\s°'\"′″]*([nsew]?)",
    re.ASCII | re.IGNORECASE,
)
_PARTS = re.compile(_NUMBER, re.ASCII)
_SIXTY = 60
_POSITIONS = frozenset({"gpsposition", "gpscoordinates", "geolocation"})
_PLACE_NAMES = {
    "gpsareainformation": "Area",
    "gpslocationname": "Name of the place",
    "gpscountry": "Country",
    "gpsstate": "State",
    "gpscity": "City",
    "gpslandmark": "Landmark",
    "mobilecountrycode": "Country of the mobile network",
    "cell:cgi": "Mobile cell",
    "cell:cellid": "Mobile cell",
    "cell:lac": "Mobile cell's area",
}
"""What devices write by themselves. Places that an editor names, such as IPTC's City, are meant to be published."""
_ALTITUDES = {"gpsaltitude": "Altitude (m)", "gpsdestaltitude": "Destination altitude (m)"}
_MAX_ALTITUDE = 100_000

_SERIAL = re.compile(r"[a-z0-9_. ]*serial(?:[_. ]?(?:numbers?|num|no|nr|id|hash))*", re.ASCII)
_NO_SERIAL = frozenset({"defaultsspecifictoserial"})
_OWNERS = frozenset({"ownername", "cameraownername", "cameraowner"})
_DEVICES = frozenset({"ownersdeviceid", "imei", "droneid"}) | {
    f"{device}sn" for device in ("camera", "body", "lens", "drone", "uav", "device", "product", "battery")
}
_LABELS = {"serialnumber": "Body serial number", **dict.fromkeys(_OWNERS, "Camera owner")}
_PROMPT = re.compile(r"prompts?(?:[_. -]?(?:text|information))?$", re.ASCII)
_EMPTY = frozenset({"", "unknown", "none", "n/a", "na", "null", "undefined", "false", "true"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def places(items: Iterable[tuple[str, str]], *, as_written: bool = True) -> Iterator[Detail]:
    """Yield the coordinates, altitudes and names of places among named values, all of them private.

    Args:
        items: Names and values that stand side by side: of one directory, one packet, one object.
        as_written: Whether a coordinate of an unknown form is reported as it stands. Fields of a fixed form that hold
            anything else hold nothing.
    """
    pairs: dict[str, dict[str, list[str]]] = {}
    sides: dict[str, str] = {}
    others: list[Detail] = []
    for name, value in items:
        local = _local(name)
        lower = local.lower()
        if (axis := _axis(lower)) is not None:
            stem, which = axis
            pairs.setdefault(stem, {}).setdefault(which, []).append(value)
            sides.setdefault(lower + "ref", "")
        elif lower.endswith("ref"):
            sides[lower] = value
        else:
            others += _other_place(name.lower() if ":" in name else lower, lower, value)
    for stem, axes in pairs.items():
        yield from _coordinates(stem, axes, sides, as_written=as_written)
    yield from others


def devices(items: Iterable[tuple[str, str]]) -> Iterator[Detail]:
    """Yield serial numbers, numbers of devices and the names of their owners, all of them private."""
    for name, value in items:
        local = _local(name)
        lower = local.lower()
        if _is_of_device(lower) and _is_stated(value):
            yield detail(_LABELS.get(lower) or _words(local), value.strip(), private=True)


def is_personal(name: str) -> bool:
    """Whether a name belongs to a place, a device or its owner, whatever its value.

    These are all that `places` and `devices` read, and what stands beside it, such as heights and sides of coordinates.
    """
    lower = _local(name).lower()
    of_place = lower.startswith("gps") or lower in _POSITIONS or lower in _PLACE_NAMES or name.lower() in _PLACE_NAMES
    is_axis = _AXIS.fullmatch(lower) is not None or _SHORT_AXIS.fullmatch(lower) is not None
    return of_place or is_axis or lower.endswith("altitude") or _is_of_device(lower)


def is_prompt(name: str) -> bool:
    """Whether a name says that its value is what a generator was asked for."""
    return _PROMPT.search(_local(name).lower()) is not None


def distinct(details: Iterable[Detail], *, by_name: bool = False) -> tuple[Detail, ...]:
    """The details without those that repeat a value, as many as a report can bear.

    Args:
        details: In the order of their weight.
        by_name: Whether the same value under another name is something else, as for the two coordinates.
    """
    first: dict[tuple[str, str], Detail] = {}
    for each in details:
        first.setdefault((each.name if by_name else "", each.value), each)
        if len(first) >= MAX_DETAILS:
            break
    return tuple(first.values())


def coordinate(text: str, side: str = "") -> Fraction | None:
    """Read an angle in degrees; None for what is none.

    Args:
        text: Degrees, or degrees and minutes, or those and seconds, as decimals or fractions, with a sign or with the
            letter of the hemisphere before or behind it.
        side: The letter of the hemisphere, where it stands in a field of its own.
    """
    match = _COORDINATE.fullmatch(text[:_MAX_TEXT].strip())
    if match is None:
        return None
    before, sign, numbers, behind = match.groups()
    parts = [Fraction(part) for part in _PARTS.findall(numbers)]
    if any(part > _SIXTY for part in parts[1:]):  # 60 itself comes of rounding: 4.3 degrees as 4° 17' 60"
        return None
    total = sum((part / _SIXTY**at for at, part in enumerate(parts)), Fraction())
    letter = (before or behind or side.strip()[:1]).lower()
    return -total if (sign == "-") != (_SIDES.get(letter, 1) < 0) else total


def _coordinates(stem: str, axes: dict[str, list[str]], sides: dict[str, str], *, as_written: bool) -> Iterator[Detail]:
    for pair in zip_longest(*(axes.get(axis, []) for axis in _LIMITS), fillvalue=""):
        found: list[tuple[str, str]] = []
        for axis, text in zip(_LIMITS, pair, strict=True):
            number = coordinate(text, _side(sides, stem, axis))
            if number is not None and abs(number) <= _LIMITS[axis]:
                found.append((axis, f"{float(number):.6f}"))
            elif number is None and as_written and re.search("[1-9]", text):
                found.append((axis, text))
            elif text.strip():  # what a device writes that does not know where it is
                break
        else:
            if any(re.search("[1-9]", value) for _, value in found):  # zeros: the receiver had no fix
                for axis, value in found:
                    yield detail(_words(f"{_OF_STEM.get(stem, stem)} {axis}"), value, private=True)


_OF_STEM = {"": "", "dest": "destination"}


def _side(sides: dict[str, str], stem: str, axis: str) -> str:
    names = (f"{prefix}{stem}{axis}ref" for prefix in ("", "gps", "gps_"))
    return next((sides[name] for name in names if sides.get(name)), "")


def _axis(lower: str) -> tuple[str, str] | None:
    """What a coordinate belongs to, without the word GPS, and which of the two it is."""
    if (short := _SHORT_AXIS.fullmatch(lower)) is not None:
        return "", "latitude" if short[1] == "lat" else "longitude"
    match = _AXIS.fullmatch(lower) if "itude" in lower else None
    if match is None or match[3].endswith(_QUALIFIERS):
        return None
    stem = f"{match[1]}{match[3]}".removeprefix("gps").strip("_")
    return stem, "latitude" if match[2] == "latitude" else "longitude"


def _other_place(full: str, lower: str, value: str) -> Iterator[Detail]:
    if (label := _PLACE_NAMES.get(full) or _PLACE_NAMES.get(lower)) is not None:
        if _is_stated(value):
            yield detail(label, value.strip(), private=True)
    elif lower in _POSITIONS and len(_PARTS.findall(value[:_MAX_TEXT])) > 1 and re.search("[1-9]", value):
        yield detail("Position", value, private=True)
    elif lower in _ALTITUDES and (height := coordinate(value)) and height < _MAX_ALTITUDE:
        yield detail(_ALTITUDES[lower], f"{float(height):.1f}", private=True)


def _is_of_device(lower: str) -> bool:
    is_serial = "serial" in lower and lower not in _NO_SERIAL and _SERIAL.fullmatch(lower) is not None
    return is_serial or lower in _OWNERS or lower in _DEVICES


def _is_stated(value: str) -> bool:
    return value.strip("0 -").lower() not in _EMPTY


def _local(name: str) -> str:
    """The last part of a name: behind its prefix, or of its address."""
    return re.split(r"[:/#]", name[-_MAX_NAME:])[-1]


def _words(local: str) -> str:
    """`DroneSerialNumber` as `Drone serial number`."""
    return " ".join(_HUMP.sub(" ", local).replace("_", " ").lower().split()).capitalize()
