"""Time stamps (RFC 3161), made by any key at any time: a stamp proves no more than whoever signed it is worth."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from generation.signing_key import SigningKey
from tests.authority import Authority
from tests.forge import cbor, der
from tests.forge.certificates import chain

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
"""The extended key usage of certificates that stamp."""

_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
_SHA256, _ECDSA_WITH_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"
_POLICY = "1.3.6.1.4.1.62558.99.1"
"""What such an authority promises: nothing. The number means nothing elsewhere."""


def stamper(authority: Authority, **choices: Any) -> SigningKey:
    """Return a key that stamps, with a certificate of an authority; dates and serial number as for `signer` there."""
    unit = "Assay Test Stamps unit 1"
    return authority.signer(organisation="Assay Test Stamps", common_name=unit, purposes=(TIME_STAMPING,), **choices)


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A time stamp to put on the signature of a manifest.

    Claims of version 1 carry it as `sigTst`, over the claim; those of version 2 as `sigTst2`, over the signature
    (C2PA 2.2, section 10.3.2.5).
    """

    key: SigningKey
    """The authority's key, as `stamper` makes it."""
    at: datetime
    """The time that the stamp states."""
    header: str = ""
    """`sigTst` or `sigTst2`; empty for what the version of the claim asks for."""
    certificates: tuple[bytes, ...] = ()
    """DER: what the stamp carries in place of the key's own chain."""
    over: bytes | None = None
    """What is stamped in place of this signature: the signature of another file, say."""

    edit: Callable[[bytes, bytes], bytes] = lambda stamp, _message: stamp
    """Called with the finished stamp and what it should be over: changes the stamp."""

    def headers(self, version: int, protected: bytes, claim: bytes, signature: bytes) -> dict[str, object]:
        """Return what stands in the unprotected header of the signature."""
        header = self.header or ("sigTst" if version == 1 else "sigTst2")
        covered = claim if header == "sigTst" else cbor.encode(signature)
        message = cbor.encode(["CounterSignature", protected, b"", covered])
        over = message if self.over is None else self.over
        made = self.edit(token(self.key, over, self.at, self.certificates), message)
        return {header: {"tstTokens": [{"val": response(made) if header == "sigTst" else made}]}}


def response(stamp: bytes) -> bytes:
    """Return a TimeStampResp that grants the token (RFC 3161, section 2.4.2)."""
    return der.sequence(der.sequence(der.integer(0)), stamp)


def token(authority: SigningKey, message: bytes, at: datetime, certificates: tuple[bytes, ...] = ()) -> bytes:
    """Return a TimeStampToken over the SHA-256 of a message: CMS signed data, DER (RFC 3161, section 2.4.2)."""
    carried = certificates or chain(authority)
    info = _stamp_info(message, at)
    return der.sequence(
        der.oid(_SIGNED_DATA),
        der.explicit(
            0,
            der.sequence(
                der.integer(3),
                der.set_of(der.algorithm(_SHA256)),
                der.sequence(der.oid(_TST_INFO), der.explicit(0, der.octets(info))),
                der.element(0xA0, b"".join(carried)),
                der.set_of(_signer_info(authority, info)),
            ),
        ),
    )


def _stamp_info(message: bytes, at: datetime) -> bytes:
    """TSTInfo: version, policy, imprint, serial number, time."""
    imprint = der.sequence(der.algorithm(_SHA256), der.octets(hashlib.sha256(message).digest()))
    serial = int.from_bytes(hashlib.sha256(message + at.isoformat().encode()).digest()[:8]) | 1
    time = at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()
    return der.sequence(der.integer(1), der.oid(_POLICY), imprint, der.integer(serial), der.element(0x18, time))


def _signer_info(authority: SigningKey, info: bytes) -> bytes:
    """SignerInfo over the attributes (RFC 5652, section 5.3)."""
    certificate = authority.certificate
    attributes = b"".join(
        sorted(
            (
                _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
                _attribute(_MESSAGE_DIGEST, der.octets(hashlib.sha256(info).digest())),
                _attribute(
                    _SIGNING_CERTIFICATE,
                    der.sequence(der.sequence(der.sequence(der.octets(certificate.fingerprint(hashes.SHA256()))))),
                ),
            )
        )
    )
    assert isinstance(authority.secret, bytes)
    key = load_pem_private_key(authority.secret, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number)),
        der.algorithm(_SHA256),
        der.element(0xA0, attributes),
        der.algorithm(_ECDSA_WITH_SHA256),
        der.octets(key.sign(der.element(0x31, attributes), ec.ECDSA(hashes.SHA256()))),
    )


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of(value))
