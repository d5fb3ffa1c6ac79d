from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

from tests.dashboard import session
from tests.seeds import encoded

PROVIDER = {
    "auth": {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "cookie_secret": "of a test",
        "client_id": "id",
        "client_secret": "secret",
        "server_metadata_url": "https://example.org/.well-known/openid-configuration",
    }
}
VIEWS = sorted(path.stem for path in (session.APP.parent / "views").glob("[a-z]*.py"))


def visitor(*, secrets: dict[str, object], is_logged_in: bool, **claims: object) -> AppTest:
    page = AppTest.from_file(session.APP, default_timeout=session.SECONDS)
    page.secrets.update(secrets)
    page.user = {"is_logged_in": is_logged_in, "email": "ana@example.org", "email_verified": True, **claims}
    return session.sound(page.run())


def test_without_a_provider_it_is_open_to_all() -> None:
    page = visitor(secrets={}, is_logged_in=False)
    assert page.title[0].value == "Where does this image come from?"
    assert len(page.sidebar.button) == 0


def test_other_secrets_ask_for_no_sign_in() -> None:
    page = visitor(secrets={"something": {"else": "x"}}, is_logged_in=False)
    assert page.title[0].value == "Where does this image come from?"


def test_a_stranger_sees_a_button_and_nothing_else() -> None:
    page = visitor(secrets=PROVIDER, is_logged_in=False)
    assert [button.label for button in page.button] == ["Sign in"]
    assert session.words(page) == "Assay Sign in to examine images. "
    assert len(page.file_uploader) == len(page.text_input) == len(page.sidebar) == 0


@pytest.mark.parametrize("view", VIEWS)
def test_no_page_is_reached_past_the_door(view: str, tmp_path: Path) -> None:
    page = visitor(secrets={}, is_logged_in=False)
    page.switch_page(f"views/{view}.py").run()
    page.secrets.update(PROVIDER)
    page.user = {"is_logged_in": False}
    session.sound(page.run())
    assert session.words(page) == "Assay Sign in to examine images. "


def test_whoever_signed_in_works_and_can_leave() -> None:
    page = visitor(secrets=PROVIDER, is_logged_in=True)
    session.drop(page, {"a.png": encoded("PNG")})
    assert session.verdict(page).startswith("Inconclusive")
    (leave,) = page.sidebar.button
    assert leave.label == "Sign out"
    leave.click().run()
    assert session.words(page) == "Assay Sign in to examine images. "


def _let_in(allowed: object, **claims: object) -> bool:
    page = visitor(secrets={**PROVIDER, "assay": {"allowed": allowed}}, is_logged_in=True, **claims)
    assert [button.label for button in page.sidebar.button] == ["Sign out"]
    refused = "This account may not examine images here" in session.words(page)
    assert refused is (len(page.file_uploader) == 0)
    return not refused


@pytest.mark.parametrize("allowed", [["ana@example.org"], ["else@x.org", "*@EXAMPLE.org"], "*@example.org"])
def test_a_list_lets_in_whom_it_names(allowed: object) -> None:
    assert _let_in(allowed)


@pytest.mark.parametrize("allowed", [[], ["*@example.com"], ["ana@example.or"], "*@example.com", ["example.org"]])
def test_a_list_keeps_out_whom_it_does_not_name(allowed: object) -> None:
    assert not _let_in(allowed)


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": None}, {"email": None}])
def test_an_address_that_nobody_verified_opens_nothing(claims: dict[str, object]) -> None:
    assert not _let_in(["*@example.org"], **claims)


def test_a_table_without_its_list_lets_nobody_in() -> None:
    page = visitor(secrets={**PROVIDER, "assay": {"alowed": ["*@example.org"]}}, is_logged_in=True)
    assert "This account may not examine images here" in session.words(page)
    assert len(page.file_uploader) == 0


def test_a_file_that_cannot_be_read_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in it must not open what it was written to close."""
    path = tmp_path / "secrets.toml"
    path.write_text("[auth\n")
    monkeypatch.setattr(st, "secrets", Secrets())
    places = st.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    try:
        page = session.sound(AppTest.from_file(session.APP, default_timeout=session.SECONDS).run())
    finally:
        config.set_option("secrets.files", places)
    assert "nobody is let in" in session.words(page)
    assert len(page.file_uploader) == 0


def test_a_list_without_a_provider_lets_nobody_in() -> None:
    page = visitor(secrets={"assay": {"allowed": ["*@example.org"]}}, is_logged_in=False)
    assert "no provider to sign in at" in session.words(page)
    assert len(page.file_uploader) == 0
