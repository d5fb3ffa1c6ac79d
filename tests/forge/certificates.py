"""Certificates that one library reads and another does not, and certificates that are mistaken for others."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from generation.signing_key import SigningKey
from tests.forge import der

_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
_FALSE = b"\x01\x01\x00"


def chain(key: SigningKey) -> tuple[bytes, ...]:
    """Return the certificates of a key in DER, its own first."""
    return tuple(each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(key.chain))


def unreadable(certificate: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the certificate, issued again in a form that is not quite DER, and that only tolerant readers accept.

    It says of extensions that they are not critical, which DER leaves out (X.690, section 11.5). The C2PA library reads
    it; `cryptography` does not.
    """
    *fields, extensions = der.parts(der.content(certificate.tbs_certificate_bytes))
    loose = [_not_critical(each) for each in der.parts(der.content(der.content(extensions)))]
    signed = der.sequence(*fields, der.explicit(3, der.sequence(*loose)))
    signature = issuer_key.sign(signed, ec.ECDSA(hashes.SHA256()))
    return der.sequence(signed, der.algorithm(_ECDSA_WITH_SHA256), der.element(0x03, b"\0" + signature))


def _not_critical(extension: bytes) -> bytes:
    identifier, *others = der.parts(der.content(extension))
    return der.sequence(identifier, _FALSE, *others) if len(others) == 1 else extension
