"""What the manifests of a history declare about how an image was made.

The classes are those of the C2PA Asset Signals Rubric 1.0. A history is a graph: manifests share ingredients, and a
hostile one may run in circles, so everything here is linear in its size and never recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

from assay.vocabulary import Action, AiUse, Claim
from forensics.terms import CAPTURES, FULLY_GENERATED, PARTLY_GENERATED, POSSIBLY_GENERATED

PARENT, COMPONENT = "parentOf", "componentOf"
INCEPTION = frozenset({"c2pa.created", "c2pa.opened"})
_NON_EDITORIAL = frozenset(
    {
        "c2pa.converted",
        "c2pa.published",
        "c2pa.repackaged",
        "c2pa.transcoded",
        "c2pa.resized.proportional",
        "c2pa.enhanced",
        "c2pa.edited.metadata",
        "c2pa.watermarked",
        "c2pa.watermarked.bound",
        "c2pa.watermarked.unbound",
        "c2pa.redacted",
    }
)
_GENERATORS = re.compile(
    r"\b(dall[-·•. ]?e(\b|[ -]?\d)|bing image creator|image creator from|chatgpt|gpt-?4o|gpt-image|adobe[ _]firefly"
    r"|imagen(?=[ -]?\d|$)|midjourney|stable diffusion)",
    re.IGNORECASE,
)
"""Software that only ever generates; some of it signs a creation without saying how it came about."""
_RANK = (AiUse.NONE, AiUse.POSSIBLE, AiUse.PARTLY, AiUse.FULLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one manifest says."""

    actions: tuple[Action, ...] = ()
    ai_use: AiUse = AiUse.NONE
    """By itself, without its ingredients."""
    is_vouched_for: bool = False
    """Whether the chosen list vouches for its own signer."""
    names_generator: bool = False
    """Whether its software only ever generates; an inference from a name."""
    ingredients: tuple[tuple[str, str], ...] = ()
    """Relationship and label of each that has a manifest."""


History = Mapping[str, Statement]


def strongest(*uses: AiUse) -> AiUse:
    """The strongest of several declarations; none declared where there are none."""
    return max(uses, key=_RANK.index, default=AiUse.NONE)


def of_term(term: str | None, *, is_inception: bool) -> AiUse:
    """What a digital source type declares, of a whole image or of one step."""
    if term in FULLY_GENERATED:
        return AiUse.FULLY if is_inception else AiUse.PARTLY
    if term in PARTLY_GENERATED:
        return AiUse.PARTLY
    return AiUse.POSSIBLE if term in POSSIBLY_GENERATED else AiUse.NONE


def of_actions(actions: tuple[Action, ...]) -> AiUse:
    """What the actions of one manifest declare."""
    return strongest(
        *(of_term(action.digital_source_type, is_inception=action.name in INCEPTION) for action in actions)
    )


def names_generator(actions: tuple[Action, ...], generator: str | None) -> bool:
    """Whether an image that a manifest creates without a source type comes from software that only generates."""
    if any(action.digital_source_type for action in actions):
        return False
    created = [action.software or generator for action in actions if action.name == "c2pa.created"]
    names = created if actions else [generator]
    return any(_GENERATORS.search(name) for name in names if name)


def ai_use(history: History, root: str, *, vouched_for: bool = False) -> AiUse:
    """What a manifest and everything that went into the image declare.

    A parent is the image itself at an earlier time, so its declaration counts whole; a component is a part of the
    image; an input, such as a reference for a generator, is not in the image at all.

    Args:
        history: Manifests by label, in the order of the file: ingredients mostly follow what they went into.
        root: Label of the active manifest.
        vouched_for: Count only what signers declare for whom the chosen list vouches, and to whom a line of such
            signers leads: where a stranger stands between, only the stranger links the statement to this picture.
    """
    counted = {label: each for label, each in history.items() if each.is_vouched_for or not vouched_for}
    uses = {label: each.ai_use for label, each in counted.items()}
    changed = True
    while changed:  # every pass but the last raises a value of four, so there are at most three times as many as nodes
        changed = False
        for label in reversed(list(counted)):
            inherited = strongest(uses[label], *_inherited(counted[label], uses))
            if inherited is not uses[label]:
                uses[label], changed = inherited, True
    return uses.get(root, AiUse.NONE)


def ai_use_where_broken(history: History, root: str) -> AiUse:
    """Return what a manifest that breaks the standard, or no longer matches, declares with its history.

    It may leave out how its parts went into the image. So where one manifest lists a single part, no parent, and no
    creation, that part counts as the image itself; and a manifest to which nothing leads counts whole.
    """
    mended = {label: replace(each, ingredients=tuple(_mended(each))) for label, each in history.items()}
    linked, waiting = {root}, [root]
    while waiting:
        statement = history.get(waiting.pop(), Statement())
        fresh = {label for _, label in statement.ingredients} - linked
        linked |= fresh
        waiting += fresh
    alone = (each.ai_use for label, each in history.items() if label not in linked)
    return strongest(ai_use(mended, root), *alone)


def _mended(statement: Statement) -> Iterator[tuple[str, str]]:
    relationships = [relationship for relationship, _ in statement.ingredients]
    is_created = any(action.name == "c2pa.created" for action in statement.actions)
    is_only_part = relationships.count(COMPONENT) == 1 and PARENT not in relationships and not is_created
    for relationship, label in statement.ingredients:
        yield (PARENT if is_only_part and relationship == COMPONENT else relationship), label


def _inherited(statement: Statement, uses: Mapping[str, AiUse]) -> Iterator[AiUse]:
    for relationship, label in statement.ingredients:
        use = uses.get(label, AiUse.NONE)
        if relationship == PARENT:
            yield use
        elif relationship == COMPONENT:
            yield AiUse.PARTLY if use is AiUse.FULLY else use


def claim(history: History, root: str, *, vouched_for: bool = False) -> Claim | None:
    """What the history as a whole states of the image; None where it states nothing, or nothing clear.

    Args: as for `ai_use`.
    """
    match ai_use(history, root, vouched_for=vouched_for):
        case AiUse.FULLY:
            return Claim.GENERATED
        case AiUse.PARTLY:
            return Claim.EDITED
        case _:
            line = list(line_of_descent(history, root))
    spoken = list(takewhile(lambda each: each.is_vouched_for, line)) if vouched_for else line
    actions = [action for statement in spoken for action in statement.actions]
    if any(_is_editorial(action) for action in actions):
        return Claim.EDITED
    # A capture has to be stated by whoever made the oldest version, with nothing unclear, and no AI, anywhere since.
    is_clear = all(action.name in INCEPTION | _NON_EDITORIAL for each in line for action in each.actions)
    is_certain = ai_use(history, root) is AiUse.NONE and not any(each.names_generator for each in line)
    oldest = line[-1].actions if len(spoken) == len(line) else ()
    created = [action.digital_source_type for action in oldest if action.name == "c2pa.created"]
    is_capture = bool(created) and all(term in CAPTURES for term in created)
    return Claim.CAPTURED if is_clear and is_certain and is_capture else None


def line_of_descent(history: History, root: str) -> Iterator[Statement]:
    """The manifest, its parent, the parent's parent, and so on."""
    seen: set[str] = set()
    label = root
    while label in history and label not in seen:
        seen.add(label)
        yield history[label]
        parents = (each for relationship, each in history[label].ingredients if relationship == PARENT)
        label = next(parents, "")


def names_generator_for_sure(history: History, root: str) -> bool:
    """Return whether a signer in an unbroken line of vouched-for ones names software that only ever generates."""
    spoken = takewhile(lambda each: each.is_vouched_for, line_of_descent(history, root))
    return any(each.names_generator for each in spoken)


def _is_editorial(action: Action) -> bool:
    known = action.name.startswith("c2pa.") and action.name != "c2pa.unknown"
    return known and action.name not in INCEPTION | _NON_EDITORIAL
