"""A manifest store as the library reports it (crJSON), turned into the vocabulary.

Everything in a store was written by whoever made the file: any value may have any type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assay.vocabulary import Action, Detail, Manifest, Signer, Trust
from forensics import declarations
from forensics.trust import ALLOWED_URI, SIGNERS_URI, TIMESTAMPS_URI

_TRUST_ONLY = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.", "cawg.")
"""Status codes that speak of who signed, and when; every other failure means that something does not match."""
_SUCCESS = (".match", ".validated", ".trusted", ".insideValidity", ".notRevoked")
"""How codes of success end: the first versions of the ingredient assertion list them among the failures."""
_HARD_BINDINGS = ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match")
_MAX_NODES, _MAX_DEPTH = 500, 50
"""Of one history. Ingredients can share ancestors, so a small store can unfold into a huge tree."""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _codes(results: Any, outcome: str = "failure") -> list[str]:
    return [_text(status.get("code")) for status in _dicts(_dict(results).get(outcome))]


def _is_mismatch(code: str) -> bool:
    return bool(code) and not code.startswith(_TRUST_ONLY) and not code.endswith(_SUCCESS)


@dataclass(frozen=True)
class Store:
    """All manifests of one file, the active one first."""

    manifests: tuple[dict[str, Any], ...]

    @classmethod
    def parse(cls, document: Any) -> Store:
        """Take the manifests out of a crJSON document.

        Raises:
            ValueError: There is no manifest in it.
        """
        manifests = tuple(_dicts(_dict(document).get("manifests")))
        if not manifests:
            raise ValueError("the manifest store is empty")
        return cls(manifests)

    @property
    def active(self) -> dict[str, Any]:
        """The manifest that speaks for the file as it is now."""
        return self.manifests[0]

    @cached_property
    def _by_label(self) -> dict[str, dict[str, Any]]:
        return {_text(manifest.get("label")): manifest for manifest in self.manifests}

    def is_intact(self) -> bool:
        """Whether signature and hashes of the active manifest hold: nothing failed, and what must succeed did."""
        results = self.active.get("validationResults")
        successes = _codes(results, "success")
        bound = any(code in _HARD_BINDINGS for code in successes)
        return not self.active_failures() and "claimSignature.validated" in successes and bound

    def active_failures(self) -> list[str]:
        """Codes that say the active manifest does not match itself or the file."""
        return list(filter(_is_mismatch, _codes(self.active.get("validationResults"))))

    def trust(self) -> Trust:
        """Whether the anchors vouch for the certificate of the active manifest."""
        results = self.active.get("validationResults")
        failures = _codes(results)
        if "signingCredential.ocsp.revoked" in failures:
            return Trust.REVOKED
        if "signingCredential.expired" in failures or "claimSignature.outsideValidity" in failures:
            return Trust.EXPIRED
        refused = any(code.startswith("signingCredential.") for code in failures)
        return Trust.TRUSTED if self._is_vouched_for() and not refused else Trust.UNKNOWN

    def _is_vouched_for(self) -> bool:
        return any(f"[{uri}]" in voucher for uri in (SIGNERS_URI, ALLOWED_URI) for voucher in self._vouchers())

    def is_ambiguous(self) -> bool:
        """Whether the certificate was matched with the timestamps' list, and maybe, but silently, with another."""
        return any(f"[{TIMESTAMPS_URI}]" in voucher for voucher in self._vouchers())

    def _vouchers(self) -> list[str]:
        successes = _dicts(_dict(self.active.get("validationResults")).get("success"))
        trusted = (status for status in successes if status.get("code") == "signingCredential.trusted")
        return [_text(status.get("explanation")) for status in trusted]

    def trust_failures(self) -> list[str]:
        """Codes that say why the certificate of the active manifest is not vouched for."""
        return [code for code in _codes(self.active.get("validationResults")) if not _is_mismatch(code)]

    def history_failures(self) -> list[str]:
        """Codes that failed behind the active manifest: a trusted signature can cover a tampered parent.

        Three places hold them: what changed since an ingredient was added (`ingredientDeltas`), what its own manifest
        says when checked now, and what the signer wrote down when adding it.
        """
        found = [code for manifest in self.manifests for code in _delta_failures(manifest.get("ingredientDeltas"))]
        for manifest in self.manifests[1:]:
            found += _codes(manifest.get("validationResults"))
        for manifest in self.manifests:
            for ingredient in _ingredients(manifest):
                found += _recorded_failures(ingredient)
        return list(dict.fromkeys(filter(_is_mismatch, found)))

    def tree(self) -> Manifest:
        """The history, from the active manifest back; cut off after 50 steps and 500 nodes."""
        return self._node(self.active, None, (), iter(range(_MAX_NODES)))

    def _node(
        self, manifest: dict[str, Any], ingredient: dict[str, Any] | None, path: tuple[str, ...], budget: Iterator[int]
    ) -> Manifest:
        label = _text(manifest.get("label"))
        claim = _dict(manifest.get("claim") or manifest.get("claim.v2"))
        actions = tuple(_actions(manifest))
        generator = _generator(claim)
        is_end = label in path or len(path) >= _MAX_DEPTH
        children = () if is_end else tuple(self._children(manifest, (*path, label), budget))
        failures = _codes(manifest.get("validationResults")) + (_recorded_failures(ingredient) if ingredient else [])
        return Manifest(
            title=_text(claim.get("dc:title")) or _text(_dict(ingredient).get("dc:title")) or "untitled",
            relationship=_text(ingredient.get("relationship")) or None if ingredient else None,
            signer=_signer(manifest),
            generator=generator,
            actions=actions,
            failures=tuple(dict.fromkeys(code for code in failures if code and not code.endswith(_SUCCESS))),
            ai_use=declarations.own_ai_use(actions, generator),
            ingredients=children,
        )

    def _children(self, manifest: dict[str, Any], path: tuple[str, ...], budget: Iterator[int]) -> Iterator[Manifest]:
        for ingredient in _ingredients(manifest):
            if next(budget, None) is None:
                return
            behind = self._by_label.get(_manifest_label(ingredient))
            if behind is not None:
                yield self._node(behind, ingredient, path, budget)
            else:
                yield Manifest(
                    title=_text(ingredient.get("dc:title")) or "untitled",
                    relationship=_text(ingredient.get("relationship")) or None,
                    failures=tuple(filter(_is_mismatch, _recorded_failures(ingredient))),
                )

    def identities(self) -> tuple[Detail, ...]:
        """Who the author says to be (CAWG identity, CreativeWork author): as stated, checked against nothing."""
        return tuple(dict.fromkeys(_identities(self.active)))

    def bindings(self) -> tuple[Detail, ...]:
        """Soft bindings: names of watermarks or fingerprints that the manifest says the image carries."""
        return tuple(
            Detail(name="Soft binding", value=_text(body.get("alg")) or "unnamed")
            for body in _assertions(self.active, "c2pa.soft-binding")
        )


def _assertions(manifest: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    for name, body in _dict(manifest.get("assertions")).items():
        if name == label or name.startswith((f"{label}.v", f"{label}__")):
            yield _dict(body)


def _ingredients(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return _assertions(manifest, "c2pa.ingredient")


def _manifest_label(ingredient: dict[str, Any]) -> str:
    reference = _dict(ingredient.get("activeManifest") or ingredient.get("c2pa_manifest"))
    return _text(reference.get("url")).partition("/c2pa/")[2].partition("/")[0]


def _delta_failures(deltas: Any) -> list[str]:
    return [code for delta in _dicts(deltas) for code in _codes(delta.get("validationDeltas"))]


def _recorded_failures(ingredient: dict[str, Any]) -> list[str]:
    results = _dict(ingredient.get("validationResults"))
    legacy = [_text(status.get("code")) for status in _dicts(ingredient.get("validationStatus"))]
    return legacy + _codes(results.get("activeManifest")) + _delta_failures(results.get("ingredientDeltas"))


def _actions(manifest: dict[str, Any]) -> Iterator[Action]:
    for assertion in _assertions(manifest, "c2pa.actions"):
        for action in _dicts(assertion.get("actions")):
            agent = action.get("softwareAgent")
            yield Action(
                name=_text(action.get("action")) or "unnamed",
                digital_source_type=_term(action.get("digitalSourceType")),
                software=_text(agent) or _text(_dict(agent).get("name")) or None,
            )


def _term(value: Any) -> str | None:
    return _text(value).rstrip("/").rpartition("/")[2] or None


def _generator(claim: dict[str, Any]) -> str | None:
    info = claim.get("claim_generator_info")
    first = _dict(info) or next(iter(_dicts(info)), {})
    name, version = _text(first.get("name")), _text(first.get("version"))
    return f"{name} {version}".strip() or _text(claim.get("claim_generator")) or None


def _signer(manifest: dict[str, Any]) -> Signer | None:
    signature = _dict(manifest.get("signature"))
    certificate = _dict(signature.get("certificateInfo"))
    if not certificate:
        return None
    subject, issuer = _dict(certificate.get("subject")), _dict(certificate.get("issuer"))
    timestamped = "timeStamp.validated" in _codes(manifest.get("validationResults"), "success")
    return Signer(
        organisation=_text(subject.get("O")),
        common_name=_text(subject.get("CN")),
        issuer=_text(issuer.get("CN")) or _text(issuer.get("O")),
        serial=_text(certificate.get("serialNumber")),
        not_after=_text(_dict(certificate.get("validity")).get("notAfter")),
        signed_at=_text(_dict(signature.get("timeStampInfo")).get("timestamp")) or None if timestamped else None,
    )


def _identities(manifest: dict[str, Any]) -> Iterator[Detail]:
    for assertion in _assertions(manifest, "cawg.identity"):
        signature = _dict(assertion.get("signature"))
        subject = _dict(_dict(signature.get("certificateInfo")).get("subject"))
        if name := _text(subject.get("O")) or _text(subject.get("CN")):
            yield Detail(name="Identity by certificate, not checked", value=name, private=True)
        for identity in _dicts(signature.get("verifiedIdentities")):
            provider = _text(_dict(identity.get("provider")).get("name")) or _text(identity.get("type"))
            value = _text(identity.get("name")) or _text(identity.get("username")) or _text(identity.get("uri"))
            yield Detail(name=f"Identity by {provider}, not checked", value=value, private=True)
    for work in (*_assertions(manifest, "stds.schema-org.CreativeWork"), *_assertions(manifest, "c2pa.metadata")):
        for author in _dicts(work.get("author")):
            if name := _text(author.get("name")):
                yield Detail(name="Author, as stated", value=name, private=True)
