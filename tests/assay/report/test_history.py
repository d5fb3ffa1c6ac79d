from dataclasses import replace

import pytest

from assay.report import history
from assay.report.history import MAX_DEPTH, MAX_NODES, SHAPES, Node, state_of, tree
from assay.vocabulary import Action, History, Integrity, Manifest, Trust
from tests.assay.report import samples
from tests.builders import attestation


def nodes(root: Node) -> list[Node]:
    return [root, *(each for child in root.children for each in nodes(child))]


def depth(root: Node) -> int:
    return 1 + max(map(depth, root.children), default=0)


@pytest.mark.parametrize(
    ("failures", "signer", "trust", "state"),
    [
        ((), samples.NEWSROOM, Trust.TRUSTED, "trusted"),
        ((), samples.NEWSROOM, Trust.UNKNOWN, "intact, signer unknown"),
        ((), None, Trust.UNKNOWN, "no credentials of its own"),
        (("signingCredential.untrusted",), samples.NEWSROOM, Trust.UNKNOWN, "intact, signer unknown"),
        (("signingCredential.expired",), samples.NEWSROOM, Trust.EXPIRED, history.EXPIRED),
        (("signingCredential.ocsp.revoked",), samples.NEWSROOM, Trust.REVOKED, history.REVOKED),
        (("timeStamp.untrusted", "cawg.ica.did_unavailable"), samples.NEWSROOM, Trust.TRUSTED, "trusted"),
        (("assertion.dataHash.mismatch",), samples.NEWSROOM, Trust.TRUSTED, "does not verify"),
        (("assertion.dataHash.mismatch",), None, Trust.UNKNOWN, "does not verify"),
        (
            ("signingCredential.untrusted", "claimSignature.mismatch"),
            samples.NEWSROOM,
            Trust.UNKNOWN,
            "does not verify",
        ),
        (("claimSignature.validated", "assertion.hashedURI.match"), samples.NEWSROOM, Trust.TRUSTED, "trusted"),
        (("something.new",), samples.NEWSROOM, Trust.TRUSTED, "does not verify"),
    ],
)
def test_the_state_of_an_ingredient(failures: tuple[str, ...], signer: object, trust: Trust, state: str) -> None:
    assert state_of(Manifest(title="x", failures=failures, signer=signer, trust=trust)) == state
    assert state in SHAPES


@pytest.mark.parametrize("integrity", Integrity)
@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize("broken", History)
def test_the_file_itself_has_the_state_of_its_attestation(integrity: Integrity, trust: Trust, broken: History) -> None:
    shown = attestation(integrity=integrity, trust=trust, history=broken, manifest=Manifest(title="x"))
    root = tree(shown)
    assert root is not None
    assert root.state == shown.state
    assert root.shape


def test_no_manifest_no_tree() -> None:
    assert tree(attestation(manifest=None)) is None


def test_a_node_says_who_with_what_and_how() -> None:
    root = tree(samples.signed_and_generated().outcomes[0])
    assert (root.title, root.role, root.state) == ("tulip.jpg", "this file", "trusted")
    assert root.facts == (
        "signed by Example Newsroom, 2026-11-01T09:12:44+00:00",
        "software, by its own account: PhotoDesk 3.1",
        "actions: opened; color adjustments; cropped with PhotoDesk 3.1; placed",
    )
    draft, texture = root.children
    assert (draft.role, draft.state) == ("earlier version", "trusted")
    assert (
        "actions: created (made by a generative model: trainedAlgorithmicMedia) with Example Image Model" in draft.facts
    )
    assert "declared AI use: whole image" in draft.facts
    assert (texture.role, texture.state, texture.facts) == ("part of the image", "no credentials of its own", ())


def test_unknown_terms_are_kept_as_they_are() -> None:
    manifest = Manifest(
        title="x", relationship="cousinOf", actions=(Action(name="org.example.blur", digital_source_type="newTerm"),)
    )
    root = tree(attestation(manifest=manifest))
    assert root.role == "cousinOf"
    assert root.facts == ("actions: org.example.blur (newTerm)",)


def test_many_actions_and_codes_are_counted() -> None:
    actions = tuple(Action(name=f"c2pa.step{number}") for number in range(100))
    manifest = Manifest(title="x", actions=actions, failures=("a.mismatch",) * 100)
    actions, codes = tree(attestation(manifest=manifest)).facts
    assert actions.endswith("; … and 60 more, which the JSON report lists")
    assert codes.endswith(", … and 60 more, which the JSON report lists")


def test_the_same_action_many_times_is_said_once() -> None:
    placed = (Action(name="c2pa.placed"),) * 7
    manifest = Manifest(title="x", actions=(Action(name="c2pa.opened"), *placed, Action(name="c2pa.opened")))
    assert tree(attestation(manifest=manifest)).facts == ("actions: opened; placed (7 times); opened",)


def test_a_deep_history_is_cut_and_what_is_left_out_is_counted() -> None:
    manifest = Manifest(title="first")
    for number in range(5_000):
        manifest = Manifest(title=str(number), ingredients=(manifest,))
    root = tree(attestation(manifest=manifest))
    assert depth(root) == MAX_DEPTH
    assert sum(node.left_out for node in nodes(root)) == 5_001 - MAX_DEPTH


def test_a_wide_history_is_cut_and_what_is_left_out_is_counted() -> None:
    leaf = Manifest(title="leaf", ingredients=(Manifest(title="below"),))
    root = tree(attestation(manifest=Manifest(title="root", ingredients=(leaf,) * 1_000)))
    drawn = nodes(root)
    assert len(drawn) == MAX_NODES
    assert sum(node.left_out for node in drawn) == 2_001 - MAX_NODES


def test_two_histories_do_not_share_a_budget() -> None:
    shown = attestation(manifest=replace(Manifest(title="x"), ingredients=(Manifest(title="y"),)))
    assert tree(shown) == tree(shown)


def test_a_node_carries_the_picture_of_its_manifest() -> None:
    root = Manifest(title="a", ingredients=(Manifest(title="b", thumbnail=b"picture"), Manifest(title="c")))
    drawn = tree(attestation(manifest=root))
    assert drawn is not None
    assert [node.thumbnail for node in nodes(drawn)] == [None, b"picture", None]
    assert [node.has_pictures for node in nodes(drawn)] == [True, True, False]
