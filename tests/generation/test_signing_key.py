from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from assay.errors import SigningError
from generation.signing_key import Algorithm, SigningKey
from tests.authority import (
    CLAIM_SIGNING,
    DOCUMENT_SIGNING,
    EMAIL_PROTECTION,
    KEY_MAKERS,
    SERVER_AUTHENTICATION,
    Authority,
    impostor,
    issue,
    name,
    pem,
    pkcs8,
)


def files(folder: Path, key: SigningKey, *, mode: int = 0o600) -> tuple[Path, Path]:
    chain_path, key_path = folder / "chain.pem", folder / "key.pem"
    chain_path.write_bytes(key.chain)
    assert isinstance(key.secret, bytes)
    key_path.write_bytes(key.secret)
    key_path.chmod(mode)
    return chain_path, key_path


def chain_for(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, authority: Authority) -> bytes:
    leaf = issue(
        name("Org", "Signer"),
        key,
        authority.intermediate.subject,
        authority.intermediate_key,
        purposes=(CLAIM_SIGNING,),
    )
    return pem(leaf, authority.intermediate)


def test_a_key_never_shows_itself(desk: SigningKey) -> None:
    assert repr(desk) == str(desk) == "SigningKey(algorithm=<Algorithm.ES256: 'es256'>)"


@pytest.mark.parametrize("algorithm", KEY_MAKERS)
def test_the_algorithm_follows_from_the_certificate(authority: Authority, algorithm: Algorithm) -> None:
    made = authority.signer(algorithm)
    assert isinstance(made.secret, bytes)
    wanted = algorithm if algorithm.startswith("ps") else None
    assert SigningKey.from_pem(made.chain, made.secret, algorithm=wanted) == made


def test_rsa_signs_with_ps256_unless_told_otherwise(authority: Authority) -> None:
    made = authority.signer(Algorithm.PS512)
    assert isinstance(made.secret, bytes)
    assert SigningKey.from_pem(made.chain, made.secret).algorithm is Algorithm.PS256


def test_an_algorithm_that_the_key_cannot_do_is_refused(authority: Authority, desk: SigningKey) -> None:
    with pytest.raises(SigningError, match="cannot sign with ps256") as caught:
        SigningKey.from_callback(desk.chain, lambda data: data, algorithm=Algorithm.PS256)
    assert caught.value.hint == "It can with: es256."


@pytest.mark.parametrize("purpose", [CLAIM_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION])
def test_purposes_that_trust_lists_accept(authority: Authority, purpose: str) -> None:
    made = authority.signer(purposes=(purpose,))
    assert SigningKey.from_callback(made.chain, lambda data: data).algorithm is Algorithm.ES256


@pytest.mark.parametrize("purposes", [(), (SERVER_AUTHENTICATION,)])
def test_a_certificate_for_something_else_is_refused(authority: Authority, purposes: tuple[str, ...]) -> None:
    made = authority.signer(purposes=purposes)
    with pytest.raises(SigningError, match="not issued for signing manifests") as caught:
        SigningKey.from_callback(made.chain, lambda data: data)
    assert CLAIM_SIGNING in caught.value.hint


def test_the_key_of_another_certificate_is_refused(authority: Authority, desk: SigningKey) -> None:
    other = authority.signer()
    assert isinstance(other.secret, bytes)
    with pytest.raises(SigningError, match="does not belong to the signing certificate"):
        SigningKey.from_pem(desk.chain, other.secret)


def test_a_chain_out_of_order_is_refused(authority: Authority, desk: SigningKey) -> None:
    leaf = desk.chain[: -len(pem(authority.intermediate))]
    with pytest.raises(SigningError, match="did not issue") as caught:
        SigningKey.from_callback(leaf + authority.anchors, lambda data: data)
    assert "signing certificate first" in caught.value.hint


def test_an_issuer_of_the_same_name_is_not_the_issuer(desk: SigningKey, authority: Authority) -> None:
    leaf = desk.chain[: -len(pem(authority.intermediate))]
    with pytest.raises(SigningError, match="did not issue"):
        SigningKey.from_callback(leaf + pem(impostor().intermediate), lambda data: data)


def test_a_chain_that_begins_with_the_authority_is_refused(authority: Authority) -> None:
    with pytest.raises(SigningError, match="certificate authority"):
        SigningKey.from_callback(pem(authority.intermediate, authority.root), lambda data: data)


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(text: bytes) -> None:
    with pytest.raises(SigningError, match="certificate chain cannot be read"):
        SigningKey.from_callback(text, lambda data: data)


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_without_quoting_it(desk: SigningKey, text: bytes) -> None:
    with pytest.raises(SigningError, match=r"^the private key cannot be read$") as caught:
        SigningKey.from_pem(desk.chain, text)
    assert caught.value.__cause__ is None


def test_an_encrypted_key_is_refused_with_a_way_out(desk: SigningKey) -> None:
    assert isinstance(desk.secret, bytes)
    key = load_pem_private_key(desk.secret, password=None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    with pytest.raises(SigningError, match="encrypted") as caught:
        SigningKey.from_pem(desk.chain, locked)
    assert "openssl pkcs8" in caught.value.hint


def test_the_older_form_of_a_key_is_taken(desk: SigningKey) -> None:
    assert isinstance(desk.secret, bytes)
    key = load_pem_private_key(desk.secret, password=None)
    older = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert older.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert SigningKey.from_pem(desk.chain, older) == desk


def test_kinds_of_key_that_c2pa_leaves_out_are_refused(authority: Authority, desk: SigningKey) -> None:
    unusual_curve = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(SigningError, match="does not allow this kind of key"):
        SigningKey.from_pem(chain_for(unusual_curve, authority), pkcs8(unusual_curve))
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(SigningError, match="does not allow this kind of key"):
        SigningKey.from_pem(chain_for(short, authority), pkcs8(short))
    old = dsa.generate_private_key(1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(SigningError, match="does not allow this kind of key"):
        SigningKey.from_pem(desk.chain, old)


def test_files_are_read(desk: SigningKey, tmp_path: Path) -> None:
    assert SigningKey.from_files(*files(tmp_path, desk)) == desk


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o777])
def test_a_key_file_that_others_may_use_is_refused(desk: SigningKey, tmp_path: Path, mode: int) -> None:
    _, key_path = paths = files(tmp_path, desk, mode=mode)
    with pytest.raises(SigningError, match="others than its owner") as caught:
        SigningKey.from_files(*paths)
    assert f"chmod 600 {key_path}" in caught.value.hint
    key_path.chmod(0o600)
    assert SigningKey.from_files(*paths) == desk


@pytest.mark.parametrize("missing", ["chain.pem", "key.pem"])
def test_a_missing_file_is_named(desk: SigningKey, tmp_path: Path, missing: str) -> None:
    paths = files(tmp_path, desk)
    (tmp_path / missing).unlink()
    with pytest.raises(SigningError, match=missing):
        SigningKey.from_files(*paths)


def test_a_named_pipe_is_no_key_file(desk: SigningKey, tmp_path: Path) -> None:
    chain, key_path = files(tmp_path, desk)
    key_path.unlink()
    os.mkfifo(key_path, 0o644)
    writer = threading.Thread(target=lambda: key_path.open("wb").close())
    writer.start()
    with pytest.raises(SigningError, match="others than its owner"):
        SigningKey.from_files(chain, key_path)
    writer.join()


def test_dates_are_checked_against_the_clock(authority: Authority) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    key = authority.signer(not_before=now - timedelta(hours=1), not_after=now + timedelta(hours=1))
    key.require_valid()
    key.require_valid(now + timedelta(hours=1))
    with pytest.raises(SigningError, match="expired on"):
        key.require_valid(now + timedelta(hours=1, seconds=1))
    key.require_valid(now - timedelta(hours=1))
    with pytest.raises(SigningError, match="valid only from"):
        key.require_valid(now - timedelta(hours=1, seconds=1))


def test_a_public_key_of_an_unusual_kind_in_the_certificate(authority: Authority, desk: SigningKey) -> None:
    key = dsa.generate_private_key(1024)
    leaf = issue(
        name("Org", "Signer"),
        key,  # type: ignore[arg-type]
        authority.intermediate.subject,
        authority.intermediate_key,
        purposes=(CLAIM_SIGNING,),
    )
    with pytest.raises(SigningError, match="does not allow this kind of key"):
        SigningKey.from_callback(pem(leaf), lambda data: data)


def test_a_certificate_without_basic_constraints_may_sign(authority: Authority) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name("Org", "Signer"))
        .issuer_name(authority.intermediate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(CLAIM_SIGNING)]), critical=False)
        .sign(authority.intermediate_key, hashes.SHA256())
    )
    assert SigningKey.from_pem(pem(leaf), pkcs8(key)).certificate == leaf


# --- from the environment ---------------------------------------------------------------------------------------------


def test_the_environment_names_files(tmp_path: Path, desk: SigningKey) -> None:
    chain, key = files(tmp_path, desk)
    environment = {"ASSAY_SIGNING_CHAIN": str(chain), "ASSAY_SIGNING_KEY": f" {key}\n"}
    assert SigningKey.from_environment(environment) == desk


@pytest.mark.parametrize("line_end", ["\n", "\\n"], ids=["lines", "spelt-out"])
def test_the_environment_holds_text(line_end: str, desk: SigningKey) -> None:
    assert isinstance(desk.secret, bytes)
    chain, key = (text.decode().replace("\n", line_end) for text in (desk.chain, desk.secret))
    assert SigningKey.from_environment({"ASSAY_SIGNING_CHAIN": chain, "ASSAY_SIGNING_KEY": key}) == desk


@pytest.mark.parametrize("environment", [{}, {"ASSAY_SIGNING_CHAIN": "", "ASSAY_SIGNING_KEY": " "}])
def test_an_environment_without_a_key(environment: dict[str, str]) -> None:
    assert SigningKey.from_environment(environment) is None


@pytest.mark.parametrize(
    ("given", "missing"),
    [("ASSAY_SIGNING_CHAIN", "ASSAY_SIGNING_KEY"), ("ASSAY_SIGNING_KEY", "ASSAY_SIGNING_CHAIN")],
)
def test_half_a_key_is_refused(given: str, missing: str) -> None:
    with pytest.raises(SigningError, match=f"{missing} is not set"):
        SigningKey.from_environment({given: "x.pem"})


def test_a_key_file_that_others_may_read_is_refused_from_the_environment_too(tmp_path: Path, desk: SigningKey) -> None:
    chain, key = files(tmp_path, desk, mode=0o644)
    with pytest.raises(SigningError, match="others than its owner"):
        SigningKey.from_environment({"ASSAY_SIGNING_CHAIN": str(chain), "ASSAY_SIGNING_KEY": str(key)})


def test_a_key_in_the_environment_that_cannot_be_read_is_not_quoted(desk: SigningKey) -> None:
    secret = "-----BEGIN PRIVATE KEY-----\nhunter2"
    with pytest.raises(SigningError, match="cannot be read") as caught:
        SigningKey.from_environment({"ASSAY_SIGNING_CHAIN": desk.chain.decode(), "ASSAY_SIGNING_KEY": secret})
    assert "hunter2" not in str(caught.value) + caught.value.hint
