from __future__ import annotations

import pytest

from assay import binding
from assay.binding import SoftBinding
from assay.errors import SigningError
from assay.vocabulary import Action
from forensics import declarations
from generation.declaration import SOURCE_TYPES, Declaration, Ingredient, Relationship, definition


def ingredient(relationship: Relationship) -> Ingredient:
    return Ingredient(data=b"", mime="image/png", title="part", relationship=relationship)


def actions_of(declaration: Declaration) -> list[dict[str, object]]:
    actions: list[dict[str, object]] = definition(declaration)["assertions"][0]["data"]["actions"]
    return actions


@pytest.mark.parametrize("term", SOURCE_TYPES)
def test_each_source_type_is_written_in_full(term: str) -> None:
    (first,) = actions_of(Declaration(title="t", source_type=term))
    assert first == {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES[term]}
    assert SOURCE_TYPES[term].startswith(("http://cv.iptc.org/newscodes/digitalsourcetype/", "http://c2pa.org/"))


def test_what_the_reader_calls_made_by_a_model_can_be_declared() -> None:
    assert set(SOURCE_TYPES) >= (declarations.FULLY_GENERATED | declarations.PARTLY_GENERATED)


@pytest.mark.parametrize(
    ("term", "hint"),
    [
        ("trainedAlgoritmicMedia", "Did you mean trainedAlgorithmicMedia?"),
        ("digitalArt", "Did you mean digitalCreation?"),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", "Known: "),
        ("zzz", "Known: algorithmicMedia, "),
    ],
)
def test_a_term_that_nobody_knows_is_refused(term: str, hint: str) -> None:
    with pytest.raises(SigningError, match="not a digital source type") as caught:
        definition(Declaration(title="t", source_type=term))
    assert hint in caught.value.hint


def test_an_unknown_term_is_refused_in_any_action() -> None:
    with pytest.raises(SigningError, match="not a digital source type"):
        definition(Declaration(title="t", actions=(Action(name="c2pa.edited", digital_source_type="painting"),)))


def test_created_names_the_software_and_the_inputs() -> None:
    parts = (ingredient(Relationship.INPUT), ingredient(Relationship.COMPONENT))
    assert actions_of(Declaration(title="t", software="model 1", ingredients=parts)) == [
        {
            "action": "c2pa.created",
            "digitalSourceType": SOURCE_TYPES["trainedAlgorithmicMedia"],
            "softwareAgent": {"name": "model 1"},
            "parameters": {"ingredientIds": ["ingredient-0"]},
        },
        {
            "action": "c2pa.placed",
            "softwareAgent": {"name": "model 1"},
            "parameters": {"ingredientIds": ["ingredient-1"]},
        },
    ]


def test_a_parent_is_opened_and_inputs_belong_to_what_was_done_with_it() -> None:
    parts = (ingredient(Relationship.INPUT), ingredient(Relationship.PARENT))
    filled = Action(name="c2pa.edited", digital_source_type="compositeWithTrainedAlgorithmicMedia", software="filler")
    declaration = Declaration(
        title="t", source_type=None, ingredients=parts, actions=(filled, Action(name="com.example.stamped"))
    )
    assert actions_of(declaration) == [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["ingredient-1"]}},
        {
            "action": "c2pa.edited",
            "digitalSourceType": SOURCE_TYPES["compositeWithTrainedAlgorithmicMedia"],
            "softwareAgent": {"name": "filler"},
            "parameters": {"ingredientIds": ["ingredient-0"]},
        },
        {"action": "com.example.stamped"},
    ]


def test_inputs_without_an_action_stay_unmentioned() -> None:
    parts = (ingredient(Relationship.INPUT), ingredient(Relationship.PARENT))
    assert actions_of(Declaration(title="t", source_type=None, ingredients=parts)) == [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["ingredient-1"]}}
    ]


def test_an_image_comes_about_in_one_way() -> None:
    parent = (ingredient(Relationship.PARENT),)
    for declaration in (
        Declaration(title="t", source_type=None),
        Declaration(title="t", source_type="digitalCapture", ingredients=parent),
    ):
        with pytest.raises(SigningError, match="either created or opened"):
            definition(declaration)
    with pytest.raises(SigningError, match="one parent at most"):
        definition(Declaration(title="t", source_type=None, ingredients=parent * 2))


MARK = SoftBinding(scheme="sealed-seed", image_id=255)


def test_a_binding_is_an_assertion_and_the_last_action() -> None:
    declaration = Declaration(
        title="t", software="pocket", software_version="1", actions=(Action(name="c2pa.cropped"),), bindings=(MARK,)
    )
    actions, bound = definition(declaration)["assertions"]
    assert actions["data"]["actions"] == [
        {
            "action": "c2pa.created",
            "digitalSourceType": SOURCE_TYPES["trainedAlgorithmicMedia"],
            "softwareAgent": {"name": "pocket", "version": "1"},
        },
        {"action": "c2pa.cropped"},
        {"action": "c2pa.watermarked.bound"},
    ]
    assert bound == {**binding.assertion(MARK), "created": True}


def test_everything_declared_is_the_signers_own_statement() -> None:
    assert all(each["created"] is True for each in definition(Declaration(title="t", bindings=(MARK,)))["assertions"])


def test_inputs_do_not_belong_to_the_watermark() -> None:
    parts = (ingredient(Relationship.INPUT), ingredient(Relationship.PARENT))
    declaration = Declaration(title="t", source_type=None, ingredients=parts, bindings=(MARK,))
    assert actions_of(declaration)[-1] == {"action": "c2pa.watermarked.bound"}


def test_a_version_belongs_to_the_software_of_the_declaration() -> None:
    parts = (ingredient(Relationship.COMPONENT),)
    filled = Action(name="c2pa.edited", software="filler")
    declaration = Declaration(title="t", software="pocket", software_version="1", ingredients=parts, actions=(filled,))
    agents = [action["softwareAgent"] for action in actions_of(declaration)]
    assert agents == [{"name": "pocket", "version": "1"}, {"name": "pocket", "version": "1"}, {"name": "filler"}]


@pytest.mark.parametrize(
    "name", ["c2pa.created", "c2pa.opened", "c2pa.placed", "c2pa.watermarked", "c2pa.watermarked.bound"]
)
def test_actions_that_follow_from_the_rest_are_refused(name: str) -> None:
    with pytest.raises(SigningError, match="follows from the declaration"):
        definition(Declaration(title="t", actions=(Action(name=name),)))
