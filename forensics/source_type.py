"""What the IPTC fields declare of how a picture came about: Digital Source Type, and the AI fields of 2025.1."""

from __future__ import annotations

from collections.abc import Iterator

from assay.vocabulary import Claim, Observation
from forensics.fields import Field, Fields, Source
from forensics.notes import CAVEAT, detail, observe, prompt
from forensics.terms import CAPTURES, FULLY_GENERATED, MEANINGS, PARTLY_GENERATED, term_of

_PROPERTIES = frozenset(
    {"digitalsourcetype", "digitalsourcefiletype"}
)  # the second is an old name that is still written

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
            words = f"declares `{term}`: {MEANINGS[term]}. {CAVEAT}"
        else:
            words = "holds a source type that is not in the IPTC vocabulary."
        yield observe(
            "digital-source-type",
            claim_of(term),
            f"The {field.place} {words}",
            [detail("Digital source type", term or field.value), detail("As written", field.value)],
        )


def claim_of(term: str) -> Claim | None:
    """What a term says of the picture; nothing for all that neither names a generative model nor a capture."""
    if term in FULLY_GENERATED:
        return Claim.GENERATED
    if term in PARTLY_GENERATED:
        return Claim.EDITED
    return Claim.CAPTURED if term in CAPTURES else None


def _is_stated(field: Field) -> bool:
    """Not a way to leave a field empty."""
    return field.value.strip().strip("-.").lower() not in ("", "0", "no", "none", "n/a", "na", "false")


def ai_fields(fields: Fields) -> Iterator[Observation]:
    """The fields in which IPTC 2025.1 names the AI system, its version, the prompt and who wrote it."""
    found = {
        name: next((each.value for each in fields.of(Source.XMP, name, f"Iptc4xmpExt:{name}") if _is_stated(each)), "")
        for name in (_SYSTEM, _VERSION, _PROMPT, _WRITER)
    }
    if not any(found.values()):
        return
    # The fields say that a system was used, not on how much of the picture; the source type does.
    claims = {each.claim for each in source_types(fields)}
    unqualified = Claim.GENERATED if found[_PROMPT] else Claim.EDITED
    claim = next((each for each in (Claim.GENERATED, Claim.EDITED) if each in claims), None if claims else unqualified)
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
