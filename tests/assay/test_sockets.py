"""No socket is opened by `verify`: counted below Python, in every process that it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def _count(shim: Path, folder: Path, *command: str) -> int:
    """How often a process and its children asked for a socket. They tell through a pipe: workers may write no file."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    environment = {**os.environ, "LD_PRELOAD": str(shim), "ASSAY_SOCKET_LOG": str(pipe)}
    try:
        subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=False)
        return len(os.read(reader, 65536).splitlines())
    except BlockingIOError:
        return 0
    finally:
        os.close(reader)


def test_the_counter_counts(shim: Path, tmp_path: Path) -> None:
    assert _count(shim, tmp_path, "-c", FETCHING_READER) > 0


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
    assert _count(shim, tmp_path, *command) == 0
    assert len(output.read_text().splitlines()) == len(files)
