"""From reports to an exit code: what fails a build, and what only goes into the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from assay.vocabulary import Attestation, Claim, Report, Severity


class FailOn(StrEnum):
    """What fails a build besides the errors of a policy."""

    GENERATED = "generated"
    EDITED = "edited"
    CAPTURED = "captured"
    OURS = "ours"
    CONFLICT = "conflict"
    """The evidence contradicts itself."""
    BROKEN = "broken"
    """Content Credentials that do not verify, or whose history does not."""
    WARNING = "warning"
    """Warnings of the policy."""


@dataclass(kw_only=True)
class Gate:
    """Watches reports go by, and remembers whether any of them fails the build."""

    fail_on: frozenset[FailOn] = frozenset()
    violated: bool = field(default=False, init=False)
    unreadable: bool = field(default=False, init=False)

    def watch(self, reports: Iterable[Report]) -> Iterator[Report]:
        """Pass reports on as they come."""
        for report in reports:
            self.violated = self.violated or self.is_violated_by(report)
            self.unreadable = self.unreadable or (bool(report.failures) and not report.failures_accepted)
            yield report

    def is_violated_by(self, report: Report) -> bool:
        """Whether one report alone fails the build."""
        severities = {violation.severity for violation in report.violations}
        if Severity.ERROR in severities or (Severity.WARNING in severities and FailOn.WARNING in self.fail_on):
            return True
        return bool(self.fail_on & set(_kinds(report)))

    @property
    def exit_code(self) -> int:
        """0 nothing to complain of, 1 violated, 3 some input could not be examined; 1 comes before 3.

        What a baseline accepts counts for neither.
        """
        if self.violated:
            return 1
        return 3 if self.unreadable else 0


def _kinds(report: Report) -> Iterator[FailOn]:
    if isinstance(report.verdict.claim, Claim):
        yield FailOn(report.verdict.claim.value)
    if report.verdict.conflicts:
        yield FailOn.CONFLICT
    attestations = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    if any(item.is_broken for item in attestations):
        yield FailOn.BROKEN
