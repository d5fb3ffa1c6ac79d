from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from c2pa import Context, Reader

from generation.signing_key import SigningKey
from tests.authority import CLAIM_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION, Authority


class Manifests:
    """What the C2PA library reads from a file, under the test authority's anchors."""

    def __init__(self, data: bytes, mime: str, anchors: bytes, sidecar: bytes | None = None) -> None:
        settings = {
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
            "core": {"allowed_network_hosts": [], "allow_redirects": False},
            "trust": {
                "trust_config": "\n".join((CLAIM_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION)),
                "anchors": [{"trust_anchors": anchors.decode(), "trust_uri": "urn:test", "trust_kind": "manifest"}],
            },
        }
        with Context.from_dict(settings) as context, Reader(mime, BytesIO(data), sidecar, context=context) as reader:
            self.store: dict[str, Any] = json.loads(reader.json())
        self.state: str = self.store["validation_state"]
        self.active: dict[str, Any] = self.store["manifests"][self.store["active_manifest"]]

    @property
    def actions(self) -> list[dict[str, Any]]:
        (assertion,) = (each for each in self.active["assertions"] if each["label"].startswith("c2pa.actions"))
        actions: list[dict[str, Any]] = assertion["data"]["actions"]
        return actions

    @property
    def ingredients(self) -> list[dict[str, Any]]:
        ingredients: list[dict[str, Any]] = self.active.get("ingredients", [])
        return ingredients


@pytest.fixture(scope="session")
def desk(authority: Authority) -> SigningKey:
    return authority.signer()


@pytest.fixture
def read(authority: Authority) -> Callable[..., Manifests]:
    def reading(data: bytes, mime: str, *, sidecar: bytes | None = None, anchors: bytes | None = None) -> Manifests:
        return Manifests(data, mime, anchors or authority.anchors, sidecar)

    return reading
