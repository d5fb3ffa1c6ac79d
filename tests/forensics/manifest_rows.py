"""Rows of the tamper matrix about manifests that break the standard, each signed by the desk that the reader trusts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.carriers import AVIF, Carrier
from tests.forensics.tamper_rows import Bench, Make, Row, Specimen
from tests.forge import (
    CAPTURED,
    GENERATED,
    Assertion,
    Binding,
    BmffHash,
    DataHash,
    Draft,
    Ingredient,
    action,
    actions,
    opened,
    sign,
)
from tests.seeds import encoded

Change = Callable[[Draft], Draft]


def bound(carrier: Carrier, algorithm: str = "sha256") -> Binding:
    """Return the hash that the format asks for."""
    return BmffHash(algorithm=algorithm) if carrier is AVIF else DataHash(algorithm=algorithm)


def drafted(*changes: Change, versions: tuple[int, ...] = (1, 2)) -> Make:
    """Return a maker of files: claims of these versions, each with each fault."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        for version in versions:
            draft = Draft(key=bench.desk, version=version, binding=bound(carrier))
            for change in changes:
                yield Specimen(carrier=carrier, data=sign(carrier, encoded(carrier.name), change(draft)))

    return make


def unknown_algorithm(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    for name in ("sha3", "md5", ""):
        draft = Draft(key=bench.desk, binding=bound(carrier, algorithm=name))
        yield Specimen(carrier=carrier, data=sign(carrier, encoded(carrier.name), draft))


def redacted(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    """The parent says that a model made it; whoever opens it takes that out, or what tied it to its bytes."""
    generated = Draft(key=bench.desk, assertions=(GENERATED,), binding=bound(carrier))
    parent = Ingredient(carrier=carrier, data=sign(carrier, encoded(carrier.name), generated))
    for label in ("c2pa.actions.v2", bound(carrier).label):
        draft = Draft(
            key=bench.desk,
            ingredients=(parent,),
            redacted=(label,),
            assertions=(actions(opened(), action("c2pa.redacted", reason="c2pa.PII.present")),),
            binding=bound(carrier),
        )
        yield Specimen(carrier=carrier, data=sign(carrier, encoded(carrier.name), draft))


def update_of_another(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    """An update manifest has no hash of its own: that of its parent has to match, and does not."""
    first = sign(carrier, encoded(carrier.name), Draft(key=bench.desk, binding=bound(carrier)))
    parent = Ingredient(carrier=carrier, data=first)
    draft = Draft(key=bench.desk, ingredients=(parent,), assertions=(actions(opened()),), binding=None, is_update=True)
    yield Specimen(carrier=carrier, data=sign(carrier, encoded(carrier.name, "flower"), draft))


def _with_actions(*done: dict[str, object]) -> Change:
    return lambda draft: replace(draft, assertions=(actions(*done),))


_CREATED = action("c2pa.created", source_type="digitalCapture")
_SECOND_HASH = Assertion(
    label="c2pa.hash.data__1", body={"alg": "sha256", "hash": bytes(32), "name": "second", "pad": b"", "exclusions": []}
)

MANIFEST_ROWS = (
    Row(
        id="manifest-unbound",
        what="no hash of the file at all",
        make=drafted(lambda draft: replace(draft, binding=None)),
    ),
    Row(id="manifest-algorithm", what="hash by an algorithm that nobody knows", make=unknown_algorithm),
    Row(
        id="manifest-two-hashes",
        what="two hashes of the file, one of them wrong",
        make=drafted(lambda draft: replace(draft, assertions=(CAPTURED, _SECOND_HASH))),
    ),
    Row(
        id="manifest-actions",
        what="first action neither created nor opened, created twice, opened without an ingredient",
        make=drafted(
            _with_actions(action("c2pa.edited")),
            _with_actions(_CREATED, _CREATED),
            _with_actions(action("c2pa.opened")),
            versions=(2,),
        ),
    ),
    Row(id="manifest-redacted", what="actions, or the hash, of the parent redacted", make=redacted),
    Row(
        id="manifest-signature",
        what="claim that names another place for its signature",
        make=drafted(lambda draft: replace(draft, claim={"signature": "self#jumbf=/c2pa/other/c2pa.signature"})),
    ),
    Row(id="manifest-update", what="update manifest of another picture", make=update_of_another),
)
"""None of these verifies, though every signature holds."""
