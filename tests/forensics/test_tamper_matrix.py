"""Every kind of edit in every format: what is tampered with has to be noticed, and what is not, must not be accused."""

from __future__ import annotations

import pytest

from assay.vocabulary import Settings
from tests import tamper
from tests.authority import Authority
from tests.carriers import CARRIERS, Carrier
from tests.forensics.tamper_rows import (
    BROKEN,
    HISTORY,
    ROWS,
    TAMPER_ROWS,
    TRUSTED,
    UNCHECKED,
    UNCOVERED_ROWS,
    Bench,
    Row,
    Specimen,
)
from tests.forensics.tamper_table import DOCUMENT, Reader, measure, render, tabulate
from tests.seeds import encoded

CELLS = [
    pytest.param(row, carrier, id=f"{row.id}-{carrier.name}")
    for row in ROWS
    for carrier in CARRIERS.values()
    if row.allowed_in(carrier)
]
BREAKS_COMPRESSION = {"truncated", "picture-byte", "sidecar-changed", "laundered-parent", "laundered-twice", "detached"}
"""Edits that hit picture data; and `detached`, which moves it in AVIF. The others leave a file that opens."""


@pytest.fixture(scope="module")
def bench(authority: Authority, settings: Settings) -> Bench:
    return Bench.create(authority, settings)


@pytest.fixture(scope="module")
def reader(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader.create(settings, tmp_path_factory.mktemp("empty"))


@pytest.mark.parametrize(("row", "carrier"), CELLS)
def test_each_edit_reads_as_it_has_to(bench: Bench, reader: Reader, row: Row, carrier: Carrier) -> None:
    measured = list(measure(bench, reader, row, carrier))
    assert measured
    assert {reading for _, reading in measured} <= row.allowed_in(carrier)


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("row", TAMPER_ROWS, ids=lambda row: row.id)
def test_each_tampered_file_differs_from_the_signed_one(bench: Bench, row: Row, carrier: Carrier) -> None:
    untouched = {(bench.signed(carrier), None), (encoded(carrier.name), bench.sidecar(carrier))}
    if row.allowed_in(carrier):
        assert not untouched & {(specimen.data, specimen.sidecar) for specimen in row.make(bench, carrier)}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("row", [row for row in ROWS if row.id not in BREAKS_COMPRESSION], ids=lambda row: row.id)
def test_an_edit_leaves_a_file_that_opens(bench: Bench, row: Row, carrier: Carrier) -> None:
    if row.allowed_in(carrier):
        assert all(tamper.is_openable(specimen.data) for specimen in row.make(bench, carrier))


@pytest.mark.parametrize("row", UNCOVERED_ROWS, ids=lambda row: row.id)
def test_what_the_signature_does_not_cover_changes_no_pixel(bench: Bench, row: Row) -> None:
    for name in row.only:
        carrier = CARRIERS[name]
        for specimen in row.make(bench, carrier):
            assert tamper.same_picture(specimen.data, bench.signed(carrier))


def test_no_expectation_lets_tampering_pass() -> None:
    noticed = {BROKEN, HISTORY, UNCHECKED}
    assert all(row.allowed_in(carrier) <= noticed for row in TAMPER_ROWS for carrier in CARRIERS.values())


def test_the_matrix_is_as_large_as_promised() -> None:
    everywhere = [row for row in TAMPER_ROWS if len(row.only) == len(CARRIERS)]
    assert len(everywhere) >= 14
    assert set(CARRIERS) == {"JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF"}


def test_the_published_table_is_what_is_measured_now(bench: Bench, reader: Reader) -> None:
    table = tabulate(bench, reader)
    assert DOCUMENT.read_text(encoding="utf-8") == render(table), "run: python -m tests.forensics.tamper_table"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_manifest_put_back_by_hand_verifies(bench: Bench, reader: Reader, name: str) -> None:
    """The attacks put manifests in place well enough to be read, so they are not noticed for being clumsy."""
    carrier = CARRIERS[name]
    signed = bench.signed(carrier)
    again = carrier.embed(carrier.strip(signed), carrier.store(signed))
    assert reader.read(Specimen(carrier=carrier, data=again)) == TRUSTED
