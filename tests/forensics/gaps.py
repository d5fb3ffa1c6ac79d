"""Files whose signer left something out of the hash, as they were signed and as anybody could change them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.carriers import Carrier
from tests.forensics.tamper_rows import UNCOVERED, Bench, Make, Row, Specimen
from tests.forge import CAPTURED, Binding, Draft, Ingredient, actions, opened, sign, sign_beside
from tests.forge.gaps import Edit

Lay = Callable[[Carrier], "Gap"]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A picture, what binds a manifest to it, and what can be done where that leaves something out."""

    picture: bytes
    binding: Binding
    edits: tuple[Edit, ...] = ()
    carrier: Carrier | None = None
    """How the manifest is put in, where that is not the usual way."""


def left_out(lay: Lay, *, as_signed: bool = True, edited: bool = True) -> Make:
    """Return a maker of files: as they were signed, and after each edit."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        gap = lay(carrier)
        draft = Draft(key=bench.desk, assertions=(CAPTURED,), binding=gap.binding)
        signed = sign(gap.carrier or carrier, gap.picture, draft)
        if as_signed:
            yield Specimen(carrier=carrier, data=signed)
        for edit in gap.edits if edited else ():
            yield Specimen(carrier=carrier, data=carrier.seal(edit(signed)), before=signed)

    return make


def under_update(lay: Lay) -> Make:
    """Return a maker of files whose last manifest has no hash of its own: that of its parent leaves something out."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        gap = lay(carrier)
        first = sign(carrier, gap.picture, Draft(key=bench.desk, binding=gap.binding))
        parent = Ingredient(carrier=carrier, data=first)
        update = Draft(
            key=bench.desk, ingredients=(parent,), assertions=(actions(opened()),), binding=None, is_update=True
        )
        signed = sign(carrier, gap.picture, update)
        yield Specimen(carrier=carrier, data=signed)
        for edit in gap.edits:
            yield Specimen(carrier=carrier, data=carrier.seal(edit(signed)), before=signed)

    return make


def beside(lay: Lay) -> Make:
    """Return a maker of files whose manifest lies beside them."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        gap = lay(carrier)
        store = sign_beside(carrier, gap.picture, Draft(key=bench.desk, binding=gap.binding))
        yield Specimen(carrier=carrier, data=gap.picture, sidecar=store)
        for edit in gap.edits:
            data = carrier.seal(edit(gap.picture))
            yield Specimen(carrier=carrier, data=data, sidecar=store, before=gap.picture)

    return make


def laid(gap: Gap) -> Lay:
    """Return what makes one gap for the one format that it is for."""
    return lambda _carrier: gap


def gap_row(name: str, what: str, lay: Lay, formats: str, expected: str = UNCOVERED, **choices: bool) -> Row:
    """Return a row; formats are separated by spaces, choices as for `left_out`."""
    return Row(id=name, what=what, make=left_out(lay, **choices), expected=expected, only=tuple(formats.split()))
