"""The history of a file as it is drawn: manifests as nodes, from the active one back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from assay.vocabulary import Manifest, Signer, Trust
from forensics import crjson
from forensics.crjson import as_dict, as_text, claim_of, ingredient_label, ingredients
from forensics.manifests import SUCCESS, Store, is_mismatch, recorded_failures
from forensics.signers import Standing

_MAX_DEPTH, _MAX_INGREDIENTS, _MAX_ACTIONS = 50, 100, 100
"""Generations, ingredients of one manifest, and actions of one manifest that are drawn."""
_SETTLED = (
    "signingCredential.untrusted",
    "signingCredential.invalid",
    "signingCredential.expired",
    "claimSignature.outsideValidity",
)
"""Doubts about a signer, the adder's or the library's, that are settled where the list vouches for the signer now."""


@dataclass
class _Drawing:
    """What of a history was drawn so far."""

    thumbnails: dict[str, bytes]
    """Not drawn yet; each is drawn once, however many ingredients name it."""
    labels: set[str] = field(default_factory=set)


def tree(store: Store) -> Manifest:
    """Return the history from the active manifest back; what came up before is not drawn out again."""
    drawing = _Drawing(thumbnails=dict(store.thumbnails))
    return _node(store, store.active, None, drawing, 0, _own_thumbnail(store.active))


def is_cut_off(store: Store) -> bool:
    """Return whether the drawn history leaves something out; what is declared is read from all of it."""
    widest = max(sum(1 for _ in ingredients(manifest)) for manifest in store.manifests)
    longest = max(len(statement.actions) for statement in store.statements.values())
    return len(store.manifests) > _MAX_DEPTH or widest > _MAX_INGREDIENTS or longest > _MAX_ACTIONS


def thumbnail_uris(store: Store) -> Iterator[str]:
    """Yield where the pictures of the versions lie, from the active manifest back."""
    yield _own_thumbnail(store.active)
    for manifest in store.manifests:
        for ingredient in ingredients(manifest):
            yield _thumbnail(store, manifest, ingredient)


def _node(  # noqa: PLR0917
    store: Store,
    manifest: dict[str, Any],
    ingredient: dict[str, Any] | None,
    drawing: _Drawing,
    depth: int,
    thumbnail: str,
) -> Manifest:
    label = crjson.label_of(manifest)
    is_repeated = label in drawing.labels
    drawing.labels.add(label)
    said, standing = store.statements[label], store.standing(label)
    claim = claim_of(manifest)
    goes_on = not is_repeated and depth < _MAX_DEPTH
    return Manifest(
        title=as_text(claim.get("dc:title")) or as_text(as_dict(ingredient).get("dc:title")) or "untitled",
        relationship=as_text(ingredient.get("relationship")) or None if ingredient else None,
        signer=signer_of(manifest, standing),
        trust=standing.trust,
        generator=crjson.generator_of(claim),
        actions=() if is_repeated else said.actions[:_MAX_ACTIONS],
        failures=_failures(manifest, ingredient, standing.trust),
        ai_use=said.ai_use,
        ingredients=tuple(_children(store, manifest, drawing, depth + 1)) if goes_on else (),
        thumbnail=drawing.thumbnails.pop(thumbnail, None),
    )


def _children(store: Store, manifest: dict[str, Any], drawing: _Drawing, depth: int) -> Iterator[Manifest]:
    for ingredient in islice(ingredients(manifest), _MAX_INGREDIENTS):
        behind = store.by_label.get(ingredient_label(ingredient))
        thumbnail = _thumbnail(store, manifest, ingredient)
        if behind is not None:
            yield _node(store, behind, ingredient, drawing, depth, thumbnail)
        else:
            yield Manifest(
                title=as_text(ingredient.get("dc:title")) or "untitled",
                relationship=as_text(ingredient.get("relationship")) or None,
                failures=tuple(filter(is_mismatch, recorded_failures(ingredient))),
                thumbnail=drawing.thumbnails.pop(thumbnail, None),
            )


def _failures(manifest: dict[str, Any], ingredient: dict[str, Any] | None, trust: Trust) -> tuple[str, ...]:
    """Codes that failed for a node, but for doubts about its signer that do not hold any more."""
    found = crjson.codes(manifest.get("validationResults")) + (recorded_failures(ingredient) if ingredient else [])
    settled = _SETTLED if trust is Trust.TRUSTED else ()
    return tuple(dict.fromkeys(code for code in found if code and not code.endswith(SUCCESS) and code not in settled))


def signer_of(manifest: dict[str, Any], standing: Standing) -> Signer | None:
    """Return whom the certificate names, and the time stamp on the signature; None without a certificate."""
    certificate = as_dict(as_dict(manifest.get("signature")).get("certificateInfo"))
    if not certificate:
        return None
    subject, issuer = as_dict(certificate.get("subject")), as_dict(certificate.get("issuer"))
    stamp = standing.stamp
    return Signer(
        organisation=as_text(subject.get("O")),
        common_name=as_text(subject.get("CN")),
        issuer=as_text(issuer.get("CN")) or as_text(issuer.get("O")),
        serial=as_text(certificate.get("serialNumber")),
        not_after=as_text(as_dict(certificate.get("validity")).get("notAfter")),
        signed_at=stamp.time if stamp and stamp.vouched_by else None,
        stamp=stamp,
    )


def _thumbnail(store: Store, manifest: dict[str, Any], ingredient: dict[str, Any]) -> str:
    """Of an ingredient: its own manifest's picture, or the one that was kept when it was added."""
    behind = store.by_label.get(ingredient_label(ingredient), {})
    return _own_thumbnail(behind) or _kept_thumbnail(manifest, ingredient)


def _own_thumbnail(manifest: dict[str, Any]) -> str:
    """The URI of the picture that a manifest keeps of the file it was made for; empty without one."""
    bodies = as_dict(manifest.get("assertions")).items()
    found = (
        as_text(as_dict(body).get("identifier")) for name, body in bodies if name.startswith("c2pa.thumbnail.claim")
    )
    return next(filter(None, found), "")


def _kept_thumbnail(manifest: dict[str, Any], ingredient: dict[str, Any]) -> str:
    """The same, of the picture that was kept of an ingredient; its link may leave out the manifest's own name."""
    path = as_text(as_dict(ingredient.get("thumbnail")).get("url")).removeprefix("self#jumbf=")
    whole = path if path.startswith("/") else f"/c2pa/{crjson.label_of(manifest)}/{path}"
    return f"self#jumbf={whole}" if path else ""
