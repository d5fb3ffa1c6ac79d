"""What a manifest declares about how an image was made, in the classes of the C2PA Asset Signals Rubric 1.0."""

from __future__ import annotations

from collections.abc import Iterator

from assay.vocabulary import Action, AiUse, Claim, Manifest

FULLY_GENERATED = frozenset({"trainedAlgorithmicMedia", "trainedAlgorithmicData"})
PARTLY_GENERATED = frozenset({"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"})
POSSIBLY_GENERATED = frozenset({"digitalArt", "composite", "screenCapture"})
"""The rubric's "possibly" terms; a screen capture may show anything."""
CAPTURES = frozenset(
    {"digitalCapture", "computationalCapture", "compositeCapture", "negativeFilm", "positiveFilm", "print"}
)

_INCEPTION = frozenset({"c2pa.created", "c2pa.opened"})
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
_GENERATORS = (
    "bing image creator",
    "image creator from",
    "dall",
    "chatgpt",
    "gpt-4o",
    "gpt-image",
    "adobe firefly",
    "adobe_firefly",
    "imagen",
    "midjourney",
    "stable diffusion",
)
"""Software that only ever generates; some of it signs a creation without saying how it came about."""

_RANK = (AiUse.NONE, AiUse.POSSIBLE, AiUse.PARTLY, AiUse.FULLY)


def strongest(*uses: AiUse) -> AiUse:
    """The strongest of several declarations; none declared where there are none."""
    return max(uses, key=_RANK.index, default=AiUse.NONE)


def own_ai_use(actions: tuple[Action, ...], generator: str | None) -> AiUse:
    """What one manifest declares by itself, without its ingredients."""
    return strongest(*(_of_action(action, generator) for action in actions))


def _of_action(action: Action, generator: str | None) -> AiUse:
    term = action.digital_source_type
    if term in FULLY_GENERATED:
        return AiUse.FULLY if action.name in _INCEPTION else AiUse.PARTLY
    if term in PARTLY_GENERATED:
        return AiUse.PARTLY
    if term in POSSIBLY_GENERATED:
        return AiUse.POSSIBLE
    if term is None and action.name == "c2pa.created":
        software = (action.software or generator or "").lower()
        if software.startswith(_GENERATORS):
            return AiUse.FULLY
    return AiUse.NONE


def ai_use(node: Manifest) -> AiUse:
    """What a manifest and everything that went into the image declare.

    A parent is the image itself at an earlier time, so its declaration counts whole; a component is a part of the
    image; an input, such as a reference for a generator, is not in the image at all.
    """
    inherited = []
    for ingredient in node.ingredients:
        use = ai_use(ingredient)
        if ingredient.relationship == "parentOf":
            inherited.append(use)
        elif ingredient.relationship == "componentOf":
            inherited.append(AiUse.PARTLY if use is AiUse.FULLY else use)
    return strongest(node.ai_use, *inherited)


def claim(node: Manifest) -> Claim | None:
    """What the history as a whole states of the image; None where it states nothing."""
    match ai_use(node):
        case AiUse.FULLY:
            return Claim.GENERATED
        case AiUse.PARTLY:
            return Claim.EDITED
        case _:
            actions = tuple(_line_of_descent(node))
    if any(_is_editorial(action) for action in actions):
        return Claim.EDITED
    if any(action.digital_source_type in CAPTURES for action in actions):
        return Claim.CAPTURED
    return None


def _line_of_descent(node: Manifest) -> Iterator[Action]:
    yield from node.actions
    for ingredient in node.ingredients:
        if ingredient.relationship == "parentOf":
            yield from _line_of_descent(ingredient)


def _is_editorial(action: Action) -> bool:
    known = action.name.startswith("c2pa.") and action.name != "c2pa.unknown"
    return known and action.name not in _INCEPTION and action.name not in _NON_EDITORIAL
