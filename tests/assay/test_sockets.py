"""No socket is opened by `verify`: counted below Python, in every process that it starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from assay.keys import key_store
from assay.ledger import open_ledger
from tests.assay.ledger.entries import entry_for

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netdb.h>
#include <sys/socket.h>

static void note(const char *what) {
    int file = open(getenv("ASSAY_SOCKET_LOG"), O_WRONLY | O_NONBLOCK);
    if (file >= 0) { if (write(file, what, strlen(what)) < 0) {} close(file); }
}
int socket(int domain, int type, int protocol) {
    note("socket\n");
    int (*real)(int, int, int) = dlsym(RTLD_NEXT, "socket");
    return real(domain, type, protocol);
}
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    note("connect\n");
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    return real(fd, address, length);
}
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    note("getaddrinfo\n");
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, found);
}
"""

FETCHING_READER = """
from assay.jobs import worker
from assay.vocabulary import Limits
worker._limit_process(Limits())
from c2pa import C2paError, Context, Reader
from io import BytesIO
from forensics import offline
context = Context.from_dict({"verify": {"remote_manifest_fetch": True}})
try:
    Reader.try_create("image/png", BytesIO(offline._remote_png()), context=context)
except C2paError:
    pass
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("counting sockets needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    target = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", target, folder / "shim.c", "-ldl"], check=True)
    return target


def _calls(shim: Path, folder: Path, *command: str) -> list[bytes]:
    """What a process and its children asked of the network. They tell through a pipe: workers may write no file."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    environment = {**os.environ, "LD_PRELOAD": str(shim), "ASSAY_SOCKET_LOG": str(pipe)}
    try:
        subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=False)
        return os.read(reader, 65536).splitlines()
    except BlockingIOError:
        return []
    finally:
        os.close(reader)


def test_the_counter_counts(shim: Path, tmp_path: Path) -> None:
    assert b"connect" in _calls(shim, tmp_path, "-c", FETCHING_READER)


def test_verify_opens_none(shim: Path, tmp_path: Path, shared: Path) -> None:
    """Files that ask for it: remote manifests, OCSP, identities by did:web."""
    fixtures = shared / "c2pa" / "c2pa-rs-fixtures"
    files = [
        fixtures / "sdk/tests/fixtures/libpng-test_with_url.png",
        fixtures / "sdk/tests/fixtures/ocsp.jpg",
        fixtures / "sdk/tests/fixtures/ocsp_with_assertion.jpg",
        fixtures / "sdk/src/identity/tests/fixtures/claim_aggregation/adobe_connected_identities.jpg",
        fixtures / "sdk/src/identity/tests/fixtures/claim_aggregation/ica_validation/success.jpg",
        *sorted((shared / "c2pa" / "public-testfiles").rglob("*.jpg"))[:20],
    ]
    output = tmp_path / "report.jsonl"
    command = ("-m", "assay", "verify", "--decode", "--format", "jsonl", "--output", str(output), *map(str, files))
    assert _calls(shim, tmp_path, *command) == []
    assert len(output.read_text().splitlines()) == len(files)


def test_verify_opens_none_for_rows_of_models_that_are_not_here(shim: Path, tmp_path: Path) -> None:
    """A hub model's rows in the ledger, by a key that is here: reading them would take its weights."""
    home, hub = tmp_path / "home", "stable-diffusion-v1-5/stable-diffusion-v1-5"
    key = key_store(home).init()
    with open_ledger(home / "ledger.sqlite3") as ledger:
        row = entry_for(
            b"made", model=hub, key_id=key.id, latent_shape=(4, 64, 64), width=512, height=512, thumbnail=b""
        )
        ledger.deliver(row, tmp_path / "made.png", b"made")
    Image.new("RGB", (64, 64)).save(tmp_path / "plain.png")
    report = tmp_path / "report.jsonl"
    command = ("-m", "assay", "verify", "--home", str(home), "--skip", "detector,legacy-watermark", "--format", "jsonl")
    calls = _calls(shim, tmp_path, *command, "--output", str(report), str(tmp_path / "plain.png"))
    assert not {b"connect", b"getaddrinfo"} & set(calls)
    assert len(calls) <= 1  # urllib3 makes a socket while it is imported, to see whether there is IPv6
    outcomes = json.loads(report.read_text())["outcomes"]
    (untried,) = (each for each in outcomes if each["check"] == "watermark")
    assert "its weights are not here" in untried["reason"]
