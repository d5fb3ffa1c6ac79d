import pytest

from assay.vocabulary import Action, AiUse, Claim, Manifest
from forensics.declarations import ai_use, claim, own_ai_use, strongest


def _action(name: str, term: str | None = None, software: str | None = None) -> Action:
    return Action(name=name, digital_source_type=term, software=software)


def _node(*actions: Action, relationship: str | None = None, ingredients: tuple[Manifest, ...] = ()) -> Manifest:
    return Manifest(
        title="x",
        relationship=relationship,
        actions=actions,
        ai_use=own_ai_use(actions, None),
        ingredients=ingredients,
    )


@pytest.mark.parametrize(
    ("action", "generator", "expected"),
    [
        (_action("c2pa.created", "trainedAlgorithmicMedia"), None, AiUse.FULLY),
        (_action("c2pa.opened", "trainedAlgorithmicMedia"), None, AiUse.FULLY),
        (_action("c2pa.created", "trainedAlgorithmicData"), None, AiUse.FULLY),
        (_action("c2pa.placed", "trainedAlgorithmicMedia"), None, AiUse.PARTLY),
        (_action("c2pa.edited", "compositeWithTrainedAlgorithmicMedia"), None, AiUse.PARTLY),
        (_action("c2pa.created", "compositeSynthetic"), None, AiUse.PARTLY),
        (_action("c2pa.created", "composite"), None, AiUse.POSSIBLE),
        (_action("c2pa.created", "screenCapture"), None, AiUse.POSSIBLE),
        (_action("c2pa.created", "digitalCapture"), None, AiUse.NONE),
        (_action("c2pa.created", "algorithmicMedia"), None, AiUse.NONE),
        (_action("c2pa.created", software="Bing Image Creator"), None, AiUse.FULLY),
        (_action("c2pa.created"), "Adobe_Firefly/1.0 c2pa-rs/0.17.0", AiUse.FULLY),
        (_action("c2pa.edited", software="Adobe Firefly"), None, AiUse.NONE),
        (_action("c2pa.created", software="A camera"), "Adobe_Firefly/1.0", AiUse.NONE),
        (_action("c2pa.created"), None, AiUse.NONE),
    ],
)
def test_what_one_action_declares(action: Action, generator: str | None, expected: AiUse) -> None:
    assert own_ai_use((action,), generator) is expected


def test_the_strongest_declaration_counts() -> None:
    assert strongest() is AiUse.NONE
    assert strongest(AiUse.POSSIBLE, AiUse.FULLY, AiUse.PARTLY) is AiUse.FULLY


GENERATED = _action("c2pa.created", "trainedAlgorithmicMedia")
CAPTURED = _action("c2pa.created", "digitalCapture")


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [("parentOf", AiUse.FULLY), ("componentOf", AiUse.PARTLY), ("inputTo", AiUse.NONE), (None, AiUse.NONE)],
)
def test_an_ingredient_counts_by_what_it_was(relationship: str | None, expected: AiUse) -> None:
    child = _node(GENERATED, relationship=relationship)
    grandchild = _node(_action("c2pa.opened"), relationship="parentOf", ingredients=(child,))
    assert ai_use(_node(_action("c2pa.opened"), ingredients=(grandchild,))) is expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (_node(GENERATED), Claim.GENERATED),
        (_node(GENERATED, _action("c2pa.cropped")), Claim.GENERATED),
        (_node(_action("c2pa.edited", "compositeWithTrainedAlgorithmicMedia")), Claim.EDITED),
        (_node(CAPTURED), Claim.CAPTURED),
        (_node(CAPTURED, _action("c2pa.published"), _action("c2pa.unknown"), _action("org.x")), Claim.CAPTURED),
        (_node(CAPTURED, _action("c2pa.cropped")), Claim.EDITED),
        (_node(_action("c2pa.opened"), ingredients=(_node(CAPTURED, relationship="parentOf"),)), Claim.CAPTURED),
        (_node(_action("c2pa.opened"), ingredients=(_node(CAPTURED, relationship="componentOf"),)), None),
        (_node(_action("c2pa.created", "composite")), None),
        (_node(), None),
    ],
)
def test_what_a_history_states(node: Manifest, expected: Claim | None) -> None:
    assert claim(node) is expected
