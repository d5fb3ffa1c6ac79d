from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from forensics.chains import TIME_STAMPING, Certificate, find_anchor, read_certificates
from generation.signing_key import Algorithm
from tests.authority import CLAIM_SIGNING, DOCUMENT_SIGNING, Authority, impostor, issue, name

NOW = datetime.now(UTC)
USES = frozenset({CLAIM_SIGNING})


def certificates(pem: bytes) -> list[Certificate]:
    return read_certificates(each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem))


def anchor_of(pem: bytes, root: bytes, *, at: datetime = NOW, nested: bool = False) -> Certificate | None:
    signer, *others = certificates(pem)
    return find_anchor(signer, others, certificates(root), at=at, uses=USES, nested=nested)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_path_leads_to_its_root_and_to_no_other(authority: Authority, algorithm: Algorithm) -> None:
    pem = authority.signer(algorithm).chain
    assert anchor_of(pem, authority.anchors) == certificates(authority.anchors)[0]
    assert anchor_of(pem, impostor().anchors) is None, "of the same names, but with another key"


def test_every_certificate_has_to_be_valid_at_the_time(authority: Authority) -> None:
    pem = authority.signer(not_before=NOW - timedelta(days=2000), not_after=NOW + timedelta(days=2000)).chain
    assert anchor_of(pem, authority.anchors) is not None
    assert anchor_of(pem, authority.anchors, at=NOW + timedelta(days=1000)) is None, "the authority's is not, then"
    assert anchor_of(pem, authority.anchors, at=NOW - timedelta(days=1000)) is None


def test_a_certificate_has_to_be_made_for_the_purpose(authority: Authority) -> None:
    assert anchor_of(authority.signer(purposes=(DOCUMENT_SIGNING,)).chain, authority.anchors) is None
    assert anchor_of(authority.signer(purposes=()).chain, authority.anchors) is None
    signer, *others = certificates(authority.signer(purposes=tuple(TIME_STAMPING)).chain)
    roots = certificates(authority.anchors)
    assert find_anchor(signer, others, roots, at=NOW, uses=TIME_STAMPING) is not None


def test_a_certificate_that_is_an_anchor_needs_no_path(authority: Authority) -> None:
    (signer, *_) = certificates(authority.signer().chain)
    assert find_anchor(signer, [], [signer], at=NOW, uses=USES) == signer


def test_a_signer_is_no_authority(authority: Authority) -> None:
    """A signing certificate of the list cannot issue another one."""
    key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signer = issue(
        name("A", "signer"), key, authority.intermediate.subject, authority.intermediate_key, purposes=(CLAIM_SIGNING,)
    )
    issued = issue(name("A", "forged"), own, signer.subject, key, purposes=(CLAIM_SIGNING,))
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in (issued, signer, authority.intermediate))
    assert anchor_of(pem, authority.anchors) is None


def test_an_authority_for_other_purposes_does_where_purposes_need_not_be_nested(authority: Authority) -> None:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, signer = name("B", "root"), ec.generate_private_key(ec.SECP256R1())
    root = issue(root_name, root_key, root_name, root_key, path_length=1)
    between = issue(name("B", "between"), key, root_name, root_key, path_length=0, purposes=(DOCUMENT_SIGNING,))
    leaf = issue(name("B", "leaf"), signer, between.subject, key, purposes=(CLAIM_SIGNING,))
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, between))
    assert anchor_of(pem, root.public_bytes(Encoding.PEM)) is not None
    assert anchor_of(pem, root.public_bytes(Encoding.PEM), nested=True) is None


def test_a_path_is_no_longer_than_its_authority_allows(authority: Authority) -> None:
    """The intermediate may issue signers (path length 0), and no further authority."""
    key, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    further = issue(
        name("C", "further"), key, authority.intermediate.subject, authority.intermediate_key, path_length=0
    )
    leaf = issue(name("C", "leaf"), signer, further.subject, key, purposes=(CLAIM_SIGNING,))
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, further, authority.intermediate))
    assert anchor_of(pem, authority.anchors) is None


def test_a_name_that_its_type_of_text_does_not_allow_is_read_and_its_signature_checked(authority: Authority) -> None:
    """As in the certificates of a time-stamp authority in use since 2024, which has underscores in its name."""
    text = x509.NameAttribute(x509.NameOID.COMMON_NAME, "Stamps-unit", _type=x509.name._ASN1Type.PrintableString)
    encoded = _resigned(authority, x509.Name([text]), b"Stamps-unit", b"Stamps_unit")
    with pytest.raises(ValueError, match="PrintableString"):
        x509.load_der_x509_certificate(encoded)
    (read,) = read_certificates([encoded])
    others, roots = certificates(authority.intermediate.public_bytes(Encoding.PEM)), certificates(authority.anchors)
    assert find_anchor(read, others, roots, at=NOW, uses=USES) == roots[0]
    broken = encoded[:-1] + bytes([encoded[-1] ^ 1])
    assert find_anchor(read_certificates([broken])[0], others, roots, at=NOW, uses=USES) is None


def _resigned(authority: Authority, subject: x509.Name, old: bytes, new: bytes) -> bytes:
    """A certificate whose name was changed before the authority signed it."""
    from forensics import der

    key = ec.generate_private_key(ec.SECP256R1())
    made = issue(subject, key, authority.intermediate.subject, authority.intermediate_key, purposes=(CLAIM_SIGNING,))
    signed, algorithm, _ = der.content_of(made.public_bytes(Encoding.DER))
    signed = signed.replace(old, new)
    signature = authority.intermediate_key.sign(signed, ec.ECDSA(hashes.SHA256()))
    body = signed + algorithm + b"\x03" + bytes([len(signature) + 1]) + b"\0" + signature
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


def test_what_is_no_certificate_is_left_out(authority: Authority) -> None:
    good = authority.root.public_bytes(Encoding.DER)
    assert [each.encoded for each in read_certificates([b"", b"x", good, b"\x30\x03\x02\x01\x00"])] == [good]
