"""A baseline: the violations that a publisher knows of, so that only new ones stop a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from assay.errors import PolicyError
from assay.files import write_whole
from assay.rules.fingerprints import UNREADABLE, unreadable
from assay.rules.globs import relative_name
from assay.rules.registry import EXPIRED_EXCEPTION
from assay.vocabulary import Report

Baseline = frozenset[str]
"""Fingerprints."""

_SCHEMA = "assay-baseline/1"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_HINT = "Write it again with the same command, or restore it from version control."


def read_baseline(path: Path) -> Baseline:
    """Read the fingerprints of a baseline.

    Raises:
        PolicyError: The file cannot be read, or is not a baseline.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{path}: the baseline is damaged: {error}", hint=_HINT) from error
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise PolicyError(f"{path}: is not a baseline of the kind {_SCHEMA}", hint=_HINT)
    entries = document.get("violations")
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise PolicyError(f"{path}: the baseline is damaged: an entry has no fingerprint", hint=_HINT)
    return frozenset(entry["fingerprint"] for entry in entries)


def write_baseline(path: Path, reports: Iterable[Report], *, root: Path | None = None) -> int:
    """Write the violations of these reports as known, and that files could not be examined, in a stable order.

    An expired exception is left out: what ends it is a change of the policy, and until then it should be seen.

    Args:
        path: Where it goes; an older one is replaced, whole or not at all.
        reports: With all their violations. Rule and file name go into the baseline for people to read.
        root: The policy's folder, by default the baseline's own: a file that could not be read at all is known by its
            name relative to that folder.

    Returns:
        How many violations are in it.

    Raises:
        PolicyError: The file cannot be written.
    """
    own = Path(os.path.abspath(path)).parent  # noqa: PTH100 - as for the policy: a link's own folder
    rows = {
        (relative_name(report.exhibit.name, own), rule, fingerprint)
        for report in reports
        for rule, fingerprint in _known(report, root or own)
    }
    entries = [{"fingerprint": fingerprint, "name": name, "rule": rule} for name, rule, fingerprint in sorted(rows)]
    text = json.dumps({"schema": _SCHEMA, "violations": entries}, indent=2) + "\n"
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise PolicyError(f"{path}: cannot be written: {error.strerror}", hint="Choose another place.") from error
    return len(entries)


def _known(report: Report, root: Path) -> Iterator[tuple[str, str]]:
    """Rule and fingerprint of everything that a baseline accepts of one file."""
    for violation in report.violations:
        if violation.rule != EXPIRED_EXCEPTION:
            yield violation.rule, violation.fingerprint
    if fingerprint := unreadable(report, relative_name(report.exhibit.name, root)):
        yield UNREADABLE, fingerprint


def _is_entry(entry: Any) -> bool:
    fingerprint = entry.get("fingerprint") if isinstance(entry, dict) else None
    return isinstance(fingerprint, str) and _FINGERPRINT.fullmatch(fingerprint) is not None
