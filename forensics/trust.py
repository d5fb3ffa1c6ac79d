"""Whom to trust: anchors as dated, hashed data in the user's folder, kept by profile; none ships with Assay.

A profile is a folder, `<home>/trust/<name>/`, with one PEM file a list and an index, `lists.json`. Without lists,
nothing is *trusted*. The network is never used here: `assay trust update` fetches what a publisher offers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from assay import codec
from assay.errors import TrustError
from assay.vocabulary import DEFAULT_TRUST, Settings, TrustFacts
from forensics import distrust
from forensics.distrust import Distrusted

SIGNERS_URI = "urn:assay:trust:signers"
"""Names the anchors that may vouch for a signer; see `reader_settings`."""
ALLOWED_URI = ""
"""What the library names where a certificate is trusted by itself."""

EXTENDED_KEY_USAGES = (
    "1.3.6.1.5.5.7.3.4",  # emailProtection
    "1.3.6.1.5.5.7.3.36",  # documentSigning
    "1.3.6.1.5.5.7.3.8",  # timeStamping
    "1.3.6.1.5.5.7.3.9",  # OCSPSigning
    "1.3.6.1.4.1.311.76.59.1.9",  # Microsoft C2PA signing
    "1.3.6.1.4.1.62558.2.1",  # C2PA claim signing
)
"""Purposes a certificate may have. Left to itself the library calls the official claim-signing purpose *invalid*."""

_PROFILE_NAME = re.compile(r"[a-z0-9][a-z0-9+._-]{0,63}")
PEM_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class ListKind(StrEnum):
    """What the certificates of a list may vouch for."""

    SIGNERS = "signers"
    """Certificate authorities whose certificates sign manifests."""
    TIMESTAMPS = "timestamps"
    """Certificate authorities whose certificates sign timestamps."""
    ALLOWED = "allowed"
    """Single signing certificates, trusted as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList:
    """One list of certificates, as it was added."""

    kind: ListKind
    source: str
    """Where it came from: a file name or an address."""
    issued: date | None
    """When its publisher issued it; None where the list does not say."""
    added: date
    sha256: str
    """Of the PEM text as kept."""
    certificates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The lists that decide together who is trusted."""

    name: str
    lists: tuple[TrustList, ...]
    pem: tuple[str, ...]
    """PEM text of each list, in the order of `lists`."""

    def facts(self, distrusted: Sequence[Distrusted] = ()) -> TrustFacts:
        """What every report says of the lists that decided: the profile's, and the one of distrusted certificates."""
        dates = [entry.issued for entry in self.lists if entry.issued]
        certificates = {block for pem in self.pem for block in PEM_BLOCK.findall(pem.encode())}
        digests = sorted(entry.sha256 for entry in self.lists)
        if distrusted:
            digests.append(distrust.digest(distrusted))
        digest = hashlib.sha256("".join(digests).encode())
        return TrustFacts(
            profile=self.name,
            certificates=len(certificates),
            sha256=digest.hexdigest(),
            issued=min(dates, default=None),
            distrusted=len(distrusted),
        )

    def text(self, kind: ListKind) -> str:
        """PEM text of all lists of one kind, joined."""
        return "\n".join(pem for entry, pem in zip(self.lists, self.pem, strict=True) if entry.kind is kind)


def load(settings: Settings) -> Profile:
    """Read the profile that the settings name. The default one may be empty: then nobody is trusted.

    Raises:
        TrustError: There is no such profile, its index is damaged, or a list is not the one that was added.
    """
    profile = read(settings)
    if not profile.lists and profile.name != DEFAULT_TRUST:
        known = ", ".join(profiles(settings.home)) or "none"
        raise TrustError(
            f"There is no trust profile {profile.name!r} in {settings.home}",
            hint=f"Profiles with lists: {known}. Fill this one: assay trust add FILE --trust {profile.name}",
        )
    return profile


def read(settings: Settings) -> Profile:
    """Read the profile as it is; one that nobody has filled yet is empty.

    Raises:
        TrustError: As `load`, but for a profile that does not exist.
    """
    folder = folder_of(settings)
    try:
        index = json.loads((folder / "lists.json").read_bytes())
        lists = tuple(codec.decode(TrustList, entry) for entry in index["lists"])
    except FileNotFoundError:
        return Profile(name=settings.trust, lists=(), pem=())
    except (ValueError, TypeError, KeyError) as error:
        raise TrustError(f"{folder / 'lists.json'} is damaged: {error}", hint=_refill(settings)) from error
    return Profile(name=settings.trust, lists=lists, pem=tuple(_read_list(folder, entry, settings) for entry in lists))


def _read_list(folder: Path, entry: TrustList, settings: Settings) -> str:
    path = folder / f"{entry.sha256}.pem"
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise TrustError(f"{path}: {error.strerror}", hint=_refill(settings)) from error
    if hashlib.sha256(pem).hexdigest() != entry.sha256:
        raise TrustError(f"{path} was changed after it was added", hint=_refill(settings))
    return pem.decode("ascii")


def profiles(home: Path) -> tuple[str, ...]:
    """Names of the profiles that have at least one list."""
    return tuple(sorted(path.parent.name for path in (home / "trust").glob("*/lists.json")))


def reader_settings(profile: Profile) -> dict[str, Any]:
    """Return settings of a C2PA reader that never uses the network and knows the profile's signers.

    Lists of time-stamp authorities are kept from it: the library does not enforce what a list is for, so a signer whom
    only such a list vouches for would come out trusted. See `forensics.signers`.
    """
    signers = {
        "trust_anchors": profile.text(ListKind.SIGNERS),
        "allowed_list": profile.text(ListKind.ALLOWED),
        "trust_uri": SIGNERS_URI,
        "trust_kind": "manifest",
    }
    return {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
        "trust": {"trust_config": "\n".join(EXTENDED_KEY_USAGES), "anchors": [signers]},
    }


def folder_of(settings: Settings) -> Path:
    """Where the profile is kept.

    Raises:
        TrustError: The name is not a profile's name.
    """
    if not _PROFILE_NAME.fullmatch(settings.trust):
        raise TrustError(
            f"{settings.trust!r} is not a name for a trust profile",
            hint="Use lower-case letters, digits and + . _ - in it, such as c2pa or newsroom.",
        )
    return settings.home / "trust" / settings.trust


def _refill(settings: Settings) -> str:
    return f"Remove {folder_of(settings)} and fill the profile again: assay trust update, or assay trust add FILE."
