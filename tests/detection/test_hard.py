"""Twenty pictures that people took or painted, chosen by eye because detectors stumble over their like.

They lie in public repositories whose files are not copied here: the test needs a folder of git copies of those, named
by ASSAY_COPIES, and says which is missing.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from assay.blobs import copy_of, read_blobs
from assay.jobs.detect import LearnedDetector
from assay.policy import decide
from assay.vocabulary import Exhibit, ExhibitFacts, Measurement, Settings, Skipped
from detection.pictures import opened

with Path(__file__).with_name("hard.csv").open(newline="") as lines:
    HARD = list(csv.DictReader(lines))
COPIES = os.environ.get("ASSAY_COPIES")
"""Read now: no test sees the environment."""


def test_there_are_twenty_of_six_kinds() -> None:
    assert len({listed["blob"] for listed in HARD}) == 20
    kinds = {"night", "scan", "illustration", "screenshot", "tiny", "heavy JPEG"}
    assert {listed["kind"] for listed in HARD} == kinds


@pytest.mark.parametrize("listed", HARD, ids=lambda listed: f"{listed['kind']}-{listed['blob'][:8]}")
def test_a_hard_photograph_is_not_accused(listed: Mapping[str, str], tmp_path: Path) -> None:
    (found,) = LearnedDetector(Settings(home=tmp_path)).examine(_exhibit(listed))
    if isinstance(found, Skipped):
        assert found.reason.startswith("Not measured: ")
        return
    assert isinstance(found, Measurement)
    assert listed["kind"] != "tiny"
    assert decide([found]).claim is None, found.summary


def _exhibit(listed: Mapping[str, str]) -> Exhibit:
    if COPIES is None:
        pytest.skip("ASSAY_COPIES names no folder of git copies")
    copy = copy_of(listed["repository"], Path(COPIES))
    if copy is None:
        pytest.skip(f"{COPIES}: no git copy of github.com/{listed['repository']}")
    (data,) = read_blobs(copy, [listed["blob"]])
    pixels = None if data is None else opened(data)
    if pixels is None:
        pytest.skip(f"{copy}: lacks {listed['path']} ({listed['blob']}), or it cannot be decoded")
    return Exhibit(facts=ExhibitFacts(name=listed["path"]), decoded=pixels)
