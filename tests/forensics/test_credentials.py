import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.binding import SoftBinding
from assay.policy import decide
from assay.vocabulary import (
    Action,
    AiUse,
    Attestation,
    Basis,
    Claim,
    Failed,
    History,
    Integrity,
    Nothing,
    Observation,
    Settings,
    Trust,
)
from forensics import offline
from forensics.credentials import Credentials
from forensics.manifests import Store
from generation.declaration import Declaration, Ingredient, Relationship
from generation.sign import sign, sign_sidecar
from generation.signing_key import SigningKey
from tests import forge
from tests.authority import Authority, impostor, self_signed_camera
from tests.carriers import CARRIERS
from tests.forensics.conftest import attest, examine, exhibit_of, unopened
from tests.forge import Draft
from tests.seeds import encoded

JPEG = "image/jpeg"


def test_trusted_signer(settings: Settings, signed: bytes) -> None:
    found = attest(settings, exhibit_of(signed))
    assert (found.state, found.claim, found.ai_use) == ("trusted", Claim.GENERATED, AiUse.FULLY)
    assert found.signer is not None
    assert found.signer.name == "Assay Test Newsroom"
    assert found.signer.signed_at is None
    assert found.manifest is not None
    assert found.manifest.title == "tulip.jpg"
    assert found.manifest.actions[0] == Action(
        name="c2pa.created", digital_source_type="trainedAlgorithmicMedia", software="Example Generator"
    )
    assert "vouches for the signer" in found.summary


def test_nobody_is_trusted_without_a_list_and_the_report_says_why(
    stranger_settings: Settings, signed: bytes, authority: Authority
) -> None:
    found = attest(stranger_settings, exhibit_of(signed))
    assert found.state == "intact, signer unknown"
    assert "holds no list" in found.summary
    other = replace(stranger_settings, trust="other")
    from forensics import anchors, trust

    today = datetime.now(UTC).date()
    anchors.add(
        other, Authority.create("Other").anchors, kind=trust.ListKind.SIGNERS, source="t", issued=None, today=today
    )
    assert "does not vouch" in attest(other, exhibit_of(signed)).summary


def test_expired_certificate(settings: Settings, authority: Authority) -> None:
    key = authority.expiring_signer(seconds=2)
    data = sign(encoded("JPEG"), JPEG, key, Declaration(title="x"))
    time.sleep(3.2)  # the library allows a second
    found = attest(settings, exhibit_of(data))
    assert (found.trust, found.integrity) == (Trust.EXPIRED, Integrity.INTACT)
    assert found.state == "intact, signer's certificate expired"
    assert "has expired" in found.summary


def test_ai_in_the_parent_counts(settings: Settings, authority: Authority, signed: bytes) -> None:
    parent = Ingredient(data=signed, mime=JPEG, title="tulip.jpg", relationship=Relationship.PARENT)
    edited = Declaration(
        title="crop.jpg", source_type=None, actions=(Action(name="c2pa.cropped"),), ingredients=(parent,)
    )
    found = attest(settings, exhibit_of(sign(signed, JPEG, authority.signer(), edited)))
    assert (found.state, found.ai_use, found.claim) == ("trusted", AiUse.FULLY, Claim.GENERATED)
    assert found.manifest is not None
    assert found.manifest.ai_use is AiUse.NONE
    assert found.manifest.ingredients[0].ai_use is AiUse.FULLY


def test_laundering_is_named(settings: Settings, authority: Authority, signed: bytes) -> None:
    tampered = signed[:-20] + b"\0" + signed[-19:]
    parent = Ingredient(data=tampered, mime=JPEG, title="tulip.jpg", relationship=Relationship.PARENT)
    edited = Declaration(title="clean.jpg", source_type=None, ingredients=(parent,))
    found = attest(settings, exhibit_of(sign(encoded("JPEG"), JPEG, authority.signer(), edited)))
    assert (found.integrity, found.trust, found.history) == (Integrity.INTACT, Trust.TRUSTED, History.BROKEN)
    assert found.state == "history broken"
    assert "ingredient" in found.summary
    assert ("Failed check in the history", "assertion.dataHash.mismatch") in [(d.name, d.value) for d in found.details]


def test_broken_manifest_states_nothing(settings: Settings, signed: bytes) -> None:
    found = attest(settings, exhibit_of(signed + b"appended"))
    assert found.state == "does not verify"
    assert (found.claim, found.ai_use) == (None, AiUse.UNKNOWN)
    assert "do not match" in found.summary


def test_no_credentials(settings: Settings) -> None:
    assert examine(settings, exhibit_of(encoded("JPEG"))) == (Nothing(check="credentials"),)
    assert examine(settings, exhibit_of(encoded("BMP"), "x.bmp")) == (Nothing(check="credentials"),)


def test_a_file_that_stops_early_is_not_called_unsigned(settings: Settings) -> None:
    exhibit = exhibit_of(encoded("JPEG"))
    stopped = replace(exhibit.facts, picture=replace(exhibit.picture, truncated=True))
    (outcome,) = examine(settings, replace(exhibit, facts=stopped))
    assert isinstance(outcome, Failed)
    assert "stops early" in outcome.error


def test_a_jpeg_keeps_credentials_in_front_so_a_missing_end_hides_none(settings: Settings, signed: bytes) -> None:
    plain = encoded("JPEG")
    for cut in (2, 500):
        assert examine(settings, exhibit_of(plain[:-cut])) == (Nothing(check="credentials"),)
    assert attest(settings, exhibit_of(signed[:-2])).state == "does not verify"


@pytest.mark.parametrize("name", ["PNG", "TIFF", "GIF"])
def test_other_formats_may_have_kept_credentials_in_what_is_missing(settings: Settings, name: str) -> None:
    (outcome,) = examine(settings, exhibit_of(encoded(name)[:-8]))
    assert isinstance(outcome, Failed)


@pytest.mark.parametrize(("name", "mime"), [("JPEG", JPEG), ("BMP", "image/bmp")])
def test_sidecar(settings: Settings, authority: Authority, name: str, mime: str) -> None:
    data = encoded(name)
    store = sign_sidecar(data, mime, authority.signer(), Declaration(title="x"))
    assert attest(settings, exhibit_of(data, sidecar=store)).state == "trusted"
    other = encoded(name, "flower")
    assert attest(settings, exhibit_of(other, sidecar=store)).state == "does not verify"


def test_garbage_cannot_be_checked(settings: Settings) -> None:
    (outcome,) = examine(settings, unopened(b"\xff\xd8\xff\xe0"))
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith("photo.jpg: ")


def test_remote_manifest_is_not_fetched(settings: Settings, shared: Path) -> None:
    path = shared / "c2pa/c2pa-rs-fixtures/sdk/tests/fixtures/libpng-test_with_url.png"
    found = attest(settings, exhibit_of(path.read_bytes(), path.name))
    assert found.state == "points to a remote manifest (not fetched)"
    assert found.details[0].value == "http://localhost:5000/libpng-test.c2pa"


def test_identity_is_stated_and_never_part_of_the_verdict(settings: Settings, shared: Path) -> None:
    folder = shared / "c2pa/c2pa-rs-fixtures/sdk/src/identity/tests/fixtures/claim_aggregation"
    found = attest(settings, exhibit_of((folder / "adobe_connected_identities.jpg").read_bytes()))
    assert found.integrity is Integrity.INTACT
    assert [detail.private for detail in found.identity] == [True]
    assert found.identity[0].value == "testuser23"
    assert "not checked" in found.identity[0].name
    by_certificate = attest(settings, exhibit_of((folder / "ica_validation" / "success.jpg").read_bytes()))
    assert by_certificate.identity[0].name == "Identity by certificate, not checked"


def _over(data: bytes, key: SigningKey, *actions: Action) -> bytes:
    """Signed again, with the file as its parent."""
    parent = Ingredient(data=data, mime=JPEG, title="before.jpg", relationship=Relationship.PARENT)
    declaration = Declaration(title="after.jpg", source_type=None, actions=actions, ingredients=(parent,))
    return sign(data, JPEG, key, declaration)


def test_a_strangers_camera_is_not_vouched_for_by_who_signs_over_it(settings: Settings, authority: Authority) -> None:
    camera = sign(encoded("JPEG"), JPEG, self_signed_camera(), Declaration(title="a", source_type="digitalCapture"))
    (found,) = examine(settings, exhibit_of(_over(camera, authority.signer())))
    assert isinstance(found, Attestation)
    assert (found.state, found.claim) == ("trusted", None)
    trusted = sign(encoded("JPEG"), JPEG, authority.signer(), Declaration(title="a", source_type="digitalCapture"))
    assert attest(settings, exhibit_of(_over(trusted, authority.signer()))).claim is Claim.CAPTURED


def test_a_strangers_ai_mark_is_noted_apart(settings: Settings, authority: Authority) -> None:
    generated = sign(encoded("JPEG"), JPEG, self_signed_camera(), Declaration(title="a"))
    found, noted = examine(settings, exhibit_of(_over(generated, authority.signer())))
    assert isinstance(found, Attestation)
    assert isinstance(noted, Observation)
    assert (found.claim, found.ai_use) == (None, AiUse.FULLY)
    assert (noted.signal, noted.claim) == ("history-declares", Claim.GENERATED)
    verdict = decide((found, noted))
    assert (verdict.claim, verdict.basis) == (Claim.GENERATED, Basis.NOTED)


def test_a_crop_does_not_take_a_strangers_ai_mark_out_of_the_headline(settings: Settings, authority: Authority) -> None:
    generated = sign(encoded("JPEG"), JPEG, self_signed_camera(), Declaration(title="a"))
    found, noted = examine(settings, exhibit_of(_over(generated, authority.signer(), Action(name="c2pa.cropped"))))
    assert isinstance(found, Attestation)
    assert (found.state, found.claim) == ("trusted", None)
    verdict = decide((found, noted))
    assert (verdict.claim, verdict.basis) == (Claim.GENERATED, Basis.NOTED)
    assert verdict.headline == "Declared as made with generative AI, which nothing trusted vouches for"


def test_the_right_sidecar_beats_an_address(settings: Settings, authority: Authority) -> None:
    data = offline._remote_png()
    store = sign_sidecar(data, "image/png", authority.signer(), Declaration(title="x"))
    found = attest(settings, exhibit_of(data, "x.png", sidecar=store))
    assert found.state == "trusted"
    assert ("Manifest", "kept beside the file") in [(each.name, each.value) for each in found.details]


def _stated(check: Credentials, *failures: str, **manifest: Any) -> Attestation:
    """The attestation on a store as the library would report it."""
    success = [{"code": "claimSignature.validated"}, {"code": "assertion.dataHash.match"}]
    results = {"success": success, "failure": [{"code": code} for code in failures]}
    store = Store.parse({"manifests": [{"label": "a", "validationResults": results, **manifest}]})
    return check._attest(store, exhibit_of(encoded("JPEG")), [], is_beside=False)


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (["assertion.action.malformed"], Integrity.MALFORMED),
        (["assertion.action.malformed", "assertion.dataHash.mismatch"], Integrity.BROKEN),
        (["ingredient.manifest.missing"], Integrity.BROKEN),
    ],
)
def test_a_malformed_manifest_accuses_nobody(settings: Settings, failures: list[str], expected: Integrity) -> None:
    found = _stated(Credentials(settings), *failures)
    assert (found.integrity, found.state) == (expected, "does not verify")
    assert ("it did not change" in found.summary) is (expected is Integrity.MALFORMED)
    assert ("assertion.action.malformed" in found.summary) is (expected is Integrity.MALFORMED)


def bing(authority: Authority) -> bytes:
    """A picture by software that only generates, and that does not say so in the standard's terms."""
    created = forge.actions({"action": "c2pa.created", "softwareAgent": "Bing Image Creator"}, label="c2pa.actions")
    return forge.sign(
        CARRIERS["JPEG"], encoded("JPEG"), Draft(key=authority.signer(), assertions=(created,), version=1)
    )


def test_software_that_only_generates_counts_where_a_trusted_signer_names_it(
    settings: Settings, authority: Authority
) -> None:
    found, noted = examine(settings, exhibit_of(bing(authority)))
    assert isinstance(found, Attestation)
    assert isinstance(noted, Observation)
    assert (found.state, found.claim) == ("trusted", Claim.GENERATED)
    assert decide((found, noted)).headline == "Made with software that only generates images, says a trusted signer"


def test_software_that_only_generates_is_an_inference_where_a_stranger_names_it(
    settings: Settings,
) -> None:
    data = bing(impostor())
    found, noted = examine(settings, exhibit_of(data))
    assert isinstance(found, Attestation)
    assert isinstance(noted, Observation)
    assert (found.state, found.claim) == ("intact, signer unknown", None)
    assert (noted.signal, noted.claim) == ("generator-named", Claim.GENERATED)
    (broken,) = examine(settings, exhibit_of(data + b"appended"))
    assert isinstance(broken, Attestation)
    assert (broken.state, broken.claim) == ("does not verify", None)


def test_credentials_that_do_not_verify_declare_against_their_own_interest(settings: Settings, signed: bytes) -> None:
    found, noted = examine(settings, exhibit_of(signed + b"appended"))
    assert isinstance(noted, Observation)
    assert (noted.signal, noted.claim) == ("unverified-credentials-declare", Claim.GENERATED)
    assert "Anybody can attach such credentials" in noted.summary
    verdict = decide((found, noted))
    assert (verdict.claim, verdict.basis) == (Claim.GENERATED, Basis.NOTED)
    assert verdict.headline == "Declared as made with generative AI, in Content Credentials that do not verify"


def test_a_picture_that_was_only_an_input_is_declared_by_nothing(settings: Settings, authority: Authority) -> None:
    carrier, key = CARRIERS["JPEG"], authority.signer()
    camera = forge.Ingredient(carrier=carrier, data=forge.sign(carrier, encoded("JPEG"), Draft(key=key)))
    generated = forge.sign(carrier, encoded("JPEG"), Draft(key=key, assertions=(forge.GENERATED,)))
    reference = forge.Ingredient(carrier=carrier, data=generated, relationship="inputTo", label="c2pa.ingredient.v3__1")
    draft = Draft(key=key, ingredients=(camera, reference), assertions=(forge.actions(forge.opened()),))
    data = forge.sign(carrier, encoded("JPEG"), draft)
    assert attest(settings, exhibit_of(data)).claim is Claim.CAPTURED
    (found,) = examine(settings, exhibit_of(data + b"appended"))
    assert decide((found,)).claim is None


def test_a_hash_by_an_unknown_algorithm_accuses_nobody(settings: Settings, authority: Authority) -> None:
    draft = Draft(key=authority.signer(), binding=forge.DataHash(algorithm="md5"))
    found = attest(settings, exhibit_of(forge.sign(CARRIERS["JPEG"], encoded("JPEG"), draft)))
    assert (found.integrity, found.state) == (Integrity.MALFORMED, "does not verify")
    assert "algorithm.unsupported" in found.summary


def test_a_crop_does_not_hide_software_that_only_generates(settings: Settings, authority: Authority) -> None:
    found = attest(settings, exhibit_of(_over(bing(authority), authority.signer(), Action(name="c2pa.cropped"))))
    assert (found.state, found.claim) == ("trusted", Claim.GENERATED)


def test_a_camera_in_credentials_that_do_not_verify_counts_for_nothing(
    settings: Settings, authority: Authority
) -> None:
    data = forge.sign(CARRIERS["JPEG"], encoded("JPEG"), Draft(key=authority.signer()))
    assert attest(settings, exhibit_of(data)).claim is Claim.CAPTURED
    (found,) = examine(settings, exhibit_of(data + b"appended"))
    assert isinstance(found, Attestation)
    assert decide((found,)).claim is None


def test_adobes_assertion_of_2023_is_a_declaration(settings: Settings, shared: Path) -> None:
    path = shared / "c2pa/adobe-2022-2024/tools/testing/fixtures/images/firefly-1.jpg"
    found, *noted = examine(settings, exhibit_of(path.read_bytes()))
    assert isinstance(found, Attestation)
    assert (found.ai_use, found.claim) == (AiUse.FULLY, Claim.GENERATED)
    assert [each.signal for each in noted if isinstance(each, Observation)] == ["generator-named"]


# --- soft bindings ----------------------------------------------------------------------------------------------------

BOUND = Declaration(
    title="tulip.jpg", software="pocket", bindings=(SoftBinding(scheme="sealed-seed", image_id=0x0123456789ABCDEF),)
)
LINES = {"Soft binding": "alt.assay.sealed-seed.1", "Value of the soft binding": "0123456789abcdef"}


def lines(found: Attestation) -> dict[str, str]:
    return {detail.name: detail.value for detail in found.details if "oft binding" in detail.name}


def test_what_binds_a_file_is_shown(settings: Settings, authority: Authority) -> None:
    found = attest(settings, exhibit_of(sign(encoded("JPEG"), JPEG, authority.signer(), BOUND)))
    assert (found.state, found.claim, lines(found)) == ("trusted", Claim.GENERATED, LINES)
    assert found.manifest is not None
    assert [action.name for action in found.manifest.actions] == ["c2pa.created", "c2pa.watermarked.bound"]


def test_a_binding_earns_no_trust(stranger_settings: Settings, authority: Authority) -> None:
    found = attest(stranger_settings, exhibit_of(sign(encoded("JPEG"), JPEG, authority.signer(), BOUND)))
    assert (found.state, lines(found)) == ("intact, signer unknown", LINES)


def test_an_edit_keeps_the_binding_of_what_it_was_made_from(settings: Settings, authority: Authority) -> None:
    made = sign(encoded("JPEG"), JPEG, authority.signer(), BOUND)
    parent = Ingredient(data=made, mime=JPEG, title="tulip.jpg", relationship=Relationship.PARENT)
    cropped = Declaration(
        title="crop.jpg", source_type=None, actions=(Action(name="c2pa.cropped"),), ingredients=(parent,)
    )
    found = attest(settings, exhibit_of(sign(encoded("JPEG"), JPEG, authority.signer(), cropped)))
    assert found.state == "trusted"
    assert lines(found) == {f"{name} in the history": value for name, value in LINES.items()}


def test_a_file_without_a_binding_says_nothing_of_one(settings: Settings, signed: bytes) -> None:
    assert lines(attest(settings, exhibit_of(signed))) == {}


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        ({"claim_generator_info": None}, "claim.malformed"),
        ({"instanceID": None}, "claim.malformed"),
        ({"signature": None}, "claim.malformed"),
        ({"alg": None}, "algorithm.unsupported"),
        ({"alg": "sha0"}, "algorithm.unsupported"),
    ],
)
def test_a_claim_that_lacks_a_field_does_not_verify(
    settings: Settings, authority: Authority, claim: dict[str, Any], rule: str
) -> None:
    data = forge.sign(CARRIERS["JPEG"], encoded("JPEG"), Draft(key=authority.signer(), claim=claim))
    found = attest(settings, exhibit_of(data))
    assert (found.state, found.integrity, found.claim) == ("does not verify", Integrity.MALFORMED, None)
    assert rule in found.summary


def test_an_ingredient_without_a_record_does_not_verify(settings: Settings, authority: Authority) -> None:
    parent = forge.sign(CARRIERS["JPEG"], encoded("JPEG"), Draft(key=authority.signer()))
    ingredient = forge.Ingredient(carrier=CARRIERS["JPEG"], data=parent, recorded=None)
    draft = Draft(
        key=authority.signer(),
        assertions=(forge.actions(forge.opened("c2pa.ingredient.v3")),),
        ingredients=(ingredient,),
    )
    found = attest(settings, exhibit_of(forge.sign(CARRIERS["JPEG"], encoded("JPEG"), draft)))
    assert (found.state, found.integrity) == ("does not verify", Integrity.MALFORMED)
    assert "an ingredient that lacks what was recorded of it" in found.summary
