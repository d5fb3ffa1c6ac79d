"""Claims, assertions and signatures of a manifest store (C2PA 2.2, sections 10 to 14)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from generation.signing_key import SigningKey
from tests.carriers import Carrier, bmff_box
from tests.forge import cbor, jumbf
from tests.forge.bindings import Binding, DataHash
from tests.forge.certificates import chain
from tests.forge.stamps import Stamp

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """One assertion; `Link` in its body is replaced by a hashed URI."""

    label: str
    body: Any
    is_json: bool = False

    def box(self) -> bytes:
        if self.is_json:
            return jumbf.superbox(jumbf.JSON, self.label, bmff_box(b"json", json.dumps(self.body).encode()))
        return jumbf.superbox(jumbf.CBOR, self.label, bmff_box(b"cbor", cbor.encode(self.body)))


@dataclass(frozen=True)
class Link:
    """Stands for the hashed URI of an assertion that comes earlier in the same manifest."""

    label: str


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the signer wrote down when an ingredient was added: nobody checks it.

    A code stands for a status of the ingredient's active manifest. The default is what an honest checker records of a
    file whose signer it trusts.
    """

    success: tuple[str, ...] = (
        "signingCredential.trusted",
        "claimSignature.insideValidity",
        "claimSignature.validated",
        "assertion.dataHash.match",
    )
    failure: tuple[str, ...] = ()
    deltas: tuple[Mapping[str, Any], ...] = ()
    """`ingredientDeltas`, as they are."""

    def results(self, manifest: str) -> dict[str, Any]:
        """Return `validationResults` of an ingredient of version 3."""
        active: dict[str, Any] = {
            "success": [self._status(code, manifest) for code in self.success],
            "informational": [],
            "failure": [self._status(code, manifest) for code in self.failure],
        }
        results: dict[str, Any] = {"activeManifest": active}
        return results | ({"ingredientDeltas": list(self.deltas)} if self.deltas else {})

    def statuses(self, manifest: str) -> list[dict[str, Any]]:
        """Return `validationStatus` of an ingredient of version 1 or 2."""
        return [self._status(code, manifest) for code in self.success + self.failure]

    def _status(self, code: str, manifest: str) -> dict[str, Any]:
        place = "c2pa.assertions/c2pa.hash.data" if code.startswith("assertion.") else "c2pa.signature"
        return {"code": code, "url": f"self#jumbf=/c2pa/{manifest}/{place}", "explanation": code}


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """A file that went into the picture, with its manifests, where it has any."""

    carrier: Carrier
    data: bytes
    relationship: str = "parentOf"
    title: str = "earlier version"
    version: int = 3
    """Of the assertion: 1, 2 or 3."""
    recorded: Recorded | None = field(default_factory=Recorded)
    label: str = ""
    """Empty for the usual one of the version; a second ingredient needs one of its own, as `c2pa.ingredient.v3__1`."""

    @property
    def assertion_label(self) -> str:
        return self.label or {1: "c2pa.ingredient"}.get(self.version, f"c2pa.ingredient.v{self.version}")

    @property
    def manifests(self) -> tuple[bytes, ...]:
        """The superboxes of its manifests, the active one last."""
        store = self.carrier.store(self.data)
        return tuple(jumbf.content(store)) if store else ()

    def assertion(self, manifests: tuple[bytes, ...]) -> Assertion:
        """Return the assertion; the manifests are those that were copied, which redaction may have changed."""
        body: dict[str, Any] = {
            "relationship": self.relationship,
            "dc:title": self.title,
            "dc:format": self.carrier.mime,
            "instanceID": f"xmp.iid:{uuid4()}",
        }
        if manifests:
            body |= self._behind(manifests[-1])
        return Assertion(label=self.assertion_label, body=body)

    def _behind(self, active: bytes) -> dict[str, Any]:
        name = jumbf.label(active)
        signature = next(box for box in jumbf.content(active) if jumbf.kind(box) == jumbf.SIGNATURE)
        uri = f"self#jumbf=/c2pa/{name}"
        recorded: dict[str, Any]
        if self.version < 3:
            recorded = {"validationStatus": self.recorded.statuses(name)} if self.recorded else {}
            return {"c2pa_manifest": {"url": uri, "alg": "sha256", "hash": jumbf.digest(active)}} | recorded
        recorded = {"validationResults": self.recorded.results(name)} if self.recorded else {}
        return {
            "activeManifest": {"url": uri, "alg": "sha256", "hash": jumbf.digest(active)},
            "claimSignature": {
                "url": f"{uri}/c2pa.signature",
                "alg": "sha256",
                "hash": jumbf.digest(signature),
            },
        } | recorded


def action(name: str, *, source_type: str | None = None, **others: Any) -> dict[str, Any]:
    """Return one action, such as `c2pa.created`; a digital source type is a term of the IPTC, or a whole URI."""
    if source_type is not None:
        others["digitalSourceType"] = source_type if ":" in source_type else _SOURCE_TYPES + source_type
    return {"action": name, **others}


def opened(ingredient: str = "c2pa.ingredient.v3", name: str = "c2pa.opened") -> dict[str, Any]:
    """Return the action that opens a parent, or, as `c2pa.placed`, places a component: by the assertion's label."""
    return action(name, parameters={"ingredients": [Link(ingredient)]})


def actions(*done: dict[str, Any], label: str = "c2pa.actions.v2") -> Assertion:
    """Return the assertion that lists actions."""
    return Assertion(label=label, body={"actions": list(done)})


CAPTURED = actions(action("c2pa.created", source_type="digitalCapture"))
GENERATED = actions(action("c2pa.created", source_type="trainedAlgorithmicMedia"))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A manifest to be signed; nothing about it has to be in order."""

    key: SigningKey
    """Has to be ES256."""
    certificates: tuple[bytes, ...] = ()
    """DER: what the signature carries in place of the key's own chain."""
    assertions: tuple[Assertion, ...] = (CAPTURED,)
    ingredients: tuple[Ingredient, ...] = ()
    """Their assertions come before the others."""
    binding: Binding | None = field(default_factory=DataHash)
    """None: the manifest is tied to no bytes."""
    version: int = 2
    """Of the claim: 1 or 2."""
    stamp: Stamp | None = None
    title: str = "A picture made for tests"
    software: str = "Assay Test Camera"
    is_update: bool = False
    """Whether it is an update manifest, which has no hard binding, nor changes the picture."""
    redacted: tuple[str, ...] = ()
    """Labels of assertions that are taken out of all manifests that were copied."""
    claim: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the claim to add or to change; None takes one out."""
    label: str = field(default_factory=lambda: f"urn:c2pa:{uuid4()}")
    size: int = 8_000
    """Bytes of the signature's box, filled up with padding: the hash of a file needs its length beforehand."""


def store(draft: Draft, binding: Assertion | None, *, is_signed: bool = True) -> bytes:
    """Return the manifest store; one that is not signed has the same length, and a signature of zeros."""
    copied: dict[str, bytes] = {}
    boxes: dict[str, bytes] = {}
    redactions: list[str] = []
    for ingredient in draft.ingredients:
        manifests = tuple(_redact(each, draft.redacted, redactions) for each in ingredient.manifests)
        copied |= {jumbf.label(each): each for each in manifests}
        made = ingredient.assertion(manifests)
        boxes[made.label] = made.box()
    for each in (*draft.assertions, *([binding] if binding else [])):
        boxes[each.label] = Assertion(label=each.label, body=_resolved(each.body, boxes), is_json=each.is_json).box()
    claim = cbor.encode(_claim(draft, boxes, redactions))
    signature = _sign(draft, claim) if is_signed else bytes(draft.size)
    manifest = jumbf.superbox(
        jumbf.UPDATE if draft.is_update else jumbf.MANIFEST,
        draft.label,
        jumbf.superbox(jumbf.ASSERTIONS, "c2pa.assertions", *boxes.values()),
        jumbf.superbox(
            jumbf.CLAIM,
            "c2pa.claim" if draft.version == 1 else "c2pa.claim.v2",
            bmff_box(b"cbor", claim),
        ),
        jumbf.superbox(jumbf.SIGNATURE, "c2pa.signature", bmff_box(b"cbor", signature)),
    )
    return jumbf.superbox(jumbf.STORE, "c2pa", *copied.values(), manifest)


def _resolved(value: Any, boxes: Mapping[str, bytes]) -> Any:
    """Put a hashed URI in the place of every `Link`."""
    match value:
        case Link():
            return _hashed(value.label, boxes[value.label])
        case dict():
            return {key: _resolved(each, boxes) for key, each in value.items()}
        case list() | tuple():
            return [_resolved(each, boxes) for each in value]
        case _:
            return value


def _hashed(label: str, box: bytes) -> dict[str, Any]:
    return {"url": f"self#jumbf=c2pa.assertions/{label}", "hash": jumbf.digest(box)}


def _claim(draft: Draft, boxes: Mapping[str, bytes], redactions: list[str]) -> dict[str, Any]:
    listed = [_hashed(label, box) for label, box in boxes.items()]
    info = {"name": draft.software, "version": "1.0"}
    fields: dict[str, Any] = {
        "instanceID": f"xmp.iid:{uuid4()}",
        "signature": f"self#jumbf=/c2pa/{draft.label}/c2pa.signature",
        "dc:title": draft.title,
        "alg": "sha256",
    }
    if draft.version == 1:
        name = draft.software.replace(" ", "_")
        fields |= {"claim_generator": name, "claim_generator_info": [info], "dc:format": "image/jpeg"}
        fields |= {"assertions": listed}
    else:
        fields |= {"claim_generator_info": info, "created_assertions": listed}
    if redactions:
        fields["redacted_assertions"] = redactions
    return {key: value for key, value in (fields | dict(draft.claim)).items() if value is not None}


def _redact(manifest: bytes, labels: tuple[str, ...], redactions: list[str]) -> bytes:
    """Take assertions out of a manifest, and note their URIs."""
    parts = []
    for part in jumbf.content(manifest):
        kept = part
        if jumbf.kind(part) == jumbf.ASSERTIONS:
            inner = {jumbf.label(each): each for each in jumbf.content(part)}
            gone = [label for label in labels if inner.pop(label, None)]
            redactions += [f"self#jumbf=/c2pa/{jumbf.label(manifest)}/c2pa.assertions/{label}" for label in gone]
            kept = jumbf.superbox(jumbf.ASSERTIONS, "c2pa.assertions", *inner.values())
        parts.append(kept)
    return jumbf.superbox(jumbf.kind(manifest), jumbf.label(manifest), *parts)


# --- COSE_Sign1 with a detached payload (RFC 9052; C2PA 2.2, section 13.2) --------------------------------------------

_ALGORITHM, _ES256, _X5CHAIN, _COSE_SIGN1 = 1, -7, 33, 18


def _sign(draft: Draft, claim: bytes) -> bytes:
    carried = draft.certificates or chain(draft.key)
    protected = cbor.encode({_ALGORITHM: _ES256, _X5CHAIN: carried if len(carried) > 1 else carried[0]})
    signature = _es256(draft.key, cbor.encode(["Signature1", protected, b"", claim]))
    headers = draft.stamp.headers(draft.version, protected, claim, signature) if draft.stamp else {}
    bare = _sign1(protected, headers | {"pad": b""}, signature)
    room = draft.size - len(bare) - 2  # the head of a string of 256 to 65,535 bytes has two bytes more
    assert room >= 256, "the certificates are too large"
    return _sign1(protected, headers | {"pad": bytes(room)}, signature)


def _sign1(protected: bytes, headers: dict[str, Any], signature: bytes) -> bytes:
    return cbor.encode(cbor.Tagged(_COSE_SIGN1, [protected, headers, None, signature]))


def _es256(key: SigningKey, message: bytes) -> bytes:
    """r and s, 32 bytes each."""
    assert isinstance(key.secret, bytes)
    secret = load_pem_private_key(key.secret, None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    numbers = decode_dss_signature(secret.sign(message, ec.ECDSA(hashes.SHA256())))
    return b"".join(number.to_bytes(32) for number in numbers)
