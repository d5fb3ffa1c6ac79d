"""The words that every format shares: bases, the verbal scale, the fields of credentials, counts.

Metadata is *declared*, a stranger's signature *names*, only a trusted signer *says*.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from assay.vocabulary import (
    TRUST_LIST_MAX_AGE_DAYS,
    AiUse,
    Attestation,
    Basis,
    Claim,
    History,
    Integrity,
    Observation,
    Report,
    Severity,
    Signer,
    ToolFacts,
    Trust,
    TrustFacts,
    Verdict,
)

INCONCLUSIVE = "inconclusive"
NOT_EXAMINED = "not examined"
ABSTAINS = "The method abstains."
ACCEPTED = "A baseline accepts that this file could not be examined."

RESTS_ON = {
    Basis.SIGNED: "a signature that holds, by a signer whom the chosen trust list vouches for",
    Basis.MARKED: "a watermark found in the pixels",
    Basis.MEASURED: "a calibrated measurement of the pixels",
    Basis.NOTED: "notes that nothing trusted vouches for, and that anybody can write",
}
RESTS_ON_NOTHING = "nothing that could carry a verdict"

_CLAIMS = {
    Claim.GENERATED: "that a generative model made it",
    Claim.OURS: "that it was made here",
    Claim.EDITED: "that it was edited",
    Claim.CAPTURED: "that a camera or scanner recorded it",
}

SUPPORT_WORDS = (
    (6.0, "extremely strong"),
    (4.0, "very strong"),
    (3.0, "strong"),
    (2.0, "moderately strong"),
    (1.0, "moderate"),
    (math.log10(2), "weak"),
)
"""Least magnitude of a log10 likelihood ratio, and the word for it, strongest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field of the credentials: they fail separately, so they are shown separately."""

    name: str
    state: str
    meaning: str


def label(verdict: Verdict) -> str:
    """The verdict's basis in one word."""
    return verdict.basis.value if verdict.basis else INCONCLUSIVE


def rests_on(verdict: Verdict) -> str:
    """The verdict's basis in words."""
    return RESTS_ON[verdict.basis] if verdict.basis else RESTS_ON_NOTHING


def support(log10_lr: float, claim: Claim) -> str:
    """A likelihood ratio in words, by the scale of the ENFSI Guideline for Evaluative Reporting (2015).

    Args:
        log10_lr: Base-10 logarithm of the likelihood ratio; negative values speak against the claim, NaN abstains.
        claim: What the ratio is about.
    """
    if math.isnan(log10_lr):
        return ABSTAINS
    word = next((word for least, word in SUPPORT_WORDS if abs(log10_lr) >= least), None)
    if word is None:
        return f"No support either way for the proposition {_CLAIMS[claim]}."
    side = "for" if log10_lr > 0 else "against"
    return f"{word.capitalize()} support {side} the proposition {_CLAIMS[claim]}, relative to its opposite."


def signer_words(signer: Signer, *, vouched_for: bool) -> str:
    """Who signed, and when. A name in a certificate that nobody vouches for is only what the certificate says."""
    verb = "signed by" if vouched_for else "its certificate names"
    return f"{verb} {signer.name}{_when(signer)}"


def _when(signer: Signer) -> str:
    stamp = signer.stamp
    if signer.signed_at:
        by = f", stamped by {stamp.authority}, for whom the list {stamp.vouched_by} vouches" if stamp else ""
        return f", {signer.signed_at}{by}"
    if stamp:
        return f", without a trusted time stamp ({stamp.authority}, for whom no list vouches, stamped {stamp.time})"
    return ", without a trusted time stamp"


def cells(attestation: Attestation, tools: ToolFacts) -> tuple[Cell, ...]:
    """Integrity, signer, history and declared AI use, each with its state and what the state means."""
    return (
        _integrity_cell(attestation),
        _signer_cell(attestation, tools.trust),
        _history_cell(attestation),
        _ai_cell(attestation),
    )


_INTEGRITY = {
    Integrity.INTACT: "The file still matches what was signed.",
    Integrity.UNCOVERED: "The hash leaves out what the picture is made from: another picture can stand there.",
    Integrity.MALFORMED: "The manifest breaks a rule of the C2PA standard. Nothing shows that the file changed.",
    Integrity.BROKEN: "File and manifest no longer match. A harmless re-save can do that, too.",
    Integrity.NOT_FETCHED: "The manifest lies elsewhere, and the network stays closed.",
}


_FLAWS = {Integrity.BROKEN: "does not match this file", Integrity.MALFORMED: "breaks the standard"}


def _integrity_cell(attestation: Attestation) -> Cell:
    meaning = _INTEGRITY[attestation.integrity]
    if attestation.integrity is Integrity.INTACT and attestation.outside:
        meaning = f"The picture still matches what was signed; left out of the hash: {', '.join(attestation.outside)}."
    return Cell(name="integrity", state=attestation.integrity.value, meaning=meaning)


def _signer_cell(attestation: Attestation, trust: TrustFacts) -> Cell:
    if attestation.integrity is Integrity.NOT_FETCHED:
        return Cell(name="signer trust", state="not known", meaning="The signature was not fetched.")
    meanings = {
        Trust.TRUSTED: f"The trust list '{trust.profile}' vouches for the certificate.",
        Trust.UNKNOWN: _unknown_signer(trust),
        Trust.EXPIRED: _expired_signer(attestation.signer, trust),
        Trust.REVOKED: "Its issuer has revoked the certificate, or your own list of distrusted certificates names it.",
    }
    meaning = meanings[attestation.trust]
    if (flaw := _FLAWS.get(attestation.integrity)) is not None:
        meaning = f"Of the certificate in the manifest, which {flaw}: {meaning[0].lower()}{meaning[1:]}"
    return Cell(name="signer trust", state=attestation.trust.value, meaning=meaning)


def _unknown_signer(trust: TrustFacts) -> str:
    if not trust.certificates:
        return f"The trust profile '{trust.profile}' holds no certificate, so nobody is trusted (assay trust update)."
    return f"The trust list '{trust.profile}' does not vouch for the certificate. Anybody can make one, with any name."


def _expired_signer(signer: Signer | None, trust: TrustFacts) -> str:
    stamp = signer.stamp if signer else None
    if stamp is None or stamp.vouched_by:
        return "The certificate has expired, and no time stamp shows that it was used in time."
    return (
        f"The certificate has expired. {stamp.authority} stamped an earlier time, but the profile '{trust.profile}' "
        "holds no list that vouches for this authority."
    )


def _history_cell(attestation: Attestation) -> Cell:
    if attestation.history is History.UNKNOWN:
        meaning = "The manifest was not fetched."
    elif attestation.history is History.BROKEN:
        meaning = "An earlier version does not verify: it may have been changed and signed over."
    elif attestation.manifest and attestation.manifest.ingredients:
        meaning = "No earlier version that has credentials fails to verify."
    else:
        meaning = "No earlier version is recorded."
    return Cell(name="history", state=attestation.history.value, meaning=meaning)


def _ai_cell(attestation: Attestation) -> Cell:
    meanings = {
        AiUse.UNKNOWN: "What a manifest states is not taken as fact unless it matches the file.",
        AiUse.NONE: "None is declared, which does not mean that none was used.",
        AiUse.POSSIBLE: "A declared step, such as a composite or a screen capture, may have used generative AI.",
        AiUse.PARTLY: "Part of the image is declared as made with generative AI.",
        AiUse.FULLY: "The whole image is declared as made with generative AI.",
    }
    return Cell(name="declared AI use", state=attestation.ai_use.value, meaning=meanings[attestation.ai_use])


NO_IDENTITY = Cell(name="identity", state="none stated", meaning="No author is named in the credentials.")
IDENTITY = Cell(name="identity", state="stated", meaning="As stated, checked against nothing.")


CONTRADICTIONS = "Contradictions"
DECLARATIONS = "Declared origin and AI use"
_CAMERA, _PERSONAL, _RIGHTS = "Camera facts", "Place and serial numbers", "Rights"
_STRUCTURE, _OTHER = "File structure", "Other notes"
GROUPS = (CONTRADICTIONS, DECLARATIONS, _CAMERA, _PERSONAL, _RIGHTS, _STRUCTURE, _OTHER)
"""The headings of notes, in the order in which they are read."""

_GROUP_OF = {
    "digital-source-type": DECLARATIONS,
    "prompt": DECLARATIONS,
    "camera": _CAMERA,
    "capture-date": _CAMERA,
    "software": _CAMERA,
    "location": _PERSONAL,
    "serial-numbers": _PERSONAL,
    "rights": _RIGHTS,
    "bytes-after-end": _STRUCTURE,
}


def group(observation: Observation) -> str:
    """The heading under which a note stands."""
    if observation.contradiction:
        return CONTRADICTIONS
    return _GROUP_OF.get(observation.signal, DECLARATIONS if observation.claim else _OTHER)


def plural(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def is_unread(report: Report) -> bool:
    """Whether the file could not be examined at all."""
    return report.exhibit.picture is None and bool(report.failures)


def summary(reports: Sequence[Report]) -> str:
    """All reports in one line, such as `3 images: 1 signed, 2 inconclusive; 1 could not be examined`."""
    read = [report for report in reports if not is_unread(report)]
    found = Counter(label(report.verdict) for report in read)
    order = (*(basis.value for basis in Basis), INCONCLUSIVE)
    counts = ", ".join(f"{found[word]:,} {word}" for word in order if found[word])
    parts = [plural(len(read), "image") + (f": {counts}" if counts else "")]
    if unread := len(reports) - len(read):
        parts.append(f"{unread:,} could not be examined")
    if partly := sum(bool(report.failures) for report in read):
        parts.append(f"{partly:,} examined only in part")
    if accepted := sum(report.failures_accepted for report in reports):
        parts.append(f"{accepted:,} of these accepted by the baseline")
    if broken := violations_line(reports):
        parts.append(broken)
    return "; ".join(parts)


def violations_line(reports: Sequence[Report]) -> str:
    """Broken rules by severity, such as `2 errors and 1 warning`; empty where there are none."""
    found = Counter(violation.severity for report in reports for violation in report.violations)
    return " and ".join(plural(found[severity], severity.value) for severity in Severity if found[severity])


def trust_list(trust: TrustFacts, today: date) -> str:
    """Which trust list decided, how old it was on the day given, and how many certificates the user distrusts."""
    if not trust.certificates:
        return f"profile '{trust.profile}' holds no certificate, so nobody is trusted (assay trust update)"
    count = f"profile '{trust.profile}', {plural(trust.certificates, 'certificate')}"
    if trust.distrusted:
        count += f", {trust.distrusted:,} distrusted by hand"
    if trust.issued is None:
        return f"{count}, without a date"
    age = (today - trust.issued).days
    stale = f"; older than {TRUST_LIST_MAX_AGE_DAYS} days: assay trust update" if age > TRUST_LIST_MAX_AGE_DAYS else ""
    return f"{count}, issued {trust.issued.isoformat()}, {plural(age, 'day')} before this page was made{stale}"
