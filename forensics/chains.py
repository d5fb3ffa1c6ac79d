"""Certification paths from a certificate to an anchor (RFC 5280, section 6.1), at a given time.

The C2PA library decides which signer a list vouches for, but takes the time of signing from any authority. So the path
of a time stamp's authority, and that of a signer whose time stamp does not count, are followed here.
Loaded only where a signature has a time stamp, because certificates take a library of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from forensics import der
from forensics.signatures import Token

_MAX_LENGTH = 6
"""Certificates between a signer and an anchor; real paths have one to three."""
_MAX_CERTIFICATES = 30
"""Of one signature or time stamp that are looked at."""
_ANY_USE = "2.5.29.37.0"
_RSA_PSS = "1.2.840.113549.1.1.10"
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
"""Hashes of time stamps that count (C2PA 2.2, section 13.1)."""
TIME_STAMPING = frozenset({ExtendedKeyUsageOID.TIME_STAMPING.dotted_string})


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate; two are the same where their bytes are."""

    encoded: bytes
    """In DER, as it was issued."""
    parsed: x509.Certificate = field(compare=False, repr=False)


def read_certificates(encoded: Iterable[bytes]) -> list[Certificate]:
    """Return the certificates that can be read, in their order, of 30 at most; strangers wrote them."""
    found = []
    for data in islice(encoded, _MAX_CERTIFICATES):
        try:
            found.append(Certificate(data, _parse(data)))
        except (ValueError, IndexError):
            continue
    return found


def _parse(data: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(data)
    except ValueError:  # some authorities in use have names with characters that their type of text does not allow
        return x509.load_der_x509_certificate(der.with_lenient_text(data))


def find_anchor(
    certificate: Certificate,
    others: Collection[Certificate],
    anchors: Collection[Certificate],
    *,
    at: datetime,
    uses: Collection[str],
    nested: bool = False,
) -> Certificate | None:
    """Return the anchor that vouches for a certificate at a time.

    Args:
        certificate: Whose path is looked for. It may be an anchor itself.
        others: Certificates that may stand between it and an anchor; they need no order.
        anchors: Certificates that are trusted as they are.
        at: With a zone. Every certificate of the path has to be valid then.
        uses: Object identifiers; the certificate has to be made for one of these purposes (RFC 5280, section 4.2.1.12).
        nested: Whether an authority that states purposes has to state one of these, too.

    Returns:
        None where there is no path with at most six certificates above the first.
    """
    if not _is_made_for(certificate, uses, by_default=False):
        return None
    waiting = [(certificate, 0)]
    seen = set()
    while waiting:
        each, below = waiting.pop()
        if each in seen or not each.parsed.not_valid_before_utc <= at <= each.parsed.not_valid_after_utc:
            continue
        seen.add(each)
        if each in anchors:
            return each
        if below < _MAX_LENGTH:
            issuers = [other for other in (*others, *anchors) if _may_issue(other, below) and _issued(other, each)]
            waiting += [
                (issuer, below + 1) for issuer in issuers if not nested or _is_made_for(issuer, uses, by_default=True)
            ]
    return None


def _may_issue(certificate: Certificate, below: int) -> bool:
    """Whether it is an authority's, for paths of this length below it."""
    try:
        extensions = certificate.parsed.extensions
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
        may_sign = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except (x509.ExtensionNotFound, ValueError):
        return False
    return basic.ca and may_sign and (basic.path_length is None or basic.path_length >= below)


def _is_made_for(certificate: Certificate, uses: Collection[str], *, by_default: bool) -> bool:
    try:
        stated = certificate.parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return by_default
    except ValueError:
        return False
    found = {use.dotted_string for use in stated}
    return not found.isdisjoint(uses) or (by_default and _ANY_USE in found)


def _issued(issuer: Certificate, certificate: Certificate) -> bool:
    """Whether names and signature fit; the signature is over the bytes as they were issued."""
    if issuer.parsed.subject != certificate.parsed.issuer:
        return False
    try:
        signed = der.content_of(certificate.encoded)[0]
        parameters, digest = (
            certificate.parsed.signature_algorithm_parameters,
            certificate.parsed.signature_hash_algorithm,
        )
    except (IndexError, ValueError, UnsupportedAlgorithm):
        return False
    return _verifies(issuer, certificate.parsed.signature, signed, parameters, digest)


def has_signed(certificate: Certificate, token: Token) -> bool:
    """Return whether a time stamp was signed with the key of a certificate (RFC 5652, section 5.6)."""
    if (digest := _DIGESTS.get(token.digest)) is None:
        return False
    parameters: Any = padding.PKCS1v15()
    if token.algorithm == _RSA_PSS:
        parameters = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
    elif isinstance(certificate.parsed.public_key(), ec.EllipticCurvePublicKey):
        parameters = ec.ECDSA(digest)
    return _verifies(certificate, token.signature, token.signed, parameters, digest)


def _verifies(signer: Certificate, signature: bytes, signed: bytes, parameters: Any, digest: Any) -> bool:
    try:
        match signer.parsed.public_key():
            case rsa.RSAPublicKey() as key:
                key.verify(signature, signed, parameters, digest)
            case ec.EllipticCurvePublicKey() as key:
                key.verify(signature, signed, parameters)
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey() as key:
                key.verify(signature, signed)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
        return False
    return True
