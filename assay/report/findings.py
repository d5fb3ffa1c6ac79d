"""What in a report needs attention: the publisher's rules, and what Assay finds without any."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from assay.report import wording
from assay.report.escape import visible
from assay.vocabulary import (
    Attestation,
    Claim,
    ExhibitFacts,
    Failed,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Report,
    Skipped,
    Trust,
    Violation,
)

VERDICT, CREDENTIALS, METADATA = "assay/verdict", "assay/credentials", "assay/metadata"
_MADE = frozenset({Claim.GENERATED, Claim.OURS, Claim.EDITED})

OWN_RULES = {
    VERDICT: (
        "What Assay found about how an image was made.",
        "Nothing has to be done. The verdict says what it rests on: a signature, a watermark, a measurement, or notes "
        "that anybody can write.",
    ),
    CREDENTIALS: (
        "Content Credentials do not verify, do not cover the picture, have a broken history, or come from a revoked "
        "certificate.",
        "Find the step that changes the file after signing, and sign after it; or ask the source for the file as it "
        "was signed. A harmless re-save breaks credentials, too.",
    ),
    METADATA: (
        "Statements in the file contradict each other.",
        "Find out from the source which statement holds, then export the file again.",
    ),
}
"""Rules of no publisher: what each is about, and what to do about a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that needs attention."""

    rule: str
    level: str
    """`error`, `warning` or `note`."""
    text: str
    fingerprint: str
    """sha256 over rule and content, never the path."""
    exhibit: ExhibitFacts
    remedy: str


def findings(report: Report) -> Iterator[Finding]:
    """The publisher's rules that are broken, credentials and metadata that do not hold, then what the verdict says."""
    for violation in report.violations:
        yield _of_violation(report, violation)
    for outcome in report.outcomes:
        if problem := _problem(outcome):
            yield _ours(report, problem[0], "warning", problem[1])
    if (report.verdict.claim in _MADE and report.verdict.basis) or report.verdict.conflicts:
        yield _ours(report, VERDICT, "note", _verdict_words(report))


def _of_violation(report: Report, violation: Violation) -> Finding:
    return Finding(
        rule=visible(violation.rule),
        level=violation.severity.value,
        text=violation.message,
        fingerprint=visible(violation.fingerprint),
        exhibit=report.exhibit,
        remedy=violation.remedy,
    )


def _ours(report: Report, rule: str, level: str, text: str) -> Finding:
    content = report.exhibit.sha256 or ""
    fingerprint = hashlib.sha256(f"{rule}\n{content}".encode(errors="backslashreplace")).hexdigest()
    remedy = OWN_RULES[rule][1]
    return Finding(rule=rule, level=level, text=text, fingerprint=fingerprint, exhibit=report.exhibit, remedy=remedy)


def _problem(outcome: Outcome) -> tuple[str, str] | None:
    """A rule and the words; None where the outcome is no problem."""
    match outcome:
        case Attestation():
            if outcome.is_broken or outcome.trust is Trust.REVOKED:
                return CREDENTIALS, f"Content Credentials: {outcome.state}. {outcome.summary}"
            return None
        case Observation(contradiction=True, summary=summary):
            return METADATA, f"The file contradicts itself. {summary}"
        case Measurement() | Observation() | Nothing() | Skipped() | Failed():
            return None
        case _:
            assert_never(outcome)


def _verdict_words(report: Report) -> str:
    verdict = report.verdict
    parts = (f"{verdict.headline}.", f"This rests on {wording.rests_on(verdict)}.", *verdict.because)
    conflicts = (f"In conflict: {conflict}" for conflict in verdict.conflicts)
    return " ".join((*parts, *conflicts))
