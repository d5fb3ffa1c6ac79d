"""Reports against a policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath

from assay.rules.ai import AiMarkKept, declares_ai
from assay.rules.fingerprints import content_of, fingerprint, unreadable
from assay.rules.globs import relative_name
from assay.rules.model import AppliedRule, Exemption, Policy
from assay.rules.registry import EXPIRED_EXCEPTION
from assay.rules.rule import Context, Masters
from assay.vocabulary import ExhibitFacts, Report, Severity, Violation


def evaluate(
    policy: Policy,
    reports: Iterable[Report],
    *,
    today: date,
    known: frozenset[str] = frozenset(),
    whatever_paths: bool = False,
) -> Iterator[Report]:
    """Give every report its violations, in order.

    Reports stream through one by one, so their number does not matter; only a policy that compares files with each
    other (`ai-mark-kept`) has to see all of them first.

    Args:
        policy: The rules.
        reports: Unmasked.
        today: In UTC.
        known: Fingerprints that a baseline accepts; these violations are left out. Where it accepts that a file could
            not be examined, the report says so.
        whatever_paths: The files have no path, as uploads have none: every rule applies to them whatever its `paths`
            and `exclude`, and an exception covers them by `sha256` only, never by `paths`.
    """
    masters: Masters = {}
    if any(isinstance(applied.rule, AiMarkKept) for applied in policy.rules):
        reports = tuple(reports)
        masters = find_masters(policy, reports, whatever_paths=whatever_paths)
    for report in reports:
        found = violations(policy, report, today=today, masters=masters, whatever_paths=whatever_paths)
        accepted = unreadable(report, relative_name(report.exhibit.name, policy.root)) in known
        yield replace(report, violations=without_known(found, known), failures_accepted=accepted)


def violations(
    policy: Policy, report: Report, *, today: date, masters: Masters | None = None, whatever_paths: bool = False
) -> tuple[Violation, ...]:
    """Every rule that one file breaks, at most once each, in the policy's order.

    Args:
        policy: The rules.
        report: Unmasked; messages do not repeat its private values.
        today: In UTC.
        masters: What `find_masters` made of all reports; only `ai-mark-kept` asks for it.
        whatever_paths: See `evaluate`.
    """
    context = Context(
        today=today,
        name=_path(policy, report, whatever_paths=whatever_paths) or report.exhibit.name,
        has_path=not whatever_paths,
        masters=masters or {},
    )
    found: list[Violation] = []
    lapsed: list[Exemption] = []
    for applied in applicable(policy, report, whatever_paths=whatever_paths):
        if messages := tuple(applied.rule.check(report, context)):
            covering = covering_exceptions(policy, applied, report, whatever_paths=whatever_paths)
            if all(each.is_expired(today) for each in covering):
                found.append(_violation(applied, messages, report.exhibit, context))
                lapsed.extend(covering)
    return (*found, *_expired(lapsed, report.exhibit, context))


def applicable(policy: Policy, report: Report, *, whatever_paths: bool = False) -> tuple[AppliedRule, ...]:
    """Return the rules that speak about one file, in the policy's order.

    Args:
        policy: The rules.
        report: On the file; only its name counts.
        whatever_paths: See `evaluate`.
    """
    path = _path(policy, report, whatever_paths=whatever_paths)
    return tuple(applied for applied in policy.rules if applied.applies_to(path))


def covering_exceptions(
    policy: Policy, applied: AppliedRule, report: Report, *, whatever_paths: bool = False
) -> tuple[Exemption, ...]:
    """Return the exceptions to one rule that name one file, those whose last day is over included.

    Args:
        policy: The exceptions.
        applied: The rule, one of the policy's.
        report: On the file; its name and its content count.
        whatever_paths: See `evaluate`.
    """
    path = _path(policy, report, whatever_paths=whatever_paths)
    return tuple(
        each for each in policy.exceptions if each.rule == applied.name and each.covers(path, report.exhibit.sha256)
    )


def _path(policy: Policy, report: Report, *, whatever_paths: bool) -> str | None:
    return None if whatever_paths else relative_name(report.exhibit.name, policy.root)


def find_masters(policy: Policy, reports: Iterable[Report], *, whatever_paths: bool = False) -> Masters:
    """Find which masters could be examined, and which declare AI, for every `masters` pattern of the policy.

    Of files without a path any may be a master: where `whatever_paths` is set, all of them count, by their stems.
    """
    index: dict[str, dict[str, str | None]] = {}
    rules = [applied.rule for applied in policy.rules if isinstance(applied.rule, AiMarkKept)]
    globs = [(rule, rule.glob(), index.setdefault(rule.masters, {})) for rule in rules]
    for report in reports:
        path = _path(policy, report, whatever_paths=whatever_paths)
        name = path or report.exhibit.name
        for rule, glob, known in globs:
            if path is not None and not glob.matches(path):
                continue
            stem, is_declared = PurePosixPath(name).stem, declares_ai(report, rule.declarations)
            if is_declared or not report.failures:
                known[stem] = known.get(stem) or (name if is_declared else None)
    return index


def without_known(found: Iterable[Violation], baseline: frozenset[str]) -> tuple[Violation, ...]:
    """Those that the baseline does not accept."""
    return tuple(violation for violation in found if violation.fingerprint not in baseline)


def _violation(applied: AppliedRule, messages: tuple[str, ...], exhibit: ExhibitFacts, context: Context) -> Violation:
    return Violation(
        rule=applied.name,
        severity=applied.severity,
        message="; ".join(messages),
        remedy=applied.rule.remedy,
        fingerprint=fingerprint(applied.name, content_of(exhibit, context.name)),
    )


def _expired(lapsed: list[Exemption], exhibit: ExhibitFacts, context: Context) -> Iterator[Violation]:
    if lapsed:
        yield Violation(
            rule=EXPIRED_EXCEPTION,
            severity=Severity.WARNING,
            message="; ".join(
                f"its exception to '{each.rule}' expired on {each.expires.isoformat()} ({each.reason})"
                for each in lapsed
            ),
            remedy="Bring the file in line with the rule, or give the exception a new date and reason.",
            fingerprint=fingerprint(EXPIRED_EXCEPTION, content_of(exhibit, context.name)),
        )
