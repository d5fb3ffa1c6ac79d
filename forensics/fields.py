"""Everything that a file's metadata says, as one flat list of fields that recognisers read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from forensics.text import json_object


class Source(StrEnum):
    """Where a field stands, as reports call it."""

    EXIF = "EXIF"
    GPS = "GPS"
    MAKER = "maker note"
    VIDEO = "video"
    XMP = "XMP"
    IIM = "IIM"
    PNG = "PNG text"
    HIDDEN = "hidden text"
    COMMENT = "comment"


_PLACES = {
    Source.EXIF: "EXIF field",
    Source.GPS: "EXIF field",
    Source.MAKER: "maker-note field",
    Source.VIDEO: "video entry",
    Source.XMP: "XMP property",
    Source.IIM: "IPTC field",
    Source.PNG: "PNG text block",
}
MAX_JSON = 8 * 2**20
"""Characters of JSON in one file: an object takes some twenty times the memory of its text."""

# Keys of the PNG specification and of generators. Any other key is the author's own text, which no summary repeats.
_KNOWN_KEYS = frozenset({"Title", "Author", "Description", "Copyright", "Software", "Source", "Comment"}) | {
    "parameters",
    "prompt",
    "workflow",
    "Dream",
    "sd-metadata",
    "invokeai",
    "invokeai_metadata",
    "invokeai_graph",
    "invokeai_workflow",
    "AIGC",
    "hf-job-id",
    "Creator",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One statement: anybody can write it."""

    source: Source
    name: str
    """The standard's name: `Make`, `photoshop:Credit`, `By-line`; for PNG text whatever key the file has."""
    value: str

    @property
    def place(self) -> str:
        """The field in words, fit for a sentence."""
        if self.source is Source.COMMENT:
            return "comment"
        if self.source is Source.HIDDEN:
            return "text hidden in the pixels"
        is_known = self.source is not Source.PNG or self.name in _KNOWN_KEYS
        return f"{_PLACES[self.source]} `{self.name}`" if is_known else _PLACES[self.source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """All fields of one file, in the order in which they were found."""

    items: tuple[Field, ...] = ()
    thumbnail: bytes | None = None
    """The picture of reduced size that EXIF keeps in its second directory, as stored."""
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""
    further: tuple[Fields, ...] = ()
    """Of what travels with the picture: other directories of the EXIF, further pictures, videos, trailers. They say
    nothing about the picture itself, but whoever publishes it publishes them, too."""
    _index: dict[tuple[Source, str], list[Field]] = field(default_factory=dict, repr=False, compare=False)
    _sources: dict[Source, list[Field]] = field(default_factory=dict, repr=False, compare=False)
    _objects: dict[str, dict[str, Any] | None] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for each in self.items:
            self._index.setdefault((each.source, each.name), []).append(each)
            self._sources.setdefault(each.source, []).append(each)

    def of(self, source: Source, *names: str) -> tuple[Field, ...]:
        """The fields of one source with one of these names, in the order of the names."""
        return tuple(each for name in names for each in self._index.get((source, name), ()))

    def everything(self, source: Source) -> tuple[Field, ...]:
        """All fields of one source, in the order of the file."""
        return tuple(self._sources.get(source, ()))

    def first(self, source: Source, *names: str) -> str:
        """The first value that is not empty, in the order of the names; empty where there is none."""
        return next((each.value for each in self.of(source, *names) if each.value), "")

    def json(self, text: str) -> dict[str, Any] | None:
        """The JSON object that a text is; parsed once, however many recognisers ask, and bounded over the file."""
        if not text.startswith("{"):
            return None
        if text not in self._objects:
            is_within = sum(map(len, self._objects)) + len(text) <= MAX_JSON
            self._objects[text] = json_object(text) if is_within else None
        return self._objects[text]

    @property
    def software(self) -> tuple[Field, ...]:
        """The fields that name the software which made the picture."""
        return (
            *self.of(Source.EXIF, "Software", "ProcessingSoftware", "ImageEditingSoftware"),
            *self.of(Source.XMP, "xmp:CreatorTool", "tiff:Software"),
            *self._keyed("software", "creatortool", "generator"),
            *self.of(Source.IIM, "Originating Program"),
        )

    @property
    def creators(self) -> tuple[Field, ...]:
        """The fields that name whoever made the picture."""
        return (
            *self.of(Source.EXIF, "Artist", "XPAuthor", "Photographer"),
            *self.of(Source.XMP, "dc:creator", "tiff:Artist", "ImageCreatorName"),
            *self._keyed("author", "creator", "artist"),
            *self.of(Source.IIM, "By-line"),
        )

    @property
    def credit_lines(self) -> tuple[Field, ...]:
        """The fields that say from whom the picture comes."""
        return (
            *self.of(Source.XMP, "photoshop:Credit", "photoshop:Source", "dc:source"),
            *self.of(Source.IIM, "Credit", "Source"),
            *self._keyed("source", "credit"),
        )

    @property
    def makers(self) -> tuple[Field, ...]:
        """The fields for make and model of the camera."""
        return (*self.of(Source.EXIF, "Make", "Model"), *self.of(Source.XMP, "tiff:Make", "tiff:Model"))

    @property
    def free_texts(self) -> tuple[Field, ...]:
        """The fields in which generators put text of their own, for which there is no agreed place."""
        return (
            *self.everything(Source.PNG),
            *self.everything(Source.HIDDEN),
            *self.of(Source.EXIF, "UserComment", "ImageDescription", "XPComment", "XPTitle", "XPSubject", "XPKeywords"),
            *self.of(Source.EXIF, "DocumentName", "ImageHistory"),
            *self.of(Source.XMP, "exif:UserComment", "dc:description", "dc:title", "tiff:ImageDescription"),
            *self.of(Source.IIM, "Caption"),
            *self.everything(Source.COMMENT),
        )

    def _keyed(self, *keys: str) -> tuple[Field, ...]:
        """The named texts of PNG and of the pixels, whose keys every writer spells in its own way."""
        named = (*self.everything(Source.PNG), *self.everything(Source.HIDDEN))
        return tuple(each for each in named if each.name.lower().replace(" ", "").replace("_", "") in keys)
