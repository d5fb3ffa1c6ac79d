import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import policy
from assay.policy import MAX_P_VALUE, MIN_LOG10_LR, decide
from assay.vocabulary import (
    AiUse,
    Attestation,
    Basis,
    Claim,
    Failed,
    History,
    Integrity,
    Manifest,
    Nothing,
    Observation,
    Skipped,
    Trust,
)
from tests.builders import attestation, measurement, observation

CAMERA = observation(signal="camera", claim=Claim.CAPTURED, summary="Camera fields are present.")
DISPUTE = observation(signal="camera-and-generator", contradiction=True, summary="Camera and generator fields.")
FAILED = Failed(check="exhibit", error="x.jpg: gone", hint="look")


def test_no_outcome_at_all_is_inconclusive() -> None:
    verdict = decide(())
    assert (verdict.claim, verdict.basis, verdict.log10_lr) == (None, None, None)
    assert verdict.headline.startswith("Inconclusive")


@pytest.mark.parametrize("claim", [Claim.GENERATED, Claim.EDITED, Claim.CAPTURED])
def test_trusted_intact_attestation_is_signed(claim: Claim) -> None:
    verdict = decide((attestation(claim=claim), Nothing(check="metadata")))
    assert (verdict.claim, verdict.basis) == (claim, Basis.SIGNED)
    assert verdict.because == (attestation().summary,)


@pytest.mark.parametrize(
    "weakness",
    [
        {"trust": Trust.UNKNOWN},
        {"trust": Trust.EXPIRED},
        {"trust": Trust.REVOKED},
        {"history": History.BROKEN},
    ],
)
def test_a_stranger_is_never_signed(weakness: dict[str, object]) -> None:
    generated = decide((attestation(claim=Claim.GENERATED, **weakness),))
    assert (generated.claim, generated.basis) == (Claim.GENERATED, Basis.NOTED)
    camera = decide((attestation(claim=Claim.CAPTURED, **weakness),))
    assert (camera.claim, camera.basis) == (None, None)


def test_signed_without_a_claim_says_so() -> None:
    verdict = decide((attestation(),))
    assert verdict.claim is None
    assert "does not say how it was made" in verdict.headline
    assert verdict.because


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"integrity": Integrity.BROKEN}, "do not verify"),
        ({"history": History.BROKEN}, "broken history"),
        ({"integrity": Integrity.NOT_FETCHED, "trust": Trust.UNKNOWN}, "lie elsewhere"),
    ],
)
def test_credentials_that_support_nothing_are_named(changes: dict[str, object], words: str) -> None:
    verdict = decide((attestation(**changes),))
    assert verdict.claim is None
    assert words in verdict.headline


def test_camera_fields_alone_show_nothing() -> None:
    assert decide((CAMERA,)).claim is None


def test_a_note_declares_against_its_own_interest() -> None:
    verdict = decide((observation(), CAMERA))
    assert (verdict.claim, verdict.basis) == (Claim.GENERATED, Basis.NOTED)
    assert verdict.because == (observation().summary,)


def test_disputed_note_is_inconclusive_and_stated() -> None:
    verdict = decide((observation(), CAMERA, DISPUTE))
    assert verdict.claim is None
    assert verdict.conflicts == (DISPUTE.summary,)
    assert "contradicts itself" in verdict.headline


def test_a_contradiction_about_something_else_leaves_the_verdict() -> None:
    dates = observation(signal="dates-disagree", claim=None, contradiction=True, summary="Dates disagree.")
    verdict = decide((observation(), dates))
    assert verdict.claim is Claim.GENERATED
    assert verdict.conflicts == ("Dates disagree.",)


def test_stronger_basis_wins_and_the_conflict_is_stated() -> None:
    verdict = decide((observation(), attestation(claim=Claim.CAPTURED)))
    assert (verdict.claim, verdict.basis) == (Claim.CAPTURED, Basis.SIGNED)
    assert verdict.conflicts == ("One source says generated (noted), another captured (signed).",)


def test_exclusive_claims_on_one_basis_are_inconclusive() -> None:
    verdict = decide((measurement(), measurement(check="other", claim=Claim.CAPTURED)))
    assert verdict.claim is None
    assert verdict.conflicts


@pytest.mark.parametrize(
    ("ai_use", "headline"),
    [
        (AiUse.NONE, "Edited, says a trusted signer"),
        (AiUse.PARTLY, "Edited with generative AI, says a trusted signer"),
    ],
)
def test_an_edit_by_a_model_is_called_so_where_the_signer_says_it(ai_use: AiUse, headline: str) -> None:
    said = attestation(claim=Claim.EDITED, ai_use=AiUse.PARTLY, manifest=Manifest(title="a", ai_use=ai_use))
    assert decide((said,)).headline == headline


def test_a_broken_history_supports_an_edit_only_against_the_signers_interest() -> None:
    for ai_use, claim in ((AiUse.NONE, None), (AiUse.PARTLY, Claim.EDITED)):
        manifest = Manifest(title="a", ai_use=ai_use)
        said = attestation(claim=Claim.EDITED, history=History.BROKEN, manifest=manifest)
        assert decide((said,)).claim is claim


def test_edited_goes_with_generated() -> None:
    verdict = decide((observation(claim=Claim.EDITED), observation()))
    assert verdict.claim is Claim.GENERATED
    assert not verdict.conflicts


@pytest.mark.parametrize(
    ("log10_lr", "found"), [(None, False), (-3.0, False), (MIN_LOG10_LR - 0.01, False), (MIN_LOG10_LR, True)]
)
def test_measurement_counts_from_its_bound(log10_lr: float | None, found: bool) -> None:
    verdict = decide((measurement(log10_lr=log10_lr, p_value=1e-9),))
    assert (verdict.claim is not None) is found
    assert verdict.log10_lr == (log10_lr if found else None)


@pytest.mark.parametrize(("p_value", "found"), [(None, False), (MAX_P_VALUE * 1.01, False), (MAX_P_VALUE, True)])
def test_watermark_counts_by_its_p_value(p_value: float | None, found: bool) -> None:
    verdict = decide((measurement(basis=Basis.MARKED, claim=Claim.OURS, log10_lr=None, p_value=p_value),))
    assert verdict.claim is (Claim.OURS if found else None)


def test_abstaining_measurement_outranks_nothing() -> None:
    verdict = decide((measurement(log10_lr=None), observation()))
    assert verdict.basis is Basis.NOTED


@pytest.mark.parametrize("rest", [(), (Skipped(check="detector", reason="no pixels"),)])
def test_unreadable_is_its_own_headline(rest: tuple[Skipped, ...]) -> None:
    assert decide((FAILED, *rest)).headline.startswith("Not examined")


def test_one_failed_check_does_not_hide_the_others() -> None:
    assert decide((FAILED, observation())).claim is Claim.GENERATED


def test_every_claim_and_basis_that_can_win_has_a_headline() -> None:
    for claim, basis in itertools.product(Claim, Basis):
        if (claim, basis) != (Claim.CAPTURED, Basis.NOTED):
            assert policy._HEADLINES[claim, basis]


EVIDENCE = st.one_of(
    st.builds(
        attestation,
        claim=st.sampled_from([None, *Claim]),
        integrity=st.sampled_from(Integrity),
        trust=st.sampled_from(Trust),
        history=st.sampled_from(History),
    ),
    st.builds(
        measurement,
        claim=st.sampled_from(Claim),
        basis=st.sampled_from([Basis.MARKED, Basis.MEASURED]),
        log10_lr=st.none() | st.floats(-5, 5),
        p_value=st.none() | st.floats(0, 1),
    ),
    st.builds(observation, claim=st.sampled_from([None, *Claim]), contradiction=st.booleans()),
    st.sampled_from([Nothing(check="a"), Skipped(check="b", reason="c"), FAILED]),
)


@given(st.lists(EVIDENCE, max_size=6))
def test_guarantees_hold_for_any_outcomes(outcomes: list[object]) -> None:
    verdict = decide(outcomes)  # type: ignore[arg-type]
    assert verdict == decide(outcomes)  # type: ignore[arg-type]
    assert (verdict.claim is None) == (verdict.basis is None)
    if verdict.basis is Basis.SIGNED:
        assert any(isinstance(outcome, Attestation) and outcome.is_signed for outcome in outcomes)
    if verdict.basis is Basis.NOTED:
        assert verdict.claim is not Claim.CAPTURED
    contradictions = [item for item in outcomes if isinstance(item, Observation) and item.contradiction]
    assert all(item.summary in verdict.conflicts for item in contradictions)
    for word in ("fake", "authentic", "real ", "%", "✓", "✔"):
        assert word not in verdict.headline.lower()


def test_the_same_reason_is_given_once() -> None:
    marks = [
        measurement(check=name, basis=Basis.MARKED, p_value=1e-30, log10_lr=None)
        for name in ("watermark", "pixel-watermark")
    ]
    assert len(decide(marks).because) == 1
