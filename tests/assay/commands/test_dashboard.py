from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from assay.cli import main
from assay.commands import dashboard as command
from tests.dashboard.serving import free_port


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """The commands that would have been run, each with its environment."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def call(arguments: list[str], env: dict[str, str]) -> int:
        calls.append((arguments, env))
        return 7

    monkeypatch.setattr(subprocess, "call", call)
    return calls


def test_it_opens_for_this_machine_alone_and_without_a_network(
    started: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "--home", str(tmp_path), "--trust", "mine"]) == 7
    ((arguments, environment),) = started
    assert arguments[1:6] == ["-P", "-m", "streamlit", "run", str(command.APP)]
    assert "--server.address=127.0.0.1" in arguments
    assert "--server.port=8501" in arguments
    assert environment["ASSAY_HOME"] == str(tmp_path)
    assert environment["ASSAY_TRUST"] == "mine"
    assert (environment["ASSAY_DASHBOARD_NETWORK"], environment["ASSAY_DASHBOARD_FOLDERS"]) == ("0", "1")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "doors"),
    [
        (["--allow-network"], ("1", "1")),
        (["--no-folders"], ("0", "0")),
        (["--address", "::1"], ("0", "1")),
        (["--address", "127.9.9.9"], ("0", "1")),
        (["--address", "0.0.0.0"], ("0", "0")),
        (["--address", "192.0.2.1", "--allow-network"], ("1", "0")),
    ],
)
def test_doors_are_what_the_command_says(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, arguments: list[str], doors: tuple[str, str]
) -> None:
    monkeypatch.setenv("ASSAY_DASHBOARD_NETWORK", "1")
    monkeypatch.setenv("ASSAY_DASHBOARD_FOLDERS", "1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    main(["dashboard", *arguments])
    ((_, environment),) = started
    assert (environment["ASSAY_DASHBOARD_NETWORK"], environment["ASSAY_DASHBOARD_FOLDERS"]) == doors
    assert environment.get("HF_HUB_OFFLINE") == (None if doors[0] == "1" else "1"), "models are not fetched either"


@pytest.mark.parametrize(("address", "is_seen"), [("127.0.0.1", False), ("0.0.0.0", True), ("192.0.2.1", True)])
def test_who_lets_others_in_is_told(
    started: list[Any], capsys: pytest.CaptureFixture[str], address: str, is_seen: bool
) -> None:
    main(["dashboard", "--address", address])
    assert ("whoever reaches it can use it" in capsys.readouterr().err) == is_seen


def test_uploads_are_as_large_as_files_may_be(started: list[Any]) -> None:
    main(["dashboard", "--port", "9000"])
    ((arguments, _),) = started
    assert {"--server.port=9000", "--server.maxUploadSize=64"} <= set(arguments)


@pytest.mark.parametrize("address", ["localhost", "", "1.2.3"])
def test_a_name_is_no_address(started: list[Any], capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert main(["dashboard", "--address", address]) == 2
    message, hint = capsys.readouterr().err.strip().splitlines()
    assert message.startswith("assay: ")
    assert hint.startswith("  ")
    assert started == []


@pytest.mark.parametrize("port", ["0", "-1", "http"])
def test_a_port_is_a_number(started: list[Any], port: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["dashboard", "--port", port])
    assert caught.value.code == 2


def test_without_streamlit_it_says_what_to_install(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    assert main(["dashboard"]) == 2
    assert "pip install 'assay[dashboard" in capsys.readouterr().err


def test_it_serves_pages_and_ends_when_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "streamlit.py").write_text("raise SystemExit('a file of the current folder was run')")
    port = free_port()
    line = [sys.executable, "-P", "-m", "assay", "dashboard", "--port", str(port), "--home", str(tmp_path / "home")]
    process = subprocess.Popen(
        line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        assert _fetched(f"http://127.0.0.1:{port}/_stcore/health", process) == b"ok"
        assert b"<html" in _fetched(f"http://127.0.0.1:{port}/", process)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said, _ = process.communicate(timeout=30)
    assert "Traceback" not in said


def _fetched(address: str, process: subprocess.Popen[str]) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(address, timeout=10) as answer:
                body: bytes = answer.read()
                return body
        except URLError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
