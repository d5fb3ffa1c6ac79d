from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.errors import ConfigurationError
from assay.jobs.robustness import null
from assay.jobs.robustness.bench import Bench
from assay.jobs.robustness.page import band
from assay.jobs.robustness.results import LEVELS
from watermark import blind
from watermark.estimate import level
from watermark.sealed_seed import SealedSeed

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning:diffusers")


def test_fresh_keys_count_as_the_watermark_reads_them(bench: Bench) -> None:
    noises = np.random.default_rng(0).standard_normal((3, *bench.shape)).astype(np.float32)
    values = np.stack([level(noise).ravel() for noise in noises])
    prepared = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    statistics = null._part(bench, "x y", prepared, 1)
    seal = null.fresh_seal(f"{bench.setup.seed} x y {null.KEYS + 7}")

    for number in range(3):  # part 1 begins with image 3, in a circle: 0
        assert statistics[7, number] == pytest.approx(SealedSeed().measure(noises[number], seal).statistic, abs=1e-4)


def test_fresh_keys_resume_and_stay_in_the_band(bench: Bench, tmp_path: Path) -> None:
    fresh = Bench(setup=bench.setup, adapter=bench.adapter, work=tmp_path)
    prepared = null.generated(fresh, 2)
    (tally,) = null.null(fresh, "generations", prepared, 500)
    (more,) = null.null(fresh, "generations", prepared, 1500)
    (whole,) = null.null(replace(fresh, work=tmp_path / "other"), "generations", prepared, 1500)
    result = null.as_result(whole, "generations", 2)

    assert tally.draws == 500
    assert more == whole
    assert list(null.null(fresh, "generations", prepared, 1500)) == []
    assert result.each == 2
    for count, probability in zip(result.exceeding, LEVELS, strict=True):
        low, high = band(result.draws, probability)
        assert low <= count <= high
    assert result.uniform_p > 0.001


def test_photographs_are_cut_to_squares(bench: Bench, tmp_path: Path) -> None:
    for number in range(2):
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (70, 90, 3), np.uint8)).save(
            tmp_path / f"{number}.png"
        )

    prepared = null.photographs(bench, tmp_path, 2)

    assert np.linalg.norm(prepared, axis=1) == pytest.approx(1)
    with pytest.raises(ConfigurationError, match="2 photographs, 3 wanted"):
        null.photographs(bench, tmp_path, 3)


def test_fresh_keys_are_searched_for_as_blind_reading_does(bench: Bench, tmp_path: Path) -> None:
    fresh = replace(bench, work=tmp_path)
    pictures = fresh.plain
    (tally,) = null.searched(fresh, pictures, 8)
    first = blind.survey(pictures[0], bench.size, bench.shape[1:], lambda many: null.in_batches(bench, many), level)
    seal = null.fresh_seal(f"{bench.setup.seed} searched 0")
    found = blind.search(first, null.template(seal, bench.shape))
    result = null.as_result(tally, null.SEARCHED, 2)

    assert tally.draws == null.SEARCHED_KEYS * 2
    assert tally.sample[0] == pytest.approx(10**found.log10_p, abs=1e-6)
    assert result.uniform_p is None
    assert result.exceeding[-1] == 0
    assert list(null.searched(fresh, pictures, 8)) == []
