"""What a manifest says of an image: how it came about, what was done to it, what went into it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assay import binding as soft_binding
from assay.binding import SoftBinding
from assay.errors import SigningError
from assay.vocabulary import Action

_IPTC, _C2PA = "http://cv.iptc.org/newscodes/digitalsourcetype/", "http://c2pa.org/digitalsourcetype/"

SOURCE_TYPES = {
    **{
        term: _IPTC + term
        for term in (
            "algorithmicMedia",
            "algorithmicallyEnhanced",
            "composite",
            "compositeCapture",
            "compositeSynthetic",
            "compositeWithTrainedAlgorithmicMedia",
            "computationalCapture",
            "dataDrivenMedia",
            "digitalCapture",
            "digitalCreation",
            "humanEdits",
            "negativeFilm",
            "positiveFilm",
            "print",
            "screenCapture",
            "trainedAlgorithmicMedia",
            "virtualRecording",
        )
    },
    **{term: _C2PA + term for term in ("empty", "trainedAlgorithmicData")},
}
"""Digital source types in use: the IPTC's, retired terms left out, and those that C2PA adds (C2PA 2.2, section
18.14.4.5). The library writes any string; a term that no reader knows would declare nothing."""

_ACTIONS_OF_OUR_OWN = frozenset({"c2pa.created", "c2pa.opened", "c2pa.placed", "c2pa.watermarked", soft_binding.ACTION})
_WITHOUT_INPUTS = frozenset({"c2pa.opened", "c2pa.placed"})
"""Each of these names the one ingredient that it speaks of; inputs belong to the first action that used them."""


class Relationship(StrEnum):
    """What an ingredient was to the image (C2PA 2.2, section 18.15)."""

    PARENT = "parentOf"
    """The image itself, before the actions."""
    COMPONENT = "componentOf"
    """A part of the image."""
    INPUT = "inputTo"
    """Given to a generator; not in the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A file that went into the image. Its own credentials, where it has some, are kept and checked."""

    data: bytes
    mime: str
    title: str
    relationship: Relationship


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the manifest says of the image."""

    title: str
    source_type: str | None = "trainedAlgorithmicMedia"
    """How the image was created, as a key of `SOURCE_TYPES`; None where it was made from a parent."""
    software: str | None = None
    """What made the image, or opened the parent: the name of a model, say."""
    software_version: str | None = None
    """Of that software: what its maker calls this revision."""
    actions: tuple[Action, ...] = ()
    """What was done next, in order."""
    ingredients: tuple[Ingredient, ...] = ()
    parent_source_type: str | None = None
    """How the parent says of itself that it was created, as a key of `SOURCE_TYPES`: in metadata, where no manifest of
    its own states it. None where it says nothing."""
    bindings: tuple[SoftBinding, ...] = ()
    """The watermarks that the finished image carries."""


def definition(declaration: Declaration) -> dict[str, Any]:
    """The manifest as the C2PA library takes it. All of it is the signer's own statement (`created`), nothing gathered.

    Raises:
        SigningError: A source type that nobody knows, no way in which the image came to be, or two.
    """
    actions = [_inception(declaration), *_placements(declaration), *map(_action, declaration.actions)]
    inputs = _labels(declaration, Relationship.INPUT)
    using = [action for action in actions if action["action"] not in _WITHOUT_INPUTS]
    if inputs and using:
        using[0]["parameters"] = {"ingredientIds": inputs}
    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]
    if declaration.bindings:
        actions.append({"action": soft_binding.ACTION})  # the last one: the marks are in the image as it is now
        assertions += [soft_binding.assertion(binding) for binding in declaration.bindings]
    return {"title": declaration.title, "assertions": [{**each, "created": True} for each in assertions]}


def _inception(declaration: Declaration) -> dict[str, Any]:
    """The first action: the image was created, or it was opened (C2PA 2.2, section 18.14.2)."""
    parents = _labels(declaration, Relationship.PARENT)
    if len(parents) > 1:
        raise SigningError("an image has one parent at most", hint="Make the others components or inputs.")
    if bool(parents) == bool(declaration.source_type):
        raise SigningError(
            "an image is either created or opened from a parent",
            hint="Give a source type without a parent ingredient, or a parent and source_type=None; "
            "a change to a parent takes its source type in its own action.",
        )
    first = Action(
        name="c2pa.opened" if parents else "c2pa.created",
        digital_source_type=declaration.parent_source_type if parents else declaration.source_type,
        software=declaration.software,
    )
    return _written(first, parents, version=declaration.software_version)


def _placements(declaration: Declaration) -> list[dict[str, Any]]:
    placed = Action(name="c2pa.placed", software=declaration.software)
    labels = _labels(declaration, Relationship.COMPONENT)
    return [_written(placed, [label], version=declaration.software_version) for label in labels]


def _action(action: Action) -> dict[str, Any]:
    if action.name in _ACTIONS_OF_OUR_OWN:
        raise SigningError(
            f"{action.name} follows from the declaration and is written by itself",
            hint="Leave it out; state the source type, or add the ingredient or the soft binding.",
        )
    return _written(action)


def _written(action: Action, ingredients: Sequence[str] = (), *, version: str | None = None) -> dict[str, Any]:
    written: dict[str, Any] = {"action": action.name}
    if action.digital_source_type is not None:
        written["digitalSourceType"] = _source_type(action.digital_source_type)
    if action.software is not None:
        written["softwareAgent"] = {"name": action.software} | ({"version": version} if version else {})
    if ingredients:
        written["parameters"] = {"ingredientIds": list(ingredients)}
    return written


def _source_type(term: str) -> str:
    if term not in SOURCE_TYPES:
        near = difflib.get_close_matches(term, SOURCE_TYPES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(SOURCE_TYPES))}."
        raise SigningError(f"{term!r} is not a digital source type", hint=hint)
    return SOURCE_TYPES[term]


def _labels(declaration: Declaration, relationship: Relationship) -> list[str]:
    numbered = enumerate(declaration.ingredients)
    return [label(number) for number, ingredient in numbered if ingredient.relationship is relationship]


def label(number: int) -> str:
    """Ties an ingredient's file to the action that names it; the signed manifest does not keep it."""
    return f"ingredient-{number}"
