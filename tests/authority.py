"""A certificate authority for tests: root -> intermediate -> signing certificate, as C2PA 2.2, section 14.5.1, asks.

Independent of `generation.development`, which is under test itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from generation.signing_key import Algorithm, SigningKey

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"

ORGANISATION = "Assay Test Newsroom"
COMMON_NAME = "Assay Test Newsroom picture desk"


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key for all of a test run: making one takes a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


KEY_MAKERS: dict[Algorithm, Callable[[], PrivateKey]] = {
    Algorithm.ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.ES384: lambda: ec.generate_private_key(ec.SECP384R1()),
    Algorithm.ES512: lambda: ec.generate_private_key(ec.SECP521R1()),
    Algorithm.PS256: rsa_key,
    Algorithm.PS384: rsa_key,
    Algorithm.PS512: rsa_key,
    Algorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A root and an intermediate, and certificates on demand."""

    root: x509.Certificate
    intermediate: x509.Certificate
    intermediate_key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, organisation: str = "Assay Test Authority") -> Authority:
        root_key, intermediate_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
        root_name, intermediate_name = (
            name(organisation, f"{organisation} root"),
            name(organisation, f"{organisation} intermediate"),
        )
        root = issue(root_name, root_key, root_name, root_key, path_length=1)
        intermediate = issue(intermediate_name, intermediate_key, root_name, root_key, path_length=0)
        return cls(root=root, intermediate=intermediate, intermediate_key=intermediate_key)

    @property
    def anchors(self) -> bytes:
        """The root, PEM: what a trust list would hold."""
        return self.root.public_bytes(Encoding.PEM)

    def signer(
        self,
        algorithm: Algorithm = Algorithm.ES256,
        *,
        organisation: str = ORGANISATION,
        common_name: str = COMMON_NAME,
        purposes: Sequence[str] = (CLAIM_SIGNING,),
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        serial: int | None = None,
    ) -> SigningKey:
        """A signing key with a certificate of this authority; nothing about it is checked here."""
        key = KEY_MAKERS[algorithm]()
        leaf = issue(
            name(organisation, common_name),
            key,
            self.intermediate.subject,
            self.intermediate_key,
            purposes=purposes,
            not_before=not_before,
            not_after=not_after,
            serial=serial,
        )
        return SigningKey(algorithm=algorithm, chain=pem(leaf, self.intermediate), secret=pkcs8(key))

    def expiring_signer(self, *, seconds: float = 2.0) -> SigningKey:
        """A signing key whose certificate runs out soon: sign at once, wait, verify."""
        return self.signer(not_after=datetime.now(UTC) + timedelta(seconds=seconds))


def impostor() -> Authority:
    """Another authority, with all the names of the first and none of its keys."""
    return Authority.create()


def self_signed_camera() -> SigningKey:
    """What a camera maker without an authority would ship: an end-entity certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    camera = name("Assay Test Cameras", "Assay Test Camera 1")
    leaf = issue(camera, key, camera, key, purposes=(CLAIM_SIGNING,))
    return SigningKey(algorithm=Algorithm.ES256, chain=pem(leaf), secret=pkcs8(key))


def name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def issue(
    subject: x509.Name,
    key: PrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    path_length: int | None = None,
    purposes: Sequence[str] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    serial: int | None = None,
) -> x509.Certificate:
    """A certificate; with a path length it is an authority's, without one a signing certificate."""
    now, public = datetime.now(UTC), key.public_key()
    is_authority = path_length is not None
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | dict.fromkeys(("encipher_only", "decipher_only"), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before or now - timedelta(days=1))
        .not_valid_after(not_after or now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if purposes:
        identifiers = [x509.ObjectIdentifier(purpose) for purpose in purposes]
        builder = builder.add_extension(x509.ExtendedKeyUsage(identifiers), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def pkcs8(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
