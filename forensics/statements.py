"""What one manifest states: its actions, the AI use that it declares, and what went into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.vocabulary import Action, AiUse
from forensics import declarations
from forensics.crjson import (
    Manifest,
    as_dict,
    as_dicts,
    as_text,
    assertions,
    claim_of,
    generator_of,
    ingredient_label,
    ingredients,
)
from forensics.declarations import INCEPTION, Statement
from forensics.terms import term_of


def statement_of(manifest: Manifest, *, is_vouched_for: bool) -> Statement:
    """Return what a manifest states.

    Args:
        manifest: As crJSON writes it.
        is_vouched_for: Whether the chosen list vouches for its signer.
    """
    actions = tuple(_actions(manifest))
    linked = ((as_text(each.get("relationship")), ingredient_label(each)) for each in ingredients(manifest))
    return Statement(
        actions=actions,
        ai_use=declarations.strongest(declarations.of_actions(actions), *_elsewhere(manifest)),
        is_vouched_for=is_vouched_for,
        names_generator=declarations.names_generator(actions, generator_of(claim_of(manifest))),
        ingredients=tuple((relationship, label) for relationship, label in linked if label),
    )


def _actions(manifest: Manifest) -> Iterator[Action]:
    for assertion in assertions(manifest, "c2pa.actions"):
        for action in as_dicts(assertion.get("actions")):
            agent = action.get("softwareAgent")
            yield Action(
                name=as_text(action.get("action")) or "unnamed",
                digital_source_type=_term(action.get("digitalSourceType")),
                software=as_text(agent) or as_text(as_dict(agent).get("name")) or None,
            )


def _term(value: Any) -> str | None:
    """The term; unknown text as it is."""
    return term_of(as_text(value)) or as_text(value).rstrip("/").rpartition("/")[2] or None


def _elsewhere(manifest: Manifest) -> Iterator[AiUse]:
    """AI use that is declared outside the list of actions: metadata, templates, Adobe's assertion of 2023."""
    for name, body in as_dict(manifest.get("assertions")).items():
        if name.startswith("com.adobe.generative-ai"):
            yield AiUse.FULLY if any(action.name in INCEPTION for action in _actions(manifest)) else AiUse.PARTLY
        elif "metadata" in name or name.startswith("stds.iptc"):
            yield from (declarations.of_term(term, is_inception=True) for term in _source_types(body))
        elif name.startswith("c2pa.actions"):
            yield from (declarations.of_term(term, is_inception=False) for term in _source_types(body))


def _source_types(body: Any) -> Iterator[str]:
    """The value of every key that ends in DigitalSourceType, however deep."""
    pending = [body]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        for key, inner in as_dict(value).items():
            if key.lower().endswith("digitalsourcetype"):
                texts = inner if isinstance(inner, list) else [inner]
                yield from (term for text in texts if (term := _term(text)))
            else:
                pending.append(inner)
