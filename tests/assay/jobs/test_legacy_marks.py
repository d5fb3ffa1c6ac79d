from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.jobs.legacy_marks import LegacyWatermark
from assay.policy import decide
from assay.vocabulary import Basis, Claim, Nothing, Observation, Settings
from tests.assay.jobs.studio import exhibit_of
from tests.pictures import photograph
from tests.watermark.legacy_embedder import embed
from watermark.legacy import MESSAGES


def test_a_public_mark_is_noted_and_no_more(tmp_path: Path) -> None:
    message = next(message for message in MESSAGES if message.name == "SDXL")
    pixels = embed(photograph(1), message.bits, "uint8 BGR")
    (outcome,) = LegacyWatermark(Settings(home=tmp_path)).examine(exhibit_of(pixels))
    assert isinstance(outcome, Observation)
    assert (outcome.signal, outcome.claim) == ("legacy-watermark", Claim.GENERATED)
    assert "SDXL" in outcome.summary
    verdict = decide((outcome,))
    assert (verdict.claim, verdict.basis) == (Claim.GENERATED, Basis.NOTED)


def test_a_photograph_has_none(tmp_path: Path) -> None:
    check = LegacyWatermark(Settings(home=tmp_path))
    assert isinstance(check.examine(exhibit_of(photograph(0)))[0], Nothing)
    assert isinstance(check.examine(exhibit_of(np.zeros((8, 8, 3), np.uint8)))[0], Nothing)
