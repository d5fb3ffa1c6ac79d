from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from assay import codec
from assay.fingerprint import dhash
from assay.jobs.scan import Row, report_of
from assay.jobs.scan.rows import row_of
from assay.jobs.verify import Examined
from assay.report.as_json import render_lines
from assay.vocabulary import Detail, Report
from tests.assay.jobs.scan.arbitrary import ROWS
from tests.assay.report.arbitrary import anything
from tests.builders import facts, observation, report


def row(made: Report, *, include_personal: bool = False) -> Row:
    pixels = np.random.default_rng(3).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    examined = Examined(report=made, pixels=pixels)
    return row_of(examined, sidecar_sha256=None, include_personal=include_personal, seconds=1.0)


@given(ROWS)
def test_survives_json(value: Row) -> None:
    assert codec.decode(Row, json.loads(json.dumps(codec.encode(value)))) == value


@settings(deadline=None)  # the first example imports pyarrow
@given(anything(Report))
def test_whatever_a_report_says_fits_a_table(made: Report) -> None:
    """A worker that a file has taken over may say anything; one row must not spoil the table."""
    from assay.jobs.scan.table import _schema, _table

    value = row(made)
    assert _table([value], _schema()).num_rows == 1
    assert render_lines([report_of(value)]) == value.report + "\n"


def test_says_what_the_report_says() -> None:
    made = report(observation())
    value = row(made)
    assert (value.path, value.sha256, value.byte_size) == ("photo.jpg", "ab" * 32, 1234)
    assert (value.format, value.width, value.height) == ("JPEG", 64, 48)
    assert (value.claim, value.basis) == (made.verdict.claim, made.verdict.basis)
    assert value.headline == made.verdict.headline
    assert value.error is None
    assert report_of(value) == made


def test_thumbnail_and_hash_are_of_the_pixels() -> None:
    value = row(report())
    assert value.thumbnail is not None
    with Image.open(BytesIO(value.thumbnail)) as small:
        assert (small.format, small.size) == ("JPEG", (96, 64))
    pixels = np.random.default_rng(3).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    assert value.perceptual_hash == dhash(Image.fromarray(pixels))


@pytest.mark.parametrize("include_personal", [True, False])
def test_personal_data_only_where_asked_for(include_personal: bool) -> None:
    made = report(observation(details=(Detail(name="GPS", value="48.2 N", private=True),)))
    assert ("48.2 N" in row(made, include_personal=include_personal).report) is include_personal


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    assert row(report(exhibit=facts(name="a\udcff.png"))).path == "a\\xff.png"
    assert row(report(exhibit=facts(name="a\ud800.png"))).path == "a\\ud800.png"
