"""Whether the chosen profile vouches for whoever signed a manifest, and for the time of signing.

The rule (docs/credentials.md, "Time stamps"): the certificate has to be vouched for at the time of signing. That time
comes from a time stamp only where a list of time-stamp authorities vouches for whoever made it; otherwise it is now.
The library accepts the time of any authority in a claim of the first version, and that of one under a signers' root
in the second, so an expired key and an authority made in a minute would do.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assay.vocabulary import TimeStamp, Trust
from forensics import distrust
from forensics.crjson import as_dict, as_text
from forensics.distrust import Distrusted
from forensics.signatures import Signature, read_signature
from forensics.trust import EXTENDED_KEY_USAGES, PEM_BLOCK, ListKind, Profile

if TYPE_CHECKING:
    from forensics.chains import Certificate

_STAMP_FAULTS = frozenset({"timeStamp.mismatch", "timeStamp.malformed", "timeStamp.outsideValidity"})
_TIME_BOUND = frozenset({"signingCredential.untrusted", "signingCredential.expired"})
"""What the library says of a certificate by its own idea of the time of signing."""
_EXPIRED = frozenset({"signingCredential.expired", "claimSignature.outsideValidity"})
_REVOKED = "signingCredential.ocsp.revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Status codes about one manifest (C2PA 2.2, section 15.2.2)."""

    current: frozenset[str] = frozenset()
    """What the library finds now, of every outcome; of an ingredient only what differs from the record."""
    current_failures: frozenset[str] = frozenset()
    recorded: frozenset[str] = frozenset()
    """What whoever added the ingredient wrote down as passed."""
    recorded_failures: frozenset[str] = frozenset()
    is_vouched_for: bool = False
    """Whether the library names a list of signers that vouches for the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the profile has to say of one signer."""

    trust: Trust = Trust.UNKNOWN
    stamp: TimeStamp | None = None
    distrusted: Distrusted | None = None
    """The user's own entry that takes trust away."""


@dataclass(frozen=True)
class Signers:
    """The lists of one profile, ready to judge signers with."""

    profile: Profile
    distrusted: Sequence[Distrusted] = field(default=())

    def judge(self, manifest: Mapping[str, Any], codes: Codes, store: bytes, *, is_active: bool) -> Standing:
        """Say whether the profile vouches for the signer of one manifest.

        Args:
            manifest: As crJSON states it.
            codes: About this manifest.
            store: The manifest store as JUMBF; empty where it could not be had, and then no time stamp counts.
            is_active: Whether the library checked the manifest as the file's own, not as an ingredient.
        """
        signature = as_dict(manifest.get("signature"))
        info = as_dict(signature.get("certificateInfo"))
        if not info:
            return Standing()
        claimed = as_dict(signature.get("timeStampInfo"))
        passed = codes.current | (frozenset() if is_active else codes.recorded)
        has_stamp = "timeStamp.validated" in passed and not codes.current & _STAMP_FAULTS
        is_read_by_library = codes.is_vouched_for and not has_stamp
        has_to_be_read = has_stamp or self.distrusted or (not is_read_by_library and self._may_vouch(codes))
        read = read_signature(store, as_text(manifest.get("label"))) if has_to_be_read else None
        stamp = self._stamp(claimed, read) if has_stamp else None
        at = _moment(stamp.time) if stamp and stamp.vouched_by else None
        if (entry := self._distrusted_entry(info, read, at)) is not None:
            return Standing(trust=Trust.REVOKED, stamp=stamp, distrusted=entry)
        is_expired = at is None and bool(codes.current_failures & _EXPIRED)
        at = at or datetime.now(UTC)
        if _REVOKED in codes.current_failures | codes.recorded_failures:
            trust = Trust.REVOKED
        elif is_expired or not _is_valid(info, at):
            trust = Trust.EXPIRED
        elif codes.current_failures & _signer_failures(codes.current_failures) - _TIME_BOUND:
            trust = Trust.UNKNOWN
        else:
            is_vouched_for = is_read_by_library or (read is not None and self._vouches(read, at))
            trust = Trust.TRUSTED if is_vouched_for else Trust.UNKNOWN
        return Standing(trust=trust, stamp=stamp)

    def _may_vouch(self, codes: Codes) -> bool:
        """Whether an ingredient's record says that its signer was trusted, and nothing takes that back."""
        refused = _signer_failures(codes.current_failures) or _signer_failures(codes.recorded_failures)
        return "signingCredential.trusted" in codes.recorded and not refused

    def _stamp(self, claimed: dict[str, Any], read: Signature | None) -> TimeStamp | None:
        """The time stamp, and the list that vouches for its authority; the library has checked all but that."""
        time, authority = as_text(claimed.get("timestamp")), as_dict(claimed.get("certificateInfo"))
        if _moment(time) is None:
            return None
        subject, issuer = as_dict(authority.get("subject")), as_dict(authority.get("issuer"))
        return TimeStamp(
            time=time,
            authority=as_text(subject.get("CN")) or as_text(subject.get("O")) or "an unnamed authority",
            issuer=as_text(issuer.get("CN")) or as_text(issuer.get("O")),
            vouched_by=self._stamp_list(read, _number(authority.get("serialNumber")), _moment(time)),
        )

    def _stamp_list(self, read: Signature | None, serial: int | None, at: datetime | None) -> str | None:
        if read is None or read.stamp is None or at is None or not self._has(ListKind.TIMESTAMPS):
            return None
        from forensics.chains import (  # noqa: PLC0415 - loads cryptography
            TIME_STAMPING,
            find_anchor,
            has_signed,
            read_certificates,
        )

        lists = self._by_kind[ListKind.TIMESTAMPS]
        certificates = read_certificates(read.stamp.certificates)
        for each in certificates:
            # The library names the certificate by its number alone, which two may have.
            if each.parsed.serial_number == serial and has_signed(each, read.stamp):
                anchor = find_anchor(each, certificates, lists.keys(), at=at, uses=TIME_STAMPING, nested=True)
                return lists[anchor] if anchor else None
        return None

    def _vouches(self, read: Signature, at: datetime) -> bool:
        if not self._has(ListKind.SIGNERS, ListKind.ALLOWED):
            return False
        from forensics.chains import find_anchor, read_certificates  # noqa: PLC0415 - see above

        # The library verified the signature with the first: where that cannot be read here, nobody is vouched for.
        signers = read_certificates(read.certificates[:1])
        if not signers:
            return False
        if signers[0] in self._by_kind[ListKind.ALLOWED]:
            return True
        anchors, others = self._by_kind[ListKind.SIGNERS].keys(), read_certificates(read.certificates[1:])
        return find_anchor(signers[0], others, anchors, at=at, uses=EXTENDED_KEY_USAGES) is not None

    def _distrusted_entry(
        self, info: dict[str, Any], read: Signature | None, stamped: datetime | None
    ) -> Distrusted | None:
        """The user's entry for this signer, unless a time stamp that counts puts the signature before its date."""
        if not self.distrusted:
            return None
        issuer = as_dict(info.get("issuer"))
        digests = [hashlib.sha256(each).hexdigest() for each in read.certificates] if read else [""]
        for place, digest in enumerate(digests):
            entry = distrust.match(
                self.distrusted,
                fingerprint=digest or None,
                serial=as_text(info.get("serialNumber")) if place == 0 else "",
                issuer=as_text(issuer.get("CN")),
                organisation=as_text(issuer.get("O")),
            )
            if entry is not None and not (entry.since and stamped and stamped.date() < entry.since):
                return entry
        return None

    def _has(self, *kinds: ListKind) -> bool:
        return any(entry.kind in kinds for entry in self.profile.lists)

    @cached_property
    def _by_kind(self) -> dict[ListKind, dict[Certificate, str]]:
        """The certificates of the profile, and where the list came from that holds each."""
        from forensics.chains import read_certificates  # noqa: PLC0415 - see above

        found: dict[ListKind, dict[Certificate, str]] = {kind: {} for kind in ListKind}
        for entry, pem in zip(self.profile.lists, self.profile.pem, strict=True):
            for block in PEM_BLOCK.findall(pem.encode()):
                for certificate in read_certificates([_unarmoured(block)]):
                    found[entry.kind].setdefault(certificate, entry.source)
        return found


def _unarmoured(block: bytes) -> bytes:
    return base64.b64decode(b"".join(block.splitlines()[1:-1]))


def _signer_failures(codes: frozenset[str]) -> frozenset[str]:
    return frozenset(code for code in codes if code.startswith("signingCredential."))


def _is_valid(info: dict[str, Any], at: datetime) -> bool:
    validity = as_dict(info.get("validity"))
    start, stop = _moment(as_text(validity.get("notBefore"))), _moment(as_text(validity.get("notAfter")))
    return start is not None and stop is not None and start <= at <= stop


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: Any) -> int | None:
    try:
        return int(as_text(value), 16)
    except ValueError:
        return None
