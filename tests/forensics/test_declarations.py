import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.vocabulary import Action, AiUse, Claim
from forensics.declarations import (
    Statement,
    ai_use,
    ai_use_where_broken,
    claim,
    line_of_descent,
    names_generator,
    of_actions,
    strongest,
)


def _action(name: str, term: str | None = None, software: str | None = None) -> Action:
    return Action(name=name, digital_source_type=term, software=software)


def _said(*actions: Action, vouched: bool = True, parts: tuple[tuple[str, str], ...] = ()) -> Statement:
    return Statement(
        actions=actions,
        ai_use=of_actions(actions),
        is_vouched_for=vouched,
        names_generator=names_generator(actions, None),
        ingredients=parts,
    )


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (_action("c2pa.created", "trainedAlgorithmicMedia"), AiUse.FULLY),
        (_action("c2pa.opened", "trainedAlgorithmicMedia"), AiUse.FULLY),
        (_action("c2pa.created", "trainedAlgorithmicData"), AiUse.FULLY),
        (_action("c2pa.placed", "trainedAlgorithmicMedia"), AiUse.PARTLY),
        (_action("c2pa.edited", "compositeWithTrainedAlgorithmicMedia"), AiUse.PARTLY),
        (_action("c2pa.created", "compositeSynthetic"), AiUse.PARTLY),
        (_action("c2pa.created", "composite"), AiUse.POSSIBLE),
        (_action("c2pa.created", "screenCapture"), AiUse.POSSIBLE),
        (_action("c2pa.created", "digitalCapture"), AiUse.NONE),
        (_action("c2pa.created", "algorithmicMedia"), AiUse.NONE),
        (_action("c2pa.created"), AiUse.NONE),
    ],
)
def test_what_one_action_declares(action: Action, expected: AiUse) -> None:
    assert of_actions((action,)) is expected


@pytest.mark.parametrize(
    ("software", "found"),
    [
        ("Bing Image Creator", True),
        ("DALL·E", True),
        ("OpenAI DALL-E 3", True),
        ("ChatGPT", True),
        ("Adobe_Firefly/1.0 c2pa-rs/0.17.0", True),
        ("Imagen 3", True),
        ("Dallmeier Panomera", False),
        ("Dallas Morning News CMS", False),
        ("Imagenomic Portraiture 4", False),
        ("Imagen of the city", False),
        ("A camera", False),
    ],
)
def test_generators_are_known_by_whole_names(software: str, found: bool) -> None:
    assert names_generator((_action("c2pa.created", software=software),), None) is found
    assert names_generator((_action("c2pa.created"),), software) is found
    assert names_generator((), software) is found
    assert names_generator((_action("c2pa.edited", software=software),), None) is False
    assert names_generator((_action("c2pa.created", "empty", software),), None) is False


def test_the_strongest_declaration_counts() -> None:
    assert strongest() is AiUse.NONE
    assert strongest(AiUse.POSSIBLE, AiUse.FULLY, AiUse.PARTLY) is AiUse.FULLY


GENERATED = _action("c2pa.created", "trainedAlgorithmicMedia")
CAPTURED = _action("c2pa.created", "digitalCapture")
OPENED = _action("c2pa.opened")


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [("parentOf", AiUse.FULLY), ("componentOf", AiUse.PARTLY), ("inputTo", AiUse.NONE), ("", AiUse.NONE)],
)
def test_an_ingredient_counts_by_what_it_was(relationship: str, expected: AiUse) -> None:
    history = {
        "root": _said(OPENED, parts=(("parentOf", "middle"),)),
        "middle": _said(OPENED, parts=((relationship, "oldest"), ("parentOf", "missing"))),
        "oldest": _said(GENERATED),
    }
    assert ai_use(history, "root") is expected
    assert ai_use(dict(reversed(history.items())), "root") is expected


def test_a_declaration_is_found_however_far_back() -> None:
    history = {str(n): _said(OPENED, parts=(("parentOf", str(n + 1)),)) for n in range(3000)}
    history["3000"] = _said(GENERATED)
    assert ai_use(history, "0") is AiUse.FULLY
    assert claim(history, "0") is Claim.GENERATED


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([GENERATED], Claim.GENERATED),
        ([GENERATED, _action("c2pa.cropped")], Claim.GENERATED),
        ([_action("c2pa.edited", "compositeWithTrainedAlgorithmicMedia")], Claim.EDITED),
        ([CAPTURED], Claim.CAPTURED),
        ([CAPTURED, _action("c2pa.published")], Claim.CAPTURED),
        ([CAPTURED, _action("c2pa.cropped")], Claim.EDITED),
        ([CAPTURED, _action("c2pa.unknown")], None),
        ([CAPTURED, _action("com.adobe.generativeFill")], None),
        ([_action("c2pa.created", "composite"), _action("c2pa.converted", "digitalCapture")], None),
        ([_action("c2pa.created", "digitalCreation"), _action("c2pa.published", "digitalCapture")], None),
        ([_action("c2pa.opened", "digitalCapture")], None),
        ([_action("c2pa.created", "composite")], None),
        ([], None),
    ],
)
def test_what_one_manifest_states(actions: list[Action], expected: Claim | None) -> None:
    assert claim({"a": _said(*actions)}, "a") is expected


def _after(parent: Statement) -> dict[str, Statement]:
    return {"root": _said(OPENED, parts=(("parentOf", "parent"),)), "parent": parent}


def test_a_capture_is_inherited_from_the_parent_only() -> None:
    assert claim(_after(_said(CAPTURED)), "root") is Claim.CAPTURED
    component = {"root": _said(OPENED, parts=(("componentOf", "parent"),)), "parent": _said(CAPTURED)}
    assert claim(component, "root") is None


@pytest.mark.parametrize("action", [CAPTURED, GENERATED])
def test_a_trusted_signer_does_not_vouch_for_what_a_stranger_said(action: Action) -> None:
    history = _after(_said(action, vouched=False))
    assert claim(history, "root", vouched_for=True) is None
    assert claim(_after(_said(action)), "root", vouched_for=True) is not None


def test_a_stranger_who_says_ai_takes_a_trusted_capture_away() -> None:
    middle = _said(OPENED, _action("c2pa.edited", "compositeSynthetic"), vouched=False, parts=(("parentOf", "old"),))
    history = {"root": _said(OPENED, parts=(("parentOf", "middle"),)), "middle": middle, "old": _said(CAPTURED)}
    assert claim(history, "root", vouched_for=True) is None


LABELS = st.sampled_from("abcd")
ACTIONS = st.sampled_from([GENERATED, CAPTURED, OPENED, _action("c2pa.cropped"), _action("x.y")])
PARTS = st.lists(st.tuples(st.sampled_from(["parentOf", "componentOf", "inputTo"]), LABELS), max_size=3).map(tuple)
HISTORIES = st.dictionaries(
    LABELS,
    st.builds(lambda actions, parts, vouched: _said(*actions, vouched=vouched, parts=parts),
              st.lists(ACTIONS, max_size=2), PARTS, st.booleans()),
    min_size=1,
)  # fmt: skip


@given(HISTORIES)
def test_any_graph_ends_and_vouching_only_takes_away(history: dict[str, Statement]) -> None:
    order = [AiUse.NONE, AiUse.POSSIBLE, AiUse.PARTLY, AiUse.FULLY]
    for root in history:
        assert len(list(line_of_descent(history, root))) <= len(history)
        assert order.index(ai_use(history, root, vouched_for=True)) <= order.index(ai_use(history, root))
        if claim(history, root, vouched_for=True) is Claim.CAPTURED:
            assert ai_use(history, root) is AiUse.NONE


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (_said(parts=(("parentOf", "camera"), ("inputTo", "model"))), AiUse.NONE),
        (_said(parts=(("parentOf", "camera"), ("componentOf", "model"))), AiUse.PARTLY),
        (_said(_action("c2pa.created", "composite"), parts=(("componentOf", "model"),)), AiUse.PARTLY),
        (_said(parts=(("componentOf", "model"), ("componentOf", "camera"))), AiUse.PARTLY),
        (_said(parts=(("parentOf", "model"),)), AiUse.FULLY),
        (_said(parts=(("componentOf", "model"),)), AiUse.FULLY),
        (_said(parts=(("parentOf", "camera"),)), AiUse.FULLY),
        (_said(parts=(("parentOf", "root"), ("inputTo", "model"))), AiUse.NONE),
    ],
    ids=["input", "placed", "created of a part", "two parts", "parent", "nothing but a part", "unlinked", "circle"],
)
def test_broken_credentials_declare_what_went_into_the_image(root: Statement, expected: AiUse) -> None:
    model = _said(_action("c2pa.created", "trainedAlgorithmicMedia"))
    camera = _said(_action("c2pa.created", "digitalCapture"))
    assert ai_use_where_broken({"root": root, "model": model, "camera": camera}, "root") is expected
