from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.binding import SoftBinding, assertion
from assay.vocabulary import AiUse, Detail, Manifest, Trust
from forensics import history_tree
from forensics.manifests import BOUND_TO, Store, differs_in_bytes_only, is_tampering
from forensics.trust import SIGNERS_URI

KEYS = st.sampled_from(
    [
        "manifests",
        "label",
        "assertions",
        "claim",
        "claim.v2",
        "signature",
        "validationResults",
        "success",
        "failure",
        "code",
        "c2pa.actions.v2",
        "actions",
        "action",
        "c2pa.ingredient",
        "activeManifest",
        "c2pa_manifest",
        "url",
        "certificateInfo",
        "subject",
        "issuer",
        "ingredientDeltas",
        "validationDeltas",
        "validationStatus",
        "claim_generator_info",
        "cawg.identity",
        "verifiedIdentities",
        "provider",
        "author",
        "softwareAgent",
        "digitalSourceType",
        "c2pa.soft-binding",
        "alg",
        "blocks",
        "value",
        "relationship",
        "dc:title",
        "stds.schema-org.CreativeWork",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "a", "self#jumbf=/c2pa/a", "assertion.x.mismatch"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=150)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), min_size=1, max_size=3))
def test_any_store_can_be_read(manifests: list[dict[str, Any]]) -> None:
    store = Store.parse({"manifests": manifests})
    history_tree.tree(store)
    history_tree.is_cut_off(store)
    store.hard_binding()
    assert len(store.statements) <= len(manifests)
    assert store.trust() in Trust
    assert all(isinstance(code, str) for code in store.history_failures() + store.active_failures())
    assert all(isinstance(item, Detail) for item in (*store.identities(), *store.bindings()))
    if store.is_intact():
        assert not store.active_failures()


@pytest.mark.parametrize("document", [None, [], {}, {"manifests": []}, {"manifests": ["x"]}, {"manifests": {}}])
def test_a_store_without_manifests_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="empty"):
        Store.parse(document)


VOUCHED = {"code": "signingCredential.trusted", "explanation": f"trusted, found in [{SIGNERS_URI}] trust anchors"}
ALLOWED = {"code": "signingCredential.trusted", "explanation": "trusted, found in [] trust anchors"}
STAMPED = {"code": "signingCredential.trusted", "explanation": "trusted, found in [urn:other] trust anchors"}
VALIDITY = {"notBefore": "2020-01-01T00:00:00+00:00", "notAfter": "2999-01-01T00:00:00Z"}
SIGNATURE = {"certificateInfo": {"validity": VALIDITY}}


def _manifest(label: str, *ingredients: str, **extra: Any) -> dict[str, Any]:
    assertions = {
        f"c2pa.ingredient.v3__{number}": {
            "relationship": "componentOf",
            "activeManifest": {"url": f"self#jumbf=/c2pa/{name}"},
        }
        for number, name in enumerate(ingredients)
    }
    return {"label": label, "assertions": assertions, "claim": {"dc:title": label}, **extra}


def test_a_history_that_bites_its_tail_ends() -> None:
    tree = history_tree.tree(Store.parse({"manifests": [_manifest("a", "b"), _manifest("b", "a")]}))
    assert tree.ingredients[0].title == "b"
    assert tree.ingredients[0].ingredients[0].title == "a"
    assert tree.ingredients[0].ingredients[0].ingredients == ()


def _count(node: Any) -> int:
    return 1 + sum(_count(child) for child in node.ingredients)


def test_a_history_that_doubles_at_each_step_is_drawn_once() -> None:
    names = [str(number) for number in range(40)]
    manifests = [_manifest(name, after, after) for name, after in zip(names, [*names[1:], "none"], strict=True)]
    store = Store.parse({"manifests": manifests})
    assert _count(history_tree.tree(store)) == 81
    assert not history_tree.is_cut_off(store)


def test_a_long_or_wide_history_is_cut_off_and_says_so() -> None:
    long = Store.parse({"manifests": [_manifest(str(number), str(number + 1)) for number in range(200)]})
    assert _count(history_tree.tree(long)) == 51
    wide = Store.parse({"manifests": [_manifest("a", *("b" * 200))]})
    assert _count(history_tree.tree(wide)) == 101
    busy = _manifest("a")
    busy["assertions"]["c2pa.actions.v2"] = {"actions": [{"action": "c2pa.cropped"}] * 200}
    assert len(history_tree.tree(Store.parse({"manifests": [busy]})).actions) == 100
    assert history_tree.is_cut_off(long)
    assert history_tree.is_cut_off(wide)
    assert history_tree.is_cut_off(Store.parse({"manifests": [busy]}))


AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    "spelling",
    [
        AI,
        AI.replace("http:", "https:") + "/",
        "digsrctype:trainedAlgorithmicMedia",
        "c2pa:trainedAlgorithmicData",
        AI.lower(),
        AI + " ",
        AI + "#",
        AI + "?x=1",
        "https://schema.org/TrainedAlgorithmicMediaDigitalSource",
    ],
)
def test_every_spelling_of_a_source_type_is_read(spelling: str) -> None:
    manifest = _manifest("a")
    manifest["assertions"]["c2pa.actions"] = {"actions": [{"action": "c2pa.created", "digitalSourceType": spelling}]}
    assert Store.parse({"manifests": [manifest]}).statements["a"].ai_use is AiUse.FULLY


CREATED = {"action": "c2pa.created"}


@pytest.mark.parametrize(
    ("assertions", "expected"),
    [
        ({"c2pa.metadata": {"Iptc4xmpExt:DigitalSourceType": AI}}, AiUse.FULLY),
        ({"cawg.metadata": {"Iptc4xmpExt:DigitalSourceType": [AI]}}, AiUse.FULLY),
        ({"stds.iptc": {"deep": [{"digitalSourceType": AI}]}}, AiUse.FULLY),
        ({"com.adobe.generative-ai": {"version": "1"}, "c2pa.actions": {"actions": [CREATED]}}, AiUse.FULLY),
        ({"com.adobe.generative-ai": {"version": "1"}}, AiUse.PARTLY),
        ({"c2pa.actions.v2": {"templates": [{"digitalSourceType": AI}], "actions": [CREATED]}}, AiUse.PARTLY),
        ({"c2pa.actions.v2": {"actions": [CREATED | {"parameters": {"digitalSourceType": AI}}]}}, AiUse.PARTLY),
        ({"c2pa.actions.v2": {"actions": [CREATED | {"related": [{"digitalSourceType": AI}]}]}}, AiUse.PARTLY),
        ({"org.example": {"digitalSourceType": AI}}, AiUse.NONE),
        ({"c2pa.actions": {"actions": [CREATED | {"digitalSourceType": "somethingNew"}]}}, AiUse.NONE),
    ],
)
def test_declarations_outside_the_list_of_actions_are_read(assertions: dict[str, Any], expected: AiUse) -> None:
    assert Store.parse({"manifests": [{"label": "a", "assertions": assertions}]}).statements["a"].ai_use is expected


def test_who_is_vouched_for_is_known_of_each_manifest() -> None:
    voucher = VOUCHED | {"url": "self#jumbf=/c2pa/b/c2pa.signature"}
    refusal = {"code": "signingCredential.invalid", "url": "self#jumbf=/c2pa/c/c2pa.signature"}
    deltas = [{"validationDeltas": {"success": [VOUCHED | {"url": "self#jumbf=/c2pa/c/x"}], "failure": [refusal]}}]
    manifests = [
        _manifest("a", "b", "c", ingredientDeltas=deltas),
        _manifest("b", validationResults=_results([voucher], []), signature=SIGNATURE),
        _manifest("c", signature=SIGNATURE),
    ]
    statements = Store.parse({"manifests": manifests}).statements
    assert [label for label, said in statements.items() if said.is_vouched_for] == ["b"]


def test_codes_of_success_are_no_failures_of_a_node() -> None:
    """The first version of the ingredient assertion lists both in one place."""
    manifest = _manifest("a", "b")
    recorded = [{"code": "claimSignature.validated"}, {"code": "assertion.dataHash.mismatch"}]
    manifest["assertions"]["c2pa.ingredient.v3__0"]["validationStatus"] = recorded
    (child,) = history_tree.tree(Store.parse({"manifests": [manifest, _manifest("b")]})).ingredients
    assert child.failures == ("assertion.dataHash.mismatch",)


def _results(success: list[Any], failure: list[str]) -> dict[str, Any]:
    return {
        "success": [item if isinstance(item, dict) else {"code": item} for item in success],
        "failure": [{"code": code} for code in failure],
    }


@pytest.mark.parametrize(
    ("success", "failure", "expected"),
    [
        ([VOUCHED], [], Trust.TRUSTED),
        ([STAMPED], [], Trust.UNKNOWN),
        ([{"code": "signingCredential.trusted"}], [], Trust.UNKNOWN),
        ([ALLOWED], [], Trust.TRUSTED),
        ([VOUCHED], ["signingCredential.invalid"], Trust.UNKNOWN),
        ([VOUCHED], ["signingCredential.expired"], Trust.EXPIRED),
        ([VOUCHED], ["claimSignature.outsideValidity"], Trust.EXPIRED),
        ([VOUCHED], ["signingCredential.expired", "signingCredential.ocsp.revoked"], Trust.REVOKED),
        ([], ["signingCredential.untrusted"], Trust.UNKNOWN),
    ],
)
def test_trust_follows_the_codes(success: list[Any], failure: list[str], expected: Trust) -> None:
    manifest = {"signature": SIGNATURE, "validationResults": _results(success, failure)}
    assert Store.parse({"manifests": [manifest]}).trust() is expected


@pytest.mark.parametrize(
    ("success", "failure", "intact"),
    [
        (["claimSignature.validated", "assertion.dataHash.match"], [], True),
        (["claimSignature.validated", "assertion.bmffHash.match"], ["signingCredential.untrusted"], True),
        (["claimSignature.validated"], [], False),
        (["assertion.dataHash.match"], [], False),
        (["claimSignature.validated", "assertion.dataHash.match"], ["assertion.dataHash.mismatch"], False),
        (["claimSignature.validated", "assertion.dataHash.match"], ["some.code.of.the.future"], False),
        ([], [], False),
    ],
)
def test_integrity_needs_success_and_no_failure(success: list[str], failure: list[str], intact: bool) -> None:
    assert Store.parse({"manifests": [{"validationResults": _results(success, failure)}]}).is_intact() is intact


@pytest.mark.parametrize(
    "manifests",
    [
        [{"ingredientDeltas": [{"validationDeltas": _results([], ["assertion.hashedURI.mismatch"])}]}],
        [{}, {"validationResults": _results([], ["assertion.hashedURI.mismatch"])}],
        [{"assertions": {"c2pa.ingredient": {"validationStatus": [{"code": "assertion.hashedURI.mismatch"}]}}}],
        [
            {
                "assertions": {
                    "c2pa.ingredient.v3": {
                        "validationResults": {"activeManifest": _results([], ["assertion.hashedURI.mismatch"])}
                    }
                }
            }
        ],
        [
            {
                "assertions": {
                    "c2pa.ingredient.v3": {
                        "validationResults": {
                            "ingredientDeltas": [{"validationDeltas": _results([], ["assertion.hashedURI.mismatch"])}]
                        }
                    }
                }
            }
        ],
    ],
)
def test_each_place_that_holds_a_broken_history_is_read(manifests: list[dict[str, Any]]) -> None:
    assert Store.parse({"manifests": manifests}).history_failures() == ["assertion.hashedURI.mismatch"]


@pytest.mark.parametrize("code", ["signingCredential.untrusted", "timeStamp.mismatch", "claimSignature.validated", ""])
def test_an_unknown_signer_in_the_past_breaks_no_history(code: str) -> None:
    ingredient = {"validationStatus": [{"code": code}]}
    assert Store.parse({"manifests": [{"assertions": {"c2pa.ingredient": ingredient}}]}).history_failures() == []


def test_generator_by_its_own_account() -> None:
    claims: list[Any] = [
        {"claim_generator_info": [{"name": "Cam", "version": "2"}]},
        {"claim_generator_info": {"name": "Cam", "version": "2"}},
        {"claim_generator": "Cam 2"},
    ]
    for claim in claims:
        assert history_tree.tree(Store.parse({"manifests": [{"claim": claim}]})).generator == "Cam 2"
    assert history_tree.tree(Store.parse({"manifests": [{}]})).generator is None


def test_soft_bindings_and_authors_are_listed() -> None:
    assertions = {
        "c2pa.soft-binding": {"alg": "com.example.mark"},
        "c2pa.soft-binding__1": {},
        "stds.schema-org.CreativeWork": {"author": [{"name": "A Person"}, {"name": ""}, "x"]},
    }
    store = Store.parse({"manifests": [{"assertions": assertions}]})
    assert [(detail.name, detail.value) for detail in store.bindings()] == [
        ("Soft binding, not read here", "com.example.mark"),
        ("Soft binding, not read here", "unnamed"),
    ]
    assert store.identities() == (Detail(name="Author, as stated", value="A Person", private=True),)


OURS = assertion(SoftBinding(scheme="sealed-seed", image_id=0xABCDEF))["data"]


def test_our_own_binding_is_read_with_the_image_it_names() -> None:
    assert Store.parse({"manifests": [{"assertions": {"c2pa.soft-binding": OURS}}]}).bindings() == (
        Detail(name="Soft binding", value="alt.assay.sealed-seed.1"),
        Detail(name=BOUND_TO, value="0000000000abcdef"),
    )


def test_a_binding_of_an_algorithm_that_is_not_read_is_shown_as_such() -> None:
    body = {"alg": "com.example.mark", "blocks": [{"scope": {}, "value": "AAAA"}, {"scope": {}, "value": "b64'BBBB'"}]}
    assert Store.parse({"manifests": [{"assertions": {"c2pa.soft-binding": body}}]}).bindings() == (
        Detail(name="Soft binding, not read here", value="com.example.mark"),
        Detail(name="Value of the soft binding, not read here", value="AAAA"),
        Detail(name="Value of the soft binding, not read here", value="BBBB"),
    )


def test_a_binding_in_the_history_is_not_the_files_own() -> None:
    manifests = [_manifest("a", "b"), _manifest("b")]
    manifests[1]["assertions"]["c2pa.soft-binding"] = OURS
    assert [detail.name for detail in Store.parse({"manifests": manifests}).bindings()] == [
        "Soft binding in the history",
        "Value of the soft binding in the history",
    ]


def test_a_thousand_bindings_do_not_fill_the_report() -> None:
    many = {f"c2pa.soft-binding__{number}": {"alg": f"com.example.{number}"} for number in range(1000)}
    assert len(Store.parse({"manifests": [{"assertions": many}]}).bindings()) == 40


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ((), True),
        (("assertion.dataHash.mismatch",), True),
        (("assertion.bmffHash.mismatch", "signingCredential.untrusted", "signingCredential.expired"), True),
        (("assertion.dataHash.mismatch", "claimSignature.mismatch"), False),
        (("assertion.hashedURI.mismatch",), False),
        (("some.code.of.the.future",), False),
    ],
)
def test_other_bytes_are_told_from_another_manifest(failures: tuple[str, ...], expected: bool) -> None:
    assert differs_in_bytes_only(Manifest(title="t", failures=failures)) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("assertion.dataHash.mismatch", True),
        ("assertion.hashedURI.mismatch", True),
        ("claimSignature.mismatch", True),
        ("assertion.missing", True),
        ("assertion.action.malformed", False),
        ("claim.hardBindings.missing", False),
        ("algorithm.unsupported", False),
        ("some.code.of.the.future", False),
    ],
)
def test_a_broken_rule_is_told_from_changed_bytes(code: str, expected: bool) -> None:
    assert is_tampering(code) is expected
