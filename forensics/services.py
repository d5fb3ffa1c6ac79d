"""Marks that hosted generators and their labels leave in metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from assay.vocabulary import Claim, Observation
from forensics.fields import Field, Fields, Source
from forensics.notes import CAVEAT, detail, observe, prompt

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


# --- Midjourney -------------------------------------------------------------------------------------------------------

_JOB = re.compile(rf"\bJob ID: ({_UUID})\b")
_OPTION = re.compile(r"(?:^|\s)--(?:v|version|niji|ar|s|stylize|style|chaos|q|seed|raw)\s+[\w.:]+")
_MIN_OPTIONS = 2
_MAX_CAPTION = 20_000


def midjourney(fields: Fields) -> Iterator[Observation]:
    """A description with Midjourney's options and job number; without the number, only a resemblance."""
    for field in fields.free_texts:
        if len(field.value) > _MAX_CAPTION:
            continue
        job, options = _JOB.search(field.value), _OPTION.findall(field.value)
        if job is None and len(options) < _MIN_OPTIONS:
            continue
        words = "carries a Midjourney job number" if job else "ends in options as Midjourney's prompts do"
        yield observe(
            "midjourney",
            Claim.GENERATED if job else None,
            f"The {field.place} {words}. {CAVEAT}",
            [
                detail("Job ID", job[1] if job else ""),
                detail("Options", " ".join(option.strip() for option in options)),
            ],
        )
        yield from prompt(_JOB.sub("", field.value))
        return


# --- the Chinese label ------------------------------------------------------------------------------------------------

_LABEL_FIELDS = ("ContentProducer", "ProduceID", "ContentPropagator", "PropagateID", "ServiceProvider", "ServiceUser")
_LABEL_IDS = frozenset({"ProduceID", "PropagateID", "ServiceUser"})
_LABEL_MEANINGS = {"1": "as generated", "2": "as possibly generated", "3": "as suspected to be generated"}
_GLUED = re.compile(r"AIGC\s*(?=\{)")


def tc260(fields: Fields) -> Iterator[Observation]:
    """The implicit label of GB 45438-2025 (TC260): a JSON object `AIGC` in XMP, PNG text, EXIF or a comment."""
    for field in (*fields.everything(Source.XMP), *fields.free_texts):
        label = _label(fields, field)
        if label is None:
            continue
        value = str(label.get("Label", "1"))  # a provider's own object has no such entry
        meaning = _LABEL_MEANINGS.get(value, "with a value that the standard does not know")
        yield observe(
            "tc260-aigc",
            Claim.GENERATED if value == "1" else None,
            f"The {field.place} holds China's AIGC label, which marks the picture {meaning}. {CAVEAT}",
            [
                detail("Label", label.get("Label", "")),
                *(detail(name, label.get(name, ""), private=name in _LABEL_IDS) for name in _LABEL_FIELDS),
            ],
        )
        return


def _label(fields: Fields, field: Field) -> dict[str, Any] | None:
    glued = _GLUED.match(field.value)
    is_named = field.name.rpartition(":")[2] == "AIGC" or glued is not None
    if field.source is Source.XMP and not is_named:
        return None
    label = fields.json(field.value[glued.end() :] if glued else field.value) or {}
    inner = label.get("AIGC")
    if isinstance(inner, dict):
        label, is_named = inner, True
    known = {name: value for name, value in label.items() if isinstance(value, str | int)}
    return known if is_named and {"Label", *_LABEL_FIELDS} & known.keys() else None


# --- xAI, Hugging Face ------------------------------------------------------------------------------------------------

_SIGNATURE = re.compile(r"Signature: ?[A-Za-z0-9+/]{64,}={0,2}$")


def xai(fields: Fields) -> Iterator[Observation]:
    """Grok's pair of EXIF fields: a signature as the description, a number as the artist. Neither can be checked."""
    signed = next(
        (each for each in fields.of(Source.EXIF, "ImageDescription", "UserComment") if _SIGNATURE.match(each.value)),
        None,
    )
    artist = fields.first(Source.EXIF, "Artist")
    if signed is not None and re.fullmatch(_UUID, artist):
        yield observe(
            "xai-grok",
            Claim.GENERATED,
            f"The EXIF fields `Artist` and `{signed.name}` have the form that xAI's Grok writes. {CAVEAT}",
            [detail("Artist", artist, private=True)],
        )


def hugging_face(fields: Fields) -> Iterator[Observation]:
    """The number of the Hugging Face job that made the file."""
    if job := fields.first(Source.PNG, "hf-job-id").strip():
        words = f"The PNG text block `hf-job-id` names a job on Hugging Face, where models run. {CAVEAT}"
        yield observe("hugging-face-job", Claim.GENERATED, words, [detail("Job", job)])
