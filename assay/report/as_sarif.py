"""Reports as SARIF 2.1.0 (OASIS Standard), the subset that GitHub code scanning shows.

Results:
    the publisher's rules   level error or warning, under the rule's id
    assay/credentials       warning: credentials that do not verify, a broken history, a revoked certificate
    assay/metadata          warning: statements in the file that contradict each other
    assay/verdict           note: declared, signed, marked or measured as generated or edited, or evidence in conflict

Every image is an artifact, whose properties hold the verdict and what each check said.

What could not be examined is a notification of the run, and makes the execution unsuccessful unless a baseline accepts
it. A fingerprint is made of rule and content, never of a path, so an alert survives a rename.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.report import wording
from assay.report.escape import visible
from assay.report.findings import OWN_RULES, Finding, findings
from assay.report.view import view
from assay.vocabulary import ExhibitFacts, Failed, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
"""GitHub refuses a run with more results."""
BASE = "%SRCROOT%"

Place = Callable[[ExhibitFacts], dict[str, str]]
"""Where a file is, as an `artifactLocation`."""

_NAME = 255
_LEVELS = ("error", "warning", "note")
_UNREADABLE, _LEFT_OUT = "assay/unreadable", "assay/results-left-out"
_NOTIFICATIONS = {
    _UNREADABLE: (
        "An image could not be examined.",
        "The message says why. What was not examined has passed no check.",
    ),
    _LEFT_OUT: (
        "There are more results than a run may have.",
        "Examine fewer images at a time, or read the JSON report, which has everything.",
    ),
}


def render(reports: Sequence[Report]) -> str:
    """One SARIF log with one run."""
    found = [finding for report in reports for finding in findings(report)]
    kept = _most_important(found)
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(reports, kept, len(found) - len(kept))]}
    return json.dumps(document, indent=2) + "\n"


def _run(reports: Sequence[Report], kept: Sequence[Finding], left_out: int) -> dict[str, Any]:
    rules = _rules(kept)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    root = git_root(Path.cwd())
    base = "The root of the git repository in which Assay ran." if root else "The folder in which Assay ran."
    place = partial(_place, root=root or Path.cwd())
    failures = [(report, failure) for report in reports for failure in report.failures]
    return {
        "tool": {"driver": {**_driver(reports), "rules": rules}},
        "invocations": [
            {
                "executionSuccessful": all(report.failures_accepted for report, _ in failures),
                "toolExecutionNotifications": [
                    *(_unreadable(report, failure, place) for report, failure in failures),
                    *([_results_left_out(left_out)] if left_out else []),
                ],
            }
        ],
        "originalUriBaseIds": {BASE: {"description": {"text": base}}},
        "artifacts": _artifacts(reports, place),
        "results": _results(kept, index, place),
        "columnKind": "unicodeCodePoints",
    }


def _driver(reports: Sequence[Report]) -> dict[str, Any]:
    notifications = [_descriptor(name, *texts) for name, texts in _NOTIFICATIONS.items()]
    facts: dict[str, Any] = {"name": "Assay", "notifications": notifications}
    if not reports:
        return facts | {"version": version("assay")}
    tools = reports[0].tools
    trust = {"profile": visible(tools.trust.profile), "sha256": visible(tools.trust.sha256)}
    if tools.trust.issued:
        trust["issued"] = tools.trust.issued.isoformat()
    libraries = {visible(name): visible(value) for name, value in tools.libraries.items()}
    return facts | {"version": visible(tools.assay), "properties": {"libraries": libraries, "trust": trust}}


def _most_important(found: Sequence[Finding]) -> list[Finding]:
    """At most as many as a run may have, errors before warnings before notes, in their own order."""
    ranked = sorted(range(len(found)), key=lambda position: _LEVELS.index(found[position].level))
    return [found[position] for position in sorted(ranked[:MAX_RESULTS])]


def _rules(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """One rule per id, with the help of its first result and the level of its gravest."""
    rules: dict[str, dict[str, Any]] = {}
    for finding in found:
        about = OWN_RULES.get(finding.rule, (f"The publisher's rule {finding.rule}.", ""))[0]
        rule = rules.setdefault(finding.rule, _descriptor(finding.rule, about, finding.remedy or about))
        settled = rule.setdefault("defaultConfiguration", {"level": finding.level})
        settled["level"] = min(settled["level"], finding.level, key=_LEVELS.index)
    return list(rules.values())


def _descriptor(name: str, about: str, remedy: str) -> dict[str, Any]:
    """A rule or notification with everything that GitHub requires of one."""
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.replace("/", "-").split("-"))[:_NAME],
        "shortDescription": _message(about),
        "fullDescription": _message(about),
        "help": _message(remedy),
        "properties": {"tags": ["provenance"]},
    }


def _results(kept: Iterable[Finding], index: dict[str, int], place: Place) -> list[dict[str, Any]]:
    seen: Counter[tuple[str, bytes | None, str]] = Counter()
    results = []
    for finding in kept:
        alert = (finding.exhibit.name, finding.exhibit.raw_name, finding.fingerprint)
        seen[alert] += 1
        results.append(
            {
                "ruleId": finding.rule,
                "ruleIndex": index[finding.rule],
                "level": finding.level,
                "message": _message(finding.text),
                "locations": [_location(place(finding.exhibit))],
                # GitHub tells alerts apart by this one key; the number after the colon by convention is the occurrence.
                "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:{seen[alert]}"},
            }
        )
    return results


def _unreadable(report: Report, failure: Failed, place: Place) -> dict[str, Any]:
    accepted = f" {wording.ACCEPTED}" if report.failures_accepted else ""
    return {
        "descriptor": {"id": _UNREADABLE, "index": list(_NOTIFICATIONS).index(_UNREADABLE)},
        "level": "note" if report.failures_accepted else "error",
        "message": _message(f"{failure.error} ({failure.check}). {failure.hint}{accepted}"),
        "locations": [_location(place(report.exhibit))],
    }


def _results_left_out(count: int) -> dict[str, Any]:
    text = f"{wording.plural(count, 'result')} left out, the least severe: a run may have {MAX_RESULTS:,}."
    return {
        "descriptor": {"id": _LEFT_OUT, "index": list(_NOTIFICATIONS).index(_LEFT_OUT)},
        "level": "warning",
        "message": _message(text),
    }


def _artifacts(reports: Iterable[Report], place: Place) -> list[dict[str, Any]]:
    distinct = {(report.exhibit.name, report.exhibit.raw_name): report for report in reports}
    return [_artifact(report, place) for report in distinct.values()]


def _artifact(report: Report, place: Place) -> dict[str, Any]:
    """One image, with what every check said in words: no alert comes of that, but nothing is lost either."""
    exhibit = report.exhibit
    artifact: dict[str, Any] = {"location": place(exhibit), "roles": ["analysisTarget"]}
    if exhibit.byte_size is not None:
        artifact["length"] = exhibit.byte_size
    if exhibit.sha256 is not None:
        artifact["hashes"] = {"sha-256": visible(exhibit.sha256)}
    shown = view(report)
    artifact["properties"] = {
        "verdict": visible(shown.headline),
        "outcomes": [visible(f"{line.label}: {line.title} ({line.check}): {line.text}") for line in shown.lines],
    }
    return artifact


def _location(where: dict[str, str]) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": where, "region": {"startLine": 1}}}


def _place(exhibit: ExhibitFacts, *, root: Path) -> dict[str, str]:
    name = exhibit.name if exhibit.raw_name is None else os.fsdecode(exhibit.raw_name)
    return artifact_location(name, root)


def git_root(folder: Path) -> Path | None:
    """Return the root of the git repository around a folder, or None outside of any.

    A root holds `.git`: a folder, or a file in a work tree and in a submodule. git itself is not asked.
    """
    return next((each for each in (folder, *folder.parents) if os.path.exists(each / ".git")), None)  # noqa: PTH110 - answers where it may not look


def artifact_location(name: str, root: Path | None = None) -> dict[str, str]:
    """Return where a file is: relative to the root where it lies below it, else as an absolute `file:` URI.

    Args:
        name: The path as it was given, relative to the current folder or absolute. Its bytes outside RFC 3986's
            unreserved set are percent-encoded, also where they are no UTF-8.
        root: The root of the git repository around the current folder by default, or outside of any that folder.
    """
    root = root or git_root(Path.cwd()) or Path.cwd()
    path = os.path.normpath(Path.cwd() / name.replace("\0", "\\x00"))
    relative = os.path.relpath(path, root)
    if _leads_out(relative):  # unless it was only named by way of a link
        relative = os.path.relpath(_without_links(path), root)
    if _leads_out(relative):
        return {"uri": f"file:///{_percent_encoded(path).lstrip('/')}"}
    return {"uri": _percent_encoded(relative), "uriBaseId": BASE}


def _leads_out(relative: str) -> bool:
    return relative == os.pardir or relative.startswith(os.pardir + os.sep)


def _without_links(path: str) -> str:
    """The same file in its real folder; a link that is the file itself stays."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - of one piece with what is around it


def _percent_encoded(path: str) -> str:
    try:
        return quote(os.fsencode(path), safe="/")
    except UnicodeEncodeError:  # no name of a file, but of an upload
        return quote(path, safe="/", errors="backslashreplace")


def _message(text: str) -> dict[str, str]:
    """Plain text in which nothing is a placeholder or a link (SARIF 2.1.0, sections 3.11.5 and 3.11.6)."""
    shown = visible(text, limit=1_000)
    return {"text": shown.replace("{", "{{").replace("}", "}}").replace("](", "] (") or " "}
