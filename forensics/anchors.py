"""Adding certificates to a trust profile: PEM, or the JSON lists of trusted entities that the C2PA publishes.

Apart from `forensics.trust`, which every worker loads, because reading certificates takes a library of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay import codec
from assay.errors import TrustError
from assay.files import write_whole
from assay.vocabulary import Settings
from forensics.trust import PEM_BLOCK, ListKind, TrustList, folder_of, read

_DER = b"\x30\x82"
"""How a certificate in DER begins: a sequence of 256 to 65,535 bytes (X.690, section 8.1.3)."""


def add(  # noqa: D417
    settings: Settings, data: bytes, *, kind: ListKind | None, source: str, issued: date | None, today: date
) -> TrustList:
    """Add a list to the profile; a newer list of the same kind and source takes the place of the older one.

    Args:
        data: PEM certificates, one certificate in DER, or a list of trusted entities in JSON (ETSI TS 119 602), as the
            C2PA publishes it.
        kind: What the list may vouch for; a JSON list says so itself.
        issued: When the list was issued; None takes the date that a JSON list states.

    Raises:
        TrustError: There is no certificate in the data, or one that cannot be read; the kind is missing, or is not
            what the list says of itself.
    """
    certificates, stated_kind, stated_date = _parse(data, source)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    entry = TrustList(
        kind=_agreed(kind, stated_kind, source),
        source=source,
        issued=issued or stated_date,
        added=today,
        sha256=hashlib.sha256(pem).hexdigest(),
        certificates=len(certificates),
    )
    others = [old for old in read(settings).lists if (old.kind, old.source) != (entry.kind, entry.source)]
    folder = folder_of(settings)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{entry.sha256}.pem", pem)
    _write_index(settings, [*others, entry])
    return entry


def remove(settings: Settings, prefix: str) -> tuple[TrustList, ...]:
    """Take the lists whose sha256 begins so out of the profile.

    Raises:
        TrustError: No list does.
    """
    lists = read(settings).lists
    gone = tuple(entry for entry in lists if prefix and entry.sha256.startswith(prefix.lower()))
    if not gone:
        raise TrustError(
            f"No list of the profile {settings.trust!r} has a sha256 that begins with {prefix!r}",
            hint="Look it up with: assay trust list",
        )
    _write_index(settings, [entry for entry in lists if entry not in gone])
    return gone


def _write_index(settings: Settings, lists: list[TrustList]) -> None:
    index = {"lists": [codec.encode(entry) for entry in lists]}
    write_whole(folder_of(settings) / "lists.json", json.dumps(index, indent=2).encode())


def _agreed(kind: ListKind | None, stated: ListKind | None, source: str) -> ListKind:
    """What a list may vouch for is never guessed: timestamp authorities taken for signers would be trusted."""
    if kind and stated and kind is not stated:
        raise TrustError(f"{source} is a list of {stated}, not of {kind}", hint="Leave --kind out.")
    if chosen := kind or stated:
        return chosen
    kinds = ", ".join(ListKind)
    raise TrustError(f"{source} does not say what it vouches for", hint=f"Say so with --kind: {kinds}.")


def _parse(data: bytes, source: str) -> tuple[list[x509.Certificate], ListKind | None, date | None]:
    try:
        if data.lstrip().startswith(b"{"):
            return _parse_entities(json.loads(data))
        certificates = [x509.load_pem_x509_certificate(block) for block in PEM_BLOCK.findall(data)]
        if not certificates and data.startswith(_DER):
            certificates = [x509.load_der_x509_certificate(data)]
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError) as error:
        raise TrustError(
            f"{source}: not a list of certificates: {error}",
            hint="Give PEM certificates, one in DER, or the JSON list of trusted entities that the C2PA publishes.",
        ) from error
    if not certificates:
        raise TrustError(
            f"{source}: no certificate found", hint="A PEM file has blocks that begin with -----BEGIN CERTIFICATE-----."
        )
    return certificates, None, None


def _parse_entities(document: Any) -> tuple[list[x509.Certificate], ListKind | None, date | None]:
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
