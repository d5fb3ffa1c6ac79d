"""Offline, away from the developer's own trust lists, and with a certificate authority of our own."""

from __future__ import annotations

import socket
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from assay.vocabulary import Settings
from forensics import anchors, trust
from tests.authority import Authority

REPO_ROOT = Path(__file__).parents[1]
SHARED = REPO_ROOT.parent / "shared" / "data"


SLOW = ("detector", "legacy-watermark")
"""Checks that look at the pixels of every picture, and take their time: who tests them takes them back in."""

_PRIVATE = (
    "ASSAY_TRUST",
    "ASSAY_LEDGER",
    "ASSAY_WATERMARK_ROOT",
    "ASSAY_WATERMARK_ROOT_FILE",
    "ASSAY_SIGNING_CHAIN",
    "ASSAY_SIGNING_KEY",
)


@pytest.fixture(autouse=True)
def _home_of_nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the trust lists of whoever runs it, nor settings from the environment."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("nobody")))
    monkeypatch.setenv("ASSAY_SKIP", ",".join(SLOW))
    for name in _PRIVATE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections of Python code may not leave this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _require_local(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _require_local(self, address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)


def _require_local(connection: socket.socket, address: Any) -> None:
    if connection.family == socket.AF_UNIX:
        return
    host = str(address[0])
    if host != "localhost" and not _is_loopback(host):
        raise AssertionError(f"tests run offline; this one connects to {address!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return REPO_ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Public test files, kept beside the repository: they are too large to be in it."""
    if not SHARED.is_dir():
        pytest.skip("the shared test files are not here: ../shared/data beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create()


@pytest.fixture(scope="session")
def home(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose profile `c2pa` trusts the test authority; never written to after this."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings(home=folder)
    anchors.add(
        settings,
        authority.anchors,
        kind=trust.ListKind.SIGNERS,
        source="test authority",
        issued=date(2026, 1, 1),
        today=date(2026, 1, 2),
    )
    return folder


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    """Settings under which the test authority is trusted."""
    return Settings(home=home, skip=SLOW)


@pytest.fixture
def stranger_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings under which nobody is trusted."""
    return Settings(home=tmp_path_factory.mktemp("stranger"), skip=SLOW)
