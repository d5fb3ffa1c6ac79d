"""What the IPTC fields declare of how a picture came about: Digital Source Type, and the AI fields of 2025.1."""

from __future__ import annotations

from collections.abc import Iterator

from assay.vocabulary import Claim, Observation
from forensics.declarations import CAPTURES, FULLY_GENERATED, PARTLY_GENERATED
from forensics.fields import Field, Fields, Source
from forensics.notes import CAVEAT, detail, observe, prompt

_MEANINGS = {
    "trainedAlgorithmicMedia": "made by a generative model",
    "trainedAlgorithmicData": "made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "edited with a generative model",
    "compositeSynthetic": "a composite with generated parts",
    "algorithmicMedia": "made by an algorithm that was not trained",
    "algorithmicallyEnhanced": "altered by an algorithm",
    "composite": "a composite, of what is not said",
    "compositeCapture": "a composite of captures",
    "computationalCapture": "captured in several frames that were merged",
    "digitalCapture": "captured by a digital camera",
    "negativeFilm": "scanned from a negative",
    "positiveFilm": "scanned from a slide",
    "print": "scanned from a print",
    "screenCapture": "captured from a screen",
    "virtualRecording": "recorded from a virtual event",
    "dataDrivenMedia": "drawn from data",
    "digitalCreation": "drawn by a person with software",
    "digitalArt": "drawn by a person with software",
    "softwareImage": "made with software",
    "humanEdits": "edited by a person without generative tools",
    "minorHumanEdits": "edited by a person without generative tools",
    "empty": "begun as an empty canvas",
}
_TERMS = {term.lower(): term for term in _MEANINGS} | {"multiframecomputationalcapture": "computationalCapture"}
_PROPERTIES = frozenset(
    {"digitalsourcetype", "digitalsourcefiletype"}
)  # the second is an old name that is still written
_SCHEMA_ORG = "digitalsource"

_SYSTEM, _VERSION, _PROMPT, _WRITER = (
    "AISystemUsed",
    "AISystemVersionUsed",
    "AIPromptInformation",
    "AIPromptWriterName",
)


def source_types(fields: Fields) -> Iterator[Observation]:
    """One observation for every term that the file declares."""
    first: dict[str, Field] = {}
    for field in fields.items:
        if _local(field) in _PROPERTIES:
            first.setdefault(term_of(field.value) or "", field)
    for term, field in first.items():
        if term:
            words = f"declares `{term}`: {_MEANINGS[term]}. {CAVEAT}"
        else:
            words = "holds a source type that is not in the IPTC vocabulary."
        yield observe(
            "digital-source-type",
            claim_of(term),
            f"The {field.place} {words}",
            [detail("Digital source type", term or field.value), detail("As written", field.value)],
        )


def term_of(value: str) -> str | None:
    """The term behind any of its spellings: URI, QCode, schema.org enumeration or bare name; None for other text."""
    name = value.strip().rstrip("/").rpartition("/")[2].rpartition(":")[2].strip().lower()
    return _TERMS.get(name.removesuffix(_SCHEMA_ORG) or name)


def claim_of(term: str) -> Claim | None:
    """What a term says of the picture; nothing for all that neither names a generative model nor a capture."""
    if term in FULLY_GENERATED:
        return Claim.GENERATED
    if term in PARTLY_GENERATED:
        return Claim.EDITED
    return Claim.CAPTURED if term in CAPTURES else None


def ai_fields(fields: Fields) -> Iterator[Observation]:
    """The fields in which IPTC 2025.1 names the AI system, its version, the prompt and who wrote it."""
    found = {
        name: next((field.value for field in fields.of(Source.XMP, name, f"Iptc4xmpExt:{name}") if field.value), "")
        for name in (_SYSTEM, _VERSION, _PROMPT, _WRITER)
    }
    if not any(found.values()):
        return
    # The fields say that a system was used, not on how much of the picture; the source type does.
    claims = {each.claim for each in source_types(fields)}
    claim = Claim.EDITED if Claim.EDITED in claims and Claim.GENERATED not in claims else Claim.GENERATED
    yield observe(
        "iptc-ai-fields",
        claim,
        f"The IPTC fields for AI say that an AI system was used. {CAVEAT}",
        [
            detail("AI system", found[_SYSTEM]),
            detail("AI system version", found[_VERSION]),
            detail("Prompt writer", found[_WRITER], private=True),
        ],
    )
    yield from prompt(found[_PROMPT])


def _local(field: Field) -> str:
    return field.name.rpartition(":")[2].lower()
