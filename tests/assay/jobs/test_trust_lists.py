from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay.errors import ConfigurationError, NetworkError, TrustError
from assay.jobs import trust_lists
from assay.jobs.trust_lists import published_as, update
from assay.vocabulary import Settings
from forensics import anchors, trust
from tests.authority import Authority

TODAY = date(2026, 11, 23)
FILES: dict[str, bytes] = {}


class _Publisher(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = FILES.get(self.path.rpartition("/")[2])
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Iterator[dict[str, bytes]]:
    """A real server on this machine, which publishes what the test puts into the returned dictionary."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(trust_lists.BASE, f"http://127.0.0.1:{server.server_port}/lists/")
    FILES.clear()
    other = Authority.create("Stamps").anchors
    names = ("C2PA-TRUST-LIST.json", "C2PA-TSA-TRUST-LIST.json", "anchors.pem", "allowed.pem")
    FILES.update(zip(names, (authority.anchors, other, authority.anchors + other, authority.anchors), strict=True))
    yield FILES
    server.shutdown()
    server.server_close()


def test_both_official_lists_are_taken(publisher: dict[str, bytes], stranger_settings: Settings) -> None:
    added = update(stranger_settings, today=TODAY)
    assert [entry.kind for entry in added] == [trust.ListKind.SIGNERS, trust.ListKind.TIMESTAMPS]
    assert trust.load(stranger_settings).lists == added
    again = update(stranger_settings, today=date(2026, 12, 1))
    assert trust.load(stranger_settings).lists == again


def test_interim_profile_is_dated(publisher: dict[str, bytes], stranger_settings: Settings) -> None:
    settings = replace(stranger_settings, trust="c2pa+interim")
    added = update(settings, today=TODAY)
    assert [entry.kind.value for entry in added] == ["signers", "timestamps", "signers", "allowed"]
    assert trust.load(settings).facts().issued == date(2026, 1, 1)
    assert trust.load(stranger_settings).lists == ()


def test_an_update_leaves_what_was_added_by_hand(
    publisher: dict[str, bytes], stranger_settings: Settings, authority: Authority
) -> None:
    settings = replace(stranger_settings, trust="c2pa+interim")
    roots = Authority.create("Camera maker's time stamps").anchors
    kind = trust.ListKind.TIMESTAMPS
    own = anchors.add(settings, roots, kind=kind, source="stamps.pem", issued=None, today=TODAY)
    added = update(settings, today=TODAY)
    profile = trust.load(settings)
    assert profile.lists == (own, *added)
    assert roots.decode().strip() in profile.text(kind)
    assert published_as(own, settings.trust) is None
    assert [published_as(each, settings.trust) for each in added] == list(trust_lists.PUBLISHED[settings.trust])
    assert [published_as(each, "desk") for each in added] == [None] * 4


def test_what_cannot_be_fetched_leaves_the_profile_alone(
    publisher: dict[str, bytes], stranger_settings: Settings
) -> None:
    del publisher["C2PA-TSA-TRUST-LIST.json"]
    with pytest.raises(NetworkError, match="could not be fetched") as caught:
        update(stranger_settings, today=TODAY)
    assert "assay trust add" in caught.value.hint
    assert trust.load(stranger_settings).lists == ()


def test_nobody_answers(stranger_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trust_lists.BASE, "http://127.0.0.1:9")
    with pytest.raises(NetworkError):
        update(stranger_settings, today=TODAY)


def test_an_answer_without_end_is_cut_off(
    publisher: dict[str, bytes], stranger_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_lists, "MAX_BYTES", 100)
    with pytest.raises(NetworkError, match="larger than 100 bytes"):
        update(stranger_settings, today=TODAY)


def test_a_page_instead_of_a_list_is_refused(publisher: dict[str, bytes], stranger_settings: Settings) -> None:
    publisher["C2PA-TRUST-LIST.json"] = b"<html>Please log in</html>"
    with pytest.raises(TrustError, match="no certificate found"):
        update(stranger_settings, today=TODAY)


def test_own_profiles_have_no_publisher(stranger_settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="no publisher"):
        update(replace(stranger_settings, trust="own"), today=TODAY)


def test_publishers_are_reached_safely() -> None:
    for lists in trust_lists.PUBLISHED.values():
        assert all(each.url.startswith("https://") for each in lists)
