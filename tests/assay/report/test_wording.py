import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report import wording
from assay.vocabulary import AiUse, Basis, Claim, History, Integrity, Observation, TimeStamp, Trust, TrustFacts, Verdict
from tests.assay.report import samples
from tests.builders import TOOLS, attestation, observation


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1, None), (1.99, None), (2, "Weak"), (9.99, "Weak"), (10, "Moderate"), (99.9, "Moderate"),
        (100, "Moderately strong"), (999, "Moderately strong"), (1000, "Strong"), (9_999, "Strong"),
        (10_000, "Very strong"), (999_999, "Very strong"), (1_000_000, "Extremely strong"), (1e300, "Extremely strong"),
    ],
)  # fmt: skip
def test_the_verbal_scale_of_the_enfsi_guideline(ratio: float, words: str | None) -> None:
    stated = wording.support(math.log10(ratio), Claim.GENERATED)
    against = wording.support(-math.log10(ratio), Claim.GENERATED)
    if words is None:
        assert stated == against == "No support either way for the proposition that a generative model made it."
    else:
        assert (
            stated == f"{words} support for the proposition that a generative model made it, relative to its opposite."
        )
        assert against == stated.replace(" for ", " against ", 1)


def test_ratios_beyond_numbers() -> None:
    assert wording.support(math.nan, Claim.EDITED) == "The method abstains."
    assert wording.support(math.inf, Claim.EDITED).startswith("Extremely strong support for")


@given(st.floats(allow_nan=False), st.sampled_from(Claim))
def test_every_ratio_has_words_and_no_number(log10_lr: float, claim: Claim) -> None:
    words = wording.support(log10_lr, claim)
    assert "support" in words
    assert not any(character.isdigit() or character == "%" for character in words)


@pytest.mark.parametrize("basis", [*Basis, None])
def test_every_basis_has_words(basis: Basis | None) -> None:
    verdict = Verdict(claim=None, basis=basis, log10_lr=None, headline="")
    assert wording.label(verdict) == (basis or "inconclusive")
    assert wording.rests_on(verdict)


@pytest.mark.parametrize("integrity", Integrity)
@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize("history", History)
@pytest.mark.parametrize("ai_use", AiUse)
def test_the_fields_of_credentials_are_separate(
    integrity: Integrity, trust: Trust, history: History, ai_use: AiUse
) -> None:
    shown = attestation(integrity=integrity, trust=trust, history=history, ai_use=ai_use)
    cells = {cell.name: cell for cell in wording.cells(shown, samples.TOOLS)}
    assert list(cells) == ["integrity", "signer trust", "history", "declared AI use"]
    assert all(cell.meaning for cell in cells.values())
    assert cells["integrity"].state == integrity
    assert cells["signer trust"].state == ("not known" if integrity is Integrity.NOT_FETCHED else trust)
    assert cells["history"].state == history
    assert cells["declared AI use"].state == ai_use


def test_a_certificate_on_a_file_that_does_not_match_vouches_for_nothing() -> None:
    cell = wording.cells(attestation(integrity=Integrity.BROKEN), samples.TOOLS)[1]
    assert cell.meaning.startswith("Of the certificate in the manifest, which does not match this file: ")
    malformed = wording.cells(attestation(integrity=Integrity.MALFORMED), samples.TOOLS)[1]
    assert malformed.meaning.startswith("Of the certificate in the manifest, which breaks the standard: ")


def test_whose_time_stamp_it_is_stands_beside_the_signer() -> None:
    unknown = replace(samples.STRANGER, stamp=TimeStamp(time="2024", authority="Stamps", issuer="CA", vouched_by=None))
    assert "Stamps, for whom no list vouches, stamped 2024" in wording.signer_words(unknown, vouched_for=False)
    assert unknown.stamp is not None
    known = replace(unknown, signed_at="2024", stamp=replace(unknown.stamp, vouched_by="stamps.pem"))
    assert wording.signer_words(known, vouched_for=True).endswith(
        ", 2024, stamped by Stamps, for whom the list stamps.pem vouches"
    )
    expired = wording.cells(attestation(trust=Trust.EXPIRED, signer=unknown), samples.TOOLS)[1]
    assert "the profile 'c2pa' holds no list that vouches for this authority" in expired.meaning


def test_what_the_hash_leaves_out_is_said_beside_the_integrity() -> None:
    cell = wording.cells(attestation(outside=("EXIF", "XMP")), samples.TOOLS)[0]
    assert cell.meaning == "The picture still matches what was signed; left out of the hash: EXIF, XMP."


def test_without_a_trust_list_the_reason_is_said() -> None:
    meaning = wording.cells(attestation(trust=Trust.UNKNOWN), TOOLS)[1].meaning
    assert "holds no certificate, so nobody is trusted (assay trust update)" in meaning
    assert "Anybody can make one" in wording.cells(attestation(trust=Trust.UNKNOWN), samples.TOOLS)[1].meaning


def test_a_history_is_not_claimed_where_none_is_recorded() -> None:
    assert wording.cells(attestation(), TOOLS)[2].meaning == "No earlier version is recorded."
    with_history = samples.signed_and_generated().outcomes[0]
    assert wording.cells(with_history, TOOLS)[2].meaning == "No earlier version that has credentials fails to verify."


def test_a_stranger_is_named_and_not_believed() -> None:
    assert wording.signer_words(samples.NEWSROOM, vouched_for=True).startswith("signed by Example Newsroom, 2026")
    assert wording.signer_words(samples.STRANGER, vouched_for=False) == (
        "its certificate names Example Newsroom, without a trusted time stamp"
    )


@pytest.mark.parametrize(
    ("changes", "heading"),
    [
        ({"signal": "novelai"}, "Declared origin and AI use"),
        ({"signal": "something-new", "claim": Claim.EDITED}, "Declared origin and AI use"),
        ({"signal": "something-new", "claim": None}, "Other notes"),
        ({"signal": "digital-source-type", "claim": None}, "Declared origin and AI use"),
        ({"signal": "prompt", "claim": None}, "Declared origin and AI use"),
        ({"signal": "camera", "claim": Claim.CAPTURED}, "Camera facts"),
        ({"signal": "location", "claim": None}, "Place and serial numbers"),
        ({"signal": "rights", "claim": None}, "Rights"),
        ({"signal": "bytes-after-end", "claim": None}, "File structure"),
        ({"signal": "rights-disagree", "claim": None, "contradiction": True}, "Contradictions"),
    ],
)
def test_notes_stand_under_headings(changes: dict[str, object], heading: str) -> None:
    note: Observation = observation(**changes)
    assert wording.group(note) == heading
    assert heading in wording.GROUPS


def test_the_summary_counts_by_basis() -> None:
    assert wording.summary(samples.all_kinds()) == (
        "5 images: 1 signed, 1 measured, 1 noted, 2 inconclusive; 1 could not be examined; 3 errors and 1 warning"
    )
    assert wording.summary([]) == "0 images"
    assert wording.summary([samples.signed_and_generated()]) == "1 image: 1 signed"
    assert wording.summary([samples.unreadable()]) == "0 images; 1 could not be examined"


def test_an_image_of_which_one_check_failed_is_still_counted() -> None:
    whole, failed = samples.signed_and_generated(), samples.unreadable().outcomes
    partly = replace(whole, outcomes=(*whole.outcomes, *failed))
    assert wording.summary([whole, partly]) == "2 images: 2 signed; 1 examined only in part"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "profile 'c2pa', 30 certificates, issued 2026-08-05, 90 days before this page was made"),
        ({"certificates": 1, "issued": None}, "profile 'c2pa', 1 certificate, without a date"),
        ({"distrusted": 2, "issued": None}, "profile 'c2pa', 30 certificates, 2 distrusted by hand, without a date"),
        ({"certificates": 0}, "profile 'c2pa' holds no certificate, so nobody is trusted (assay trust update)"),
    ],
)
def test_which_trust_list_decided(changes: dict[str, object], words: str) -> None:
    facts: TrustFacts = replace(samples.TOOLS.trust, **changes)
    assert wording.trust_list(facts, date(2026, 11, 3)) == words


def test_a_stale_trust_list_is_called_so() -> None:
    assert wording.trust_list(samples.TOOLS.trust, date(2026, 11, 4)).endswith(
        "; older than 90 days: assay trust update"
    )
