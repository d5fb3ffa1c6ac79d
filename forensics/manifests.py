"""A manifest store as the library reports it (crJSON), turned into the vocabulary.

Everything in a store was written by whoever made the file: any value may have any type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from assay import binding as soft_binding
from assay.vocabulary import Action, AiUse, Detail, Manifest, Signer, Trust
from forensics import declarations
from forensics.declarations import INCEPTION, Statement
from forensics.terms import term_of
from forensics.trust import ALLOWED_URI, SIGNERS_URI, TIMESTAMPS_URI

_TRUST_ONLY = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.", "cawg.")
"""Status codes that speak of who signed, and when; every other failure means that something does not match."""
_SUCCESS = (".match", ".validated", ".trusted", ".insideValidity", ".notRevoked")
"""How codes of success end: the first versions of the ingredient assertion list them among the failures."""
_HARD_BINDINGS = ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match")
_OTHER_BYTES = tuple(code.replace(".match", ".mismatch") for code in _HARD_BINDINGS)
_MAX_DEPTH, _MAX_INGREDIENTS, _MAX_ACTIONS = 50, 100, 100
"""Of the history as it is drawn: generations, ingredients of one manifest, actions of one manifest."""
_MAX_BINDINGS = 40
"""Lines about soft bindings."""
BOUND_TO = "Value of the soft binding"
"""Name of the detail with the image id that a manifest of Assay's own states, as 16 hexadecimal digits."""


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


@dataclass
class _Drawing:
    """What of a history was drawn so far."""

    thumbnails: dict[str, bytes]
    """Not drawn yet; each is drawn once, however many ingredients name it."""
    labels: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Store:
    """All manifests of one file, the active one first."""

    manifests: tuple[dict[str, Any], ...]
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    """Pictures in the manifests, small, by their JUMBF URI; as many as were asked for."""

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

    @property
    def root(self) -> str:
        """The label of the active manifest."""
        return _text(self.active.get("label"))

    @cached_property
    def statements(self) -> dict[str, Statement]:
        """What each manifest says, by label."""
        vouched_for = self._vouched_for()
        return {label: _statement(manifest, label in vouched_for) for label, manifest in self._by_label.items()}

    def _vouched_for(self) -> set[str]:
        """Labels of manifests whose own signer the anchors vouch for, as far as the library checked them now."""
        trusted, refused = set(), set()
        for status, outcome in self._statuses():
            label = _label(_text(status.get("url")))
            if outcome == "success" and _is_voucher(status):
                trusted.add(label)
            elif outcome == "failure" and _text(status.get("code")).startswith("signingCredential."):
                refused.add(label)
        return trusted - refused

    def _statuses(self) -> Iterator[tuple[dict[str, Any], str]]:
        for manifest in self.manifests:
            deltas = (delta.get("validationDeltas") for delta in _dicts(manifest.get("ingredientDeltas")))
            for results in (manifest.get("validationResults"), *deltas):
                for outcome in ("success", "failure"):
                    yield from ((status, outcome) for status in _dicts(_dict(results).get(outcome)))

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
        return any(map(_is_voucher, _dicts(_dict(self.active.get("validationResults")).get("success"))))

    def is_ambiguous(self) -> bool:
        """Whether a certificate was matched with the timestamps' list, and maybe, but silently, with another."""
        return any(_names(status, TIMESTAMPS_URI) for status, _ in self._statuses())

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
        """The history as it is drawn, from the active manifest back; what came up before is not drawn out again."""
        drawing = _Drawing(thumbnails=dict(self.thumbnails))
        return self._node(self.active, None, drawing, 0, _own_thumbnail(self.active))

    def thumbnail_uris(self) -> Iterator[str]:
        """Where the pictures of the versions lie, from the active manifest back."""
        yield _own_thumbnail(self.active)
        for manifest in self.manifests:
            for ingredient in _ingredients(manifest):
                yield self._thumbnail(manifest, ingredient)

    def _thumbnail(self, manifest: dict[str, Any], ingredient: dict[str, Any]) -> str:
        """Of an ingredient: its own manifest's picture, or the one that was kept when it was added."""
        behind = self._by_label.get(_manifest_label(ingredient), {})
        return _own_thumbnail(behind) or _kept_thumbnail(manifest, ingredient)

    def _node(
        self,
        manifest: dict[str, Any],
        ingredient: dict[str, Any] | None,
        drawing: _Drawing,
        depth: int,
        thumbnail: str,
    ) -> Manifest:
        label = _text(manifest.get("label"))
        is_repeated = label in drawing.labels
        drawing.labels.add(label)
        said = self.statements[label]
        claim = _dict(manifest.get("claim") or manifest.get("claim.v2"))
        goes_on = not is_repeated and depth < _MAX_DEPTH
        failures = _codes(manifest.get("validationResults")) + (_recorded_failures(ingredient) if ingredient else [])
        return Manifest(
            title=_text(claim.get("dc:title")) or _text(_dict(ingredient).get("dc:title")) or "untitled",
            relationship=_text(ingredient.get("relationship")) or None if ingredient else None,
            signer=_signer(manifest),
            generator=_generator(claim),
            actions=() if is_repeated else said.actions[:_MAX_ACTIONS],
            failures=tuple(dict.fromkeys(code for code in failures if code and not code.endswith(_SUCCESS))),
            ai_use=said.ai_use,
            ingredients=tuple(self._children(manifest, drawing, depth + 1)) if goes_on else (),
            thumbnail=drawing.thumbnails.pop(thumbnail, None),
        )

    def _children(self, manifest: dict[str, Any], drawing: _Drawing, depth: int) -> Iterator[Manifest]:
        for ingredient in islice(_ingredients(manifest), _MAX_INGREDIENTS):
            behind = self._by_label.get(_manifest_label(ingredient))
            thumbnail = self._thumbnail(manifest, ingredient)
            if behind is not None:
                yield self._node(behind, ingredient, drawing, depth, thumbnail)
            else:
                yield Manifest(
                    title=_text(ingredient.get("dc:title")) or "untitled",
                    relationship=_text(ingredient.get("relationship")) or None,
                    failures=tuple(filter(_is_mismatch, _recorded_failures(ingredient))),
                    thumbnail=drawing.thumbnails.pop(thumbnail, None),
                )

    def is_cut_off(self) -> bool:
        """Whether the drawn history leaves something out; what is declared is read from all of it."""
        widest = max(sum(1 for _ in _ingredients(manifest)) for manifest in self.manifests)
        longest = max(len(statement.actions) for statement in self.statements.values())
        return len(self.manifests) > _MAX_DEPTH or widest > _MAX_INGREDIENTS or longest > _MAX_ACTIONS

    def identities(self) -> tuple[Detail, ...]:
        """Who the author says to be (CAWG identity, CreativeWork author): as stated, checked against nothing."""
        return tuple(dict.fromkeys(_identities(self.active)))

    def bindings(self) -> tuple[Detail, ...]:
        """Soft bindings: which watermarks or fingerprints the manifests say the image carries, and their values.

        Statements by whoever signed, checked against nothing here. Those of the history come after the active one's.
        """
        found = (
            detail
            for manifest in self.manifests
            for body in _assertions(manifest, soft_binding.LABEL)
            for detail in _binding(body, in_history=manifest is not self.active)
        )
        return tuple(dict.fromkeys(islice(found, _MAX_BINDINGS)))


def differs_in_bytes_only(node: Manifest) -> bool:
    """Whether a manifest holds in itself: nothing fails but its match with the bytes of a file, or trust in who signed.

    That is what a manifest looks like that was kept elsewhere and is held against a changed copy.
    """
    return all(code in _OTHER_BYTES for code in filter(_is_mismatch, node.failures))


def _assertions(manifest: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    for name, body in _dict(manifest.get("assertions")).items():
        if name == label or name.startswith((f"{label}.v", f"{label}__")):
            yield _dict(body)


def _ingredients(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return _assertions(manifest, "c2pa.ingredient")


def _own_thumbnail(manifest: dict[str, Any]) -> str:
    """The URI of the picture that a manifest keeps of the file it was made for; empty without one."""
    bodies = _dict(manifest.get("assertions")).items()
    found = (_text(_dict(body).get("identifier")) for name, body in bodies if name.startswith("c2pa.thumbnail.claim"))
    return next(filter(None, found), "")


def _kept_thumbnail(manifest: dict[str, Any], ingredient: dict[str, Any]) -> str:
    """The same, of the picture that was kept of an ingredient; its link may leave out the manifest's own name."""
    path = _text(_dict(ingredient.get("thumbnail")).get("url")).removeprefix("self#jumbf=")
    whole = path if path.startswith("/") else f"/c2pa/{_text(manifest.get('label'))}/{path}"
    return f"self#jumbf={whole}" if path else ""


def _manifest_label(ingredient: dict[str, Any]) -> str:
    return _label(_text(_dict(ingredient.get("activeManifest") or ingredient.get("c2pa_manifest")).get("url")))


def _label(url: str) -> str:
    """The manifest that a JUMBF URI points into."""
    return url.partition("/c2pa/")[2].partition("/")[0]


def _names(status: dict[str, Any], uri: str) -> bool:
    is_trust = status.get("code") == "signingCredential.trusted"
    return is_trust and f"found in [{uri}] trust anchors" in _text(status.get("explanation"))


def _is_voucher(status: dict[str, Any]) -> bool:
    return _names(status, SIGNERS_URI) or _names(status, ALLOWED_URI)


def _statement(manifest: dict[str, Any], is_vouched_for: bool) -> Statement:
    actions = tuple(_actions(manifest))
    generator = _generator(_dict(manifest.get("claim") or manifest.get("claim.v2")))
    ingredients = ((_text(each.get("relationship")), _manifest_label(each)) for each in _ingredients(manifest))
    return Statement(
        actions=actions,
        ai_use=declarations.strongest(declarations.of_actions(actions), *_elsewhere(manifest)),
        is_vouched_for=is_vouched_for,
        names_generator=declarations.names_generator(actions, generator),
        ingredients=tuple((relationship, label) for relationship, label in ingredients if label),
    )


def _elsewhere(manifest: dict[str, Any]) -> Iterator[AiUse]:
    """AI use that is declared outside the list of actions: metadata, templates, Adobe's assertion of 2023."""
    for name, body in _dict(manifest.get("assertions")).items():
        if name.startswith("com.adobe.generative-ai"):
            yield AiUse.FULLY if any(action.name in INCEPTION for action in _actions(manifest)) else AiUse.PARTLY
        elif "metadata" in name or name.startswith("stds.iptc"):
            yield from (declarations.of_term(term, is_inception=True) for term in _source_types(body))
        elif name.startswith("c2pa.actions"):
            yield from (declarations.of_term(term, is_inception=False) for term in _source_types(body))


def _source_types(body: Any) -> Iterator[str]:
    """The value of every key that ends in DigitalSourceType, however deep."""
    pending = [body]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        for key, inner in _dict(value).items():
            if key.lower().endswith("digitalsourcetype"):
                texts = inner if isinstance(inner, list) else [inner]
                yield from (term for text in texts if (term := _term(text)))
            else:
                pending.append(inner)


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
    """The term; unknown text as it is."""
    return term_of(_text(value)) or _text(value).rstrip("/").rpartition("/")[2] or None


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
    successes = _codes(manifest.get("validationResults"), "success")
    timestamped = {"timeStamp.validated", "timeStamp.trusted"} <= set(successes)
    return Signer(
        organisation=_text(subject.get("O")),
        common_name=_text(subject.get("CN")),
        issuer=_text(issuer.get("CN")) or _text(issuer.get("O")),
        serial=_text(certificate.get("serialNumber")),
        not_after=_text(_dict(certificate.get("validity")).get("notAfter")),
        signed_at=_text(_dict(signature.get("timeStampInfo")).get("timestamp")) or None if timestamped else None,
    )


def _binding(body: dict[str, Any], *, in_history: bool) -> Iterator[Detail]:
    stated = soft_binding.read(body)
    where = " in the history" if in_history else ""
    unread = "" if stated.ours else ", not read here"
    yield Detail(name=f"Soft binding{where}{unread}", value=stated.algorithm or "unnamed")
    for value in (f"{stated.ours.image_id:016x}",) if stated.ours else stated.values:
        yield Detail(name=f"{BOUND_TO}{where}{unread}", value=value)


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
