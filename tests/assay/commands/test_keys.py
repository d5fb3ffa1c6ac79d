from __future__ import annotations

import stat
from pathlib import Path

import pytest

from assay.commands import keys
from assay.errors import ConfigurationError, KeyStoreError
from assay.keys import key_store
from assay.options import Parser
from generation.development import signing_folder, signing_key_for


def run(*arguments: str | Path) -> int:
    parser = Parser()
    keys.add(parser.add_subparsers())
    return keys.run(parser.parse_args(["keys", *map(str, arguments)]))


def test_init_makes_both_sets_and_names_the_development_one_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    key = key_store(tmp_path).current()
    assert f"watermark {key.id}" in said
    assert "current, epoch 1 of default" in said
    assert "not for production" in said
    assert "no trust list vouches for it" in said
    assert f"{signing_key_for(tmp_path).certificate.not_valid_after_utc:%Y-%m-%d}" in said
    assert stat.S_IMODE(signing_folder(tmp_path).stat().st_mode) == 0o700


def test_init_again_shows_the_same_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", "--home", tmp_path)
    first = capsys.readouterr().out
    run("init", "--home", tmp_path)
    assert capsys.readouterr().out == first


def test_list_shows_every_key_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", "--home", tmp_path)
    run("init", "--user", "alice", "--expires", "2026-01-01", "--home", tmp_path)
    run("rotate", "--home", tmp_path)
    capsys.readouterr()
    assert run("list", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    kept = key_store(tmp_path).keys()
    assert [line.split()[1] for line in said.splitlines()] == [key.id for key in kept]
    assert [line.split()[2] for line in said.splitlines()] == ["retired,", "retired,", "current,"]
    assert "of alice" in said
    assert "until 2026-01-01 00:00:00 UTC" in said
    for key in kept:
        assert key.commitment in said
        assert key.secret.hex() not in said


def test_list_without_keys_says_how_to_make_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--home", tmp_path) == 0
    assert "assay keys init" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_rotate_and_revoke_say_what_became_of_the_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", "--home", tmp_path)
    old = key_store(tmp_path).current()
    capsys.readouterr()
    run("rotate", "--home", tmp_path)
    said = capsys.readouterr().out.splitlines()
    new = key_store(tmp_path).current()
    assert (new.id in said[1], new.epoch) == (True, 2)
    assert f"{old.id}" in said[0]
    assert "retired" in said[0]
    run("revoke", new.id, "--home", tmp_path)
    assert f"{new.id}" in (revoked := capsys.readouterr().out)
    assert "revoked" in revoked
    with pytest.raises(KeyStoreError, match="revoked"):
        key_store(tmp_path).current()


def test_mistakes_are_errors_with_a_hint(tmp_path: Path) -> None:
    run("init", "--home", tmp_path)
    with pytest.raises(KeyStoreError, match="no watermark key has the id"):
        run("revoke", "0" * 16, "--home", tmp_path)
    with pytest.raises(KeyStoreError, match="no watermark key to rotate"):
        run("rotate", "--user", "bob", "--home", tmp_path)
    with pytest.raises(ConfigurationError, match="not a date"):
        run("rotate", "--expires", "soon", "--home", tmp_path)
