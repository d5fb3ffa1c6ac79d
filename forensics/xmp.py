"""XMP (ISO 16684-1) as a stream of properties: no tree is built, so depth and size cost nothing.

The parser is defusedxml's: a packet that declares entities or reaches outside the file is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from forensics.fields import Field, Source

_MAX_DEPTH = 100
_MAX_ELEMENTS = 50_000
_MAX_VALUE = 2 * 2**20

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://cipa.jp/exif/2.32/": "exifEX",
    "http://developer.sonyericsson.com/cell/1.0/": "cell",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
}


class _TooDeepError(ValueError):
    pass


class _TooManyError(ValueError):
    pass


@dataclass(slots=True)
class _Properties:
    """What the parser calls: collects the values of the properties that enclose them.

    RDF's own elements (`Description`, `Seq`, `li`) are transparent, so a value in a list belongs to the list's
    property, and a value in a structure to the structure's field.
    """

    found: list[Field] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    elements: int = 0
    is_complete: bool = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element opens."""
        self.elements += 1 + len(attributes)
        if len(self.names) >= _MAX_DEPTH:
            raise _TooDeepError
        if self.elements > _MAX_ELEMENTS:
            raise _TooManyError
        namespace, name = _split(tag)
        parent = self.names[-1] if self.names else ""
        self.names.append(parent if namespace == _RDF else qualified(namespace, name))
        self.text.clear()
        for attribute, value in attributes.items():
            namespace, name = _split(attribute)
            if namespace == _RDF and name == "resource":
                self._keep(self.names[-1], value)
            elif namespace and namespace not in (_RDF, _XML):
                self._keep(qualified(namespace, name), value)

    def data(self, text: str) -> None:
        """Characters between tags, in pieces."""
        self.text.append(text)

    def end(self, _tag: str) -> None:
        """An element closes; text before a child was mere layout."""
        self._keep(self.names.pop(), "".join(self.text))
        self.text.clear()
        self.is_complete = not self.names

    def close(self) -> None:
        """The document ends."""

    def _keep(self, name: str, value: str) -> None:
        if name and (value := value[:_MAX_VALUE].strip()):
            self.found.append(Field(source=Source.XMP, name=name, value=value))


def read_xmp(packet: bytes) -> tuple[tuple[Field, ...], str | None]:
    """The properties of a packet, and why it could not be read whole.

    Time and memory grow with the packet, up to about 25 times its size: the caller bounds it.
    What stands before a fault counts, except in a packet that was made to attack its reader.
    """
    if not packet.startswith(b"\0<"):  # UTF-16 without a byte-order mark
        packet = packet.lstrip(b"\0 \t\r\n")
    properties = _Properties()
    parser = XMLParser(target=properties)
    try:
        parser.feed(packet)
        parser.close()
    except DefusedXmlException:
        return (), "declares entities, which are refused"
    except _TooDeepError:
        return (), f"is nested deeper than {_MAX_DEPTH} levels"
    except _TooManyError:
        return tuple(properties.found), f"has more than {_MAX_ELEMENTS:,} elements, so the rest was not read"
    except (ParseError, ValueError, LookupError):
        if not properties.is_complete:  # else: only padding, or the rest of an older packet, stands behind it
            return tuple(properties.found), "is not well-formed XML"
    return tuple(properties.found), None


def _split(name: str) -> tuple[str, str]:
    if not name.startswith("{"):
        return "", name
    namespace, _, local = name[1:].rpartition("}")
    return namespace, local


def qualified(namespace: str, local: str) -> str:
    """`prefix:local`, with the usual prefix whatever the file calls it; only the local name elsewhere."""
    prefix = _PREFIXES.get(namespace)
    return f"{prefix}:{local}" if prefix else local
