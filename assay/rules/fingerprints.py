"""By what a violation is known again: its rule, and the file's content, so that a renamed file stays known."""

from __future__ import annotations

import hashlib

from assay.vocabulary import ExhibitFacts, Report

UNREADABLE = "readable"
"""The rule under which a baseline holds that a file could not be examined, whether or not a policy has it."""


def fingerprint(rule: str, content: str) -> str:
    """Return the sha256 over a rule's name and what tells a file's content, in hex."""
    return hashlib.sha256(f"{rule}\0{content}".encode(errors="surrogatepass")).hexdigest()


def content_of(exhibit: ExhibitFacts, name: str) -> str:
    """Return the sha256 of a file; its name relative to the policy's folder where it could not be read at all."""
    return exhibit.sha256 or name


def unreadable(report: Report, name: str) -> str | None:
    """Return by what a baseline knows that this file could not be examined; None where everything could.

    That is its sha256, or where it could not be read at all its name and what was wrong: one that is missing today, and
    may not be opened tomorrow, has to be looked at again.
    """
    if not report.failures:
        return None
    wrong = {f"{each.check}: {each.error.replace(report.exhibit.name, '')}" for each in report.failures}
    return fingerprint(UNREADABLE, report.exhibit.sha256 or "\0".join((name, *sorted(wrong))))
