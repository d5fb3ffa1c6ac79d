from __future__ import annotations

import logging
import socket
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL.PngImagePlugin import PngInfo

from assay.binding import SoftBinding, assertion
from assay.errors import SigningError
from assay.formats import FORMATS
from assay.vocabulary import Action
from generation.declaration import SOURCE_TYPES, Declaration, Ingredient, Relationship
from generation.sign import sign, sign_and_keep, sign_file, sign_sidecar
from generation.signing_key import Algorithm, SigningKey
from tests.authority import DOCUMENT_SIGNING, EMAIL_PROTECTION, KEY_MAKERS, Authority, name, pem, pkcs8
from tests.carriers import CARRIERS, Carrier
from tests.seeds import encoded, photograph
from tests.tamper import same_picture

PLAIN = Declaration(title="A picture")
Read = Callable[..., Any]


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_every_format_is_signed_and_keeps_its_pixels(carrier: Carrier, desk: SigningKey, read: Read) -> None:
    plain = encoded(carrier.name)
    signed = sign(plain, carrier.mime, desk, PLAIN)
    manifests = read(signed, carrier.mime)
    assert manifests.state == "Trusted"
    assert manifests.active["title"] == "A picture"
    assert same_picture(plain, signed)
    assert len(signed) - len(plain) < 8_000  # no thumbnail


@pytest.mark.parametrize("format_name", ["HEIF", "JXL"])
def test_formats_that_need_an_extra_to_be_opened_are_signed(format_name: str, desk: SigningKey, read: Read) -> None:
    FORMATS[format_name].register("picture")
    stream = BytesIO()
    photograph().save(stream, format_name, **({"use_container": True} if format_name == "JXL" else {}))
    mime = FORMATS[format_name].mime
    assert read(sign(stream.getvalue(), mime, desk, PLAIN), mime).state == "Trusted"


@pytest.mark.parametrize("algorithm", KEY_MAKERS)
def test_every_algorithm_signs(algorithm: Algorithm, authority: Authority, read: Read) -> None:
    signed = sign(encoded("JPEG"), "image/jpeg", authority.signer(algorithm), PLAIN)
    manifests = read(signed, "image/jpeg")
    assert manifests.state == "Trusted"
    assert manifests.active["signature_info"]["alg"].lower() == algorithm.value


@pytest.mark.parametrize("purpose", [DOCUMENT_SIGNING, EMAIL_PROTECTION])
def test_certificates_for_neighbouring_purposes_sign(purpose: str, authority: Authority, read: Read) -> None:
    signed = sign(encoded("JPEG"), "image/jpeg", authority.signer(purposes=(purpose,)), PLAIN)
    assert read(signed, "image/jpeg").state == "Trusted"


def test_the_manifest_says_what_was_declared(desk: SigningKey, read: Read) -> None:
    declaration = Declaration(
        title="Tulip", source_type="compositeSynthetic", software="Model 7", actions=(Action(name="c2pa.cropped"),)
    )
    manifests = read(sign(encoded("PNG"), "image/png", desk, declaration), "image/png")
    (generator,) = manifests.active["claim_generator_info"]
    assert (generator["name"], generator["version"]) == ("Assay", version("assay"))
    assert manifests.actions == [
        {
            "action": "c2pa.created",
            "digitalSourceType": SOURCE_TYPES["compositeSynthetic"],
            "softwareAgent": {"name": "Model 7"},
        },
        {"action": "c2pa.cropped"},
    ]


@pytest.mark.parametrize("title", ["", "x\0y", "\x1b[1m<script>", "tulpe \N{TULIP}", "a" * 10_000])
def test_titles_come_back_as_they_are(title: str, desk: SigningKey, read: Read) -> None:
    manifests = read(sign(encoded("PNG"), "image/png", desk, Declaration(title=title)), "image/png")
    assert manifests.state == "Trusted"
    assert manifests.active.get("title", "") == title


def test_earlier_credentials_are_replaced_unless_given_as_an_ingredient(desk: SigningKey, read: Read) -> None:
    first = sign(encoded("PNG"), "image/png", desk, Declaration(title="first"))
    replaced = read(sign(first, "image/png", desk, Declaration(title="second")), "image/png")
    assert len(replaced.store["manifests"]) == 1
    parent = Ingredient(data=first, mime="image/png", title="first", relationship=Relationship.PARENT)
    kept = read(
        sign(first, "image/png", desk, Declaration(title="second", source_type=None, ingredients=(parent,))),
        "image/png",
    )
    assert kept.state == "Trusted"
    assert len(kept.store["manifests"]) == 2
    (ingredient,) = kept.ingredients
    assert ingredient["relationship"] == "parentOf"
    assert kept.store["manifests"][ingredient["active_manifest"]]["title"] == "first"


def test_ingredients_of_every_relationship_and_format(desk: SigningKey, read: Read) -> None:
    parts = (
        Ingredient(data=encoded("PNG"), mime="image/png", title="p", relationship=Relationship.PARENT),
        Ingredient(data=encoded("GIF"), mime="image/gif", title="c", relationship=Relationship.COMPONENT),
        Ingredient(data=encoded("AVIF"), mime="image/avif", title="i", relationship=Relationship.INPUT),
    )
    declaration = Declaration(title="all", source_type=None, ingredients=parts, actions=(Action(name="c2pa.edited"),))
    manifests = read(sign(encoded("PNG"), "image/png", desk, declaration), "image/png")
    assert manifests.state == "Trusted"
    assert [part["relationship"] for part in manifests.ingredients] == ["parentOf", "componentOf", "inputTo"]
    assert [action["action"] for action in manifests.actions] == ["c2pa.opened", "c2pa.placed", "c2pa.edited"]
    assert all(len(action["parameters"]["ingredients"]) == 1 for action in manifests.actions)


def test_an_input_need_not_be_an_image(desk: SigningKey, read: Read) -> None:
    prompt = Ingredient(data=b"a yellow tulip", mime="text/plain", title="prompt", relationship=Relationship.INPUT)
    signed = sign(encoded("PNG"), "image/png", desk, Declaration(title="t", ingredients=(prompt,)))
    manifests = read(signed, "image/png")
    assert manifests.state == "Trusted"
    assert [(part["title"], part["relationship"]) for part in manifests.ingredients] == [("prompt", "inputTo")]


@pytest.mark.parametrize(("format_name", "mime"), [("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("BMP", "image/bmp")])
def test_a_sidecar_leaves_the_image_alone(format_name: str, mime: str, desk: SigningKey, read: Read) -> None:
    plain = encoded(format_name)
    store = sign_sidecar(plain, mime, desk, PLAIN)
    assert read(plain, mime, sidecar=store).state == "Trusted"
    assert read(plain + b"!", mime, sidecar=store).state == "Invalid"


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_the_store_that_is_kept_is_the_one_inside(carrier: Carrier, desk: SigningKey) -> None:
    signed = sign_and_keep(encoded(carrier.name), carrier.mime, desk, PLAIN)
    assert carrier.store(signed.data) == signed.manifest
    assert repr(signed) == "Signed()"


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_a_watermark_is_declared_with_its_binding(carrier: Carrier, desk: SigningKey, read: Read) -> None:
    binding = SoftBinding(scheme="sealed-seed", image_id=0xFEDCBA9876543210)
    declaration = Declaration(title="t", software="pocket", software_version="1", bindings=(binding,))
    manifests = read(sign(encoded(carrier.name), carrier.mime, desk, declaration), carrier.mime)
    assert manifests.state == "Trusted"
    assert manifests.actions == [
        {
            "action": "c2pa.created",
            "digitalSourceType": SOURCE_TYPES["trainedAlgorithmicMedia"],
            "softwareAgent": {"name": "pocket", "version": "1"},
        },
        {"action": "c2pa.watermarked.bound"},
    ]
    (bound,) = (each for each in manifests.active["assertions"] if each["label"] == "c2pa.soft-binding")
    assert bound["data"] == assertion(binding)["data"]
    assert bound["created"] is True


# --- keys kept elsewhere ----------------------------------------------------------------------------------------------


def external(key: SigningKey, *, raw: bool) -> Callable[[bytes], bytes]:
    """What a hardware module or a key service would do; some answer in DER, some with r || s."""
    assert isinstance(key.secret, bytes)
    private = load_pem_private_key(key.secret, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)

    def sign_bytes(data: bytes) -> bytes:
        der = private.sign(data, ec.ECDSA(hashes.SHA256()))
        if not raw:
            return der
        return b"".join(number.to_bytes(32) for number in decode_dss_signature(der))

    return sign_bytes


@pytest.mark.parametrize("raw", [True, False])
def test_a_callback_signs(raw: bool, desk: SigningKey, read: Read) -> None:
    key = SigningKey.from_callback(desk.chain, external(desk, raw=raw))
    assert read(sign(encoded("WEBP"), "image/webp", key, PLAIN), "image/webp").state == "Trusted"


def test_what_a_callback_raises_is_kept_and_never_logged(desk: SigningKey, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: bytes) -> bytes:
        raise PermissionError("token hunter2 refused")

    key = SigningKey.from_callback(desk.chain, refuse)
    with caplog.at_level(logging.DEBUG), pytest.raises(SigningError, match="PermissionError") as caught:
        sign(encoded("PNG"), "image/png", key, PLAIN)
    assert "hunter2" not in str(caught.value) + caught.value.hint + caplog.text
    assert isinstance(caught.value.__cause__, PermissionError)


@pytest.mark.parametrize(
    ("answer", "hint"), [(b"", "nothing that could be a signature"), (b"\1" * 64, "another key than the certificate's")]
)
def test_a_callback_that_does_not_sign_is_noticed(answer: bytes, hint: str, desk: SigningKey) -> None:
    key = SigningKey.from_callback(desk.chain, lambda _: answer)
    with pytest.raises(SigningError) as caught:
        sign(encoded("PNG"), "image/png", key, PLAIN)
    assert hint in caught.value.hint


# --- what cannot be signed --------------------------------------------------------------------------------------------


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    key = authority.signer(not_after=datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(SigningError, match="expired on") as caught:
        sign(encoded("PNG"), "image/png", key, PLAIN)
    assert caught.value.exit_code == 2


def test_a_certificate_that_runs_out_between_two_signatures(authority: Authority) -> None:
    plain = encoded("PNG")
    key = authority.expiring_signer(seconds=1.5)
    sign(plain, "image/png", key, PLAIN)
    time.sleep(max(0.0, (key.certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()) + 0.1)
    with pytest.raises(SigningError, match="expired on"):
        sign(plain, "image/png", key, PLAIN)


def test_a_certificate_without_an_organisation_or_identifiers_is_refused_with_the_list() -> None:
    key, now, subject = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC), name("Org", "Signer")
    bare = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(name("Org", "Root"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(DOCUMENT_SIGNING)]), critical=False)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    with pytest.raises(SigningError, match="certificate is invalid") as caught:
        sign(encoded("PNG"), "image/png", SigningKey.from_pem(pem(bare), pkcs8(key)), PLAIN)
    assert "key usage digital signature" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "mime", "message"),
    [
        (encoded("PNG"), "image/jpeg", "said to be image/jpeg, but the content is PNG"),
        (b"", "image/png", "not an image in a known format"),
        (b"hello", "image/png", "not an image in a known format"),
        (encoded("BMP"), "image/bmp", "type is unsupported"),
        (b"\xff\x0a" + bytes(64), "image/jxl", "Not a valid JPEG XL container"),
        (encoded("PNG")[:8], "image/png", "could not be parsed"),
        (encoded("JPEG")[:300], "image/jpeg", "could not be parsed"),
    ],
)
def test_what_cannot_carry_a_manifest_is_refused(data: bytes, mime: str, message: str, desk: SigningKey) -> None:
    with pytest.raises(SigningError, match=message) as caught:
        sign(data, mime, desk, PLAIN)
    assert caught.value.hint


def test_a_manifest_that_is_too_long_is_refused(desk: SigningKey) -> None:
    with pytest.raises(SigningError, match="StringTooLong") as caught:
        sign(encoded("PNG"), "image/png", desk, Declaration(title="x" * 2_000_000))
    assert "1 MB" in caught.value.hint


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_signed_in_place(tmp_path: Path, desk: SigningKey, read: Read) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded("JPEG"))
    path.chmod(0o640)
    sign_file(path, path, desk, PLAIN)
    assert read(path.read_bytes(), "image/jpeg").state == "Trusted"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_copy_is_signed_and_the_source_stays(tmp_path: Path, desk: SigningKey, read: Read) -> None:
    source, target = tmp_path / "photo.bin", tmp_path / "signed.png"
    source.write_bytes(encoded("PNG"))
    source.chmod(0o600)
    sign_file(source, target, desk, PLAIN)
    assert source.read_bytes() == encoded("PNG")
    assert read(target.read_bytes(), "image/png").state == "Trusted"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_longer_file_in_the_way_is_replaced_whole(tmp_path: Path, desk: SigningKey, read: Read) -> None:
    source, target = tmp_path / "photo.png", tmp_path / "signed.png"
    source.write_bytes(encoded("PNG"))
    target.write_bytes(b"x" * 1_000_000)
    sign_file(source, target, desk, PLAIN)
    assert read(target.read_bytes(), "image/png").state == "Trusted"


def test_a_link_stays_a_link(tmp_path: Path, desk: SigningKey, read: Read) -> None:
    path, link = tmp_path / "photo.png", tmp_path / "link.png"
    path.write_bytes(encoded("PNG"))
    link.symlink_to(path)
    sign_file(link, link, desk, PLAIN)
    assert link.is_symlink()
    assert read(path.read_bytes(), "image/png").state == "Trusted"


def test_a_failure_leaves_the_target_as_it_was(tmp_path: Path, desk: SigningKey) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded("JPEG")[:300])
    with pytest.raises(SigningError):
        sign_file(path, path, desk, PLAIN)
    assert path.read_bytes() == encoded("JPEG")[:300]
    assert [each.name for each in tmp_path.iterdir()] == ["photo.jpg"]


def test_files_that_cannot_be_used_are_named(tmp_path: Path, desk: SigningKey) -> None:
    path, text = tmp_path / "photo.png", tmp_path / "notes.txt"
    path.write_bytes(encoded("PNG"))
    text.write_text("hello")
    with pytest.raises(SigningError, match=r"missing\.png"):
        sign_file(tmp_path / "missing.png", path, desk, PLAIN)
    with pytest.raises(SigningError, match=r"notes\.txt: not an image"):
        sign_file(text, text, desk, PLAIN)
    with pytest.raises(SigningError, match="nowhere"):
        sign_file(path, tmp_path / "nowhere" / "signed.png", desk, PLAIN)
    assert text.read_text() == "hello"


# --- the network ------------------------------------------------------------------------------------------------------


def test_signing_opens_no_connection(desk: SigningKey) -> None:
    """Not even for an ingredient that names a manifest on this machine: nobody is listening, and nobody is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/m.c2pa"
        part = Ingredient(data=_pointing_to(address), mime="image/png", title="remote", relationship=Relationship.INPUT)
        sign(_pointing_to(address), "image/png", desk, Declaration(title="t", ingredients=(part,)))
        with pytest.raises(TimeoutError):
            server.accept()


def _pointing_to(address: str) -> bytes:
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
        f'dcterms:provenance="{address}"/></rdf:RDF></x:xmpmeta>'
    )
    info, stream = PngInfo(), BytesIO()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    photograph().save(stream, "PNG", pnginfo=info)
    return stream.getvalue()
