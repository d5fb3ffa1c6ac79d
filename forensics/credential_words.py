"""What is said of Content Credentials, in sentences that a report repeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.vocabulary import Claim, Detail, History, Integrity, Signer, Trust
from forensics.covered import Coverage
from forensics.signers import Standing
from forensics.trust import ListKind, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was found of the credentials of one file."""

    integrity: Integrity
    history: History
    standing: Standing
    signer: Signer | None
    covered: Coverage
    faults: tuple[str, ...]
    """Status codes that failed, or what takes their place."""
    is_bound: bool
    """Whether a hash of the file's bytes matches."""
    is_beside: bool
    """Whether the manifest was kept beside the file."""


def summary(reading: Reading, profile: Profile) -> str:
    """Say in two or three sentences whether the credentials hold, and for whom."""
    if reading.integrity is Integrity.MALFORMED:
        return malformed(reading.faults, is_bound=reading.is_bound)
    if reading.integrity is Integrity.BROKEN:
        return _broken(is_beside=reading.is_beside)
    whom = _whom(reading.standing, reading.signer, profile)
    if reading.integrity is Integrity.UNCOVERED:
        return (
            f"The signature does not cover the picture: its hash leaves out {reading.covered.reaches_picture}, so "
            f"anybody can put another picture there without a key. {whom}"
        )
    if reading.history is History.BROKEN:
        return f"The last signature holds, but an ingredient in the image's history does not verify. {whom}"
    if reading.covered.outside:
        left_out = listed(reading.covered.outside)
        return (
            f"The signature holds for the picture. The signer left {left_out} out of the hash: what stands there may "
            f"have changed since, and no signature vouches for it. {whom}"
        )
    return f"The file is as it was when it was signed. {whom}"


def listed(names: tuple[str, ...]) -> str:
    """Join names as a sentence does: `EXIF, XMP and text`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def made(claim: Claim) -> str:
    """Say what is declared of an image, to stand after "declares the image"."""
    return "edited with generative AI" if claim is Claim.EDITED else "made with generative AI"


def unverified(integrity: Integrity, claim: Claim) -> str:
    """Say that credentials which do not stand for the picture declare AI against their own interest."""
    whose = {
        Integrity.MALFORMED: "Content Credentials that break the C2PA standard",
        Integrity.UNCOVERED: "Content Credentials that do not cover the picture",
    }.get(integrity, "Content Credentials that do not match this file")
    return (
        f"{whose} declare the image {made(claim)}. Anybody can attach such credentials, to an honest photograph, too."
    )


def malformed(faults: tuple[str, ...], *, is_bound: bool) -> str:
    """Say which rules of the standard a manifest breaks, and whether the file is as it was all the same."""
    rules = ", ".join(dict.fromkeys(faults))
    if is_bound:
        return f"The manifest breaks the C2PA standard ({rules}). The hash of the file matches: it did not change."
    return f"The manifest breaks the C2PA standard ({rules}), so nothing ties it to this image."


def _broken(*, is_beside: bool) -> str:
    if is_beside:
        return (
            "The manifest kept beside this file does not match it: one of the two changed after signing, "
            "or they do not belong together."
        )
    return (
        "The Content Credentials do not match this file: it, or they, changed after signing, "
        "or they were taken from another file."
    )


def _whom(standing: Standing, signer: Signer | None, profile: Profile) -> str:
    name = signer.name if signer else "an unnamed signer"
    match standing.trust:
        case Trust.TRUSTED:
            return f"The trust list '{profile.name}' vouches for the signer, {name}.{_by_stamp(standing)}"
        case Trust.UNKNOWN:
            return f"The certificate names {name}, but {_no_voucher(profile)}."
        case Trust.EXPIRED:
            return (
                f"The certificate names {name}; it has expired, and {_no_time(standing, profile)}. No list vouches for "
                "it now: anybody can make one, with any name."
            )
        case Trust.REVOKED if standing.distrusted:
            entry = standing.distrusted
            since = f" since {entry.since.isoformat()}" if entry.since else ""
            return f"The certificate names {name}; your list of distrusted certificates names it{since}: {entry.reason}"
        case Trust.REVOKED:
            return f"The certificate names {name}; its issuer has revoked it."


def _by_stamp(standing: Standing) -> str:
    stamp = standing.stamp
    if stamp is None or stamp.vouched_by is None:
        return ""
    return f" {stamp.authority} stamped the time, {stamp.time}; the list {stamp.vouched_by} vouches for that authority."


def _no_voucher(profile: Profile) -> str:
    if profile.lists:
        return f"the trust list '{profile.name}' does not vouch for it"
    return f"the trust profile '{profile.name}' holds no list, so nobody is trusted (assay trust update)"


def _no_time(standing: Standing, profile: Profile) -> str:
    stamp = standing.stamp
    if stamp is None:
        return "no time stamp shows that it was used in time"
    if stamp.vouched_by:
        return f"the time that {stamp.authority} stamped, {stamp.time}, lies outside its validity"
    return (
        f"the profile '{profile.name}' holds no list that vouches for {stamp.authority}, the authority that stamped "
        f"the time {stamp.time}"
    )


def stamp_details(standing: Standing, profile: Profile) -> Iterator[Detail]:
    """Name the authority of the time stamp, who vouches for it, and otherwise the command that adds its root."""
    stamp = standing.stamp
    if stamp is None:
        return
    issued = f", issued by {stamp.issuer}" if stamp.issuer else ""
    if stamp.vouched_by:
        yield Detail(name="Time stamp", value=f"{stamp.time}, by {stamp.authority}{issued}")
        yield Detail(name="Time-stamp authority vouched for by", value=stamp.vouched_by)
        return
    yield Detail(name="Time stamp, which does not count", value=f"{stamp.time}, by {stamp.authority}{issued}")
    if standing.trust is Trust.EXPIRED:
        kind = ListKind.TIMESTAMPS.value
        yield Detail(
            name="To let it count",
            value=f"Get the root certificate of {stamp.issuer or stamp.authority} from that authority, as PEM, and add "
            f"it: assay trust add --kind {kind} --trust {profile.name} ROOT.pem",
        )
