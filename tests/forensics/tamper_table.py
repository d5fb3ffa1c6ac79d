"""Measures the tamper matrix and draws it: `python -m tests.forensics.tamper_table` rewrites `docs/tamper.md`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import assert_never

import c2pa

from assay import exhibit
from assay.errors import UnreadableError
from assay.stats import clopper_pearson
from assay.vocabulary import Attestation, Failed, Measurement, Nothing, Observation, Outcome, Settings, Skipped
from forensics import anchors, trust
from forensics.credentials import Credentials
from tests.authority import Authority
from tests.carriers import CARRIERS, Carrier
from tests.forensics.tamper_rows import (
    INTACT_ROWS,
    NONE,
    REMOVAL_ROWS,
    ROWS,
    SIGNER_ROWS,
    STRANGER,
    TAMPER_ROWS,
    TRUSTED,
    UNCHECKED,
    UNCOVERED_ROWS,
    Bench,
    Row,
    Specimen,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "tamper.md"
HARMLESS = frozenset({TRUSTED, STRANGER})
"""Readings that would let a tampered file pass."""

Cell = Mapping[str, int]
Table = Mapping[tuple[str, str], Cell]
"""Row id and format -> how often each phrase was read."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads a specimen as `assay verify` would, and says the one phrase for its state."""

    trusting: Credentials
    without_list: Credentials
    settings: Settings

    @classmethod
    def create(cls, settings: Settings, empty_home: Path) -> Reader:
        return cls(
            trusting=Credentials(settings), without_list=Credentials(Settings(home=empty_home)), settings=settings
        )

    def read(self, specimen: Specimen, *, anchors: bool = True) -> str:
        limits = self.settings.limits
        try:
            received = exhibit.receive(specimen.data, f"specimen{specimen.carrier.extension}", limits)
            received = exhibit.inspect(replace(received, sidecar=specimen.sidecar), limits)
        except UnreadableError:
            return UNCHECKED
        check = self.trusting if anchors else self.without_list
        (outcome,) = check.examine(received)
        return phrase(outcome)


def phrase(outcome: Outcome) -> str:
    """What the reports call an outcome of the credentials check."""
    match outcome:
        case Attestation():
            return outcome.state
        case Nothing():
            return NONE
        case Failed():
            return UNCHECKED
        case Observation() | Measurement() | Skipped():
            return "something else"
        case _:
            assert_never(outcome)


def measure(bench: Bench, reader: Reader, row: Row, carrier: Carrier) -> Iterator[tuple[Specimen, str]]:
    """Every specimen of one cell, and what was read."""
    if row.allowed_in(carrier):
        for specimen in row.make(bench, carrier):
            yield specimen, reader.read(specimen, anchors=row.anchors)


def tabulate(bench: Bench, reader: Reader) -> Table:
    """All rows in all formats."""
    return {
        (row.id, carrier.name): Counter(reading for _, reading in measure(bench, reader, row, carrier))
        for row in ROWS
        for carrier in CARRIERS.values()
    }


_INTRODUCTION = """\
# The tamper matrix

What `assay verify` says of a signed file after each kind of edit, with the number of files tried. Every file is made
while the table is made, from a photograph in six formats, signed by a test authority that the reader trusts. The edits
themselves are in `tests/tamper.py`; nothing in there has the signer's key.

`python -m tests.forensics.tamper_table` rewrites this page. It was measured with c2pa-python {version} (c2pa-rs {sdk});
readings change between releases of that library, so a test compares.
"""

_SECTIONS = (
    ("Untouched", "", INTACT_ROWS),
    (
        "Tampered",
        "Each of these has to read as something else than *trusted* or *intact*.\n"
        "*Could not be checked* ends with exit code 3.",
        TAMPER_ROWS,
    ),
    ("Signed by somebody else, or too long ago", "The bytes are as they were signed.", SIGNER_ROWS),
    (
        "Credentials gone",
        "Nothing tells such a file from one that was never signed; a publisher's rule can require credentials.",
        REMOVAL_ROWS,
    ),
    (
        "Not covered by the signature",
        "The hash of an AVIF leaves out the file type and the manifest's own box, which may end in padding (C2PA 2.2,\n"
        "appendices A.5.3 and A.5.6), and the library that signed these files leaves out boxes of padding, too.\n"
        "No decoder takes picture data from there: a test compares, and the pixels of these files are the signed ones.",
        UNCOVERED_ROWS,
    ),
)


def render(table: Table) -> str:
    """The whole page."""
    parts = [_INTRODUCTION.format(version=version("c2pa-python"), sdk=c2pa.sdk_version()), _totals(table)]
    for heading, text, rows in _SECTIONS:
        parts += [f"## {heading}\n", f"{text}\n" if text else "", *_section(rows, table), ""]
    return "\n".join(parts).replace("\n\n\n", "\n\n").rstrip() + "\n"


def _totals(table: Table) -> str:
    cells = [table[row.id, name] for row in TAMPER_ROWS for name in row.only]
    tried = sum(sum(cell.values()) for cell in cells)
    passed = sum(count for cell in cells for reading, count in cell.items() if reading in HARMLESS)
    least, _ = clopper_pearson(tried - passed, tried)
    return (
        f"{len(TAMPER_ROWS)} kinds of tampering, {len(CARRIERS)} formats, {tried} files: {tried - passed} noticed "
        f"(95 % interval from {least:.1%}).\n"
    )


def _section(rows: tuple[Row, ...], table: Table) -> Iterator[str]:
    notes: list[str] = []
    yield f"| edit | {' | '.join(CARRIERS)} |"
    yield f"|{' --- |' * (len(CARRIERS) + 1)}"
    for row in rows:
        cells = (_cell(row, name, table[row.id, name], notes) for name in CARRIERS)
        yield f"| {row.what} | {' | '.join(cells)} |"
    if notes:
        yield ""
    for number, note in enumerate(notes, 1):
        yield f"{number}. {note}"


def _cell(row: Row, name: str, cell: Cell, notes: list[str]) -> str:
    if name not in row.only:
        return f"—{_note(f'{row.elsewhere[0].upper()}{row.elsewhere[1:]}.', notes)}"
    text = ", ".join(f"{reading} ({count})" for reading, count in sorted(cell.items()))
    variation = row.exceptions.get(name)
    return text + (_note(f"{variation.why[0].upper()}{variation.why[1:]}.", notes) if variation else "")


def _note(text: str, notes: list[str]) -> str:
    if text not in notes:
        notes.append(text)
    return f" [{notes.index(text) + 1}]"


def main() -> None:
    """Measure everything afresh and write the page."""
    authority = Authority.create()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        anchors.add(
            settings,
            authority.anchors,
            kind=trust.ListKind.SIGNERS,
            source="test authority",
            issued=None,
            today=date(2026, 1, 1),
        )
        reader = Reader.create(settings, Path(folder) / "empty")
        DOCUMENT.write_text(render(tabulate(Bench.create(authority, settings), reader)), encoding="utf-8")
    sys.stdout.write(f"wrote {DOCUMENT}\n")


if __name__ == "__main__":
    main()
