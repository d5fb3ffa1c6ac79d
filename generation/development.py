"""A signing key for trying things out. Its certificate says so, and no trust list vouches for it."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from assay.errors import SigningError
from generation.signing_key import CHAIN_VARIABLE, KEY_VARIABLE, SigningKey

NAME = "Assay development signer - not for production"
CHAIN, KEY, ROOT = "chain.pem", "key.pem", "root.pem"
"""Files in the folder. `root.pem` is the anchor: `assay trust add` takes it, into a profile for development only."""

_LIFETIME = timedelta(days=365)
_CLOCK_SKEW = timedelta(minutes=5)
_CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")


def development_key(folder: Path) -> SigningKey:
    """The development key kept in a folder of its own; made the first time, and the same from then on.

    The folder appears whole, so processes that start together end up with one key. The root's private key is thrown
    away at once: nothing else can ever be issued under it.

    Args:
        folder: Mode 0700 once made; the private key in it is 0600. Its parents are made where missing.

    Raises:
        SigningError: The folder cannot be made, or holds something else.
    """
    if not (folder / KEY).exists():
        try:
            _make(folder)
        except OSError as error:
            raise SigningError(
                f"{folder}: no development key can be made here: {error.strerror}",
                hint="Name a folder that is new or empty, in a place you may write to.",
            ) from error
    return SigningKey.from_files(folder / CHAIN, folder / KEY)


def signing_folder(home: Path) -> Path:
    """Where the development key of a data folder is kept."""
    return home / "keys" / "signing"


def signing_key_for(home: Path) -> SigningKey:
    """The key to sign with: the one that the environment names, else the development key of the data folder.

    None is made here: a key that nobody asked for would sign in somebody's name.

    Raises:
        SigningError: There is neither, or the one there is cannot be used.
    """
    key = SigningKey.from_environment()
    if key is not None:
        return key
    folder = signing_folder(home)
    if not (folder / KEY).exists():
        raise SigningError(
            f"there is no signing key: neither in the environment nor in {folder}",
            hint=f"Name a chain and a key in {CHAIN_VARIABLE} and {KEY_VARIABLE}, "
            "or make a set for trying things out: assay keys init",
        )
    return development_key(folder)


def _make(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        fresh = Path(scratch) / folder.name
        fresh.mkdir(mode=0o700)
        for name, content in _issue(datetime.now(UTC)).items():
            path = fresh / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        try:
            fresh.replace(folder)
        except OSError:
            if not (folder / KEY).exists():  # otherwise another process was first, and its key is as good
                raise


def _issue(now: datetime) -> dict[str, bytes]:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name(f"{NAME} (root)"), _name(NAME)
    root = (
        _builder(root_name, root_name, root_key, root_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _builder(name, root_name, key, root_key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_CLAIM_SIGNING]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return {
        ROOT: root.public_bytes(Encoding.PEM),
        CHAIN: leaf.public_bytes(Encoding.PEM),
        KEY: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NAME),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
