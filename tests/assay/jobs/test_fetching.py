"""Against real servers on this machine: what they send is given byte by byte."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import chain, repeat
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import LimitExceeded, UnreadableError
from assay.jobs.fetching import Address, fetch, is_public
from assay.jobs.verify import Upload
from assay.vocabulary import Limits
from tests.authority import name, pem, pkcs8
from tests.seeds import encoded

HERE = IPv4Address("127.0.0.1")
HOST = "pictures.example"
LIMITS = Limits(max_bytes=10_000, seconds=5.0)
HURRY = Limits(max_bytes=10_000, seconds=0.5)

Fetch = Callable[..., Upload]


# --- servers ----------------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """A server, what it answers by path, and what it was asked."""

    port: int
    answers: dict[str, Iterable[bytes]] = field(default_factory=dict)
    requests: list[list[str]] = field(default_factory=list)
    """Lines of the head."""
    scheme: str = "http"
    host: str = "127.0.0.1"

    def url(self, path: str) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}"


class _Server(ThreadingTCPServer):
    daemon_threads = True
    site: Site
    context: ssl.SSLContext | None = None


class _Handler(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError):
            if self.server.context is not None:
                with self.server.context.wrap_socket(self.request, server_side=True) as secure:
                    self._answer(secure)
            else:
                self._answer(self.request)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            head = list(iter(lambda: stream.readline().decode("ascii").strip(), ""))
        self.server.site.requests.append(head)
        for piece in self.server.site.answers[head[0].split()[1]]:
            connection.sendall(piece)


def _serve(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.context, server.site = context, Site(port=server.server_address[1])
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    yield server.site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    yield from _serve()


@pytest.fixture
def get(site: Site) -> Fetch:
    return partial(fetch, allowed=HERE.__eq__, ports={site.port})


def answer(body: bytes = b"", status: str = "200 OK", **headers: object) -> list[bytes]:
    lines = [f"HTTP/1.1 {status}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
    return ["\r\n".join([*lines, "", ""]).encode(), body]


def moved(location: str, status: str = "302 Found") -> list[bytes]:
    return answer(status=status, Location=location, Content_Length=0)


def slowly(data: bytes) -> Iterator[bytes]:
    for byte in data:
        yield bytes([byte])
        time.sleep(0.02)


def chunked(*chunks: tuple[str, bytes]) -> list[bytes]:
    body = b"".join(size.encode() + b"\r\n" + data + b"\r\n" for size, data in chunks)
    return answer(body, Transfer_Encoding="chunked")


# --- what is fetched --------------------------------------------------------------------------------------------------


def test_a_picture_comes_as_it_is(site: Site, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for plainly: no cookie, no password, no proxy."""
    for proxy in ("http_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    picture = encoded("PNG")
    site.answers["/a/b.png?w=1"] = answer(picture, Content_Length=len(picture), Set_Cookie="a=b")
    limits = Limits(max_bytes=len(picture), seconds=5.0)
    assert get(f" {site.url('/a/b.png?w=1')}#part\n", limits) == Upload(name="b.png", data=picture)
    assert get(site.url("/a/b.png?w=1"), limits).data == picture
    first, again = site.requests
    assert first == again
    assert first[0] == "GET /a/b.png?w=1 HTTP/1.1"
    assert {line.partition(":")[0] for line in first[1:]} == {
        "Host",
        "Accept",
        "Accept-Encoding",
        "Connection",
        "User-Agent",
    }
    assert f"Host: 127.0.0.1:{site.port}" in first
    assert "Accept: image/*" in first
    assert "Accept-Encoding: identity" in first


@pytest.mark.parametrize(
    "pieces",
    [
        answer(b"picture"),
        answer(b"picture", Content_Length=7),
        answer(b"picture", Content_Encoding="identity"),
        chunked(("3", b"pic"), ("4", b"ture"), ("0", b"")),
        [*answer(status="100 Continue"), *answer(b"picture")],
    ],
)
def test_bodies_are_framed_in_several_ways(site: Site, get: Fetch, pieces: list[bytes]) -> None:
    site.answers["/a"] = pieces
    assert get(site.url("/a"), LIMITS).data == b"picture"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/pictures/cat.jpg", "cat.jpg"),
        ("/my%20caf%C3%A9.png", "my café.png"),
        ("/grüße.png", "grüße.png"),
        ("/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("/a%5C..%5Cb.png", "b.png"),
        ("/%1B%5B31mred%E2%80%AEgnp.png", "\ufffd[31mred\ufffdgnp.png"),
        ("/%FF.png", "\ufffd.png"),
        ("/" + "x" * 300 + ".png", "x" * 251 + ".png"),
        ("/", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("/a/%2E%2E", "127.0.0.1"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(site: Site, get: Fetch, path: str, expected: str) -> None:
    site.answers[quote(path, safe="/%") or "/"] = answer(b"picture")
    assert get(site.url(path), LIMITS).name == expected


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_followed(site: Site, get: Fetch, status: str) -> None:
    """Relative ones too, and the name stays that of the address that was asked for."""
    site.answers |= {"/a.png": moved("other/café b.png", status), "/other/caf%C3%A9%20b.png": answer(b"picture")}
    assert get(site.url("/a.png"), LIMITS) == Upload(name="a.png", data=b"picture")


def test_five_redirects_and_no_more(site: Site, get: Fetch) -> None:
    site.answers |= {f"/{step}": moved(f"/{step + 1}") for step in range(10)}
    site.answers["/5"] = answer(b"picture")
    assert get(site.url("/0"), LIMITS).data == b"picture"
    site.answers["/5"] = moved("/6")
    site.requests.clear()
    with pytest.raises(UnreadableError, match="redirected more than 5 times"):
        get(site.url("/0"), LIMITS)
    assert len(site.requests) == 6


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.2:{port}/b", "not on the public internet"),
        ("http://10.0.0.1:{port}/b", "not on the public internet"),
        ("http://[::1]:{port}/b", "not on the public internet"),
        ("//169.254.169.254:{port}/latest/meta-data", "not on the public internet"),
        ("http://127.0.0.1:22/b", "port 22"),
        ("http://127.0.0.1/b", "port 80"),
        ("file:///etc/passwd", "not an address with https"),
        ("http://a:b@127.0.0.1:{port}/b", "password"),
        ("http://[/b", "no web address"),
        ("https:///b", "names no host"),
    ],
)
def test_each_step_is_checked_like_the_first(site: Site, get: Fetch, location: str, reason: str) -> None:
    site.answers |= {"/a": moved(location.format(port=site.port)), "/b": answer(b"secret")}
    with pytest.raises(UnreadableError, match=reason) as caught:
        get(site.url("/a"), LIMITS)
    assert str(caught.value).startswith(f"http://127.0.0.1:{site.port}/a")
    assert len(site.requests) == 1


def test_a_redirect_to_nowhere_is_an_answer_like_others(site: Site, get: Fetch) -> None:
    site.answers["/a"] = answer(status="302 Found")
    with pytest.raises(UnreadableError, match="answered 302"):
        get(site.url("/a"), LIMITS)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/a.png", "not an address with https"),
        ("file:///etc/passwd", "not an address with https"),
        ("data:image/png;base64,AAAA", "not an address with https"),
        ("example.org/a.png", "not an address with https"),
        ("", "not an address with https"),
        ("https://ann@example.org/a.png", "password"),
        ("https://ann:geheim@example.org/a.png", "password"),
        ("https://:@example.org/a.png", "password"),
        ("https://example.org:22/a.png", "port 22"),
        ("https://example.org:0/a.png", "port 0"),
        ("https://example.org:99999/a.png", "not a web address"),
        ("https://[::1/a.png", "not a web address"),
        ("https://.example.org/a.png", "not a web address"),
        ("https:///a.png", "names no host"),
        ("https://exa mple.org/a.png", "names no host"),
        ("https://[fe80::1%25eth0]/a.png", "names no host"),
        ("https://example.org/" + "a" * 5000, "longer than 4,096"),
    ],
)
def test_what_is_no_public_web_address_is_refused(url: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason) as caught:
        fetch(url, LIMITS)
    assert caught.value.hint
    assert "geheim" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "127。0。0。1"),
        *("10.0.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00::1]"),
    ],
)
def test_addresses_inside_a_network_are_refused(host: str) -> None:
    with pytest.raises(UnreadableError, match="not on the public internet"):
        fetch(f"https://{host}/a.png", LIMITS)


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        (answer(b"no", "404 Not Found"), "answered 404"),
        (answer(b"pic", "206 Partial Content"), "answered 206"),
        (answer(status="204 No Content"), "answered 204"),
        (answer(b"x", Content_Encoding="gzip"), "compressed"),
        (answer(b"x", Content_Encoding="identity, br"), "compressed"),
        (answer(b"x", Transfer_Encoding="gzip, chunked"), "encoding"),
        (answer(b"pic", Content_Length=7), "ended before"),
        (chunked(("7", b"pic")), "breaks off"),
        (chunked(("-5", b"picture")), "breaks off, or is not HTTP"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "not HTTP"),
        ([], "broke off"),
    ],
)
def test_what_is_no_whole_plain_answer_is_refused(site: Site, get: Fetch, pieces: list[bytes], reason: str) -> None:
    site.answers["/a.png"] = pieces
    with pytest.raises(UnreadableError, match=reason) as caught:
        get(site.url("/a.png"), LIMITS)
    assert site.url("/a.png") in str(caught.value)
    assert not isinstance(caught.value, LimitExceeded)


def test_nobody_answers() -> None:
    with pytest.raises(UnreadableError, match="refused"):
        fetch("http://127.0.0.1:9/a.png", LIMITS, allowed=HERE.__eq__, ports={9})


def test_messages_keep_secrets(site: Site, get: Fetch) -> None:
    site.answers["/a?signature=geheim"] = answer(status="403 Forbidden")
    with pytest.raises(UnreadableError, match="answered 403") as caught:
        get(site.url("/a?signature=geheim#geheim"), LIMITS)
    assert "geheim" not in str(caught.value)


@given(url=st.text() | st.text().map("https://{}".format) | st.text().map("https://example.org/{}".format))
def test_whatever_is_typed_in_is_refused_in_words(url: str) -> None:
    """With no port to use, no name is looked up."""
    with pytest.raises(UnreadableError) as caught:
        fetch(url, LIMITS, ports=())
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


# --- bounds -----------------------------------------------------------------------------------------------------------

TOO_MUCH = {
    "announced": answer(Content_Length=10_001),
    "without end": chain(answer(), repeat(b"x" * 1000)),
    "one too many": answer(b"x" * 10_001),
    "in chunks": chunked(("2711", b"x" * 10_001), ("0", b"")),
    "a chunk without end": chain(chunked(("-1", b"")), repeat(b"x" * 1000)),
    "trailers without end": chain(chunked(("1", b"x")), [b"0\r\n"], repeat(b"a: b\r\n" * 200)),
    "greetings without end": chain(repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)),
}


@pytest.mark.parametrize("pieces", TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_much_is_cut_off(site: Site, get: Fetch, pieces: Iterable[bytes]) -> None:
    site.answers["/a"] = pieces
    with pytest.raises(LimitExceeded, match="more than 10,000 bytes"):
        get(site.url("/a"), Limits(max_bytes=10_000, seconds=60))


def test_exactly_enough_is_not_too_much(site: Site, get: Fetch) -> None:
    site.answers["/a"] = answer(b"x" * 10_000)
    assert len(get(site.url("/a"), LIMITS).data) == 10_000


TOO_SLOW: dict[str, Callable[[], Iterable[bytes]]] = {
    "head": lambda: slowly(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000),
    "body": lambda: chain(answer(), slowly(b"x" * 1000)),
    "chunks": lambda: chain(answer(Transfer_Encoding="chunked"), slowly(b"1\r\nx\r\n" * 200)),
    "redirects": lambda: chain([b"HTTP/1.1 302 Found\r\nLocation: /a\r\n"], slowly(b"X: abcdefg"), [b"\r\n\r\n"]),
    "nothing": lambda: slowly(b"") if time.sleep(8) else (),
}


@pytest.mark.parametrize("pieces", TOO_SLOW.values(), ids=TOO_SLOW)
def test_the_deadline_covers_everything(
    site: Site, get: Fetch, monkeypatch: pytest.MonkeyPatch, pieces: Callable[[], Iterable[bytes]]
) -> None:
    """However little comes, and however often: the clock does not start anew."""

    class Anew(dict[str, Iterable[bytes]]):
        def __missing__(self, _: str) -> Iterable[bytes]:
            return pieces()

    site.answers = Anew()
    start = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"not fetched after 0\.5 s"):
        get(site.url("/a"), HURRY)
    assert 0.4 < time.monotonic() - start < 5


# --- names ------------------------------------------------------------------------------------------------------------


class Resolver:
    """Answers for the host of these tests, one list of addresses after the other; the system answers for the rest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> None:
        self.answers = iter(answers)
        self._system = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: str, port: Any, *rest: Any, **more: Any) -> list[Any]:
        if host != HOST:
            return self._system(host, port, *rest, **more)
        return [entry for each in next(self.answers) for entry in self._system(each, port, *rest, **more)]


def test_a_name_is_looked_up_once(site: Site, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes where was checked, though a second look would have led elsewhere."""
    resolver = Resolver(monkeypatch, ("127.0.0.1",), ("127.0.0.2",))
    site.host = "PICTURES.example"
    site.answers["/a"] = answer(b"picture")
    assert get(site.url("/a"), LIMITS).data == b"picture"
    assert f"Host: {HOST}:{site.port}" in site.requests[0]
    assert next(resolver.answers) == ("127.0.0.2",)


def test_each_step_of_a_redirect_is_looked_up(site: Site, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ("127.0.0.1",), ("127.0.0.2",))
    site.host = HOST
    site.answers |= {"/a": moved("/b"), "/b": answer(b"secret")}
    with pytest.raises(UnreadableError, match="not on the public internet"):
        get(site.url("/a"), LIMITS)
    assert len(site.requests) == 1


def test_one_private_address_among_public_ones_is_too_many(
    site: Site, get: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, ("127.0.0.1", "10.0.0.1"))
    site.host = HOST
    with pytest.raises(UnreadableError, match="not on the public internet"):
        get(site.url("/a"), LIMITS)
    assert site.requests == []


def test_the_next_address_is_tried(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ("127.0.0.3", "127.0.0.1"))
    site.host = HOST
    site.answers["/a"] = answer(b"picture")
    upload = fetch(site.url("/a"), LIMITS, allowed=lambda address: address.is_loopback, ports={site.port})
    assert upload.data == b"picture"


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        time.sleep(8)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"not fetched after 0\.5 s"):
        fetch(f"https://{HOST}/a.png", HURRY)
    assert time.monotonic() - start < 5


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ("nobody.invalid",))
    monkeypatch.setattr(socket, "getaddrinfo", _no_such_name)
    with pytest.raises(UnreadableError, match="Name or service not known"):
        fetch(f"https://{HOST}/a.png", LIMITS)


def _no_such_name(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# --- certificates -----------------------------------------------------------------------------------------------------


@dataclass
class SecureSite:
    site: Site
    names: list[str | None]
    """That clients asked for."""


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecureSite]:
    """A server with a certificate for its host, from an authority that the system trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    now, subject = datetime.now(UTC), name("Assay Test Pictures", HOST)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "chain.pem").write_bytes(pem(certificate))
    (tmp_path / "key.pem").write_bytes(pkcs8(key))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "chain.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    names: list[str | None] = []
    context.sni_callback = lambda _socket, asked, _context: names.append(asked)
    for site in _serve(context):
        site.scheme, site.host = "https", HOST
        yield SecureSite(site=site, names=names)


def test_the_certificate_is_checked_for_the_host(secure: SecureSite, monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ("127.0.0.1",))
    secure.site.answers["/a.png"] = answer(b"picture", Content_Length=7)
    upload = fetch(secure.site.url("/a.png"), LIMITS, allowed=HERE.__eq__, ports={secure.site.port})
    assert upload == Upload(name="a.png", data=b"picture")
    assert secure.names == [HOST]


def test_a_certificate_of_another_host_is_refused(secure: SecureSite) -> None:
    secure.site.host = "localhost"
    with pytest.raises(UnreadableError, match=r"certificate does not hold: .*localhost"):
        fetch(secure.site.url("/a.png"), LIMITS, allowed=lambda address: address.is_loopback, ports={secure.site.port})
    assert secure.site.requests == []


def test_a_certificate_of_nobody_is_refused(
    secure: SecureSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    Resolver(monkeypatch, ("127.0.0.1",))
    with pytest.raises(UnreadableError, match="certificate does not hold: self-signed certificate"):
        fetch(secure.site.url("/a.png"), LIMITS, allowed=HERE.__eq__, ports={secure.site.port})
    assert secure.site.requests == []


def test_a_secure_address_leads_to_no_open_one(secure: SecureSite, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ("127.0.0.1",))
    secure.site.answers["/a"] = moved(site.url("/b"))
    site.answers["/b"] = answer(b"picture")
    with pytest.raises(UnreadableError, match="redirected from https to http"):
        fetch(secure.site.url("/a"), LIMITS, allowed=HERE.__eq__, ports={secure.site.port, site.port})
    assert site.requests == []


def test_an_open_address_may_lead_to_a_secure_one(
    secure: SecureSite, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, ("127.0.0.1",))
    site.answers["/a"] = moved(secure.site.url("/b"))
    secure.site.answers["/b"] = answer(b"picture")
    upload = fetch(site.url("/a"), LIMITS, allowed=HERE.__eq__, ports={secure.site.port, site.port})
    assert upload.data == b"picture"


def test_a_server_that_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_refuse, args=(server,), daemon=True).start()
        port = server.getsockname()[1]
        with pytest.raises(UnreadableError, match=r"could not be fetched: .*SSL"):
            fetch(f"https://127.0.0.1:{port}/a", LIMITS, allowed=HERE.__eq__, ports={port})


def _refuse(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(4096)


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LimitExceeded, match="not fetched"):
            fetch(f"https://127.0.0.1:{port}/a", HURRY, allowed=HERE.__eq__, ports={port})


# --- public addresses -------------------------------------------------------------------------------------------------

# IANA's special-purpose registries for IPv4 and IPv6, and what is multicast or was never given out.
SPECIAL = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4"),
    *("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23"),
    *("2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
]


@given(st.sampled_from(SPECIAL).flatmap(lambda network: st.ip_addresses(network=network)))
def test_no_special_address_is_public(address: Address) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_what_is_public_is_global(address: Address) -> None:
    if is_public(address):
        assert address.is_global
        assert not any((address.is_multicast, address.is_private, address.is_reserved, address.is_loopback))


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_not_public(address: IPv4Address) -> None:
    inside = int(address)
    mapped, nat64, compatible = (IPv6Address(prefix + inside) for prefix in (0xFFFF << 32, 0x64FF9B << 96, 0))
    six_to_four, teredo = IPv6Address(0x2002 << 112 | inside << 80), IPv6Address(0x20010000 << 96 | inside ^ 0xFFFFFFFF)
    assert not any(map(is_public, (mapped, nat64, compatible, six_to_four, teredo)))


@given(st.integers(0, 2**32 - 1))
def test_ordinary_addresses_are_public(number: int) -> None:
    address = IPv4Address(number)
    assert is_public(address) or any(address in ip_network(network) for network in SPECIAL)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "2a00:1450::1", "2001:4860::8"])
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


def test_an_address_with_a_zone_is_not_public() -> None:
    assert not is_public(ip_address("2606:4700::1111%eth0"))
