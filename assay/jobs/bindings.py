"""The row of the ledger that a manifest's own soft binding names, told beside what the manifest says."""

# ruff: noqa: PLC0415 - the ledger only for files that name a row

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.binding import BOUND_TO
from assay.errors import AssayError
from assay.vocabulary import Attestation, Detail, Outcome, Settings

if TYPE_CHECKING:
    from assay.ledger import Ledger

ROW = "Soft binding in the ledger"


def looked_up(outcomes: tuple[Outcome, ...], sha256: str | None, settings: Settings) -> tuple[Outcome, ...]:
    """The same outcomes; credentials that are bound to an image of ours say whether the ledger has its row.

    Args:
        outcomes: Of one file.
        sha256: Of its bytes, hexadecimal; None where they could not be read.
        settings: Where the ledger is; looking makes none.
    """
    if not any(_ids(outcome) for outcome in outcomes):
        return outcomes
    from assay.ledger import location, open_ledger

    place = location(settings)
    if isinstance(place, Path) and not place.exists():
        return outcomes
    try:
        with open_ledger(place) as ledger:
            return tuple(_told(outcome, ledger, sha256) for outcome in outcomes)
    except AssayError as error:  # what the manifest says still holds
        return tuple(_with(outcome, f"not looked up: {error}. {error.hint}") for outcome in outcomes)


def _ids(outcome: Outcome) -> tuple[int, ...]:
    """Of the images that the active manifest says it is bound to."""
    details = outcome.details if isinstance(outcome, Attestation) else ()
    return tuple(int(detail.value, 16) for detail in details if detail.name == BOUND_TO)


def _told(outcome: Outcome, ledger: Ledger, sha256: str | None) -> Outcome:
    return _with(outcome, *dict.fromkeys(_rows(outcome, ledger, sha256)))


def _rows(outcome: Outcome, ledger: Ledger, sha256: str | None) -> Iterator[str]:
    for image_id in _ids(outcome):
        entry = ledger.get(image_id)
        if entry is None:
            yield f"no row of image {image_id:016x} here"
        else:
            same = "this very file" if entry.file_sha256 == sha256 else "not this file, byte for byte"
            came = "made" if entry.model else "marked"
            yield f"image {image_id:016x}, {came} {entry.created}; what was delivered is {same}"


def _with(outcome: Outcome, *values: str) -> Outcome:
    if not isinstance(outcome, Attestation) or not _ids(outcome):
        return outcome
    return replace(outcome, details=(*outcome.details, *(Detail(name=ROW, value=value) for value in values)))
