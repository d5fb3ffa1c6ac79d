"""Keys and certificates that sign Content Credentials (C2PA 2.2, section 14)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from assay.errors import SigningError

SIGNING_PURPOSES = {
    "1.3.6.1.4.1.62558.2.1": "C2PA claim signing",
    "1.3.6.1.5.5.7.3.36": "document signing",
    "1.3.6.1.5.5.7.3.4": "e-mail protection",
    "1.3.6.1.4.1.311.76.59.1.9": "Microsoft C2PA signing",
}
"""Extended key usages that trust lists accept for signing (C2PA 2.2, section 14.4); a certificate needs one of them."""

CHAIN_VARIABLE, KEY_VARIABLE = "ASSAY_SIGNING_CHAIN", "ASSAY_SIGNING_KEY"
"""Environment variables: a certificate chain and its private key; each is the path of a PEM file, or PEM text."""

_SMALLEST_RSA_KEY_BITS = 2048
_PEM = "-----BEGIN "


class Algorithm(StrEnum):
    """Signature algorithms that C2PA allows (C2PA 2.2, section 13.2.1)."""

    ES256 = "es256"
    ES384 = "es384"
    ES512 = "es512"
    PS256 = "ps256"
    PS384 = "ps384"
    PS512 = "ps512"
    ED25519 = "ed25519"


_RSA_ALGORITHMS = (Algorithm.PS256, Algorithm.PS384, Algorithm.PS512)
_CURVES = {"secp256r1": Algorithm.ES256, "secp384r1": Algorithm.ES384, "secp521r1": Algorithm.ES512}

Callback = Callable[[bytes], bytes]
"""Signs the bytes given, wherever the key is kept. Elliptic-curve signatures may be DER or raw r || s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A certificate chain, and either its private key or a function that signs with it. The key is never shown."""

    algorithm: Algorithm
    chain: bytes = field(repr=False)
    """PEM: the signing certificate first, then each issuer; the root may be left out."""
    secret: bytes | Callback = field(repr=False)
    """The private key as PKCS #8 in PEM, or the function."""

    @classmethod
    def from_pem(cls, chain: bytes, private_key: bytes, *, algorithm: Algorithm | None = None) -> SigningKey:
        """Take a chain and its private key, both PEM.

        Args:
            chain: The signing certificate first, then each issuer.
            private_key: Not encrypted; PKCS #8, or the older forms for RSA and elliptic curves.
            algorithm: Only RSA leaves a choice, and then PS256 is the default.

        Raises:
            SigningError: Either cannot be read, they do not belong together, or may not sign manifests.
        """
        certificates = _load_chain(chain)
        secret = _load_private_key(private_key)
        if _spki(secret.public_key()) != _spki(_public_key(certificates[0])):
            raise SigningError(
                "the private key does not belong to the signing certificate",
                hint="Put the signing certificate first in the chain file, and use the key it was issued for.",
            )
        pkcs8 = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(algorithm=_algorithm(certificates[0], algorithm), chain=_dump(certificates), secret=pkcs8)

    @classmethod
    def from_files(cls, chain: Path, private_key: Path, *, algorithm: Algorithm | None = None) -> SigningKey:
        """As `from_pem`, from two files.

        Raises:
            SigningError: As in `from_pem`; also where a file cannot be read, or others than its owner may read the key.
        """
        return cls.from_pem(_read(chain), _read(private_key, private=True), algorithm=algorithm)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> SigningKey | None:
        """The key that `ASSAY_SIGNING_CHAIN` and `ASSAY_SIGNING_KEY` name; None where neither is set.

        Raises:
            SigningError: Only one of them is set, or as in `from_files`.
        """
        chain, private_key = (environment.get(name, "").strip() for name in (CHAIN_VARIABLE, KEY_VARIABLE))
        if not chain and not private_key:
            return None
        if not chain or not private_key:
            missing = KEY_VARIABLE if chain else CHAIN_VARIABLE
            raise SigningError(
                f"{missing} is not set, but its companion is",
                hint=f"Set {CHAIN_VARIABLE} and {KEY_VARIABLE} to a PEM file, or PEM text, each; or neither.",
            )
        return cls.from_pem(_stated(chain), _stated(private_key, private=True))

    @classmethod
    def from_callback(cls, chain: bytes, callback: Callback, *, algorithm: Algorithm | None = None) -> SigningKey:
        """Sign with a key that stays elsewhere: a hardware module, a key service.

        Raises:
            SigningError: The chain cannot be read, or its first certificate may not sign manifests.
        """
        certificates = _load_chain(chain)
        return cls(algorithm=_algorithm(certificates[0], algorithm), chain=_dump(certificates), secret=callback)

    @property
    def certificate(self) -> x509.Certificate:
        """The signing certificate."""
        return x509.load_pem_x509_certificates(self.chain)[0]

    def require_valid(self, now: datetime | None = None) -> None:
        """Check the dates of the signing certificate; a signature made outside them never verifies.

        Raises:
            SigningError: The certificate has expired, or its time has not come.
        """
        certificate, moment = self.certificate, now or datetime.now(UTC)
        if moment > certificate.not_valid_after_utc:
            raise SigningError(
                f"the signing certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC",
                hint="Ask its issuer for a new one. A development key is made anew once its folder is removed.",
            )
        if moment < certificate.not_valid_before_utc:
            raise SigningError(
                f"the signing certificate is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC",
                hint="Check the clock of this machine.",
            )


def _read(path: Path, *, private: bool = False) -> bytes:
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SigningError(
                    f"{path}: others than its owner have access to this private key (mode {mode:04o})",
                    hint=f"Run: chmod 600 {path}. If the key was exposed, replace it.",
                )
            return stream.read()
    except OSError as error:
        raise SigningError(f"{path}: {error.strerror}", hint="Check the path and its permissions.") from error


def _stated(value: str, *, private: bool = False) -> bytes:
    """What a variable holds: PEM text, its line ends perhaps spelt out, or the path of a file of it."""
    if value.startswith(_PEM):
        return os.fsencode(value.replace("\\n", "\n"))
    return _read(Path(value).expanduser(), private=private)


def _load_chain(pem: bytes) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise SigningError(
            f"the certificate chain cannot be read: {error}",
            hint="Give PEM text: blocks that begin with -----BEGIN CERTIFICATE-----, the signing certificate first.",
        ) from error
    _require_order(certificates)
    _require_end_entity(certificates[0])
    _require_purpose(certificates[0])
    return certificates


def _require_order(certificates: list[x509.Certificate]) -> None:
    for certificate, issuer in pairwise(certificates):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise SigningError(
                f"the chain is out of order: {issuer.subject.rfc4514_string()!r} did not issue "
                f"{certificate.subject.rfc4514_string()!r}",
                hint="Put the signing certificate first, then the one that issued it, and so on.",
            ) from error


def _require_end_entity(certificate: x509.Certificate) -> None:
    try:
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    if is_authority:
        raise SigningError(
            "the first certificate of the chain is a certificate authority's, which may not sign manifests",
            hint="Put the signing certificate first; the authority's come after it.",
        )


def _require_purpose(certificate: x509.Certificate) -> None:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        purposes = x509.ExtendedKeyUsage([])
    if not any(purpose.dotted_string in SIGNING_PURPOSES for purpose in purposes):
        accepted = ", ".join(f"{name} ({oid})" for oid, name in SIGNING_PURPOSES.items())
        raise SigningError(
            "the signing certificate is not issued for signing manifests: its extended key usage names no such purpose",
            hint=f"Ask for a certificate with one of these purposes: {accepted}.",
        )


_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def _load_private_key(pem: bytes) -> _PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise SigningError(
            "the private key is encrypted",
            hint="Decrypt it into a file only you can read (openssl pkcs8), or sign through a callback.",
        ) from error
    except (ValueError, UnsupportedAlgorithm):
        # Without the cause: what a parser says of a key may quote it.
        raise SigningError(
            "the private key cannot be read",
            hint="Give PEM text: a block that begins with -----BEGIN PRIVATE KEY-----.",
        ) from None
    if not isinstance(key, _PrivateKey):
        raise _unsupported_key()
    return key


def _public_key(certificate: x509.Certificate) -> _PublicKey:
    key = certificate.public_key()
    if not isinstance(key, _PublicKey):
        raise _unsupported_key()
    return key


def _unsupported_key() -> SigningError:
    return SigningError(
        "C2PA does not allow this kind of key",
        hint=f"Use an elliptic curve (P-256, P-384, P-521), Ed25519, or RSA of {_SMALLEST_RSA_KEY_BITS} bits or more.",
    )


def _algorithm(certificate: x509.Certificate, wanted: Algorithm | None) -> Algorithm:
    possible = _algorithms(_public_key(certificate))
    if wanted is None:
        return possible[0]
    if wanted not in possible:
        raise SigningError(
            f"the certificate's key cannot sign with {wanted.value}", hint=f"It can with: {', '.join(possible)}."
        )
    return wanted


def _algorithms(key: _PublicKey) -> tuple[Algorithm, ...]:
    match key:
        case ed25519.Ed25519PublicKey():
            return (Algorithm.ED25519,)
        case rsa.RSAPublicKey() if key.key_size >= _SMALLEST_RSA_KEY_BITS:
            return _RSA_ALGORITHMS
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return (_CURVES[key.curve.name],)
        case _:
            raise _unsupported_key()


def _spki(key: _PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _dump(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
