"""A publisher's rules, as they were read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assay.rules.globs import Glob, matches_any
from assay.rules.rule import Rule
from assay.vocabulary import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRule:
    """One rule as a policy applies it."""

    name: str
    """The publisher's own id, which violations carry; the rule's id where none is given."""
    rule: Rule
    severity: Severity
    paths: tuple[Glob, ...] = ()
    """Empty for every file."""
    exclude: tuple[Glob, ...] = ()

    def applies_to(self, name: str | None) -> bool:
        """Does the rule speak about the file at this path, relative to the policy's folder?

        A file without a path (None) may be meant for any place, so every rule speaks about it.
        """
        if name is None:
            return True
        return (not self.paths or matches_any(self.paths, name)) and not matches_any(self.exclude, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Files that one rule lets pass until a day."""

    rule: str
    """The name of the applied rule."""
    paths: tuple[Glob, ...] = ()
    sha256: frozenset[str] = frozenset()
    """Of the files' bytes, in lower case."""
    reason: str
    expires: date
    """The last day on which it applies."""

    def covers(self, name: str | None, sha256: str | None) -> bool:
        """Does it speak about this file, by its path (None where it has none) or its content?"""
        return sha256 in self.sha256 or (name is not None and matches_any(self.paths, name))

    def is_expired(self, today: date) -> bool:
        """Is its last day over?"""
        return today > self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All rules of one file, in their order; at least one."""

    file: Path
    """Absolute."""
    rules: tuple[AppliedRule, ...]
    exceptions: tuple[Exemption, ...] = ()

    @property
    def root(self) -> Path:
        """The folder that globs are relative to."""
        return self.file.parent

    def expired(self, today: date) -> tuple[str, ...]:
        """One line for each exception that no longer applies, whether or not a file needs it."""
        return tuple(
            f"{self.file}: the exception to '{each.rule}' ({each.reason}) expired on {each.expires.isoformat()}"
            for each in self.exceptions
            if each.is_expired(today)
        )
