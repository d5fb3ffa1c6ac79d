"""Whom to trust: anchors as dated, hashed data in the user's folder, kept by profile; none ships with Assay.

A profile is a folder, `<home>/trust/<name>/`, with one PEM file a list and an index, `lists.json`. Without lists,
nothing is *trusted*. The network is never used here: `assay trust update` fetches what a publisher offers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay import codec
from assay.errors import TrustError
from assay.files import write_whole
from assay.vocabulary import Settings, TrustFacts

SIGNERS_URI = "urn:assay:trust:signers"
"""Names the anchors that may vouch for a signer; see `reader_settings`."""
TIMESTAMPS_URI = "urn:assay:trust:timestamps"
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
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


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

    def facts(self) -> TrustFacts:
        """What every report says of the list that decided."""
        dates = [entry.issued for entry in self.lists if entry.issued]
        digest = hashlib.sha256("".join(sorted(entry.sha256 for entry in self.lists)).encode())
        return TrustFacts(
            profile=self.name,
            certificates=sum(entry.certificates for entry in self.lists),
            sha256=digest.hexdigest(),
            issued=min(dates, default=None),
        )

    def text(self, kind: ListKind) -> str:
        """PEM text of all lists of one kind, joined."""
        return "\n".join(pem for entry, pem in zip(self.lists, self.pem, strict=True) if entry.kind is kind)


def load(settings: Settings) -> Profile:
    """Read the profile that the settings name; one that nobody has filled yet is empty.

    Raises:
        TrustError: The name is not a profile's name, the index is damaged, or a list is not the one that was added.
    """
    folder = _folder(settings)
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


def add(  # noqa: D417
    settings: Settings, data: bytes, *, kind: ListKind | None, source: str, issued: date | None, today: date
) -> TrustList:
    """Add a list to the profile; a newer list of the same kind and source takes the place of the older one.

    Args:
        data: PEM certificates, or a list of trusted entities in JSON (ETSI TS 119 602), as the C2PA publishes it.
        kind: What the list may vouch for; None takes timestamps where a JSON list is named so, and signers otherwise.
        issued: When the list was issued; None takes the date that a JSON list states.

    Raises:
        TrustError: There is no certificate in the data, or one that cannot be read.
    """
    certificates, stated_kind, stated_date = _parse(data, source)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    entry = TrustList(
        kind=kind or stated_kind,
        source=source,
        issued=issued or stated_date,
        added=today,
        sha256=hashlib.sha256(pem).hexdigest(),
        certificates=len(certificates),
    )
    replaced = (entry.kind, entry.source)
    others = (old for old in load(settings).lists if (old.kind, old.source) != replaced and old.sha256 != entry.sha256)
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{entry.sha256}.pem", pem)
    index = {"lists": [codec.encode(each) for each in (*others, entry)]}
    write_whole(folder / "lists.json", json.dumps(index, indent=2).encode())
    return entry


def profiles(home: Path) -> tuple[str, ...]:
    """Names of the profiles that have at least one list."""
    return tuple(sorted(path.parent.name for path in (home / "trust").glob("*/lists.json")))


def reader_settings(profile: Profile, *, timestamps: bool = True) -> dict[str, Any]:
    """Settings of a C2PA reader that never uses the network and knows the profile's anchors.

    The library does not enforce what a list is for: a signer whom only the timestamps' list vouches for comes out
    trusted. It does name a list that matched, but any of them where several do; so a certificate in both is left to
    the signers' list, and what is named after timestamps has to be read again without them.
    """
    signers = {
        "trust_anchors": profile.text(ListKind.SIGNERS),
        "allowed_list": profile.text(ListKind.ALLOWED),
        "trust_uri": SIGNERS_URI,
        "trust_kind": "manifest",
    }
    own = set(_blocks(signers["trust_anchors"]))
    others = "\n".join(block for block in _blocks(profile.text(ListKind.TIMESTAMPS)) if block not in own)
    stamps = {"trust_anchors": others, "trust_uri": TIMESTAMPS_URI, "trust_kind": "tsa"}
    return {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
        "trust": {
            "trust_config": "\n".join(EXTENDED_KEY_USAGES),
            "anchors": [stamps, signers] if timestamps else [signers],
        },
    }


def _blocks(pem: str) -> list[str]:
    return [block.decode() for block in _PEM.findall(pem.encode())]


def _parse(data: bytes, source: str) -> tuple[list[x509.Certificate], ListKind, date | None]:
    try:
        if data.lstrip().startswith(b"{"):
            return _parse_entities(json.loads(data))
        certificates = [x509.load_pem_x509_certificate(block) for block in _PEM.findall(data)]
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError) as error:
        raise TrustError(
            f"{source}: not a list of certificates: {error}",
            hint="Give PEM certificates, or the JSON list of trusted entities that the C2PA publishes.",
        ) from error
    if not certificates:
        raise TrustError(
            f"{source}: no certificate found", hint="A PEM file has blocks that begin with -----BEGIN CERTIFICATE-----."
        )
    return certificates, ListKind.SIGNERS, None


def _parse_entities(document: Any) -> tuple[list[x509.Certificate], ListKind, date | None]:
    listing = document["LoTE"]
    scheme = listing["ListAndSchemeInformation"]
    is_timestamps = any("TSA" in name["value"] for name in scheme["SchemeName"])
    certificates = [x509.load_der_x509_certificate(der) for der in _entity_certificates(listing["TrustedEntitiesList"])]
    if not certificates:
        raise ValueError("the list is empty")
    kind = ListKind.TIMESTAMPS if is_timestamps else ListKind.SIGNERS
    return certificates, kind, date.fromisoformat(scheme["ListIssueDateTime"][:10])


def _entity_certificates(entities: Iterable[Any]) -> Iterable[bytes]:
    for entity in entities:
        for service in entity["TrustedEntityServices"]:
            for certificate in service["ServiceInformation"]["ServiceDigitalIdentity"]["X509Certificates"]:
                yield base64.b64decode(certificate["val"])


def _folder(settings: Settings) -> Path:
    if not _PROFILE_NAME.fullmatch(settings.trust):
        raise TrustError(
            f"{settings.trust!r} is not a name for a trust profile",
            hint="Use lower-case letters, digits and + . _ - in it, such as c2pa or newsroom.",
        )
    return settings.home / "trust" / settings.trust


def _refill(settings: Settings) -> str:
    return f"Remove {_folder(settings)} and fill the profile again: assay trust update, or assay trust add FILE."
