"""Access to crJSON, the form in which the library reports a manifest store.

Everything in a store was written by whoever made the file: any value may have any type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]


def as_dict(value: Any) -> dict[str, Any]:
    """Return the value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, and none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Return the value where it is text, else the empty text."""
    return value if isinstance(value, str) else ""


def natural(value: dict[str, Any], name: str) -> int:
    """Return the field of an object where it is a whole number from 0 on, else 0."""
    number = value.get(name)
    return number if isinstance(number, int) and number >= 0 else 0


def label_of(manifest: Manifest) -> str:
    """Return the name of a manifest in its store."""
    return as_text(manifest.get("label"))


def claim_of(manifest: Manifest) -> dict[str, Any]:
    """Return the claim of a manifest, of either version."""
    return as_dict(manifest.get("claim") or manifest.get("claim.v2"))


def assertions(manifest: Manifest, label: str) -> Iterator[dict[str, Any]]:
    """Yield the bodies of the assertions with a label, whatever its version and instance."""
    for name, body in as_dict(manifest.get("assertions")).items():
        if name == label or name.startswith((f"{label}.v", f"{label}__")):
            yield as_dict(body)


def ingredients(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Yield what the manifest lists as ingredients, in its order."""
    return assertions(manifest, "c2pa.ingredient")


def label_in(url: Any) -> str:
    """Return the label of the manifest that a JUMBF URI points into; empty for anything else."""
    return as_text(url).partition("/c2pa/")[2].partition("/")[0]


def ingredient_label(ingredient: dict[str, Any]) -> str:
    """Return the label of an ingredient's own manifest; empty where it has none."""
    return label_in(as_dict(ingredient.get("activeManifest") or ingredient.get("c2pa_manifest")).get("url"))


def codes(results: Any, outcome: str = "failure") -> list[str]:
    """Return the status codes of one outcome: `success`, `informational` or `failure`."""
    return [as_text(status.get("code")) for status in as_dicts(as_dict(results).get(outcome))]


def generator_of(claim: dict[str, Any]) -> str | None:
    """Return the software that made a claim, by its own account."""
    info = claim.get("claim_generator_info")
    first = as_dict(info) or next(iter(as_dicts(info)), {})
    name, version = as_text(first.get("name")), as_text(first.get("version"))
    return f"{name} {version}".strip() or as_text(claim.get("claim_generator")) or None
