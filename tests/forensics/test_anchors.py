from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.errors import TrustError
from assay.vocabulary import Settings
from forensics import anchors, trust
from forensics.trust import ListKind
from tests.authority import Authority

TODAY = date(2026, 11, 23)


def _add(
    settings: Settings, pem: bytes, kind: ListKind | None = ListKind.SIGNERS, source: str = "test"
) -> trust.TrustList:
    return anchors.add(settings, pem, kind=kind, source=source, issued=None, today=TODAY)


def test_newer_list_replaces_the_older_from_its_source(stranger_settings: Settings, authority: Authority) -> None:
    _add(stranger_settings, authority.anchors)
    _add(stranger_settings, Authority.create("Other").anchors, source="elsewhere")
    newer = _add(stranger_settings, Authority.create("Newer").anchors)
    lists = trust.load(stranger_settings).lists
    assert [entry.source for entry in lists] == ["elsewhere", "test"]
    assert lists[-1] == newer


def test_official_lists(stranger_settings: Settings, shared: Path) -> None:
    folder = shared / "c2pa" / "conformance-public" / "trust-list"
    signers = _add(stranger_settings, (folder / "C2PA-TRUST-LIST.json").read_bytes(), None)
    stamps = _add(stranger_settings, (folder / "C2PA-TSA-TRUST-LIST.json").read_bytes(), None, "stamps")
    assert (signers.kind, signers.certificates, signers.issued) == (ListKind.SIGNERS, 30, date(2026, 8, 5))
    assert (stamps.kind, stamps.certificates, stamps.issued) == (ListKind.TIMESTAMPS, 22, date(2026, 8, 5))
    assert trust.load(stranger_settings).facts().issued == date(2026, 8, 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"{",
        b"{}",
        b'{"LoTE": 3}',
        b'{"LoTE": {"ListAndSchemeInformation": {"SchemeName": []}, "TrustedEntitiesList": []}}',
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"[" * 100_000,
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_what_is_no_list_is_refused(stranger_settings: Settings, data: bytes) -> None:
    with pytest.raises(TrustError, match="test: "):
        _add(stranger_settings, data)
    assert trust.profiles(stranger_settings.home) == ()


def test_what_a_list_vouches_for_is_never_guessed(stranger_settings: Settings, authority: Authority) -> None:
    with pytest.raises(TrustError, match="does not say what it vouches for") as caught:
        _add(stranger_settings, authority.anchors, None)
    assert "signers, timestamps, allowed" in caught.value.hint


def test_a_list_is_not_taken_for_another(stranger_settings: Settings, shared: Path) -> None:
    folder = shared / "c2pa" / "conformance-public" / "trust-list"
    with pytest.raises(TrustError, match="is a list of timestamps, not of signers"):
        _add(stranger_settings, (folder / "C2PA-TSA-TRUST-LIST.json").read_bytes(), ListKind.SIGNERS)


def test_one_certificate_in_der_is_taken(stranger_settings: Settings, authority: Authority) -> None:
    der = authority.root.public_bytes(Encoding.DER)
    assert _add(stranger_settings, der, ListKind.TIMESTAMPS).certificates == 1
    assert trust.load(stranger_settings).text(ListKind.TIMESTAMPS).encode() == authority.anchors
    with pytest.raises(TrustError, match="not a list of certificates"):
        _add(stranger_settings, der[:-1])


def test_a_list_can_be_taken_out_again(stranger_settings: Settings, authority: Authority) -> None:
    kept = _add(stranger_settings, authority.anchors)
    wrong = _add(stranger_settings, Authority.create("Wrong").anchors, source="wrong")
    assert anchors.remove(stranger_settings, wrong.sha256[:10].upper()) == (wrong,)
    assert trust.load(stranger_settings).lists == (kept,)
    for prefix in (wrong.sha256, ""):
        with pytest.raises(TrustError, match="begins with"):
            anchors.remove(stranger_settings, prefix)
