"""An OpenID provider (OpenID Connect Core 1.0, authorization code flow), where whoever asks is signed in at once."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT, SECRET = "assay", "of a test"


@dataclass(kw_only=True)
class Provider:
    """What it says of the next who signs in."""

    url: str = ""
    claims: dict[str, object] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)
    """By code, of those who have been sent back and whose tokens have not been fetched."""
    published: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    """The key whose public half it tells."""
    forger: rsa.RSAPrivateKey | None = None
    """Signs instead, where there is one."""

    @property
    def metadata(self) -> str:
        """Address of what it says of itself."""
        return f"{self.url}/.well-known/openid-configuration"


@contextmanager
def provider() -> Iterator[Provider]:
    """One on a free port of this machine."""
    running = Provider()
    handler = type("Handler", (_Handler,), {"provider": running})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        running.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield running
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        """What the provider says of itself, its keys, and the page on which one would sign in."""
        parts = urlsplit(self.path)
        match parts.path:
            case "/.well-known/openid-configuration":
                self._answer(_metadata(self.provider.url))
            case "/keys":
                self._answer({"keys": [_public(self.provider.published)]})
            case "/authorize":
                self._send_back({name: values[0] for name, values in parse_qs(parts.query).items()})
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        """A code is worth one token, to whoever knows the client's secret."""
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        nonce = self.provider.nonces.pop(sent["code"][0], None)
        if self.headers["Authorization"] != f"Basic {basic}" or nonce is None:
            self.send_error(400)
            return
        now = int(time.time())
        claims = {"iss": self.provider.url, "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": nonce}
        key = self.provider.forger or self.provider.published
        token = _signed({**claims, **self.provider.claims}, key)
        self._answer({"access_token": "opaque", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    def _send_back(self, asked: dict[str, str]) -> None:
        code = str(len(self.provider.nonces)) + asked["state"]
        self.provider.nonces[code] = asked["nonce"]
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        self.end_headers()

    def _answer(self, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _metadata(url: str) -> dict[str, object]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _public(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """As a JSON Web Key (RFC 7517)."""
    numbers = key.public_key().public_numbers()
    n, e = (_url64(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.n, numbers.e))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": n, "e": e}


def _signed(claims: dict[str, object], key: rsa.RSAPrivateKey) -> str:
    """As a JSON Web Token (RFC 7519)."""
    parts = ({"alg": "RS256", "kid": "one", "typ": "JWT"}, claims)
    text = ".".join(_url64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_url64(key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
