"""Reports against a policy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath

from assay.rules.ai import AiMarkKept, declares_ai
from assay.rules.globs import relative_name
from assay.rules.model import AppliedRule, Exemption, Policy
from assay.rules.registry import EXPIRED_EXCEPTION
from assay.rules.rule import Context, Masters
from assay.vocabulary import ExhibitFacts, Report, Severity, Violation


def evaluate(
    policy: Policy, reports: Iterable[Report], *, today: date, known: frozenset[str] = frozenset()
) -> Iterator[Report]:
    """Give every report its violations, in order.

    Reports stream through one by one, so their number does not matter; only a policy that compares files with each
    other (`ai-mark-kept`) has to see all of them first.

    Args:
        policy: The rules.
        reports: Unmasked.
        today: In UTC.
        known: Fingerprints that a baseline accepts; these violations are left out.
    """
    masters: Masters = {}
    if any(isinstance(applied.rule, AiMarkKept) for applied in policy.rules):
        reports = tuple(reports)
        masters = find_masters(policy, reports)
    for report in reports:
        found = violations(policy, report, today=today, masters=masters)
        yield replace(report, violations=without_known(found, known))


def violations(policy: Policy, report: Report, *, today: date, masters: Masters | None = None) -> tuple[Violation, ...]:
    """Every rule that one file breaks, at most once each, in the policy's order.

    Args:
        policy: The rules.
        report: Unmasked; messages do not repeat its private values.
        today: In UTC.
        masters: What `find_masters` made of all reports; only `ai-mark-kept` asks for it.
    """
    context = Context(today=today, name=relative_name(report.exhibit.name, policy.root), masters=masters or {})
    found: list[Violation] = []
    lapsed: list[Exemption] = []
    for applied in policy.rules:
        if applied.applies_to(context.name) and (messages := tuple(applied.rule.check(report, context))):
            covering = _covering(policy, applied, report.exhibit, context)
            if all(each.is_expired(today) for each in covering):
                found.append(_violation(applied, messages, report.exhibit, context))
                lapsed.extend(covering)
    return (*found, *_expired(lapsed, report.exhibit, context))


def find_masters(policy: Policy, reports: Iterable[Report]) -> Masters:
    """Which masters could be examined, and which of them declare AI, for every `masters` pattern of the policy."""
    index: dict[str, dict[str, str | None]] = {}
    rules = [applied.rule for applied in policy.rules if isinstance(applied.rule, AiMarkKept)]
    globs = [(rule, rule.glob(), index.setdefault(rule.masters, {})) for rule in rules]
    for report in reports:
        name = relative_name(report.exhibit.name, policy.root)
        for rule, glob, known in globs:
            if not glob.matches(name):
                continue
            stem, is_declared = PurePosixPath(name).stem, declares_ai(report, rule.declarations)
            if is_declared or not report.failures:
                known[stem] = known.get(stem) or (name if is_declared else None)
    return index


def without_known(found: Iterable[Violation], baseline: frozenset[str]) -> tuple[Violation, ...]:
    """Those that the baseline does not accept."""
    return tuple(violation for violation in found if violation.fingerprint not in baseline)


def _covering(policy: Policy, applied: AppliedRule, exhibit: ExhibitFacts, context: Context) -> list[Exemption]:
    return [
        each for each in policy.exceptions if each.rule == applied.name and each.covers(context.name, exhibit.sha256)
    ]


def _violation(applied: AppliedRule, messages: tuple[str, ...], exhibit: ExhibitFacts, context: Context) -> Violation:
    return Violation(
        rule=applied.name,
        severity=applied.severity,
        message="; ".join(messages),
        remedy=applied.rule.remedy,
        fingerprint=_fingerprint(applied.name, exhibit, context),
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
            fingerprint=_fingerprint(EXPIRED_EXCEPTION, exhibit, context),
        )


def _fingerprint(rule: str, exhibit: ExhibitFacts, context: Context) -> str:
    content = exhibit.sha256 or context.name
    return hashlib.sha256(f"{rule}\0{content}".encode(errors="surrogatepass")).hexdigest()
