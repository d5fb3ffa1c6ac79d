"""Outcomes -> `Verdict`, by precedence: signed > marked > measured > noted.

Guarantees:
    Default         Without evidence that counts, the verdict is INCONCLUSIVE (`claim` is None).
    Strangers       Only an intact, trusted attestation with an unbroken history is SIGNED. Any other manifest is a
                    note, whatever it says of cameras or models.
    Interest        A note can declare an image generated or edited, against its own interest. It can never show that
                    one was captured: camera fields are copied in a second.
    Abstention      A measurement without a likelihood ratio, or with a weak one, outranks nothing.
    Conflicts       Evidence is never averaged. Claims that exclude each other are listed; where they stand on the same
                    basis, the verdict is INCONCLUSIVE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from assay.vocabulary import (
    AiUse,
    Attestation,
    Basis,
    Claim,
    Evidence,
    Failed,
    History,
    Integrity,
    Measurement,
    Observation,
    Outcome,
    Skipped,
    Trust,
    Verdict,
)

MIN_LOG10_LR = 1.0
"""A likelihood ratio below ten is at most weak support (ENFSI Guideline for Evaluative Reporting, 2015)."""
MAX_P_VALUE = 1e-6
"""A watermark counts as found at or below this p-value, over everything that was tried."""

_ORDER = (Basis.SIGNED, Basis.MARKED, Basis.MEASURED, Basis.NOTED)
_PRIORITY = (Claim.OURS, Claim.GENERATED, Claim.EDITED, Claim.CAPTURED)
"""Among claims that hold together, the one that a reader needs first."""
_EXCLUSIVE = ({Claim.GENERATED, Claim.CAPTURED}, {Claim.OURS, Claim.CAPTURED})

_HEADLINES = {
    (Claim.GENERATED, Basis.SIGNED): "Made with generative AI, says a trusted signer",
    (Claim.EDITED, Basis.SIGNED): "Edited, says a trusted signer",
    (Claim.CAPTURED, Basis.SIGNED): "Captured by a camera or scanner, says a trusted signer",
    (Claim.OURS, Basis.SIGNED): "Made here, says our own signature",
    (Claim.GENERATED, Basis.MARKED): "Carries the watermark of a generative model",
    (Claim.OURS, Basis.MARKED): "Carries our own watermark",
    (Claim.EDITED, Basis.MARKED): "Carries the watermark of an editing tool",
    (Claim.CAPTURED, Basis.MARKED): "Carries the watermark of a camera",
    (Claim.GENERATED, Basis.MEASURED): "Measurements support that a model made it",
    (Claim.OURS, Basis.MEASURED): "Measurements support that it was made here",
    (Claim.EDITED, Basis.MEASURED): "Measurements support that it was edited",
    (Claim.CAPTURED, Basis.MEASURED): "Measurements support that a camera took it",
    (Claim.GENERATED, Basis.NOTED): "Declared as made with generative AI, which nothing trusted vouches for",
    (Claim.OURS, Basis.NOTED): "Declared as made here, which nothing trusted vouches for",
    (Claim.EDITED, Basis.NOTED): "Declared as edited, which nothing trusted vouches for",
}
_BY_NAME = "Made with software that only generates images, says a trusted signer"
UNVERIFIED_DECLARATION = "unverified-credentials-declare"
"""The signal of credentials that declare AI and do not stand for the picture."""
_UNVERIFIED = {
    Claim.GENERATED: "Declared as made with generative AI, in Content Credentials that do not verify",
    Claim.EDITED: "Declared as edited, in Content Credentials that do not verify",
}
_WITH_MODEL = (AiUse.PARTLY, AiUse.FULLY)
_SIGNED_WITHOUT_CLAIM = "Inconclusive: signed by a trusted signer, who does not say how it was made"
_CONFLICTING = "Inconclusive: the evidence contradicts itself"
_UNCOVERED = "Inconclusive: the signature in its Content Credentials does not cover the picture"
_DOES_NOT_VERIFY = "Inconclusive: its Content Credentials do not verify"
_BROKEN_HISTORY = "Inconclusive: its Content Credentials have a broken history"
_UNREADABLE = "Not examined: the file could not be read"
_NOT_FETCHED = "Inconclusive: its Content Credentials lie elsewhere and were not fetched"
_UNCHECKED = "Inconclusive: not everything could be checked"
_INCONCLUSIVE = "Inconclusive: nothing found says how it was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Support:
    """One piece of evidence that counts for a claim."""

    claim: Claim
    basis: Basis
    log10_lr: float | None
    because: str
    with_model: bool = False
    """Whether a generative model is said to have been used."""
    headline: str | None = None
    """Instead of the usual one for this claim and basis."""


def decide(outcomes: Iterable[Outcome]) -> Verdict:
    """Weigh everything that the checks said about one image."""
    outcomes = tuple(outcomes)
    evidence = [outcome for outcome in outcomes if isinstance(outcome, Attestation | Measurement | Observation)]
    supports = [support for item in evidence if (support := _support(item)) is not None]
    conflicts = (*_contradictions(evidence), *_exclusions(supports))
    if not supports:
        return _without_support(outcomes, evidence, conflicts)
    basis = min((support.basis for support in supports), key=_ORDER.index)
    strongest = [support for support in supports if support.basis is basis]
    claims = {support.claim for support in strongest}
    if any(pair <= claims for pair in _EXCLUSIVE) or (basis is Basis.NOTED and claims & _disputed(evidence)):
        return _inconclusive(_CONFLICTING, evidence, conflicts)
    claim = min(claims, key=_PRIORITY.index)
    ratios = [support.log10_lr for support in strongest if support.claim is claim and support.log10_lr is not None]
    return Verdict(
        claim=claim,
        basis=basis,
        log10_lr=max(ratios, default=None),
        headline=_headline(claim, basis, strongest),
        because=tuple(dict.fromkeys(support.because for support in strongest if support.claim is claim)),
        conflicts=conflicts,
    )


def _headline(claim: Claim, basis: Basis, supports: Iterable[_Support]) -> str:
    """The words for a verdict; an edit by a generative model is called so."""
    speaking = [support for support in supports if support.claim is claim]
    special = {support.headline for support in speaking}
    headline = special.pop() if len(special) == 1 else None
    headline = headline or _HEADLINES[claim, basis]
    with_model = claim is Claim.EDITED and any(support.with_model for support in speaking)
    return headline.replace("dited", "dited with generative AI", 1) if with_model else headline


def _support(item: Evidence) -> _Support | None:
    """What a piece of evidence counts for; None where it counts for nothing."""
    match item:
        case Attestation():
            return _attested(item)
        case Measurement():
            return _counted(item.claim if is_found(item) else None, item.basis, item.log10_lr, item.summary)
        case Observation():
            claim = None if item.contradiction else item.claim
            headline = _UNVERIFIED.get(item.claim) if item.claim and item.signal == UNVERIFIED_DECLARATION else None
            # No note speaks of edits without a model.
            return _counted(claim, Basis.NOTED, None, item.summary, with_model=True, headline=headline)
        case _:
            assert_never(item)


def _attested(item: Attestation) -> _Support | None:
    says_model = item.manifest is not None and item.manifest.ai_use in _WITH_MODEL
    if item.history is History.BROKEN and item.claim is not Claim.GENERATED and not says_model:
        return None  # what was signed over counts only against the signer's own interest
    stated = item.vouched_ai_use if item.trust is Trust.TRUSTED else item.ai_use
    by_name = item.is_signed and item.claim is Claim.GENERATED and stated not in (AiUse.FULLY, AiUse.UNKNOWN)
    return _counted(
        item.claim,
        Basis.SIGNED if item.is_signed else Basis.NOTED,
        None,
        item.summary,
        with_model=says_model or stated in _WITH_MODEL,
        headline=_BY_NAME if by_name else None,
    )


def _counted(
    claim: Claim | None,
    basis: Basis,
    log10_lr: float | None,
    because: str,
    *,
    with_model: bool = False,
    headline: str | None = None,
) -> _Support | None:
    if claim is None or (basis is Basis.NOTED and claim is Claim.CAPTURED):
        return None
    return _Support(
        claim=claim, basis=basis, log10_lr=log10_lr, because=because, with_model=with_model, headline=headline
    )


def is_found(item: Measurement) -> bool:
    """Whether a measurement counts: a likelihood ratio that is strong enough, or a watermark where there is none."""
    if item.log10_lr is not None:
        return item.log10_lr >= MIN_LOG10_LR
    return item.basis is Basis.MARKED and item.p_value is not None and item.p_value <= MAX_P_VALUE


def _contradictions(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    return tuple(item.summary for item in evidence if isinstance(item, Observation) and item.contradiction)


def _disputed(evidence: Iterable[Evidence]) -> set[Claim | None]:
    """Claims that a contradiction in the file speaks against."""
    return {item.claim for item in evidence if isinstance(item, Observation) and item.contradiction}


def _exclusions(supports: Iterable[_Support]) -> tuple[str, ...]:
    """Claims that exclude each other, whatever their basis."""
    stated = {support.claim: support for support in supports}
    return tuple(
        f"One source says {first.value} ({stated[first].basis.value}), another {second.value} "
        f"({stated[second].basis.value})."
        for first, second in (sorted(pair, key=_PRIORITY.index) for pair in _EXCLUSIVE)
        if first in stated and second in stated
    )


def _without_support(outcomes: tuple[Outcome, ...], evidence: list[Evidence], conflicts: tuple[str, ...]) -> Verdict:
    if outcomes and all(isinstance(outcome, Failed | Skipped) for outcome in outcomes):
        return _inconclusive(_UNREADABLE, evidence, conflicts)
    attestations = [item for item in evidence if isinstance(item, Attestation)]
    if any(item.is_signed for item in attestations):
        return _inconclusive(_SIGNED_WITHOUT_CLAIM, evidence, conflicts)
    if any(item.integrity in (Integrity.BROKEN, Integrity.MALFORMED) for item in attestations):
        return _inconclusive(_DOES_NOT_VERIFY, evidence, conflicts)
    if any(item.integrity is Integrity.UNCOVERED for item in attestations):
        return _inconclusive(_UNCOVERED, evidence, conflicts)
    if any(item.history is History.BROKEN for item in attestations):
        return _inconclusive(_BROKEN_HISTORY, evidence, conflicts)
    if any(item.integrity is Integrity.NOT_FETCHED for item in attestations):
        return _inconclusive(_NOT_FETCHED, evidence, conflicts)
    is_partial = any(isinstance(outcome, Failed) for outcome in outcomes)
    return _inconclusive(_UNCHECKED if is_partial else _INCONCLUSIVE, evidence, conflicts)


def _inconclusive(headline: str, evidence: Iterable[Evidence], conflicts: tuple[str, ...]) -> Verdict:
    because = tuple(item.summary for item in evidence if isinstance(item, Attestation))
    return Verdict(claim=None, basis=None, log10_lr=None, headline=headline, because=because, conflicts=conflicts)
