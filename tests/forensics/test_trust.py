import json
from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.errors import TrustError
from assay.vocabulary import Settings, Trust
from forensics import anchors, trust
from forensics.trust import ListKind
from tests.authority import Authority, self_signed_camera
from tests.forensics.conftest import attest, exhibit_of

TODAY = date(2026, 11, 23)


def _add(
    settings: Settings, pem: bytes, kind: ListKind | None = ListKind.SIGNERS, source: str = "test"
) -> trust.TrustList:
    return anchors.add(settings, pem, kind=kind, source=source, issued=None, today=TODAY)


def test_a_profile_that_nobody_filled_is_empty(stranger_settings: Settings) -> None:
    profile = trust.load(stranger_settings)
    assert profile.lists == ()
    assert profile.facts().certificates == 0
    assert trust.profiles(stranger_settings.home) == ()


def test_added_list_comes_back(stranger_settings: Settings, authority: Authority) -> None:
    entry = _add(stranger_settings, b"a comment\n" + authority.anchors)
    assert (entry.kind, entry.certificates, entry.issued, entry.added) == (ListKind.SIGNERS, 1, None, TODAY)
    profile = trust.load(stranger_settings)
    assert profile.lists == (entry,)
    assert profile.text(ListKind.SIGNERS).encode() == authority.anchors
    assert profile.text(ListKind.TIMESTAMPS) == ""
    assert trust.profiles(stranger_settings.home) == ("c2pa",)


def test_digest_covers_every_list(stranger_settings: Settings, authority: Authority) -> None:
    _add(stranger_settings, authority.anchors)
    before = trust.load(stranger_settings).facts()
    _add(stranger_settings, Authority.create("Other").anchors, source="elsewhere")
    after = trust.load(stranger_settings).facts()
    assert before.sha256 != after.sha256
    assert after.certificates == 2


def test_a_changed_list_is_not_used(stranger_settings: Settings, authority: Authority) -> None:
    entry = _add(stranger_settings, authority.anchors)
    folder = stranger_settings.home / "trust" / "c2pa"
    path = folder / f"{entry.sha256}.pem"
    path.write_bytes(Authority.create("Attacker").anchors)
    with pytest.raises(TrustError, match="changed after it was added"):
        trust.load(stranger_settings)
    path.unlink()
    with pytest.raises(TrustError, match="No such file"):
        trust.load(stranger_settings)


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"lists": [{}]}', json.dumps({"lists": [{"kind": "x"}]})])
def test_a_damaged_index_is_named(stranger_settings: Settings, index: str) -> None:
    folder = stranger_settings.home / "trust" / "c2pa"
    folder.mkdir(parents=True)
    (folder / "lists.json").write_text(index)
    with pytest.raises(TrustError, match="is damaged"):
        trust.load(stranger_settings)


@pytest.mark.parametrize("name", ["../c2pa", "", "C2PA", "a/b", ".hidden"])
def test_profile_names_stay_in_their_folder(stranger_settings: Settings, name: str) -> None:
    with pytest.raises(TrustError, match="not a name"):
        trust.load(replace(stranger_settings, trust=name))


def test_what_a_list_is_for_is_enforced(stranger_settings: Settings, authority: Authority, signed: bytes) -> None:
    """The library trusts a signer whom only a timestamps' list vouches for; Assay does not."""
    exhibit = exhibit_of(signed)
    _add(stranger_settings, authority.anchors, ListKind.TIMESTAMPS)
    assert attest(stranger_settings, exhibit).trust is Trust.UNKNOWN


@pytest.mark.parametrize("which", ["same", "other on the chain"])
def test_a_signer_in_both_lists_is_trusted(
    stranger_settings: Settings, authority: Authority, signed: bytes, which: str
) -> None:
    """Which of the two the library names is a matter of chance, so this is asked several times."""
    intermediate = authority.intermediate.public_bytes(Encoding.PEM)
    stamps = authority.anchors if which == "same" else intermediate
    _add(stranger_settings, stamps + Authority.create("Other").anchors, ListKind.TIMESTAMPS)
    _add(stranger_settings, authority.anchors, ListKind.SIGNERS, source="signers")
    for _ in range(10):
        assert attest(stranger_settings, exhibit_of(signed)).trust is Trust.TRUSTED


def test_a_single_certificate_can_be_allowed(stranger_settings: Settings) -> None:
    from generation.declaration import Declaration
    from generation.sign import sign
    from tests.seeds import encoded

    camera = self_signed_camera()
    exhibit = exhibit_of(sign(encoded("JPEG"), "image/jpeg", camera, Declaration(title="x")))
    assert attest(stranger_settings, exhibit).state == "intact, signer unknown"
    _add(stranger_settings, camera.chain, ListKind.ALLOWED)
    assert attest(stranger_settings, exhibit).state == "trusted"


def test_a_misspelt_profile_is_not_an_empty_one(stranger_settings: Settings, authority: Authority) -> None:
    desk = replace(stranger_settings, trust="desk")
    with pytest.raises(TrustError, match="no trust profile 'desk'") as caught:
        trust.load(desk)
    assert "with lists: none" in caught.value.hint
    _add(desk, authority.anchors)
    assert trust.load(desk).lists
    with pytest.raises(TrustError) as caught:
        trust.load(replace(desk, trust="dekc"))
    assert "with lists: desk" in caught.value.hint


def test_a_certificate_in_two_lists_is_counted_once(stranger_settings: Settings, authority: Authority) -> None:
    _add(stranger_settings, authority.anchors)
    _add(stranger_settings, authority.anchors, ListKind.TIMESTAMPS, source="again")
    facts = trust.load(stranger_settings).facts()
    assert (len(trust.load(stranger_settings).lists), facts.certificates) == (2, 1)
