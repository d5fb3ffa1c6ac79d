"""The history of an image as a tree of nodes in words, bounded so that it can be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from assay.report.escape import LISTED, first
from assay.report.wording import signer_words
from assay.vocabulary import Action, AiUse, Attestation, Manifest, Trust

MAX_DEPTH = 30
MAX_NODES = 200

_TRUST_CODES = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.", "cawg.")
"""Codes that speak of who signed and when (C2PA 2.2, section 15.2.2); any other means that something does not match."""
_PASSED = (".match", ".validated", ".trusted", ".insideValidity", ".notRevoked")
"""How codes of success end, which the first ingredient assertions list beside the failures."""

_RELATIONSHIPS = {
    None: "this file",
    "parentOf": "earlier version",
    "componentOf": "part of the image",
    "inputTo": "input, not in the image",
}

_SOURCES = {
    "trainedAlgorithmicMedia": "made by a generative model",
    "trainedAlgorithmicData": "data made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "with parts made by a generative model",
    "compositeSynthetic": "composite with synthetic parts",
    "algorithmicMedia": "made by an algorithm without training",
    "algorithmicallyEnhanced": "enhanced by an algorithm",
    "composite": "composite",
    "compositeCapture": "composite of captures",
    "computationalCapture": "captured with computation",
    "digitalCapture": "captured by a digital camera",
    "digitalCreation": "drawn by a person with software",
    "digitalArt": "drawn by a person with software",
    "humanEdits": "edited by a person",
    "minorHumanEdits": "edited by a person",
    "negativeFilm": "scanned from a negative",
    "positiveFilm": "scanned from a positive",
    "print": "scanned from a print",
    "screenCapture": "captured from a screen",
    "virtualRecording": "recorded from a virtual scene",
    "dataDrivenMedia": "drawn from data",
    "empty": "started empty",
}
"""The terms of the IPTC Digital Source Type vocabulary and of C2PA, in words."""

TRUSTED = "trusted"
UNCOVERED = "the signature does not cover the picture"
UNKNOWN = "intact, signer unknown"
EXPIRED = "intact, signer's certificate expired"
REVOKED = "intact, signer's certificate revoked"
BROKEN = "does not verify"
HISTORY_BROKEN = "history broken"
NOT_FETCHED = "points to a remote manifest (not fetched)"
BARE = "no credentials of its own"

SHAPES = {
    TRUSTED: "●",
    UNKNOWN: "○",
    EXPIRED: "◐",
    REVOKED: "◐",
    HISTORY_BROKEN: "△",
    UNCOVERED: "▽",
    BROKEN: "▲",
    NOT_FETCHED: "◌",
    BARE: "◌",
}
"""A state is told apart by its shape and its words, never by colour alone."""


_STATES = {Trust.TRUSTED: TRUSTED, Trust.UNKNOWN: UNKNOWN, Trust.EXPIRED: EXPIRED, Trust.REVOKED: REVOKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One version, part or input of the image."""

    title: str
    role: str
    state: str
    facts: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()
    left_out: int = 0
    """Ingredients below this node that are not drawn."""
    thumbnail: bytes | None = field(default=None, repr=False)
    """A JPEG; see `Manifest.thumbnail`."""

    @property
    def shape(self) -> str:
        """A character for the state."""
        return SHAPES[self.state]

    @property
    def has_pictures(self) -> bool:
        """Whether a manifest's own picture is shown anywhere in this history."""
        return self.thumbnail is not None or any(child.has_pictures for child in self.children)


@dataclass(slots=True)
class _Budget:
    nodes: int = field(default=MAX_NODES)


def tree(attestation: Attestation) -> Node | None:
    """The history from the file back; None where no manifest could be read."""
    if attestation.manifest is None:
        return None
    return _node(attestation.manifest, _Budget(), state=attestation.state)


def _node(manifest: Manifest, budget: _Budget, *, depth: int = 0, state: str | None = None) -> Node:
    budget.nodes -= 1
    state = state or state_of(manifest)
    children = []
    for ingredient in manifest.ingredients:
        if depth + 1 >= MAX_DEPTH or budget.nodes <= 0:
            break
        children.append(_node(ingredient, budget, depth=depth + 1))
    return Node(
        title=manifest.title,
        role=_RELATIONSHIPS.get(manifest.relationship, manifest.relationship or ""),
        state=state,
        facts=tuple(_facts(manifest, vouched_for=state == TRUSTED)),
        children=tuple(children),
        left_out=sum(map(_size, manifest.ingredients[len(children) :])),
        thumbnail=manifest.thumbnail,
    )


def state_of(manifest: Manifest) -> str:
    """What can be said of an ingredient; the file itself has the state of its attestation."""
    failures = [code for code in manifest.failures if not code.endswith(_PASSED)]
    if any(not code.startswith(_TRUST_CODES) for code in failures):
        return BROKEN
    if manifest.signer is None:
        return BARE
    return _STATES[manifest.trust]


def _facts(manifest: Manifest, *, vouched_for: bool) -> Iterator[str]:
    if manifest.signer:
        yield signer_words(manifest.signer, vouched_for=vouched_for)
    if manifest.generator:
        yield f"software, by its own account: {manifest.generator}"
    if manifest.actions:
        shown, rest = first([_counted(*each) for each in groupby(map(_action, manifest.actions))], LISTED)
        yield "actions: " + "; ".join((*shown, rest) if rest else shown)
    if manifest.ai_use is not AiUse.NONE:
        yield f"declared AI use: {manifest.ai_use.value}"
    if manifest.failures:
        shown, rest = first(manifest.failures, LISTED)
        yield "status codes: " + ", ".join((*shown, rest) if rest else shown)


def _counted(text: str, repeats: Iterable[str]) -> str:
    count = sum(1 for _ in repeats)
    return text if count == 1 else f"{text} ({count:,} times)"


def _action(action: Action) -> str:
    name = action.name
    if name.startswith("c2pa."):
        name = name.removeprefix("c2pa.").replace("_", " ").replace(".", ", ")
    term = action.digital_source_type
    source = "" if term is None else f" ({_SOURCES[term]}: {term})" if term in _SOURCES else f" ({term})"
    return f"{name}{source}" + (f" with {action.software}" if action.software else "")


def _size(manifest: Manifest) -> int:
    """Count a subtree, without recursion: its depth is up to whoever made the file."""
    count, waiting = 0, [manifest]
    while waiting:
        count += 1
        waiting.extend(waiting.pop().ingredients)
    return count
