"""The whole way: a provider, its signed token, the cookie, and who comes in."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.authority import Authority
from tests.dashboard.provider import CLIENT, SECRET, Provider, provider
from tests.dashboard.serving import Served, free_port, furnish, patient, served, uploader

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(importlib.util.find_spec("authlib") is None, reason="the extra sign-in is not installed"),
]
DOOR = "Sign in to examine images."


@pytest.fixture(scope="module")
def signer() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def guarded(
    chromium: Browser, signer: Provider, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    _configure(folder / ".streamlit" / "secrets.toml", signer, port)
    home = furnish(folder / "home", authority)
    with served(home, folder=folder, port=port, log=folder / "log") as running:
        yield running


def _configure(path: Path, signer: Provider, port: int) -> None:
    path.parent.mkdir()
    path.write_text(f"""
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a long random string"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{signer.metadata}"

[assay]
allowed = ["*@desk.example"]
""")


def _arrive(chromium: Browser, guarded: Served, signer: Provider, **claims: object) -> Page:
    """A new visitor, who signs in with an account of which the provider says this."""
    signer.claims = {"sub": "1", "email": "ana@desk.example", "email_verified": True, **claims}
    page = patient(chromium.new_context()).new_page()
    page.goto(guarded.url)
    expect(page.get_by_text(DOOR)).to_be_visible()
    expect(uploader(page)).to_have_count(0)
    with page.expect_event("framenavigated"):  # to the provider, back, and in: one navigation with redirects
        page.get_by_role("button", name="Sign in").click()
    assert signer.nonces == {}, "the token was fetched"
    return page


def test_whoever_the_list_names_comes_in_and_leaves(chromium: Browser, guarded: Served, signer: Provider) -> None:
    page = _arrive(chromium, guarded, signer)
    expect(uploader(page)).to_be_attached()
    page.reload()
    expect(uploader(page)).to_be_attached()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text(DOOR)).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("claims", [{"email": "eve@elsewhere.example"}, {"email_verified": False}])
def test_another_account_does_not(
    claims: dict[str, object], chromium: Browser, guarded: Served, signer: Provider
) -> None:
    page = _arrive(chromium, guarded, signer, **claims)
    expect(page.get_by_text("This account may not examine images here.")).to_be_visible()
    expect(uploader(page)).to_have_count(0)
    page.context.close()


def test_a_token_that_another_key_signed_opens_nothing(chromium: Browser, guarded: Served, signer: Provider) -> None:
    signer.forger = Provider().published
    page = _arrive(chromium, guarded, signer)
    expect(page.get_by_text(DOOR)).to_be_visible()
    expect(uploader(page)).to_have_count(0)
    page.context.close()
    signer.forger = None
