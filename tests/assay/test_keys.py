"""Keys: derived as RFC 5869 says, kept to their owner, and never marking again once retired."""

import base64
import hmac
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import KeyStoreError
from assay.keys import ROOT_FILE_VARIABLE, ROOT_VARIABLE, KeyState, KeyStore, derive, key_store

ROOT = bytes(range(200, 232))


@pytest.fixture(autouse=True)
def _no_root_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    monkeypatch.delenv(ROOT_FILE_VARIABLE, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return key_store(tmp_path)


# --- derivation -------------------------------------------------------------------------------------------------------


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869, sections 2.2 and 2.3, by hand: no salt is a salt of zeros, and 32 bytes are one block."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def info(*parts: str) -> bytes:
    texts = [part.encode() for part in parts]
    return b"assay|" + bytes([len(texts)]) + b"".join(len(text).to_bytes(4, "big") + text for text in texts)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_subkey_is_hkdf(secret: bytes, label: str) -> None:
    assert derive(secret, label) == hkdf(secret, info(label))


def test_the_hkdf_used_to_check_agrees_with_the_rfc() -> None:
    """RFC 5869, test case 3: no salt, no info; 42 bytes, of which the first block is compared."""
    assert hkdf(b"\x0b" * 22, b"").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_secrets_have_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive(bytes(length), "label")


def test_keys_come_from_the_root_by_epoch_and_user(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, ROOT.hex())
    store.init("alice")
    second = store.rotate("alice")
    assert second.secret == hkdf(ROOT, info("watermark-1", "2", "alice", "secret"))
    assert second.commitment == sha256(hkdf(second.secret, info("commitment"))).hexdigest()
    assert second.id == second.commitment[:16]
    assert second.derive("signs") == derive(second.secret, "signs")


def test_users_and_epochs_cannot_be_confused(store: KeyStore) -> None:
    users = ["1", "11", "1|1", "a", "a\u0301"]
    secrets = {store.init(user).secret for user in users} | {store.rotate(user).secret for user in users}
    assert len(secrets) == 2 * len(users)


# --- the store --------------------------------------------------------------------------------------------------------


def test_init_makes_what_only_its_owner_may_read(store: KeyStore) -> None:
    key = store.init()
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}
    assert len(key.secret) == 32
    assert (key.epoch, key.user) == (1, "default")


def test_init_changes_nothing_that_is_there(store: KeyStore) -> None:
    key = store.init()
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    assert store.init() == key == store.current() == store.get(key.id)
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def test_roots_are_random(tmp_path: Path) -> None:
    assert key_store(tmp_path / "a").init().secret != key_store(tmp_path / "b").init().secret


def test_secrets_are_never_shown_nor_stored(store: KeyStore) -> None:
    key = store.init()
    shown = repr(key) + str(key) + (store.folder / "keys.json").read_text()
    root = (store.folder / "root").read_text().strip()
    for secret in (key.secret.hex(), repr(key.secret), base64.b64encode(key.secret).decode(), root):
        assert secret not in shown


def test_a_rotated_key_reads_and_marks_no_more(store: KeyStore) -> None:
    first = store.init()
    second = store.rotate()
    now = datetime.now(UTC)
    retired = store.get(first.id)
    assert (second.epoch, second.id) == (2, store.current().id)
    assert retired.secret == first.secret
    assert retired.state(now) is KeyState.RETIRED
    assert retired.not_after == second.not_before
    assert store.keys() == (retired, second)


def test_a_revoked_key_reads_and_marks_no_more(store: KeyStore) -> None:
    key = store.init()
    revoked = store.revoke(key.id)
    assert revoked.state(datetime.now(UTC)) is KeyState.REVOKED
    assert store.get(key.id).secret == key.secret
    with pytest.raises(KeyStoreError, match=f"{key.id}, may not mark: revoked") as caught:
        store.current()
    assert "assay keys rotate" in caught.value.hint
    assert store.rotate().id == store.current().id != key.id
    assert store.get(key.id).revoked


def test_what_a_key_may_still_do_is_said_with_the_day(store: KeyStore) -> None:
    first = store.init(not_after=datetime.now(UTC) + timedelta(days=3))
    now = datetime.now(UTC)
    assert first.standing(now) == "current"
    assert first.standing(now - timedelta(days=1)) == f"not to be used before {now:%Y-%m-%d}"
    assert first.standing(now + timedelta(days=9)) == f"retired on {now + timedelta(days=3):%Y-%m-%d}"
    assert store.revoke(first.id).standing(now) == f"revoked on {now:%Y-%m-%d}"
    assert store.revoke(first.id) == store.get(first.id)


def test_a_key_that_was_revoked_before_its_day_was_written_down_is_still_revoked(store: KeyStore) -> None:
    key = store.init()
    index = store.folder / "keys.json"
    document = json.loads(index.read_text())
    document["keys"][0]["revoked"] = True
    del document["keys"][0]["revoked_at"]
    index.write_text(json.dumps(document))
    assert store.revoke(key.id).standing(datetime.now(UTC)) == "revoked, on a day that was not kept"


def test_revoking_an_old_key_leaves_the_present_one(store: KeyStore) -> None:
    first = store.init()
    second = store.rotate()
    store.revoke(first.id)
    assert store.current().id == second.id


def test_users_have_keys_of_their_own(store: KeyStore) -> None:
    alice, bob = store.init("alice"), store.init("bob")
    store.rotate("alice")
    assert store.current("bob") == bob
    assert store.get(alice.id).state(datetime.now(UTC)) is KeyState.RETIRED


def test_a_key_expires(store: KeyStore) -> None:
    now = datetime.now(UTC)
    key = store.init(not_after=now - timedelta(seconds=1))
    assert key.state(now) is KeyState.RETIRED
    with pytest.raises(KeyStoreError, match="retired"):
        store.current()
    assert store.get(key.id).not_after == now - timedelta(seconds=1)


def test_a_key_from_the_future_does_not_mark_nor_the_one_before_it(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back after a rotation: the retired key must not come back to life."""
    store.init()
    index = store.folder / "keys.json"
    second = store.rotate()
    assert second.not_before is not None
    later = second.not_before + timedelta(days=1)
    index.write_text(index.read_text().replace(second.not_before.isoformat(), later.isoformat()))
    with pytest.raises(KeyStoreError, match="not yet"):
        store.current()


def test_what_is_not_there_is_said_with_a_remedy(store: KeyStore) -> None:
    assert store.keys() == ()
    with pytest.raises(KeyStoreError, match="no watermark key for 'default'") as caught:
        store.current()
    assert "assay keys init" in caught.value.hint
    for _ in range(2):
        with pytest.raises(KeyStoreError, match="no watermark key has the id"):
            store.get("0" * 16)
        with pytest.raises(KeyStoreError):
            store.rotate("bob")
        with pytest.raises(KeyStoreError):
            store.revoke("0" * 16)
        store.init()


@pytest.mark.parametrize("user", ["", "a" * 201, "a\nb", "\x1b[31m"])
def test_names_of_users_can_be_shown(user: str, store: KeyStore) -> None:
    with pytest.raises(KeyStoreError, match="name of a user"):
        store.init(user)


@pytest.mark.parametrize("which", ["root", "keys.json", "."])
@pytest.mark.parametrize("mode", [0o040, 0o004])
def test_what_others_may_read_is_refused(which: str, mode: int, store: KeyStore) -> None:
    store.init()
    path = store.folder / which
    path.chmod(path.stat().st_mode | mode)
    for use in (store.keys, store.init, store.current):
        with pytest.raises(KeyStoreError, match="others may read it") as caught:
            use()
        assert caught.value.hint.startswith("chmod ")


def test_many_start_at_once_and_get_the_same_key(store: KeyStore) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(store.init().id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {store.current().id}
    assert sorted(path.name for path in store.folder.iterdir()) == ["keys.json", "lock", "root"]


def test_rotations_at_once_each_begin_an_epoch(store: KeyStore) -> None:
    store.init()
    threads = [threading.Thread(target=store.rotate) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = datetime.now(UTC)
    keys = store.keys()
    assert [key.epoch for key in keys] == list(range(1, 8))
    assert [key.state(now) for key in keys].count(KeyState.CURRENT) == 1


# --- the root ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ROOT.hex(), ROOT.hex().upper(), base64.b64encode(ROOT).decode(), f" {ROOT.hex()}\n"])
def test_the_root_may_come_from_the_environment(text: str, store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, text)
    assert store.init().secret == hkdf(ROOT, info("watermark-1", "1", "default", "secret"))
    assert not (store.folder / "root").exists()


@pytest.mark.parametrize("content", [b"a" * 32, "é".encode() * 16, ROOT + b"\0", b""])
def test_words_in_a_file_are_no_root(
    content: bytes, store: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_bytes(content)
    monkeypatch.setenv(ROOT_FILE_VARIABLE, str(path))
    with pytest.raises(KeyStoreError, match="is not a root key"):
        store.init()


@pytest.mark.parametrize("content", [ROOT, ROOT.hex().encode() + b"\n", base64.b64encode(ROOT)])
def test_the_root_may_come_from_a_file(
    content: bytes, store: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_bytes(content)
    monkeypatch.setenv(ROOT_FILE_VARIABLE, str(path))
    assert store.init().secret == hkdf(ROOT, info("watermark-1", "1", "default", "secret"))
    path.chmod(0o644)
    with pytest.raises(KeyStoreError, match="others may read it"):
        store.current()


@pytest.mark.parametrize("text", ["correct horse battery staple 1234", "a" * 32, "00" * 31, "zz" * 32, "é" * 16, "="])
def test_what_is_no_root_is_refused_and_not_repeated(
    text: str, store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, text)
    with pytest.raises(KeyStoreError, match=f"{ROOT_VARIABLE} is not a root key") as caught:
        store.init()
    assert len(text) == 1 or text not in str(caught.value) + caught.value.hint


def test_another_root_is_noticed(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.init()
    monkeypatch.setenv(ROOT_VARIABLE, os.urandom(32).hex())
    for use in (store.keys, store.init, store.current, store.rotate):
        with pytest.raises(KeyStoreError, match="not the one that"):
            use()


def test_a_lost_root_is_not_replaced(store: KeyStore) -> None:
    """A new one would leave every image marked so far unreadable without a word."""
    store.init()
    (store.folder / "root").unlink()
    for use in (store.init, store.keys):
        with pytest.raises(KeyStoreError, match="root of the watermark keys is missing"):
            use()
    assert not (store.folder / "root").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": [{}]}', '{"keys": [3]}'])
def test_a_damaged_index_is_named(text: str, store: KeyStore) -> None:
    store.init()
    (store.folder / "keys.json").write_text(text)
    with pytest.raises(KeyStoreError, match=r"keys\.json: damaged"):
        store.current()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file is in the way")
    with pytest.raises(KeyStoreError, match="watermark"):
        key_store(tmp_path).init()
