"""One report in words, laid out by every format that people read.

The only place where a format looks into an `Outcome`: what a check said becomes a `Line`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from assay.bounds import in_words
from assay.policy import decide
from assay.report import wording
from assay.report.history import Node, tree
from assay.report.scale import Scale, scale
from assay.report.wording import Cell
from assay.vocabulary import (
    Attestation,
    Basis,
    Detail,
    ExhibitFacts,
    Failed,
    Integrity,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Report,
    Skipped,
    ToolFacts,
    Trust,
    Verdict,
    Violation,
)

NOTHING, SKIPPED, FAILED = "nothing", "skipped", "failed"
ORDER = (*(basis.value for basis in Basis), NOTHING, SKIPPED, FAILED)
CREDENTIALS, WATERMARK, MEASUREMENT = "Content Credentials", "Watermark", "Measurement"
NO_CREDENTIALS = "No Content Credentials. Most images have none, and removing them is easy."
_OF_THE_FILE = frozenset({"credentials", "metadata"})
"""Checks that see no pixels."""

_SETTLES = {
    "no credentials": "Content Credentials of a trusted signer, on the file as its maker published it.",
    "trusted": "The signer's removal from the trust list, or the revocation of the certificate.",
    "intact, signer unknown": "The signer's issuer on the chosen trust list (assay trust add FILE), if you know it.",
    "intact, signer's certificate expired": "A copy with a timestamp from before the certificate expired.",
    "intact, signer's certificate revoked": "A copy signed with a certificate that its issuer has not revoked.",
    "history broken": "The earlier versions as they were signed: ask the source for the originals.",
    "does not verify": "The file exactly as it was signed: ask the source for the original.",
    "the signature does not cover the picture": "A copy whose signature covers the picture: ask the signer for one.",
    "points to a remote manifest (not fetched)": "The manifest itself, kept beside the file as .c2pa.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one outcome says."""

    label: str
    """One of `ORDER`."""
    check: str
    title: str
    """The kind of outcome, or the heading of a note."""
    text: str
    details: tuple[Detail, ...] = ()
    cells: tuple[Cell, ...] = ()
    identity: tuple[Detail, ...] = ()
    history: Node | None = None
    map: bytes | None = None
    scale: Scale | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one report says, in the order in which it is read."""

    name: str
    label: str
    headline: str
    rests_on: str
    support: str
    """The verdict's likelihood ratio on the verbal scale; empty without one."""
    because: tuple[str, ...]
    conflicts: tuple[str, ...]
    would_change: tuple[str, ...]
    file: tuple[Detail, ...]
    file_notes: tuple[str, ...]
    lines: tuple[Line, ...]
    violations: tuple[Violation, ...]


def view(report: Report) -> View:
    """Put one report into words."""
    lines = [describe(outcome, report.exhibit, report.tools) for outcome in report.outcomes]
    picture, verdict = report.exhibit.picture, report.verdict
    return View(
        name=report.exhibit.name,
        label=wording.NOT_EXAMINED if wording.is_unread(report) else wording.label(verdict),
        headline=verdict.headline,
        rests_on=wording.rests_on(verdict),
        support=_support(verdict),
        because=verdict.because,
        conflicts=verdict.conflicts,
        would_change=tuple(dict.fromkeys(_would_change(report))),
        file=tuple(_file(report.exhibit)),
        file_notes=(*(picture.notes if picture else ()), *([wording.ACCEPTED] if report.failures_accepted else [])),
        lines=tuple(sorted(lines, key=_rank)),
        violations=tuple(sorted(report.violations, key=lambda violation: violation.severity.value)),
    )


def _rank(line: Line) -> tuple[int, int]:
    """Basis first; among notes the credentials, then by heading."""
    titles = (CREDENTIALS, *wording.GROUPS)
    return ORDER.index(line.label), titles.index(line.title) if line.title in titles else len(titles)


def describe(outcome: Outcome, exhibit: ExhibitFacts, tools: ToolFacts) -> Line:
    """One outcome in one line of words, with what stands behind it."""
    check = outcome.check
    match outcome:
        case Attestation():
            return _attestation(outcome, tools)
        case Measurement():
            return _measurement(outcome)
        case Observation(summary=text, details=details):
            title = wording.group(outcome)
            return Line(label=Basis.NOTED.value, check=check, title=title, text=text, details=details)
        case Nothing():
            text = NO_CREDENTIALS if check == "credentials" else "Nothing to report; that says nothing of the image."
            return Line(label=NOTHING, check=check, title="Nothing found", text=text + _seen(check, exhibit))
        case Skipped(reason=reason):
            return Line(label=SKIPPED, check=check, title="Skipped", text=reason)
        case Failed(error=error, hint=hint):
            text = error.removeprefix(f"{exhibit.name}: ")
            return Line(label=FAILED, check=check, title="Could not be examined", text=text, hint=hint)
        case _:
            assert_never(outcome)


def _seen(check: str, exhibit: ExhibitFacts) -> str:
    """That a check which found nothing saw a reduced picture."""
    seen = "" if exhibit.picture is None or check in _OF_THE_FILE else in_words(exhibit.picture)
    return f" It was seen {seen}." if seen else ""


def _attestation(outcome: Attestation, tools: ToolFacts) -> Line:
    return Line(
        label=(Basis.SIGNED if outcome.is_signed else Basis.NOTED).value,
        check=outcome.check,
        title=CREDENTIALS,
        text=f"{outcome.state}. {outcome.summary}",
        details=outcome.details,
        cells=(*wording.cells(outcome, tools), wording.IDENTITY if outcome.identity else wording.NO_IDENTITY),
        identity=outcome.identity,
        history=tree(outcome),
    )


def _measurement(outcome: Measurement) -> Line:
    numbers = [
        Detail(name="statistic", value=f"{outcome.statistic:.4g}"),
        Detail(name="if the claim were false", value=outcome.null),
    ]
    if outcome.p_value is not None:
        numbers.append(Detail(name="p-value", value=f"{outcome.p_value:.3g}"))
    if outcome.log10_lr is not None:
        numbers.append(Detail(name="log10 likelihood ratio", value=f"{outcome.log10_lr:.2f}"))
    says_nothing = decide([outcome]).claim is None and (outcome.log10_lr is None or outcome.basis is Basis.MARKED)
    return Line(
        label=NOTHING if says_nothing else outcome.basis.value,
        check=outcome.check,
        title=WATERMARK if outcome.basis is Basis.MARKED else MEASUREMENT,
        text=f"{outcome.summary} {_strength(outcome)}".rstrip(),
        details=(*numbers, *outcome.details),
        map=outcome.map,
        scale=scale(outcome),
    )


def _strength(outcome: Measurement) -> str:
    if outcome.log10_lr is not None:
        return wording.support(outcome.log10_lr, outcome.claim)
    return wording.ABSTAINS if outcome.p_value is None else ""


def _support(verdict: Verdict) -> str:
    if verdict.log10_lr is None or verdict.claim is None:
        return ""
    return wording.support(verdict.log10_lr, verdict.claim)


def _file(exhibit: ExhibitFacts) -> Iterator[Detail]:
    if picture := exhibit.picture:
        size = f"{picture.width:,} × {picture.height:,} pixels"
        frames = f", {picture.frames} frames" if picture.frames != 1 else ""
        yield Detail(name="image", value=f"{picture.format}, {size} as stored, {picture.mode}{frames}")
    if exhibit.byte_size is not None:
        yield Detail(name="size", value=f"{exhibit.byte_size:,} bytes")
    if exhibit.sha256 is not None:
        yield Detail(name="SHA-256", value=exhibit.sha256)


def _would_change(report: Report) -> Iterator[str]:
    """What a reader could bring that would lead to another verdict."""
    if wording.is_unread(report):
        yield "A file that can be read: fetch it again from the source."
        return
    attestations = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    for attestation in attestations:
        yield from _settles(attestation, report.tools)
    if not attestations:
        yield _SETTLES["no credentials"]
    if _rests_on_metadata(report):
        yield "One edit of the metadata: whoever has the file can add, change or remove these notes."
    if report.verdict.conflicts:
        yield "The source's account of which of the contradicting statements holds."
    for failure in report.failures:
        yield failure.hint


def _rests_on_metadata(report: Report) -> bool:
    verdict = report.verdict
    notes = (outcome for outcome in report.outcomes if isinstance(outcome, Observation) and not outcome.contradiction)
    return verdict.basis is Basis.NOTED and any(note.claim is verdict.claim for note in notes)


def _settles(attestation: Attestation, tools: ToolFacts) -> Iterator[str]:
    is_unknown = attestation.trust is Trust.UNKNOWN and attestation.integrity is Integrity.INTACT
    stamp = attestation.signer.stamp if attestation.signer else None
    if is_unknown and not tools.trust.certificates:
        yield "A trust list: none is installed, so nobody is trusted (assay trust update)."
    elif attestation.integrity is Integrity.MALFORMED:
        yield "A copy whose manifest keeps to the standard: ask the signer for one."
    elif attestation.trust is Trust.EXPIRED and stamp and stamp.vouched_by is None:
        yield (
            f"The root certificate of {stamp.issuer or stamp.authority} on a list of time-stamp authorities, if you "
            f"trust it: assay trust add --kind timestamps --trust {tools.trust.profile} ROOT.pem"
        )
    else:
        yield _SETTLES[attestation.state]
