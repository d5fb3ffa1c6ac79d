import pytest

from assay.gate import FailOn, Gate
from assay.vocabulary import Claim, Failed, History, Integrity, Report, Severity, Violation
from tests.builders import attestation, observation, report

FAILED = Failed(check="exhibit", error="x.jpg: gone", hint="look")


def _violation(severity: Severity) -> Violation:
    return Violation(rule="r", severity=severity, message="m", remedy="n", fingerprint="f")


def _code(fail_on: set[FailOn], *reports: Report) -> int:
    gate = Gate(fail_on=frozenset(fail_on))
    assert list(gate.watch(reports)) == list(reports)
    return gate.exit_code


CONFLICTED = report(observation(), observation(signal="x", claim=None, contradiction=True))


@pytest.mark.parametrize(
    ("fail_on", "seen", "code"),
    [
        (set(), report(), 0),
        (set(), report(observation()), 0),
        ({FailOn.GENERATED}, report(observation()), 1),
        ({FailOn.EDITED}, report(observation()), 0),
        ({FailOn.CAPTURED}, report(attestation(claim=Claim.CAPTURED)), 1),
        ({FailOn.CONFLICT}, CONFLICTED, 1),
        (set(), CONFLICTED, 0),
        ({FailOn.BROKEN}, report(attestation(integrity=Integrity.BROKEN)), 1),
        ({FailOn.BROKEN}, report(attestation(history=History.BROKEN)), 1),
        ({FailOn.BROKEN}, report(attestation()), 0),
        (set(), report(violations=(_violation(Severity.ERROR),)), 1),
        (set(), report(violations=(_violation(Severity.WARNING),)), 0),
        ({FailOn.WARNING}, report(violations=(_violation(Severity.WARNING),)), 1),
        (set(), report(FAILED), 3),
        (set(), report(FAILED, failures_accepted=True), 0),
        ({FailOn.GENERATED}, report(FAILED, observation(), failures_accepted=True), 1),
    ],
)
def test_exit_code(fail_on: set[FailOn], seen: Report, code: int) -> None:
    assert _code(fail_on, seen) == code


def test_violated_comes_before_unreadable() -> None:
    assert _code({FailOn.GENERATED}, report(FAILED), report(observation()), report()) == 1


def test_one_accepted_file_does_not_hide_another() -> None:
    assert _code(set(), report(FAILED, failures_accepted=True), report(FAILED)) == 3


def test_nothing_seen_is_fine() -> None:
    assert _code(set(FailOn)) == 0


def test_every_claim_can_fail_a_build() -> None:
    assert {claim.value for claim in Claim} <= {kind.value for kind in FailOn}
