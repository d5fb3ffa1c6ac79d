"""A manifest store as the library reports it (crJSON): what holds, what does not, and who stands behind it.

Everything in a store was written by whoever made the file: any value may have any type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from assay import binding as soft_binding
from assay.vocabulary import Detail, Manifest, Trust
from forensics import crjson
from forensics.crjson import as_dict, as_dicts, as_text, assertions, claim_of, ingredient_label, ingredients
from forensics.declarations import Statement
from forensics.signers import Codes, Signers, Standing
from forensics.statements import statement_of
from forensics.trust import ALLOWED_URI, SIGNERS_URI, Profile

_TRUST_ONLY = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.", "cawg.")
"""Status codes that speak of who signed, and when; every other failure means that something does not match."""
SUCCESS = (".match", ".validated", ".trusted", ".insideValidity", ".notRevoked")
"""How codes of success end: the first versions of the ingredient assertion list them among the failures."""
_HARD_BINDINGS = ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match")
_OTHER_BYTES = tuple(code.replace(".match", ".mismatch") for code in _HARD_BINDINGS)
_OTHER_ASSERTION = "assertion.hashedURI.mismatch"
_ALGORITHMS = ("sha256", "sha384", "sha512")
"""Hashes that C2PA allows (C2PA 2.2, section 13.1)."""
_UNKNOWN_ALGORITHM = "algorithm.unsupported"
_TAMPERED = (".mismatch", ".missing", "15.5.2.1)", "15.12)")
"""How failures end that may mean that bytes changed after signing; any other is a rule that the manifest breaks."""
_NEVER_THERE = "claim.hardBindings.missing"
"""The list of what a claim binds is signed: what is not on it cannot have been removed since."""
_MAX_BINDINGS = 40
"""Lines about soft bindings."""
_MAX_JUDGED = 100
"""Signers of one history whose certificates are looked at; no list vouches for the others."""
EMPTY = "the manifest store is empty"
"""What is said of a store of whose manifests the library reports none."""
BOUND_TO = soft_binding.BOUND_TO


def is_mismatch(code: str) -> bool:
    """Return whether a status code that failed says more than that a signer is not vouched for."""
    return bool(code) and not code.startswith(_TRUST_ONLY) and not code.endswith(SUCCESS)


def is_tampering(code: str) -> bool:
    """Return whether a status code that failed may mean that the file, or its manifest, changed after signing."""
    return code.endswith(_TAMPERED) and code != _NEVER_THERE


@dataclass(frozen=True, slots=False)
class Store:
    """All manifests of one file, the active one first."""

    manifests: tuple[dict[str, Any], ...]
    signers: Signers = field(default_factory=lambda: Signers(Profile(name="", lists=(), pem=())))
    """Who is vouched for."""
    jumbf: bytes = b""
    """The store itself; empty where no certificate has to be looked at."""
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    """Pictures in the manifests, small, by their JUMBF URI; as many as were asked for."""

    @classmethod
    def parse(cls, document: Any) -> Store:
        """Take the manifests out of a crJSON document.

        Raises:
            ValueError: There is no manifest in it.
        """
        manifests = tuple(as_dicts(as_dict(document).get("manifests")))
        if not manifests:
            raise ValueError(EMPTY)
        return cls(manifests)

    @property
    def active(self) -> dict[str, Any]:
        """The manifest that speaks for the file as it is now."""
        return self.manifests[0]

    @property
    def root(self) -> str:
        """The label of the active manifest."""
        return crjson.label_of(self.active)

    @cached_property
    def by_label(self) -> dict[str, dict[str, Any]]:
        """The manifests by their names in the store."""
        return {crjson.label_of(manifest): manifest for manifest in self.manifests}

    @cached_property
    def statements(self) -> dict[str, Statement]:
        """What each manifest says, by label."""
        return {
            label: statement_of(manifest, is_vouched_for=self.standing(label).trust is Trust.TRUSTED)
            for label, manifest in self.by_label.items()
        }

    def standing(self, label: str) -> Standing:
        """Return what the chosen lists say of the signer of one manifest, at the time that counts."""
        return self._standings.get(label, Standing())

    def trust(self) -> Trust:
        """Return whether the chosen lists vouch for the signer of the active manifest."""
        return self.standing(self.root).trust

    @cached_property
    def _standings(self) -> dict[str, Standing]:
        return {
            label: self.signers.judge(
                self.by_label[label], self._codes.get(label, Codes()), self.jumbf, is_active=label == self.root
            )
            for label in islice(self._reached, _MAX_JUDGED)
        }

    @cached_property
    def _reached(self) -> tuple[str, ...]:
        """Labels of the manifests that the active one leads to, itself first; the library looks at no others."""
        seen, waiting = {self.root: None}, [self.active]
        while waiting:
            for ingredient in ingredients(waiting.pop()):
                label = ingredient_label(ingredient)
                if label in self.by_label and label not in seen:
                    seen[label] = None
                    waiting.append(self.by_label[label])
        return tuple(seen)

    @cached_property
    def _codes(self) -> dict[str, Codes]:
        """Status codes by the manifest that they are about: what the library finds now, and what adders wrote down."""
        current: dict[str, set[str]] = {}
        failures: dict[str, set[str]] = {}
        vouched: set[str] = set()
        for status, outcome in self._statuses():
            label, code = crjson.label_in(status.get("url")), as_text(status.get("code"))
            current.setdefault(label, set()).add(code)
            if outcome == "failure":
                failures.setdefault(label, set()).add(code)
            elif outcome == "success" and _is_voucher(status):
                vouched.add(label)
        passed, failed = self._recorded()
        return {
            label: Codes(
                current=frozenset(current.get(label, ())),
                current_failures=frozenset(failures.get(label, ())),
                recorded=frozenset(passed.get(label, ())),
                recorded_failures=frozenset(failed.get(label, ())),
                is_vouched_for=label in vouched,
            )
            for label in self._reached
        }

    def _statuses(self) -> Iterator[tuple[dict[str, Any], str]]:
        for manifest in self.manifests:
            deltas = (delta.get("validationDeltas") for delta in as_dicts(manifest.get("ingredientDeltas")))
            for results in (manifest.get("validationResults"), *deltas):
                for outcome in ("success", "informational", "failure"):
                    yield from ((status, outcome) for status in as_dicts(as_dict(results).get(outcome)))

    def _recorded(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """What those who added ingredients wrote down of each: codes that passed, and codes that failed."""
        passed: dict[str, set[str]] = {}
        failed: dict[str, set[str]] = {}
        for label in self._reached:
            for ingredient in ingredients(self.by_label[label]):
                about, results = ingredient_label(ingredient), as_dict(ingredient.get("validationResults"))
                found = set(recorded_failures(ingredient))
                successes = {code for code in found if code.endswith(SUCCESS)}
                passed.setdefault(about, set()).update(
                    successes, crjson.codes(results.get("activeManifest"), "success")
                )
                failed.setdefault(about, set()).update(found - successes)
        return passed, failed

    def is_intact(self) -> bool:
        """Return whether signature and hashes of the active manifest hold: what must succeed did, nothing failed."""
        successes = crjson.codes(self.active.get("validationResults"), "success")
        return not self.active_failures() and "claimSignature.validated" in successes and self.is_bound()

    def is_bound(self) -> bool:
        """Return whether a hash over the bytes of the file matches."""
        successes = crjson.codes(self.active.get("validationResults"), "success")
        return any(code in _HARD_BINDINGS for code in successes)

    def active_failures(self) -> list[str]:
        """Return the codes that say the active manifest does not match itself, the file or the standard."""
        failures = as_dicts(as_dict(self.active.get("validationResults")).get("failure"))
        return list(filter(is_mismatch, map(self._code, failures)))

    def _code(self, status: dict[str, Any]) -> str:
        """The status code; the library calls a hash by an algorithm that nobody knows a mismatch."""
        code, url = as_text(status.get("code")), as_text(status.get("url"))
        if code not in (*_OTHER_BYTES, _OTHER_ASSERTION):
            return code
        manifest = self.by_label.get(crjson.label_in(url), {})
        body = as_dict(as_dict(manifest.get("assertions")).get(url.rpartition("/")[2]))
        stated = body.get("alg") if code in _OTHER_BYTES else None  # in other assertions the name means other things
        algorithm = stated or claim_of(manifest).get("alg")
        return code if algorithm is None or algorithm in _ALGORITHMS else _UNKNOWN_ALGORITHM

    def hard_binding(self) -> tuple[str, dict[str, Any]]:
        """Return label and body of the assertion that binds the file's bytes; empty where none was checked."""
        for status in as_dicts(as_dict(self.active.get("validationResults")).get("success")):
            if as_text(status.get("code")) in _HARD_BINDINGS:
                manifest = self.by_label.get(crjson.label_in(status.get("url")), {})
                name = as_text(status.get("url")).rpartition("/")[2]
                return name, as_dict(as_dict(manifest.get("assertions")).get(name))
        return "", {}

    def trust_failures(self) -> list[str]:
        """Return the codes that say why the signer of the active manifest is not vouched for; none where it is."""
        if self.trust() is Trust.TRUSTED:
            return []
        return [code for code in crjson.codes(self.active.get("validationResults")) if not is_mismatch(code)]

    def history_failures(self) -> list[str]:
        """Return the codes that failed behind the active manifest: a trusted signature can cover a tampered parent.

        Three places hold them: what changed since an ingredient was added (`ingredientDeltas`), what its own manifest
        says when checked now, and what the signer wrote down when adding it.
        """
        found = [code for manifest in self.manifests for code in _delta_failures(manifest.get("ingredientDeltas"))]
        for manifest in self.manifests[1:]:
            found += crjson.codes(manifest.get("validationResults"))
        for manifest in self.manifests:
            for ingredient in ingredients(manifest):
                found += recorded_failures(ingredient)
        return list(dict.fromkeys(filter(is_mismatch, found)))

    def identities(self) -> tuple[Detail, ...]:
        """Return whom the author claims to be (CAWG identity, CreativeWork author), checked against nothing."""
        return tuple(dict.fromkeys(_identities(self.active)))

    def bindings(self) -> tuple[Detail, ...]:
        """Return the soft bindings: which watermarks or fingerprints the manifests say the image carries.

        Statements by whoever signed, checked against nothing here. Those of the history come after the active one's.
        """
        found = (
            detail
            for manifest in self.manifests
            for body in assertions(manifest, soft_binding.LABEL)
            for detail in _binding(body, in_history=manifest is not self.active)
        )
        return tuple(dict.fromkeys(islice(found, _MAX_BINDINGS)))


def differs_in_bytes_only(node: Manifest) -> bool:
    """Return whether a manifest holds in itself: nothing fails but its match with the bytes of a file, or trust.

    That is what a manifest looks like that was kept elsewhere and is held against a changed copy.
    """
    return all(code in _OTHER_BYTES for code in filter(is_mismatch, node.failures))


def recorded_failures(ingredient: dict[str, Any]) -> list[str]:
    """Return the codes that whoever added an ingredient wrote down as failed, and in the older form all codes."""
    results = as_dict(ingredient.get("validationResults"))
    legacy = [as_text(status.get("code")) for status in as_dicts(ingredient.get("validationStatus"))]
    return legacy + crjson.codes(results.get("activeManifest")) + _delta_failures(results.get("ingredientDeltas"))


def _delta_failures(deltas: Any) -> list[str]:
    return [code for delta in as_dicts(deltas) for code in crjson.codes(delta.get("validationDeltas"))]


def _is_voucher(status: dict[str, Any]) -> bool:
    is_trust = status.get("code") == "signingCredential.trusted"
    explanation = as_text(status.get("explanation"))
    return is_trust and any(f"found in [{uri}] trust anchors" in explanation for uri in (SIGNERS_URI, ALLOWED_URI))


def _binding(body: dict[str, Any], *, in_history: bool) -> Iterator[Detail]:
    stated = soft_binding.read(body)
    where = " in the history" if in_history else ""
    unread = "" if stated.ours else ", not read here"
    yield Detail(name=f"Soft binding{where}{unread}", value=stated.algorithm or "unnamed")
    for value in (f"{stated.ours.image_id:016x}",) if stated.ours else stated.values:
        yield Detail(name=f"{BOUND_TO}{where}{unread}", value=value)


def _identities(manifest: dict[str, Any]) -> Iterator[Detail]:
    for assertion in assertions(manifest, "cawg.identity"):
        signature = as_dict(assertion.get("signature"))
        subject = as_dict(as_dict(signature.get("certificateInfo")).get("subject"))
        if name := as_text(subject.get("O")) or as_text(subject.get("CN")):
            yield Detail(name="Identity by certificate, not checked", value=name, private=True)
        for identity in as_dicts(signature.get("verifiedIdentities")):
            provider = as_text(as_dict(identity.get("provider")).get("name")) or as_text(identity.get("type"))
            value = as_text(identity.get("name")) or as_text(identity.get("username")) or as_text(identity.get("uri"))
            yield Detail(name=f"Identity by {provider}, not checked", value=value, private=True)
    for work in (*assertions(manifest, "stds.schema-org.CreativeWork"), *assertions(manifest, "c2pa.metadata")):
        for author in as_dicts(work.get("author")):
            if name := as_text(author.get("name")):
                yield Detail(name="Author, as stated", value=name, private=True)
