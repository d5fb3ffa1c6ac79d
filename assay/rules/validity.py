"""Rules about time: will the signature outlive its certificate, and is the trust list of today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from assay.rules.credentials import attestations
from assay.rules.rule import Context, Rule, parameter
from assay.vocabulary import TRUST_LIST_MAX_AGE_DAYS, Attestation, Integrity, Report, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureTimestamped(Rule):
    """A signature, where there is one, carries a time stamp by an authority for whom a list vouches."""

    id = "signature-timestamped"
    why = "Without a time stamp that counts, a signature stops verifying on the day its certificate expires."
    remedy = "Sign with a time-stamp authority of the trust list; an old signature cannot be given a time stamp later."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when an intact signature has no timestamp."""
        if any(each.integrity is Integrity.INTACT and not _is_timestamped(each) for each in attestations(report)):
            yield "its signature has no time stamp by an authority for whom a list vouches"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateValidity(Rule):
    """A signature without a timestamp comes from a certificate that stays valid for a while."""

    id = "certificate-validity"
    why = "Archives outlive certificates: an untimestamped signature fails in readers' software after the expiry."
    remedy = "Sign again with a timestamp authority, or with a certificate that lasts longer."

    days: int = parameter(
        "how many days the certificate must remain valid, counted from today (UTC)", default=30, minimum=0
    )

    def check(self, report: Report, context: Context) -> Iterator[str]:
        """One message for each untimestamped intact signature whose certificate ends too soon."""
        for each in attestations(report):
            if each.integrity is Integrity.INTACT and each.signer and not each.signer.signed_at:
                yield from self._ends_soon(each.signer, context.today)

    def _ends_soon(self, signer: Signer, today: date) -> Iterator[str]:
        end = _utc_date(signer.not_after)
        if end is None:
            yield "its signer's certificate states no readable end of validity"
        elif (end - today).days <= self.days:
            tense = "expired" if end < today else "expires"
            yield f"its signer's certificate {tense} on {end.isoformat()}, and the signature has no timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustListFresh(Rule):
    """The trust list that decided is recent."""

    id = "trust-list-fresh"
    why = "An old list does not know new signers, and still vouches for those that were removed since."
    remedy = "Run `assay trust update`, or put a newer list in place with `assay trust add`."

    max_age_days: int = parameter("greatest age of the list in days", default=TRUST_LIST_MAX_AGE_DAYS, minimum=1)

    def check(self, report: Report, context: Context) -> Iterator[str]:
        """One message when there is no list, it bears no date, or it is too old."""
        facts = report.tools.trust
        if not facts.certificates:
            yield f"the trust profile '{facts.profile}' holds no certificate"
        elif facts.issued is None:
            yield f"the trust list of profile '{facts.profile}' bears no date"
        elif (age := (context.today - facts.issued).days) > self.max_age_days:
            yield f"the trust list of profile '{facts.profile}' is {age} days old; {self.max_age_days} are allowed"


def _is_timestamped(attestation: Attestation) -> bool:
    return attestation.signer is not None and attestation.signer.signed_at is not None


def _utc_date(text: str) -> date | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.date()
        return moment.astimezone(UTC).date()
    except (ValueError, OverflowError):
        return None
