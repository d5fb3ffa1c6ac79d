from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from assay.errors import SigningError
from generation.declaration import Declaration
from generation.development import CHAIN, KEY, NAME, ROOT, _make, development_key, signing_folder, signing_key_for
from generation.sign import sign
from generation.signing_key import SigningKey
from tests.seeds import encoded


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "development"
    key = development_key(folder)
    assert mode(folder) == 0o700
    assert {path.name: mode(path) for path in folder.iterdir()} == {CHAIN: 0o600, KEY: 0o600, ROOT: 0o600}
    assert development_key(folder) == key
    assert [path.name for path in folder.parent.iterdir()] == ["development"]


def test_it_says_what_it_is(tmp_path: Path) -> None:
    certificate = development_key(tmp_path / "development").certificate
    assert NAME == "Assay development signer - not for production"
    for subject in (certificate.subject, certificate.issuer):
        (organisation,) = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        assert organisation.value == NAME


def test_it_lasts_a_year(tmp_path: Path) -> None:
    key, now = development_key(tmp_path / "development"), datetime.now(UTC)
    key.require_valid(now + timedelta(days=364))
    with pytest.raises(SigningError, match="expired") as caught:
        key.require_valid(now + timedelta(days=366))
    assert "once its folder is removed" in caught.value.hint


def test_what_it_signs_is_intact_and_trusted_only_with_its_own_root(tmp_path: Path, read: Callable[..., Any]) -> None:
    folder = tmp_path / "development"
    signed = sign(encoded("PNG"), "image/png", development_key(folder), Declaration(title="t"))
    assert read(signed, "image/png").state == "Valid"
    assert read(signed, "image/png", anchors=(folder / ROOT).read_bytes()).state == "Trusted"
    x509.load_pem_x509_certificate((folder / ROOT).read_bytes())


def test_many_at_once_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: development_key(tmp_path / "development"), range(8)))
    assert len(set(keys)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["development"]


def test_the_second_of_two_makers_leaves_the_first_key(tmp_path: Path) -> None:
    folder = tmp_path / "development"
    _make(folder)
    first = development_key(folder)
    _make(folder)
    assert development_key(folder) == first
    assert [path.name for path in tmp_path.iterdir()] == ["development"]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "holiday.txt").write_text("sun")
    with pytest.raises(SigningError, match="no development key can be made here") as caught:
        development_key(folder)
    assert "new or empty" in caught.value.hint
    assert [path.name for path in folder.iterdir()] == ["holiday.txt"]


def test_a_place_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SigningError, match="no development key can be made here"):
        development_key(tmp_path / "file" / "development")


def test_a_key_that_was_made_public_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "development"
    development_key(folder)
    (folder / KEY).chmod(0o644)
    with pytest.raises(SigningError, match="others than its owner"):
        development_key(folder)


# --- which key signs --------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ASSAY_SIGNING_CHAIN", "ASSAY_SIGNING_KEY"):
        monkeypatch.delenv(variable, raising=False)


def test_the_environment_comes_first(tmp_path: Path, desk: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    development_key(signing_folder(tmp_path))
    assert isinstance(desk.secret, bytes)
    monkeypatch.setenv("ASSAY_SIGNING_CHAIN", desk.chain.decode())
    monkeypatch.setenv("ASSAY_SIGNING_KEY", desk.secret.decode())
    assert signing_key_for(tmp_path) == desk


def test_else_the_development_key_of_the_data_folder(tmp_path: Path) -> None:
    made = development_key(tmp_path / "keys" / "signing")
    assert signing_key_for(tmp_path) == made


def test_no_key_is_made_by_asking_for_one(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="there is no signing key") as caught:
        signing_key_for(tmp_path)
    assert "assay keys init" in caught.value.hint
    assert "ASSAY_SIGNING_CHAIN" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
