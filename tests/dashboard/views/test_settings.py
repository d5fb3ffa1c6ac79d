from __future__ import annotations

from pathlib import Path

import pytest

from assay.keys import key_store
from tests.assay.jobs.studio import Studio
from tests.dashboard import session


def test_doors_and_limits_are_told_with_the_command_that_changes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    text = session.words(session.opened("settings"))
    assert "open: pages may name files of this machine (assay dashboard --no-folders)" in text
    assert "closed: nothing is fetched (assay dashboard --allow-network)" in text
    assert "detector, legacy-watermark (ASSAY_SKIP)" in text
    assert "64 MB" in text
    monkeypatch.setenv("ASSAY_DASHBOARD_FOLDERS", "0")
    monkeypatch.setenv("ASSAY_DASHBOARD_NETWORK", "1")
    monkeypatch.setenv("ASSAY_SKIP", "")
    text = session.words(session.opened("settings"))
    assert "closed (assay dashboard --no-folders)" in text
    assert "open: addresses that are typed in are fetched" in text
    assert "none (ASSAY_SKIP)" in text


def test_nothing_can_be_changed_from_here() -> None:
    page = session.opened("settings")
    widgets = ("button", "text_input", "text_area", "toggle", "checkbox", "selectbox", "file_uploader", "slider")
    assert [name for name in widgets if len(page.get(name))] == []


def test_keys_are_known_by_their_fingerprints_alone(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(studio.settings.home))
    text = session.words(session.opened("settings"))
    key = key_store(studio.settings.home).current()
    assert f"key {key.id} current, epoch {key.epoch}; fingerprint {key.commitment}" in text
    assert key.secret.hex() not in text


def test_without_keys_it_says_how_to_make_them() -> None:
    assert "nothing can be marked here yet (assay keys init)" in session.words(session.opened("settings"))


def test_the_publishers_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no assay.toml in the folder" in session.words(session.opened("settings"))
    from streamlit import cache_resource

    cache_resource.clear()
    (tmp_path / "assay.toml").write_text('[[rules]]\nid = "no-personal-data"\nseverity = "warning"\n')
    assert "no-personal-data warning: " in session.words(session.opened("settings"))


@pytest.mark.parametrize("broken", ["rules", "keys", "trust"])
def test_what_is_broken_is_said_and_the_rest_is_shown(
    broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    if broken == "rules":
        (tmp_path / "assay.toml").write_text("rules = ")
    elif broken == "keys":
        (tmp_path / "keys" / "watermark").mkdir(parents=True)
        (tmp_path / "keys" / "watermark").chmod(0o700)
        (tmp_path / "keys" / "watermark" / "keys.json").touch(mode=0o600)
    else:
        monkeypatch.setenv("ASSAY_TRUST", "misspelt")
    text = session.words(session.opened("settings"))
    said = {"rules": "assay.toml", "keys": "the root of the watermark keys is missing", "trust": "misspelt"}
    assert said[broken] in text
    assert "Doors and limits" in text
    assert "Environment" in text
