"""The publisher's rules on a page: which are applied to a file, and which of them it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from assay.rules import EXPIRED_EXCEPTION, AppliedRule, Policy, applicable, covering_exceptions, evaluate
from assay.vocabulary import Report

WITHOUT_PATH = (
    "This file came without a path, so every rule is applied to it, whatever its “paths” and “exclude” say. "
    "An exception counts only where it names the SHA-256 of the file."
)
WITH_PATH = "Rules are applied to the path of this file, as assay verify applies them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What became of one rule for one file."""

    rule: str
    """The publisher's own name for it."""
    title: str
    state: str
    """In words: broken, not broken, covered by an exception, or not applied."""
    is_broken: bool
    scope: str
    """Which paths the policy limits it to, in words; empty where it is for every file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulings:
    """What became of all rules of a policy for one file."""

    policy: str
    """The name of its file."""
    manner: str
    """How rules were chosen for this file, in a sentence or two."""
    applied: tuple[Ruling, ...]
    others: tuple[Ruling, ...]
    """Those that do not speak about the path of this file."""

    @property
    def broken(self) -> int:
        """How many of the applied rules the file breaks."""
        return sum(each.is_broken for each in self.applied)


def judged(rules: Policy | None, reports: Sequence[Report], has_path: Sequence[bool]) -> list[Report]:
    """Return the reports with the rules that their files break, all judged together: a rule may compare files.

    Args:
        rules: None where there is no policy; the reports are then returned as they are.
        reports: Unmasked.
        has_path: For each report, whether its file has a path. A file without one is judged whatever the paths.
    """
    done = list(reports)
    if rules is None:
        return done
    for whatever in (False, True):
        at = [number for number, placed in enumerate(has_path) if placed is not whatever]
        found = evaluate(rules, [reports[number] for number in at], today=_today(), whatever_paths=whatever)
        for number, report in zip(at, found, strict=True):
            done[number] = report
    return done


def rulings(rules: Policy, report: Report, *, has_path: bool) -> Rulings:
    """Return what became of each rule of a policy for one file.

    Args:
        rules: The policy.
        report: On the file, as `judged` returned it.
        has_path: Whether the file has a path.
    """
    spoken = applicable(rules, report, whatever_paths=not has_path)
    others = tuple(applied for applied in rules.rules if applied not in spoken)
    return Rulings(
        policy=rules.file.name,
        manner=WITH_PATH if has_path else WITHOUT_PATH,
        applied=tuple(
            _ruling(applied, _state(rules, applied, report, has_path=has_path), report) for applied in spoken
        ),
        others=tuple(_ruling(applied, "not applied", report) for applied in others),
    )


def in_short(report: Report) -> str:
    """Say which rules a judged file breaks, such as `2 broken: no-ai, no-prompt`."""
    found = [violation.rule for violation in report.violations]
    broken = sum(rule != EXPIRED_EXCEPTION for rule in found)
    if broken:
        return f"{broken} broken: {', '.join(found)}"
    return _unbroken(report, "none broken")


def _ruling(applied: AppliedRule, state: str, report: Report) -> Ruling:
    return Ruling(
        rule=applied.name,
        title=applied.rule.title(),
        state=state,
        is_broken=_breaks(report, applied),
        scope="; ".join(_scope(applied)),
    )


def _state(rules: Policy, applied: AppliedRule, report: Report, *, has_path: bool) -> str:
    if _breaks(report, applied):
        return f"broken ({applied.severity})"
    for each in covering_exceptions(rules, applied, report, whatever_paths=not has_path):
        if not each.is_expired(_today()):
            return f"an exception lets the file pass until {each.expires.isoformat()} ({each.reason})"
    return _unbroken(report, "not broken")


def _unbroken(report: Report, words: str) -> str:
    return f"{words} in what could be examined" if report.failures else words


def _breaks(report: Report, applied: AppliedRule) -> bool:
    return any(violation.rule == applied.name for violation in report.violations)


def _scope(applied: AppliedRule) -> Iterator[str]:
    if applied.paths:
        yield "for " + ", ".join(glob.pattern for glob in applied.paths)
    if applied.exclude:
        yield "not for " + ", ".join(glob.pattern for glob in applied.exclude)


def _today() -> date:
    return datetime.now(UTC).date()
