"""What strangers can make a trusted signer seem to say, and what honest signers said long ago.

The manifests are minted by `tests.forge`; the library finds nothing wrong with most of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from assay.policy import decide
from assay.vocabulary import Attestation, Basis, Claim, History, Observation, Outcome, Settings, Trust, Verdict
from generation.signing_key import SigningKey
from tests.authority import Authority
from tests.carriers import JPEG
from tests.forensics.conftest import examine, exhibit_of
from tests.forge import (
    CAPTURED,
    GENERATED,
    Assertion,
    Draft,
    Ingredient,
    Recorded,
    action,
    actions,
    jumbf,
    opened,
    sign,
)
from tests.seeds import encoded

PART_OF_A_MODEL = "compositeWithTrainedAlgorithmicMedia"
UNTRUSTED = Recorded(
    success=("claimSignature.insideValidity", "claimSignature.validated", "assertion.dataHash.match"),
    failure=("signingCredential.untrusted",),
)
"""What an honest checker records of a file whose signer it does not trust."""


@pytest.fixture(scope="module")
def desk(authority: Authority) -> SigningKey:
    """A signer for whom the reader's list vouches."""
    return authority.signer()


@pytest.fixture(scope="module")
def stranger() -> SigningKey:
    """A signer for whom no list vouches."""
    return Authority.create("Assay Test Strangers").signer()


def signed(key: SigningKey, *assertions: Assertion, **choices: Any) -> bytes:
    """A photograph with a manifest."""
    return sign(JPEG, encoded("JPEG"), Draft(key=key, assertions=assertions, **choices))


def edited(key: SigningKey, parent: bytes, *further: dict[str, Any], recorded: Recorded | None = None) -> bytes:
    """The same, of an earlier version that was opened; what is recorded of it is by default that it is trusted."""
    before = Ingredient(carrier=JPEG, data=parent, recorded=recorded or Recorded())
    return signed(key, actions(opened(), *further), ingredients=(before,))


CROPPED = action("c2pa.cropped")


def read(settings: Settings, data: bytes) -> tuple[Attestation, tuple[Observation, ...], Verdict]:
    """The attestation, the hints beside it, and the verdict on all of it."""
    outcomes: tuple[Outcome, ...] = examine(settings, exhibit_of(data))
    found, *others = outcomes
    assert isinstance(found, Attestation)
    return found, tuple(each for each in others if isinstance(each, Observation)), decide(outcomes)


def is_claimed(verdict: Verdict, claim: Claim | None, basis: Basis | None) -> bool:
    return (verdict.claim, verdict.basis) == (claim, basis)


# --- what an adder recorded -------------------------------------------------------------------------------------------


def test_a_trusted_adder_vouches_for_an_ancestor(settings: Settings, desk: SigningKey) -> None:
    """The shape of pictures by Google: the status is recorded as trusted, and nothing takes it back."""
    found, _, verdict = read(settings, edited(desk, signed(desk, GENERATED)))
    assert found.claim is Claim.GENERATED
    assert is_claimed(verdict, Claim.GENERATED, Basis.SIGNED)
    assert verdict.headline == "Made with generative AI, says a trusted signer"


def test_what_was_recorded_may_be_taken_back(settings: Settings, desk: SigningKey, stranger: SigningKey) -> None:
    """The adder calls the stranger trusted; the reader's list does not, and the library says so in a delta."""
    _, _, verdict = read(settings, edited(desk, signed(stranger, GENERATED), CROPPED))
    assert verdict.basis is not Basis.SIGNED or verdict.claim is not Claim.GENERATED
    assert verdict.headline != "Made with generative AI, says a trusted signer"


@pytest.mark.parametrize("recorded", [Recorded(), UNTRUSTED], ids=["called-trusted", "called-untrusted"])
def test_a_strangers_capture_is_not_vouched_for_by_an_edit(
    settings: Settings, desk: SigningKey, stranger: SigningKey, recorded: Recorded
) -> None:
    found, _, verdict = read(settings, edited(desk, signed(stranger, CAPTURED), recorded=recorded))
    assert found.claim is not Claim.CAPTURED
    assert verdict.claim is not Claim.CAPTURED


def test_an_untrusted_adder_vouches_for_nobody(settings: Settings, stranger: SigningKey) -> None:
    """Both are strangers; that one calls the other trusted counts for nothing."""
    other = Authority.create("Assay Test Accomplices").signer()
    found, _, verdict = read(settings, edited(stranger, signed(other, CAPTURED)))
    assert found.trust is Trust.UNKNOWN
    assert is_claimed(verdict, None, None)


def test_a_chain_through_a_stranger_is_not_vouched_for(
    settings: Settings, desk: SigningKey, stranger: SigningKey
) -> None:
    """Trusted, stranger, trusted: the declaration of the oldest is noted, for a link on the way to it is missing."""
    middle = edited(stranger, signed(desk, GENERATED), CROPPED)
    _, notes, verdict = read(settings, edited(desk, middle, recorded=UNTRUSTED))
    assert is_claimed(verdict, Claim.GENERATED, Basis.NOTED)
    assert any(note.claim is Claim.GENERATED for note in notes)


def test_a_capture_behind_a_stranger_is_no_capture(settings: Settings, desk: SigningKey, stranger: SigningKey) -> None:
    middle = edited(stranger, signed(desk, CAPTURED))
    _, _, verdict = read(settings, edited(desk, middle, recorded=UNTRUSTED))
    assert verdict.claim is not Claim.CAPTURED


def test_the_history_shows_who_is_vouched_for(settings: Settings, desk: SigningKey) -> None:
    """The adder had no list and recorded the signer as untrusted; the reader's list vouches for it now."""
    found, _, _ = read(settings, edited(desk, signed(desk, CAPTURED), recorded=UNTRUSTED))
    assert found.manifest is not None
    (parent,) = found.manifest.ingredients
    assert "signingCredential.untrusted" not in parent.failures


def test_a_recorded_mismatch_breaks_the_history(settings: Settings, desk: SigningKey) -> None:
    recorded = Recorded(failure=("assertion.dataHash.mismatch",))
    found, _, _ = read(settings, edited(desk, signed(desk, CAPTURED), recorded=recorded))
    assert found.history is History.BROKEN


# --- AI, however far back ---------------------------------------------------------------------------------------------


def test_generated_two_steps_back_is_generated(settings: Settings, desk: SigningKey) -> None:
    cropped = edited(desk, signed(desk, GENERATED), CROPPED)
    _, _, verdict = read(settings, edited(desk, cropped, CROPPED))
    assert verdict.headline == "Made with generative AI, says a trusted signer"


def test_ai_in_part_two_steps_back_is_edited_with_ai(settings: Settings, desk: SigningKey) -> None:
    filled = edited(desk, signed(desk, CAPTURED), action("c2pa.edited", source_type=PART_OF_A_MODEL))
    _, _, verdict = read(settings, edited(desk, edited(desk, filled, CROPPED), CROPPED))
    assert verdict.headline == "Edited with generative AI, says a trusted signer"


def test_a_generated_component_is_an_edit_with_ai(settings: Settings, desk: SigningKey) -> None:
    before = Ingredient(carrier=JPEG, data=signed(desk, CAPTURED))
    label = "c2pa.ingredient.v3__1"
    placed = Ingredient(carrier=JPEG, data=signed(desk, GENERATED), relationship="componentOf", label=label)
    done = actions(opened(), opened(label, name="c2pa.placed"))
    _, _, verdict = read(settings, signed(desk, done, ingredients=(before, placed)))
    assert verdict.headline == "Edited with generative AI, says a trusted signer"


def test_a_generated_input_changes_no_headline(settings: Settings, desk: SigningKey) -> None:
    used = Ingredient(carrier=JPEG, data=signed(desk, GENERATED), relationship="inputTo")
    found, _, verdict = read(settings, signed(desk, CAPTURED, ingredients=(used,)))
    assert "AI" not in verdict.headline
    assert found.manifest is not None
    assert [each.relationship for each in found.manifest.ingredients] == ["inputTo"]


# --- credentials that do not verify -----------------------------------------------------------------------------------


def changed(data: bytes) -> bytes:
    """The file with one bit of its picture data flipped."""
    at = JPEG.picture_data(data).start + 100
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


@pytest.mark.parametrize("who", ["desk", "stranger"])
def test_broken_credentials_that_declare_ai_are_noted(
    settings: Settings, who: str, request: pytest.FixtureRequest
) -> None:
    """Anybody can attach such a manifest to an honest photograph, so it is a note, and worded as one."""
    found, notes, verdict = read(settings, changed(signed(request.getfixturevalue(who), GENERATED)))
    assert found.state == "does not verify"
    assert found.claim is None
    assert [note.claim for note in notes] == [Claim.GENERATED]
    assert is_claimed(verdict, Claim.GENERATED, Basis.NOTED)


def test_ai_behind_broken_credentials_is_noted(settings: Settings, desk: SigningKey) -> None:
    _, _, verdict = read(settings, changed(edited(desk, signed(desk, GENERATED), CROPPED)))
    assert is_claimed(verdict, Claim.GENERATED, Basis.NOTED)


def test_a_broken_claim_of_a_camera_is_worth_nothing(settings: Settings, desk: SigningKey) -> None:
    found, notes, verdict = read(settings, changed(signed(desk, CAPTURED)))
    assert (found.claim, notes) == (None, ())
    assert is_claimed(verdict, None, None)


@pytest.mark.parametrize(
    "faulty",
    [
        actions(action("c2pa.edited")),
        actions(action("c2pa.opened")),
        actions(action("c2pa.created")),
    ],
    ids=["begins-with-an-edit", "opens-nothing", "created-somehow"],
)
def test_a_malformed_manifest_is_not_a_changed_file(settings: Settings, desk: SigningKey, faulty: Assertion) -> None:
    found, _, _ = read(settings, signed(desk, faulty))
    assert found.state == "does not verify"
    assert "no longer" not in found.summary
    assert "do not match" not in found.summary
    assert any("assertion.action." in each.value for each in found.details)


def test_a_malformed_manifest_of_a_changed_file_is_a_changed_file(settings: Settings, desk: SigningKey) -> None:
    found, _, _ = read(settings, changed(signed(desk, actions(action("c2pa.edited")))))
    assert found.state == "does not verify"
    assert "do not match this file" in found.summary


def test_a_redacted_declaration_is_named(settings: Settings, desk: SigningKey) -> None:
    """What was removed, by whom, and the reason given."""
    location = Assertion(label="org.example.location", body={"place": "somewhere"})
    before = Ingredient(carrier=JPEG, data=signed(desk, CAPTURED, location))
    uri = f"self#jumbf=/c2pa/{label_of(before)}/c2pa.assertions/{location.label}"
    removal = action("c2pa.redacted", reason="c2pa.PII.present", parameters={"redacted": uri})
    done = actions(opened(), removal)
    found, _, _ = read(settings, signed(desk, done, ingredients=(before,), redacted=(location.label,)))
    assert found.state == "trusted"
    said = " ".join(each.value for each in found.details)
    assert location.label in said
    assert "PII" in said or "personal" in said


def label_of(ingredient: Ingredient) -> str:
    return jumbf.label(ingredient.manifests[-1])
