from datetime import UTC, datetime

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from forensics.signatures import Signature, read_signature
from tests.authority import Authority
from tests.carriers import JPEG, bmff_box
from tests.forge import Draft, Stamp, jumbf, sign, stamper
from tests.seeds import encoded

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LABEL = "urn:c2pa:00000000-0000-0000-0000-000000000000"


def chain(pem: bytes) -> list[bytes]:
    return [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem)]


@pytest.mark.parametrize("version", [1, 2])
def test_certificates_of_the_signer_and_of_the_time_stamp_are_read(authority: Authority, version: int) -> None:
    key, stamps = authority.signer(), stamper(Authority.create("Stamps"))
    draft = Draft(key=key, version=version, stamp=Stamp(key=stamps, at=NOON), label=LABEL)
    found = read_signature(JPEG.store(sign(JPEG, encoded("JPEG"), draft)), LABEL)
    assert found is not None
    assert list(found.certificates) == chain(key.chain)
    assert found.stamp is not None
    assert list(found.stamp.certificates) == chain(stamps.chain)


def test_a_signature_without_a_time_stamp_has_none(authority: Authority) -> None:
    store = JPEG.store(sign(JPEG, encoded("JPEG"), Draft(key=authority.signer(), label=LABEL)))
    found = read_signature(store, LABEL)
    assert found is not None
    assert found.stamp is None
    assert read_signature(store, "urn:c2pa:another") is None


def store_of(sign1: object) -> bytes:
    signature = jumbf.superbox(jumbf.CBOR, "c2pa.signature", bmff_box(b"cbor", cbor2.dumps(sign1)))
    return jumbf.superbox(jumbf.CBOR, "c2pa", jumbf.superbox(jumbf.CBOR, "a", signature))


@pytest.mark.parametrize(
    ("protected", "unprotected"),
    [
        ({33: b"one"}, {33: b"two"}),
        ({33: b"one"}, {"x5chain": b"two"}),
        ({33: b"one", "x5chain": b"two"}, {}),
    ],
)
def test_of_several_chains_none_is_taken(protected: dict[object, bytes], unprotected: dict[object, bytes]) -> None:
    """The library may have verified the signature with the other one."""
    assert read_signature(store_of([cbor2.dumps(protected), unprotected, None, b""]), "a") == Signature()


def test_of_several_time_stamps_none_is_taken() -> None:
    stamps = {"sigTst": {"tstTokens": [{"val": b"x"}]}, "sigTst2": {"tstTokens": [{"val": b"x"}]}}
    assert read_signature(store_of([b"", stamps, None, b""]), "a") == Signature()


@pytest.mark.parametrize("sign1", [None, 7, [], [b"", None], [b"\xff", {}], [b"", {"sigTst": 7}], {"a": 1}, "text"])
def test_what_is_no_signature_is_none(sign1: object) -> None:
    assert read_signature(store_of(sign1), "a") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_none(data: bytes) -> None:
    assert read_signature(data, "a") is None
