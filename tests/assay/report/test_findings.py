import hashlib

import pytest

from assay.report.findings import OWN_RULES, findings
from assay.vocabulary import Claim, History, Integrity, Report, Trust
from tests.assay.report import samples
from tests.builders import attestation, measurement, observation, report


def found(shown: Report) -> list[tuple[str, str]]:
    return [(finding.rule, finding.level) for finding in findings(shown)]


def test_the_publishers_rules_come_with_their_severity() -> None:
    assert found(samples.contradictory()) == [
        ("no-contradictions", "warning"),
        ("no-personal-data", "error"),
        ("assay/metadata", "warning"),
        ("assay/verdict", "note"),
    ]


@pytest.mark.parametrize(
    ("changes", "is_problem"),
    [
        ({}, False),
        ({"trust": Trust.UNKNOWN}, False),
        ({"trust": Trust.EXPIRED}, False),
        ({"integrity": Integrity.NOT_FETCHED}, False),
        ({"trust": Trust.REVOKED}, True),
        ({"history": History.BROKEN}, True),
        ({"integrity": Integrity.BROKEN}, True),
    ],
)
def test_only_what_does_not_hold_is_a_problem(changes: dict[str, object], is_problem: bool) -> None:
    assert found(report(attestation(**changes))) == ([("assay/credentials", "warning")] if is_problem else [])


@pytest.mark.parametrize(
    ("claim", "is_noted"),
    [(Claim.GENERATED, True), (Claim.OURS, True), (Claim.EDITED, True), (Claim.CAPTURED, False), (None, False)],
)
def test_a_verdict_is_a_note_where_something_made_or_changed_the_image(claim: Claim | None, is_noted: bool) -> None:
    assert found(report(attestation(claim=claim))) == ([("assay/verdict", "note")] if is_noted else [])


def test_conflicts_are_a_note_whatever_the_verdict() -> None:
    conflicting = report(attestation(claim=Claim.CAPTURED), observation())
    assert conflicting.verdict.claim is Claim.CAPTURED
    (finding,) = findings(conflicting)
    assert "In conflict: One source says generated (noted), another captured (signed)." in finding.text


def test_other_outcomes_are_no_problem() -> None:
    assert found(report(measurement(log10_lr=None), observation(claim=None))) == []
    assert found(samples.unreadable()) == []


def test_a_fingerprint_is_of_rule_and_content() -> None:
    (finding,) = findings(samples.signed_and_generated())
    content = samples.signed_and_generated().exhibit.sha256
    assert finding.fingerprint == hashlib.sha256(f"assay/verdict\n{content}".encode()).hexdigest()


def test_own_rules_have_help() -> None:
    assert all(about and remedy for about, remedy in OWN_RULES.values())
