"""Whose picture it is, according to IPTC IIM, XMP and EXIF, and whether the three agree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import combinations

from assay.vocabulary import Observation
from forensics.fields import Fields, Source
from forensics.notes import detail, observe

_PLACES: Mapping[str, tuple[tuple[Source, tuple[str, ...]], ...]] = {
    "Creator": (
        (Source.IIM, ("By-line",)),
        (Source.XMP, ("dc:creator",)),
        (Source.EXIF, ("Artist", "Photographer", "XPAuthor")),
        (Source.PNG, ("Author",)),
    ),
    "Credit": ((Source.IIM, ("Credit",)), (Source.XMP, ("photoshop:Credit",))),
    "Copyright": (
        (Source.IIM, ("Copyright Notice",)),
        (Source.XMP, ("dc:rights",)),
        (Source.EXIF, ("Copyright",)),
        (Source.PNG, ("Copyright",)),
    ),
}
_IIM_LIMITS = {"Creator": 32, "Credit": 32, "Copyright": 128}
"""Bytes; writers cut what is longer (IIM 4.2, datasets 2:80, 2:110, 2:116)."""
_SEPARATORS = re.compile(r"[;,/|&]|\band\b")
_BOILERPLATE = re.compile(r"\bcopyright\b|\ball rights reserved\b|\(c\)|©")
_MAX_VALUES, _MAX_LENGTH = 50, 1_000
_MIN_CONTAINED = 4
_MIN_PREFIX = 12


def rights(fields: Fields) -> Iterator[Observation]:
    """Creator, credit line and copyright notice, each with the place it was read from."""
    details = [
        detail(f"{name} [{source.value}]", "; ".join(values), private=name == "Creator")
        for name in _PLACES
        for source, values in _values(fields, name).items()
    ]
    if details:
        yield observe("rights", None, "The metadata says whose picture it is.", details)


def rights_disagree(fields: Fields) -> Iterator[Observation]:
    """Fields that by standard hold one statement, yet differ (Metadata Working Group guidelines 2.0, section 3)."""
    differing: dict[str, None] = {}
    details = []
    for name in _PLACES:
        found = [(source, values) for source, values in _values(fields, name).items() if source is not Source.PNG]
        if any(not _agree(name, *pair) for pair in combinations(found, 2)):
            differing[name.lower()] = None
            details += [
                detail(f"{name} [{source.value}]", "; ".join(values), private=name == "Creator")
                for source, values in found
            ]
    if differing:
        words = f"The places in the file that name its {' and '.join(differing)} do not agree."
        yield observe("rights-disagree", None, words, details, contradiction=True)


def _values(fields: Fields, name: str) -> dict[Source, tuple[str, ...]]:
    found = {}
    for source, names in _PLACES[name]:
        stated = fields.of(source, *names)[:_MAX_VALUES]
        values = tuple(dict.fromkeys(field.value[:_MAX_LENGTH] for field in stated if field.value))
        if source is Source.XMP and name == "Copyright":
            values = values[:1]  # one notice in several languages, the default one first
        if values:
            found[source] = values
    return found


def _agree(name: str, first: tuple[Source, tuple[str, ...]], second: tuple[Source, tuple[str, ...]]) -> bool:
    """Whether two statements are the same, or one says less than the other."""
    one, other = _normal(name, first[1]), _normal(name, second[1])
    if not one or not other or set(one) <= set(other) or set(other) <= set(one):
        return True
    short, long = sorted(("".join(one), "".join(other)), key=len)
    if len(short) >= _MIN_CONTAINED and short in long:
        return True
    is_cut = any(
        source is Source.IIM and any(len(value.encode()) >= _IIM_LIMITS[name] - 1 for value in values)
        for source, values in (first, second)
    )
    return is_cut and short[:_MIN_PREFIX] == long[:_MIN_PREFIX]


def _normal(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """A statement without what software changes on its way: case, spaces, accents, order and signs."""
    text = unicodedata.normalize("NFKD", _BOILERPLATE.sub(" ", "; ".join(values).casefold()))
    parts = _SEPARATORS.split(text) if name == "Creator" else [text]
    letters = ("".join(char for char in part if char.isalnum()) for part in parts)
    return tuple(sorted(filter(None, letters)))
