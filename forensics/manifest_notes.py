"""Facts in a manifest store that are shown and change no verdict: redactions, and terms for training and mining."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from assay.vocabulary import Detail
from forensics import crjson
from forensics.crjson import as_dict, as_dicts, as_text, assertions, claim_of
from forensics.manifests import Store

_MAX_NOTES = 40
_MAX_VALUE = 300
_TRAINING = ("cawg.training-mining", "c2pa.training-mining")


def notes(store: Store) -> tuple[Detail, ...]:
    """Return one detail for each redaction and for each statement on training and mining, 40 at most."""
    found = (detail for manifest in store.manifests for detail in (*_redactions(store, manifest), *_training(manifest)))
    return tuple(dict.fromkeys(islice(found, _MAX_NOTES)))


def _redactions(store: Store, manifest: dict[str, Any]) -> Iterator[Detail]:
    """What this manifest's signer removed from earlier ones (C2PA 2.2, section 6.8), and the reason given."""
    signature = as_dict(as_dict(manifest.get("signature")).get("certificateInfo"))
    subject = as_dict(signature.get("subject"))
    signer = as_text(subject.get("O")) or as_text(subject.get("CN")) or "an unnamed signer"
    reasons = _reasons(manifest)
    stated = claim_of(manifest).get("redacted_assertions")
    for uri in map(as_text, stated if isinstance(stated, list) else ()):
        name, reason = uri.rpartition("/")[2], reasons.get(uri, "")
        behind = store.by_label.get(crjson.label_in(uri), {})
        title = as_text(claim_of(behind).get("dc:title"))
        whence = f" from the manifest of {title}" if title else ""
        why = f"reason given: {reason}" if reason else "no reason given"
        yield Detail(name="Removed from the history", value=f"{name}{whence}, by {signer}; {why}"[:_MAX_VALUE])


def _reasons(manifest: dict[str, Any]) -> dict[str, str]:
    """The reason that an action `c2pa.redacted` gives, by the URI of what was removed."""
    found = {}
    for assertion in assertions(manifest, "c2pa.actions"):
        for action in as_dicts(assertion.get("actions")):
            if as_text(action.get("action")) == "c2pa.redacted":
                uri = as_text(as_dict(action.get("parameters")).get("redacted"))
                found[uri] = as_text(action.get("reason")) or as_text(action.get("description"))
    return found


def _training(manifest: dict[str, Any]) -> Iterator[Detail]:
    """What the manifest allows of training models and of data mining (CAWG Training and Data Mining 1.1)."""
    for label in _TRAINING:
        for assertion in assertions(manifest, label):
            for name, entry in as_dict(assertion.get("entries")).items():
                use, terms = as_text(as_dict(entry).get("use")), as_text(as_dict(entry).get("constraint_info"))
                if use:
                    what = name.rpartition(".")[2].replace("_", " ")
                    yield Detail(name="Training and mining", value=f"{what}: {use} {terms}".strip()[:_MAX_VALUE])
