"""Fetching one picture from an address that somebody typed in, without being led inside a network.

A host's name is looked up once. All of its addresses must be public, and the connection goes to one that was checked:
a name server that gives another answer the second time is never asked a second time.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from assay import __version__
from assay.errors import LimitExceeded, UnreadableError
from assay.jobs.verify import Upload
from assay.vocabulary import Limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Address = IPv4Address | IPv6Address

PORTS = {"http": 80, "https": 443}
MAX_REDIRECTS = 5
MAX_URL = 4096
"""Characters."""

_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOST = re.compile(r"[a-z0-9_.:-]+")
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_FRAMING = 2**20
"""Bytes of headers and chunk sizes that may come on top of a picture."""
_BY_HAND = "Download the picture with a browser, and examine the file instead."
_AGAIN = f"Try again. {_BY_HAND}"

_UNICAST = IPv6Network("2000::/3")
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocol assignments: Teredo and others
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)
"""Inside what the standard library calls global, though not the address of any public server."""


def is_public(address: Address) -> bool:
    """Whether an address may belong to a server on the public internet.

    IPv6 addresses that carry one of IPv4 (mapped, NAT64, 6to4, Teredo) are not: they may lead to a private one.
    """
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address not in _UNICAST):
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)


def fetch(
    url: str,
    limits: Limits,
    *,
    allowed: Callable[[Address], bool] = is_public,
    ports: Collection[int] = frozenset(PORTS.values()),
) -> Upload:
    """Fetch what is at an address. Nobody is asked for leave: that is the caller's part.

    Proxies, cookies and passwords are not used. Redirects are followed, each checked like the first address, but not
    from https to http.

    Args:
        url: With http or https.
        limits: Of these, `max_bytes` and `seconds`, which covers all from looking up the name to the last byte.
        allowed: Which addresses may be connected to.
        ports: Which ports may be.

    Returns:
        The bytes, named by the last part of the path that was asked for; a name to show, never a path.

    Raises:
        UnreadableError: The address is none that is fetched from, or nothing came of it.
        LimitExceeded: Too many bytes, or too much time.
    """
    clock = _Clock(limits.seconds)
    origin = _shown(url)
    target = _target(url.strip(), origin, ports)
    name = _file_name(target)
    for _ in range(1 + MAX_REDIRECTS):
        found = _ask(target, limits, clock, allowed)
        if isinstance(found, bytes):
            return Upload(name=name, data=found)
        target = _follow(target, found, origin, ports)
    raise _refusal(target.name, f"redirected more than {MAX_REDIRECTS} times")


# --- addresses --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A URL that may be asked for, once its host's addresses have been checked."""

    url: str
    name: str
    """For messages."""
    scheme: str
    host: str
    """ASCII."""
    port: int
    path: str
    """Percent-encoded, with the query."""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def _target(url: str, name: str, ports: Collection[int]) -> _Target:
    if len(url) > MAX_URL:
        raise _refusal(name, f"longer than {MAX_URL:,} characters")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except ValueError as error:
        raise _refusal(name, "not a web address", hint="Check the spelling.") from error
    if parts.scheme not in PORTS:
        raise _refusal(name, "not an address with https:// or http://", hint="Give the whole address of a picture.")
    if parts.username is not None or parts.password is not None:
        raise _refusal(name, "holds a user name or a password, which are not sent")
    if not _HOST.fullmatch(host):
        raise _refusal(name, "names no host", hint="Check the spelling.")
    if port is None:
        port = PORTS[parts.scheme]
    if port not in ports:
        raise _refusal(name, f"port {port} is not used for pictures")
    return _Target(url=url, name=name, scheme=parts.scheme, host=host, port=port, path=_path(parts))


def _path(parts: SplitResult) -> str:
    return _quoted(parts.path or "/") + (f"?{_quoted(parts.query)}" if parts.query else "")


def _follow(target: _Target, location: str, origin: str, ports: Collection[int]) -> _Target:
    # http.client reads headers as Latin-1: this gives the bytes back that were sent.
    try:
        url = urljoin(target.url, _quoted(location, encoding="latin-1"))
    except ValueError as error:
        raise _refusal(origin, "redirected to what is no web address") from error
    following = _target(url, f"{origin} (redirected to {_shown(url)})", ports)
    if (target.scheme, following.scheme) == ("https", "http"):
        raise _refusal(following.name, "redirected from https to http")
    return following


def _shown(url: str) -> str:
    """An address for messages, without what may be secret: password, query, fragment."""
    bare = re.split(r"[?#]", re.sub(r"//[^/?#]*@", "//", url.strip()))[0]
    return _quoted(bare[:200])


def _quoted(text: str, encoding: str = "utf-8") -> str:
    return quote(text, safe=_URL_CHARACTERS, encoding=encoding, errors="replace")


def _file_name(target: _Target) -> str:
    last = re.split(r"[/\\]", unquote(urlsplit(target.url).path))[-1].strip()
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in last)
    return text[-255:] if text.strip(".") else target.host


# --- connections ------------------------------------------------------------------------------------------------------


class _Clock:
    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds, above 0.

        Raises:
            TimeoutError: There are none.
        """
        if (left := self._end - monotonic()) <= 0:
            raise TimeoutError
        return left


class _Received(RawIOBase):
    """What comes over a connection: each piece within the time that is left, and bounded in all.

    A timeout of the socket alone would start anew with every byte. The bound is for what `http.client` does not bound:
    a chunk of size -1 makes it read for ever.
    """

    def __init__(self, connection: socket.socket, clock: _Clock, most: int) -> None:
        self._connection = connection
        self._clock = clock
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connection.settimeout(self._clock.left())
        count = self._connection.recv_into(buffer)
        self._most -= count
        if self._most < 0:
            raise _TooMuch
        return count


class _TooMuch(Exception):
    """More bytes than allowed."""


class _Wire:
    """As much of a socket as `http.client` uses; whoever opened the connection closes it."""

    def __init__(self, connection: socket.socket, clock: _Clock, most: int) -> None:
        self._connection = connection
        self._clock = clock
        self._most = most

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._clock.left())
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> BufferedReader:
        return BufferedReader(_Received(self._connection, self._clock, self._most))

    def close(self) -> None:
        return


def _ask(target: _Target, limits: Limits, clock: _Clock, allowed: Callable[[Address], bool]) -> bytes | str:
    """The picture, or where it is said to be."""
    try:
        addresses = _resolve(target.host, clock)
        if not all(map(allowed, addresses)):
            raise _refusal(target.name, "not on the public internet")
        with _connected(target, addresses, clock) as connection:
            return _exchange(target, _Wire(connection, clock, limits.max_bytes + _FRAMING), limits)
    except TimeoutError as error:
        raise LimitExceeded(f"{target.name}: not fetched after {limits.seconds:g} s", hint=_BY_HAND) from error
    except _TooMuch as error:
        raise LimitExceeded(f"{target.name}: more than {limits.max_bytes:,} bytes", hint=_BY_HAND) from error
    except ssl.SSLCertVerificationError as error:
        raise _refusal(target.name, f"the certificate does not hold: {error.verify_message}") from error
    except OSError as error:
        reason = error.strerror or "the connection broke off"
        raise _refusal(target.name, f"could not be fetched: {reason}", hint=_AGAIN) from error
    except (HTTPException, ValueError) as error:  # ValueError: a negative chunk
        raise _refusal(target.name, "the server's answer breaks off, or is not HTTP", hint=_AGAIN) from error


def _resolve(host: str, clock: _Clock) -> tuple[Address, ...]:
    """All addresses of a host. The system's resolver knows no deadline, so a thread waits for it."""
    answers: SimpleQueue[tuple[Address, ...] | Exception] = SimpleQueue()
    Thread(target=lambda: answers.put(_look_up(host)), daemon=True).start()
    try:
        found = answers.get(timeout=clock.left())
    except Empty as error:
        raise TimeoutError from error
    if isinstance(found, Exception):
        raise found
    return found


def _look_up(host: str) -> tuple[Address, ...] | Exception:
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in entries))
    except (OSError, ValueError) as error:
        return error


@contextmanager
def _connected(target: _Target, addresses: tuple[Address, ...], clock: _Clock) -> Iterator[socket.socket]:
    with _dial(addresses, target.port, clock) as plain:
        if target.scheme == "http":
            yield plain
            return
        plain.settimeout(clock.left())
        with ssl.create_default_context().wrap_socket(plain, server_hostname=target.host) as secure:
            yield secure


def _dial(addresses: tuple[Address, ...], port: int, clock: _Clock) -> socket.socket:
    """A connection to the first address that answers, each given its part of the time that is left."""
    failure = OSError("no address")
    for index, address in enumerate(addresses):
        share = clock.left() / (len(addresses) - index)
        try:
            return socket.create_connection((str(address), port), timeout=share)
        except OSError as error:
            failure = error
    raise failure


def _exchange(target: _Target, wire: _Wire, limits: Limits) -> bytes | str:
    connection = HTTPConnection(target.host, target.port)
    connection.sock = wire
    headers = {"Host": target.authority, "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
    connection.request("GET", target.path, headers={**headers, "User-Agent": f"assay/{__version__}"})
    with connection.getresponse() as response:
        location = response.getheader("Location")
        if response.status in _REDIRECTS and location:
            return location
        return _body(response, target.name, limits)


def _body(response: HTTPResponse, name: str, limits: Limits) -> bytes:
    if response.status != _OK:
        raise _refusal(name, f"the server answered {response.status}", hint=f"Check the address. {_BY_HAND}")
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise _refusal(name, "the server sent it compressed, although it was asked not to")
    if response.getheader("Transfer-Encoding", "chunked").lower() != "chunked":
        raise _refusal(name, "the server sent it in an encoding that it was not asked for")
    if (response.length or 0) > limits.max_bytes:
        raise _TooMuch
    data = response.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise _TooMuch
    if response.length:
        raise _refusal(name, "the connection ended before the picture did", hint=_AGAIN)
    return data


def _refusal(name: str, reason: str, *, hint: str = _BY_HAND) -> UnreadableError:
    return UnreadableError(f"{name}: {reason}", hint=hint)
