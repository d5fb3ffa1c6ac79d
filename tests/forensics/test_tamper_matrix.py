"""Every kind of edit in every format: what is tampered with has to be noticed, and what is not, must not be accused."""

from __future__ import annotations

from io import BytesIO

import c2pa
import pytest
from c2pa import Context

from assay.vocabulary import Attestation, Settings
from forensics.trust import load, reader_settings
from tests import tamper
from tests.authority import Authority
from tests.carriers import CARRIERS, Carrier
from tests.forensics.box_rows import NOTHING_ROWS
from tests.forensics.gap_rows import METADATA_ROWS
from tests.forensics.manifest_rows import MANIFEST_ROWS
from tests.forensics.stamp_rows import FORGED_STAMP_ROWS
from tests.forensics.tamper_rows import (
    BROKEN,
    HISTORY,
    PADDING_ROWS,
    TAMPER_ROWS,
    TRUSTED,
    UNCHECKED,
    UNCOVERED,
    Bench,
    Row,
    Specimen,
    trusting,
)
from tests.forensics.tamper_table import DOCUMENT, GAP_ROWS, HARMLESS, ROWS, Reader, measure, render, tabulate
from tests.seeds import encoded

CELLS = [
    pytest.param(row, carrier, id=f"{row.id}-{carrier.name}")
    for row in ROWS
    for carrier in CARRIERS.values()
    if row.allowed_in(carrier)
]
GAP_CELLS = [cell for cell in CELLS if cell.values[0] in GAP_ROWS + METADATA_ROWS + NOTHING_ROWS]
BREAKS_COMPRESSION = {"truncated", "picture-byte", "sidecar-changed", "laundered-parent", "laundered-twice", "detached"}
"""Edits that hit picture data; and `detached`, which moves it in AVIF. The others leave a file that opens."""


@pytest.fixture(scope="module")
def stamps() -> Authority:
    """An authority in the list of those whose time stamps count."""
    return Authority.create("Assay Test Stamps")


@pytest.fixture(scope="module")
def settings(authority: Authority, stamps: Authority, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return trusting(tmp_path_factory.mktemp("trusting"), authority, stamps)


@pytest.fixture(scope="module")
def bench(authority: Authority, stamps: Authority, settings: Settings) -> Bench:
    return Bench.create(authority, stamps, settings)


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


@pytest.mark.parametrize("row", PADDING_ROWS, ids=lambda row: row.id)
def test_padding_that_the_signature_does_not_cover_changes_no_pixel(bench: Bench, row: Row) -> None:
    for name in row.only:
        carrier = CARRIERS[name]
        for specimen in row.make(bench, carrier):
            assert tamper.same_picture(specimen.data, bench.signed(carrier))


@pytest.mark.parametrize(("row", "carrier"), GAP_CELLS)
def test_a_gap_in_the_hash_is_noticed_or_changes_no_pixel(
    bench: Bench, reader: Reader, row: Row, carrier: Carrier
) -> None:
    is_same = tamper.same_picture if row in METADATA_ROWS else tamper.is_shown_alike
    for specimen, reading in measure(bench, reader, row, carrier):
        if specimen.before is not None:
            assert reading not in HARMLESS or is_same(specimen.data, specimen.before)


@pytest.mark.parametrize(("row", "carrier"), [cell for cell in GAP_CELLS if cell.values[0] in GAP_ROWS])
def test_each_edit_in_a_gap_shows_another_picture(bench: Bench, row: Row, carrier: Carrier) -> None:
    for specimen in row.make(bench, carrier):
        if specimen.before is not None:
            assert not tamper.is_shown_alike(specimen.data, specimen.before)


@pytest.mark.parametrize(("row", "carrier"), GAP_CELLS)
def test_the_library_alone_does_not_notice_a_gap(bench: Bench, row: Row, carrier: Carrier) -> None:
    """Else these rows would prove nothing: the attacks leave a signature that holds."""
    context = Context.from_dict(reader_settings(load(bench.settings)))
    for specimen in row.make(bench, carrier):
        with c2pa.Reader(carrier.mime, BytesIO(specimen.data), specimen.sidecar, context=context) as found:
            assert (found.get_validation_state() == "Trusted") is (row.expected != BROKEN)


@pytest.mark.parametrize(("row", "carrier"), [cell for cell in GAP_CELLS if cell.values[0] in METADATA_ROWS])
def test_metadata_outside_the_hash_is_named(bench: Bench, reader: Reader, row: Row, carrier: Carrier) -> None:
    name = {"gap-xmp": "XMP", "gap-profile": "colour profile"}.get(row.id, "EXIF")
    for specimen in row.make(bench, carrier):
        found = reader.outcome(specimen)
        assert isinstance(found, Attestation)
        assert "The file is as it was when it was signed" not in found.summary
        assert name in found.summary


def test_no_expectation_lets_tampering_pass() -> None:
    noticed = {BROKEN, HISTORY, UNCHECKED, UNCOVERED}
    rows = TAMPER_ROWS + MANIFEST_ROWS + GAP_ROWS
    assert all(row.allowed_in(carrier) <= noticed for row in rows for carrier in CARRIERS.values())
    assert all(TRUSTED not in row.allowed_in(carrier) for row in FORGED_STAMP_ROWS for carrier in CARRIERS.values())


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
