"""Measures the tamper matrix and draws it: `python -m tests.forensics.tamper_table` rewrites `docs/tamper.md`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import assert_never

import c2pa

from assay import exhibit
from assay.errors import UnreadableError
from assay.stats import clopper_pearson
from assay.vocabulary import Attestation, Failed, Measurement, Nothing, Observation, Outcome, Settings, Skipped
from forensics.credentials import Credentials
from tests.authority import Authority
from tests.carriers import CARRIERS, Carrier
from tests.forensics.box_rows import BOX_ROWS, NOTHING_ROWS
from tests.forensics.gap_rows import METADATA_ROWS, PICTURE_ROWS
from tests.forensics.manifest_rows import MANIFEST_ROWS
from tests.forensics.stamp_rows import BORROWED_ROWS, FORGED_STAMP_ROWS, STAMP_ROWS
from tests.forensics.tamper_rows import (
    INTACT_ROWS,
    NONE,
    PADDING_ROWS,
    REMOVAL_ROWS,
    SIGNER_ROWS,
    STRANGER,
    TAMPER_ROWS,
    TRUSTED,
    UNCHECKED,
    Bench,
    Row,
    Specimen,
    trusting,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "tamper.md"
GAP_ROWS = PICTURE_ROWS + BOX_ROWS
NOTICED_ROWS = TAMPER_ROWS + MANIFEST_ROWS + GAP_ROWS + FORGED_STAMP_ROWS
"""Every one of these has to be noticed."""
ROWS = (
    *INTACT_ROWS,
    *TAMPER_ROWS,
    *MANIFEST_ROWS,
    *METADATA_ROWS,
    *NOTHING_ROWS,
    *GAP_ROWS,
    *PADDING_ROWS,
    *SIGNER_ROWS,
    *BORROWED_ROWS,
    *STAMP_ROWS,
    *FORGED_STAMP_ROWS,
    *REMOVAL_ROWS,
)
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
        try:
            return phrase(self.outcome(specimen, anchors=anchors))
        except UnreadableError:
            return UNCHECKED

    def outcome(self, specimen: Specimen, *, anchors: bool = True) -> Outcome:
        """Return what the check says of the state; hints that it adds are left out."""
        limits = self.settings.limits
        received = exhibit.receive(specimen.data, f"specimen{specimen.carrier.extension}", limits)
        received = exhibit.inspect(replace(received, sidecar=specimen.sidecar), limits)
        outcome, *_ = (self.trusting if anchors else self.without_list).examine(received)
        return outcome


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
themselves are in `tests/tamper.py`; nothing in there has the signer's key. Manifests that the C2PA library would not
write are minted by `tests/forge`.

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
    (
        "Against the standard",
        "Signed as they are by the signer that the reader trusts. The picture need not have changed; the manifest\n"
        "says nothing that counts.",
        MANIFEST_ROWS,
    ),
    (
        "Picture data that the signer left out of the hash",
        "Whoever signs chooses what the hash leaves out. Here that reaches what the picture is made of: anybody can\n"
        "change the picture, and the signature still holds. Each file was read as it was signed, where the row does\n"
        "not say otherwise, and after its picture was changed without a key; a test compares the pixels.",
        PICTURE_ROWS,
    ),
    (
        "Boxes that the signer left out of the hash",
        "The same for the boxes of an AVIF: those that hold picture data, and those that say where it lies, which\n"
        "item is shown, and how. HEIC has the same boxes.",
        BOX_ROWS,
    ),
    (
        "Metadata that the signer left out of the hash",
        "Read as signed, and after the metadata was changed. The pixels are the signed ones; the summary names what\n"
        "the hash does not cover.",
        METADATA_ROWS + NOTHING_ROWS,
    ),
    ("Signed by somebody else, or too long ago", "The bytes are as they were signed.", SIGNER_ROWS + BORROWED_ROWS),
    (
        "Time stamps that count",
        "The authority is in the reader's list of time-stamp authorities, or nothing depends on the stamp.",
        STAMP_ROWS,
    ),
    (
        "Time stamps that do not count",
        "The certificate has expired, or is not good yet, and the stamp is to show that the file was signed in time.\n"
        "Whoever made these files had the key of the certificate.",
        FORGED_STAMP_ROWS,
    ),
    (
        "Credentials gone",
        "Nothing tells such a file from one that was never signed; a publisher's rule can require credentials.",
        REMOVAL_ROWS,
    ),
    (
        "Padding that the signature does not cover",
        "The hash of an AVIF leaves out the file type and the manifest's own box, which may end in padding (C2PA 2.2,\n"
        "appendices A.5.3 and A.5.6), and the library that signed these files leaves out boxes of padding, too.\n"
        "No picture data lies there: a test compares, and the pixels of these files are the signed ones.",
        PADDING_ROWS,
    ),
)


def render(table: Table) -> str:
    """The whole page."""
    parts = [_INTRODUCTION.format(version=version("c2pa-python"), sdk=c2pa.sdk_version()), _totals(table)]
    for heading, text, rows in _SECTIONS:
        parts += [f"## {heading}\n", f"{text}\n" if text else "", *_section(rows, table), ""]
    return "\n".join(parts).replace("\n\n\n", "\n\n").rstrip() + "\n"


def _totals(table: Table) -> str:
    cells = [table[row.id, name] for row in NOTICED_ROWS for name in row.only]
    tried = sum(sum(cell.values()) for cell in cells)
    passed = sum(count for cell in cells for reading, count in cell.items() if reading in HARMLESS)
    least, _ = clopper_pearson(tried - passed, tried)
    return (
        f"{len(NOTICED_ROWS)} kinds of tampering and forgery, {len(CARRIERS)} formats, {tried} files: "
        f"{tried - passed} noticed (95 % interval from {least:.1%}).\n"
    )


def _section(rows: tuple[Row, ...], table: Table) -> Iterator[str]:
    notes: list[str] = []
    names = [name for name in CARRIERS if any(name in row.only for row in rows)]
    yield f"| edit | {' | '.join(names)} |"
    yield f"|{' --- |' * (len(names) + 1)}"
    for row in rows:
        cells = (_cell(row, name, table[row.id, name], notes) for name in names)
        yield f"| {row.what} | {' | '.join(cells)} |"
    if notes:
        yield ""
    for number, note in enumerate(notes, 1):
        yield f"{number}. {note}"


def _cell(row: Row, name: str, cell: Cell, notes: list[str]) -> str:
    if name not in row.only:
        return f"—{_note(f'{row.elsewhere[0].upper()}{row.elsewhere[1:]}.', notes) if row.elsewhere else ''}"
    text = ", ".join(f"{reading} ({count})" for reading, count in sorted(cell.items()))
    variation = row.exceptions.get(name)
    return text + (_note(f"{variation.why[0].upper()}{variation.why[1:]}.", notes) if variation else "")


def _note(text: str, notes: list[str]) -> str:
    if text not in notes:
        notes.append(text)
    return f" [{notes.index(text) + 1}]"


def main() -> None:
    """Measure everything afresh and write the page."""
    authority, stamps = Authority.create(), Authority.create("Assay Test Stamps")
    with tempfile.TemporaryDirectory() as folder:
        settings = trusting(Path(folder) / "home", authority, stamps)
        reader = Reader.create(settings, Path(folder) / "empty")
        table = tabulate(Bench.create(authority, stamps, settings), reader)
        DOCUMENT.write_text(render(table), encoding="utf-8")
    sys.stdout.write(f"wrote {DOCUMENT}\n")


if __name__ == "__main__":
    main()
