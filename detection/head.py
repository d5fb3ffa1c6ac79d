"""A head on a frozen network: for each kind of view one linear rule over what the blocks made of it, all added up."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save

from assay.errors import ConfigurationError
from assay.files import write_whole
from detection.featured import ROUNDS, Cache
from detection.manifest import Label, balanced

KINDS: Mapping[str, tuple[str, ...]] = {
    "whole": ("whole",),
    "crop": ("crop-1", "crop-2", "crop-3"),
    "grid": ("grid-1", "grid-2", "grid-3", "grid-4"),
}
"""Views that one rule is learnt from, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a head sees, and how firmly it is held."""

    blocks: tuple[int, ...] | None = None
    """Those of the cache that it sees, counted as the network counts them; all by default."""
    patches: bool = False
    """Whether it sees the mean of the patches beside the class token."""
    kinds: tuple[str, ...] = ("whole", "crop")
    """Of `KINDS`."""
    freedom: float = 1e-3
    """The inverse of the ridge: less holds the weights closer to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """Features of one kind of view, a row for each view of each picture in each draw."""

    items: NDArray[np.int64]
    """Indices of the cache's items."""
    draws: NDArray[np.int64]
    values: NDArray[np.float32]
    """Shape (rows, features)."""

    def of(self, chosen: NDArray[np.bool_]) -> Shown:
        """Some rows."""
        return Shown(items=self.items[chosen], draws=self.draws[chosen], values=self.values[chosen])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """A linear rule whose logits have a standard deviation of about 1 on what it learnt from."""

    weights: NDArray[np.float32]
    bias: float

    def logits(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of features of shape (rows, features)."""
        found: NDArray[np.float64] = values.astype(np.float64) @ self.weights + self.bias
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """Rules by the kind of view, and the network whose features they read."""

    recipe: Recipe
    backbone: str
    sha256: str
    """Of the network's checkpoint."""
    rules: Mapping[str, Rule]


def shown(cache: Cache, kind: str, recipe: Recipe) -> Shown:
    """What a cache holds of one kind of view.

    Raises:
        ConfigurationError: The cache lacks a block, or has nothing of that kind.
    """
    places = _places(cache, recipe)
    items, draws, values = [], [], []
    for draw in sorted({turn.draw for turn in ROUNDS}):
        for view in KINDS[kind]:
            indices, features = cache.of(draw, view)
            items.append(indices)
            draws.append(np.full(len(indices), draw))
            values.append(_chosen(features, places, recipe))
    if not sum(map(len, items)):
        raise ConfigurationError(
            f"{cache.folder}: has no views of the kind {kind!r} yet", hint="Let assay data features go on."
        )
    return Shown(items=np.concatenate(items), draws=np.concatenate(draws), values=np.concatenate(values))


def _places(cache: Cache, recipe: Recipe) -> list[int]:
    wanted = cache.plan.taps if recipe.blocks is None else recipe.blocks
    missing = set(wanted) - set(cache.plan.taps)
    if missing:
        raise ConfigurationError(
            f"{cache.folder}: has no features of block {min(missing)}",
            hint=f"It has blocks {', '.join(map(str, cache.plan.taps))}.",
        )
    return [cache.plan.taps.index(block) for block in wanted]


def _chosen(features: NDArray[np.float16], places: Sequence[int], recipe: Recipe) -> NDArray[np.float32]:
    tokens = features[:, places] if recipe.patches else features[:, places, :1]
    return tokens.reshape(len(tokens), math.prod(tokens.shape[1:])).astype(np.float32)


def fit(cache: Cache, views: Mapping[str, Shown], recipe: Recipe) -> Head:
    """Learn from features.

    Args:
        cache: With the items that the rows are of.
        views: By kind, of both labels.
        recipe: How.
    """
    rules = {kind: _rule(cache, views[kind], recipe.freedom) for kind in recipe.kinds}
    return Head(recipe=recipe, backbone=cache.plan.backbone, sha256=cache.plan.sha256, rules=rules)


def _rule(cache: Cache, views: Shown, freedom: float) -> Rule:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import

    items = [cache.items[index] for index in views.items]
    labels = np.array([item.label is Label.AI for item in items], int)
    weights = balanced([(item.label, item.source, item.kind) for item in items])
    mean, deviation = views.values.mean(0), views.values.std(0) + 1e-6
    line = LogisticRegression(C=freedom, max_iter=300, tol=1e-3)
    line.fit((views.values - mean) / deviation, labels, sample_weight=weights)
    scaled = line.coef_[0] / deviation
    bias = float(line.intercept_[0] - scaled @ mean)
    spread = float((views.values @ scaled).std()) or 1.0
    return Rule(weights=(scaled / spread).astype(np.float32), bias=bias / spread)


def told(head: Head, views: Mapping[str, Shown]) -> dict[tuple[int, int], float]:
    """The logit of each picture in each draw that has views of every kind: means over views, added over kinds."""
    sums: list[dict[tuple[int, int], list[float]]] = []
    for kind in head.recipe.kinds:
        found: dict[tuple[int, int], list[float]] = {}
        rows = views[kind]
        for item, draw, logit in zip(rows.items, rows.draws, head.rules[kind].logits(rows.values), strict=True):
            found.setdefault((int(item), int(draw)), []).append(float(logit))
        sums.append(found)
    whole = set.intersection(*(set(found) for found in sums))
    return {key: sum(float(np.mean(found[key])) for found in sums) for key in sorted(whole)}


# --- the file ---------------------------------------------------------------------------------------------------------


def write(head: Head, path: Path) -> None:
    """Write a head; one fact only beside the weights, so that the same head is the same file."""
    facts = {
        "recipe": asdict(head.recipe),
        "backbone": head.backbone,
        "sha256": head.sha256,
        "bias": {kind: rule.bias for kind, rule in head.rules.items()},
    }
    tensors = {kind: rule.weights for kind, rule in head.rules.items()}
    write_whole(path, save(tensors, {"head": json.dumps(facts)}))


def read(path: Path) -> Head:
    """A head that was written.

    Raises:
        ConfigurationError: The file cannot be read, or is none.
    """
    try:
        with safe_open(path, "np") as stored:
            facts = json.loads(stored.metadata()["head"])
        fields = facts["recipe"]
        blocks = None if fields["blocks"] is None else tuple(fields["blocks"])
        recipe = Recipe(**{**fields, "blocks": blocks, "kinds": tuple(fields["kinds"])})
        weights = load_file(path)
        rules = {kind: Rule(weights=weights[kind], bias=float(facts["bias"][kind])) for kind in recipe.kinds}
        return Head(recipe=recipe, backbone=facts["backbone"], sha256=facts["sha256"], rules=rules)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: no head: {error}", hint="Make one: assay head.") from error


def digest(path: Path) -> str:
    """The sha256 of a head's file, by which reports name it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
