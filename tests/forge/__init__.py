"""Mints Content Credentials from scratch, as an attacker or an unusual signer could: nothing has to be in order.

    authority = Authority.create()                      # tests.authority: its root is what a trust list would hold
    data = sign(JPEG, encoded("JPEG"), Draft(key=authority.signer()))

makes a JPEG that a trusted signer says was captured. `Draft` says everything else: the version of the claim, assertions
(`actions`, `action`, `opened`, or any `Assertion`), ingredients with what was recorded of them (`Ingredient`,
`Recorded`), what the hash leaves out (`DataHash`, `BmffHash`, `NamedHash`, or None), redactions, and a time stamp
(`Stamp(key=stamper(authority), at=...)`) by any authority at any time. An expired certificate is
`authority.signer(not_before=..., not_after=...)`: nothing here asks the clock.

The boxes, CBOR, COSE and DER are made here and not by the C2PA library, which refuses to write most of this.
"""

from __future__ import annotations

from tests.carriers import Carrier
from tests.forge.bindings import STANDARD, USUAL, Binding, BmffHash, DataHash, NamedHash
from tests.forge.manifest import (
    CAPTURED,
    GENERATED,
    Assertion,
    Draft,
    Ingredient,
    Link,
    Recorded,
    action,
    actions,
    opened,
    store,
)
from tests.forge.stamps import Stamp, stamper

__all__ = [
    "CAPTURED",
    "GENERATED",
    "STANDARD",
    "USUAL",
    "Assertion",
    "Binding",
    "BmffHash",
    "DataHash",
    "Draft",
    "Ingredient",
    "Link",
    "NamedHash",
    "Recorded",
    "Stamp",
    "action",
    "actions",
    "opened",
    "sign",
    "sign_beside",
    "stamper",
]


_FIRST_GUESS = 10_000
"""Bytes of a store whose length is not known yet; any length would do."""
_ROUNDS = 3
"""Until the length of the manifest, which is a part of what is hashed, no longer changes the manifest."""


def sign(carrier: Carrier, picture: bytes, draft: Draft) -> bytes:
    """Return the picture, which has no manifest yet, with the manifest that a draft describes."""
    if draft.binding is None:
        return carrier.embed(picture, store(draft, None))
    bound = _bind(draft.binding, carrier, carrier.embed(picture, bytes(_FIRST_GUESS)))
    for _ in range(_ROUNDS):
        data = carrier.embed(picture, store(draft, bound, is_signed=False))
        bound = _bind(draft.binding, carrier, data)
    return carrier.embed(picture, store(draft, bound))


def sign_beside(carrier: Carrier, picture: bytes, draft: Draft) -> bytes:
    """Return the manifest store to keep beside the picture, which stays as it is."""
    return store(draft, _bind(draft.binding, carrier, picture) if draft.binding else None)


def _bind(binding: Binding, carrier: Carrier, data: bytes) -> Assertion:
    return Assertion(label=binding.label, body=binding.body(carrier, data))
