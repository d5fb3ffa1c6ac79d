"""What `assay mark --strip-personal` leaves out: places, serial numbers and names of people.

A block that can be taken apart loses the fields that lead to somebody; one that cannot goes whole, as do maker notes
and extended XMP. A generator's name in the place of a person's is a declaration, and stays. Texts, such as captions,
comments and prompts, are not searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.dom import Node
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.minidom import parse

from assay.containers import Block, Kind
from assay.errors import ConfigurationError
from assay.exhibit import inspect
from assay.luggage import photoshop
from assay.luggage.tiff import exif_without
from assay.vocabulary import AiUse, Attestation, Claim, Exhibit, ExhibitFacts, Failed, Observation, Settings
from forensics.credentials import Credentials
from forensics.fields import Field, Fields, Source
from forensics.iim import datasets
from forensics.metadata import Metadata
from forensics.names import names as generators_in
from forensics.personal import is_personal
from forensics.xmp import qualified, read_xmp

_EXIF_TAGS = {
    0x013B: "Artist",
    0x013C: "HostComputer",
    0x8298: "Copyright",
    0x8825: "GPS",
    0x927C: "MakerNote",
    0x9C9D: "XPAuthor",
    0xA430: "CameraOwnerName",
    0xA431: "BodySerialNumber",
    0xA435: "LensSerialNumber",
    0xA437: "Photographer",
    0xA438: "ImageEditor",
    0xC62F: "CameraSerialNumber",
    0xC634: "DNGPrivateData",
    0xEA1C: "Padding",
    0xFDE8: "OwnerName",
    0xFDE9: "SerialNumber",
    **dict.fromkeys((33550, 33922, 34264, 34735, 34736, 34737, 42112), "GeoTIFF"),
}
_PEOPLE = frozenset({"Artist", "Copyright", "Photographer", "XPAuthor"})
"""In whose place a generator may stand."""
_IIM_FIELDS = {
    26: "Content Location Code",
    27: "Content Location Name",
    80: "By-line",
    85: "By-line Title",
    90: "City",
    92: "Sub-location",
    95: "Province/State",
    100: "Country Code",
    101: "Country",
    110: "Credit",
    115: "Source",
    116: "Copyright Notice",
    118: "Contact",
    122: "Writer/Editor",
}
_EDITORIAL = 2
"""The record of IPTC IIM that speaks of the picture."""
_COPIES = {1035: "copyright address", 1058: "EXIF", 1059: "EXIF", 1060: "XMP"}
"""Photoshop's resources that repeat what has a block of its own, or name the owner."""
_PEOPLE_AND_PLACES = re.compile(
    r".*(?:creator(?!tool)|artist|author|owner|by-?line|photographer|copyright|licensor|contact|person|location|"
    r"contributor|publisher|writer).*|rights|credit|source|editor|manager|regions|regioninfo|hostcomputer|camerasn|"
    r"(?:sub-?location|city|state|province|provincestate|country|countryname|countrycode|worldregion)",
    re.ASCII,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EXTENSION, _RAW_PROFILE = "xmpNote:HasExtendedXMP", "Raw profile"
_AI = (Claim.GENERATED, Claim.EDITED)
_PERSONAL = frozenset({"location", "serial-numbers"})


def sift(block: Block) -> tuple[Block | None, tuple[str, ...]]:
    """What a block holds beside personal data, None for nothing, and the names of what it is without."""
    match block.kind:
        case Kind.EXIF:
            rest, names = _exif(block.payload)
        case Kind.XMP:
            rest, names = _xmp(block.payload)
        case Kind.IIM:
            rest, names = _iim(block.payload)
        case Kind.PHOTOSHOP:
            rest, names = _photoshop(block.payload)
        case Kind.PNG_TEXT:
            rest, names = _text(block.payload)
        case Kind.COMMENT:
            rest, names = block.payload, ()
        case _:
            rest, names = b"", (f"{block.kind.value} (whole)",)
    return (Block(kind=block.kind, payload=rest) if rest else None), names


def require_impersonal(original: Exhibit, stripped: bytes, settings: Settings) -> None:
    """Read the metadata of a stripped file again.

    Raises:
        ConfigurationError: Personal data is left, or something that cannot be read, or a declaration of AI is lost.
    """
    name = original.facts.name
    left = Metadata(settings).examine(inspect(Exhibit(facts=ExhibitFacts(name=name), data=stripped), settings.limits))
    found = sorted({each.signal for each in left if isinstance(each, Observation) and each.signal in _PERSONAL})
    if found or any(isinstance(each, Failed) for each in left):
        what = " and ".join(found) or "metadata that cannot be read"
        raise ConfigurationError(
            f"{name}: {what} cannot be taken out", hint="Nothing was written. Have its metadata written again first."
        )
    blind = replace(settings, limits=replace(settings.limits, max_pixels=0))  # text in the pixels is the mark's affair
    lost = _declarations(Metadata(blind).examine(original)) - _declarations(left)
    if lost:
        raise ConfigurationError(
            f"{name}: declares AI ({', '.join(sorted(lost))}) in what would be taken out",
            hint="Nothing was written. Mark it without --strip-personal, or declare it in the IPTC's field first.",
        )


def credited_source_type(original: Exhibit, settings: Settings) -> tuple[bool, str | None]:
    """Whether a picture has Content Credentials, and the use of AI that they declare, as a digital source type.

    They go whole, so that the new manifest has to state it.
    """
    outcomes = Credentials(settings).examine(original)
    claims = {each.claim for each in outcomes if isinstance(each, Observation)}
    uses = {each.ai_use for each in outcomes if isinstance(each, Attestation)}
    has_any = any(isinstance(each, Attestation | Failed) for each in outcomes)
    if AiUse.FULLY in uses or Claim.GENERATED in claims:
        return has_any, "trainedAlgorithmicMedia"
    is_partly = AiUse.PARTLY in uses or Claim.EDITED in claims
    return has_any, "compositeWithTrainedAlgorithmicMedia" if is_partly else None


def _declarations(outcomes: tuple[object, ...]) -> set[str]:
    return {
        each.signal
        for each in outcomes
        if isinstance(each, Observation) and each.claim in _AI and not each.contradiction
    }


def _leads_to_somebody(name: str) -> bool:
    local = name.rpartition(":")[2].lower().replace(" ", "").replace("_", "")
    return is_personal(name) or _PEOPLE_AND_PLACES.fullmatch(local) is not None


def _declares(value: str) -> bool:
    """Whether what stands in the place of a person is a generator and no person beside it, or the number of one."""
    text = value.replace("\0", "").strip()
    places = (Field(source=Source.EXIF, name="Artist", value=text), Field(source=Source.IIM, name="Credit", value=text))
    notes = [each for place in places for each in generators_in(Fields(items=(place,)))]
    has_person = any(detail.private for each in notes for detail in each.details)
    return bool(notes and not has_person) or _UUID.fullmatch(text) is not None


def _exif(payload: bytes) -> tuple[bytes, tuple[str, ...]]:
    def is_left_out(tag: int, raw: bytes) -> bool:
        name = _EXIF_TAGS.get(tag, "")
        return bool(name) and not (name in _PEOPLE and _declares(raw[:200].decode("utf-8", "replace")))

    found = exif_without(payload, is_left_out)
    if found is None:
        return b"", ("EXIF (whole)",) if payload.strip(b"\0") else ()
    rest, tags = found
    return rest, tuple(f"EXIF {_EXIF_TAGS[tag]}" for tag in tags)


def _xmp(payload: bytes) -> tuple[bytes, tuple[str, ...]]:
    _, problem = read_xmp(payload)
    try:
        if problem:
            return b"", ("XMP (whole)",)
        document = parse(BytesIO(payload.strip(b"\0 \t\r\n")))
    except (DefusedXmlException, ExpatError, ValueError, LookupError):
        return b"", ("XMP (whole)",)
    names = tuple(f"XMP {name}" for name in _pruned(document))
    return (document.toxml(encoding="utf-8").partition(b"?>")[2] if names else payload), names


def _pruned(node: Any) -> Iterator[str]:
    """Take elements and attributes out of a tree of XML, and yield their names."""
    for attribute in list((node.attributes or {}).values()):
        name = qualified(attribute.namespaceURI or "", attribute.localName or attribute.name)
        is_declared_prefix = attribute.name.startswith("xmlns")
        if not is_declared_prefix and _is_taken_out(name, attribute.value):
            node.removeAttributeNode(attribute)
            yield name
    for child in list(node.childNodes):
        if child.nodeType == Node.COMMENT_NODE:
            node.removeChild(child)
        elif child.nodeType == Node.ELEMENT_NODE:
            name = qualified(child.namespaceURI or "", child.localName or child.nodeName)
            if _is_taken_out(name, _content(child)):
                node.removeChild(child)
                yield name
            else:
                yield from _pruned(child)


def _is_taken_out(name: str, value: str) -> bool:
    return name == _EXTENSION or (_leads_to_somebody(name) and (is_personal(name) or not _declares(value)))


def _content(node: Any) -> str:
    if node.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE):
        return str(node.data)
    return "".join(map(_content, node.childNodes))


def _iim(payload: bytes) -> tuple[bytes, tuple[str, ...]]:
    kept: list[bytes] = []
    names: list[str] = []
    for (record, number), value in datasets(payload.lstrip(b"\0")):
        text = value[:200].decode("utf-8", "replace")
        if record == _EDITORIAL and number in _IIM_FIELDS and not _declares(text):
            names.append(f"IPTC {_IIM_FIELDS[number]}")
        elif len(value) < 1 << 15:
            kept.append(bytes([0x1C, record, number]) + len(value).to_bytes(2, "big") + value)
        else:
            names.append(f"IPTC {record}:{number}")
    return b"".join(kept), tuple(names)


def _photoshop(payload: bytes) -> tuple[bytes, tuple[str, ...]]:
    kept: list[bytes] = []
    names: list[str] = []
    for number, whole in photoshop.resources(payload):
        if number == photoshop.IPTC:
            rest, taken = _iim(photoshop.body(whole))
            kept += [photoshop.as_resource(rest)] if rest else []
            names += taken
        elif number < 0 or number in _COPIES:
            names.append(f"Photoshop's {_COPIES.get(number, 'rest')}")
        else:
            kept.append(whole)
    return b"".join(kept), tuple(names)


def _text(payload: bytes) -> tuple[bytes, tuple[str, ...]]:
    key, _, value = payload.partition(b"\0")
    name, text = key.decode("latin-1"), value[:200].decode("utf-8", "replace")
    if name.startswith(_RAW_PROFILE) or _is_taken_out(name, text):
        return b"", (f"PNG text {name}",)
    return payload, ()
