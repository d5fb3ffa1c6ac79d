from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binom

from assay import catalog
from assay.errors import ConfigurationError
from assay.jobs.robustness import curves, pixel_page
from assay.jobs.robustness.kept import load, read
from assay.jobs.robustness.pixels import PixelResults, PixelSetup, least_matching, measure, photographs
from assay.vocabulary import PixelReading, Pixels, PixelSearch
from tests.pictures import photograph
from tests.watermark_table import PIXELS

METHODS = {"spread": catalog.pixel_watermark("spread")}


class Careless:
    """Leaves pictures as they are, and reads a number that shares all but two bits with the first payload."""

    id = "careless"
    version = 1

    def __init__(self, payload: int) -> None:
        self.payload = payload

    def bits(self, size: tuple[int, int]) -> int:  # noqa: ARG002
        return 48

    def mark(self, pixels: Pixels, secret: bytes, payload: int) -> Pixels:  # noqa: ARG002
        return pixels

    def read(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelReading | None:  # noqa: ARG002
        return PixelReading(key=0, payload=self.payload, bits=48, log10_p=0.0, tries=1, matrix=np.eye(3))

    def search(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelSearch:  # noqa: ARG002
        found = self.read(pixels, secrets)
        return PixelSearch(readings=() if found is None else (found,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "below").mkdir(parents=True)
    for number in range(2):
        Image.fromarray(photograph(number)).save(tmp_path / "in" / "below" / f"{number}.png")
    return tmp_path / "in"


def test_rows_are_measured_once(folder: Path, tmp_path: Path) -> None:
    pictures = photographs(folder, count=5, side=300, words=None)
    out = tmp_path / "results.json"
    names = ("clean", "jpeg-50", "wrong-key")
    rows = list(measure(pictures, out, METHODS, names))
    assert [row.name for row in rows] == list(names)
    assert rows[0].exact == rows[0].found == (True, True)
    assert rows[2].found == (False, False)
    assert list(measure(pictures, out, METHODS, names)) == []
    results = read(out, PixelResults)
    (quality,) = results.qualities
    assert min(quality.psnr) >= 40
    assert quality.bits == 48
    assert results.setup.pictures == "in, 300 pixels a side"


def test_found_is_less_than_exact(folder: Path, tmp_path: Path) -> None:
    pictures = photographs(folder, count=1, side=None, words="two parts of photographs")
    careless = Careless(0)
    careless.payload = pictures.payload(careless, 0) ^ 0b101
    (row,) = measure(pictures, tmp_path / "results.json", {"careless": careless}, ("clean",))
    assert (row.found, row.exact) == ((True,), (False,))
    page = pixel_page.render({"pixels/x.png": read(tmp_path / "results.json", PixelResults)})
    assert "## Two parts of photographs: 1 pictures" in page
    assert "pixels/x.png" not in page
    assert "| clean | 1 | 0.000 [0.000, 0.975] |" in page
    assert "| clean | 1 | 1.000 [0.025, 1.000] |" in page


def test_rows_of_one_kind_are_a_curve(folder: Path, tmp_path: Path) -> None:
    pictures = photographs(folder, count=1, side=256, words=None)
    names = ("jpeg-90", "clean", "jpeg-20", "rotate-7+crop-75", "jpeg-50", "blur-2")
    list(measure(pictures, tmp_path / "results.json", METHODS, names))
    results = read(tmp_path / "results.json", PixelResults)
    assert curves.kinds(results) == {"jpeg": {20: "jpeg-20", 50: "jpeg-50", 90: "jpeg-90"}}
    assert "](pixels/x.png)" in pixel_page.render({"pixels/x.png": results})
    with Image.open(BytesIO(curves.drawn(results))) as image:
        assert image.format == "PNG"
        assert np.asarray(image.convert("L")).std() > 5


@pytest.mark.parametrize("bits", [16, 32, 48])
def test_the_least_that_coins_seldom_reach(bits: int) -> None:
    least = least_matching(bits)
    assert binom.sf(least - 1, bits, 0.5) <= 1e-6 or least == bits + 1
    assert binom.sf(least - 2, bits, 0.5) > 1e-6


def test_what_cannot_be_measured_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no pictures"):
        photographs(tmp_path / "nowhere", count=1, side=None, words=None)
    pictures = photographs(folder, count=1, side=None, words=None)
    with pytest.raises(ConfigurationError, match="no such perturbation"):
        list(measure(pictures, tmp_path / "x.json", METHODS, ("shaken",)))
    list(measure(pictures, tmp_path / "x.json", METHODS, ("clean",)))
    with pytest.raises(ConfigurationError, match="was measured with"):
        load(tmp_path / "x.json", PixelResults(setup=replace(pictures.setup, seed=9)))
    (tmp_path / "y.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="not a results file"):
        load(tmp_path / "y.json", PixelResults(setup=PixelSetup(pictures="", digest="", count=1, seed=0)))


def test_the_page_is_what_the_results_say() -> None:
    found = {f"{PIXELS.name}/{path.stem}.png": read(path, PixelResults) for path in sorted(PIXELS.glob("*.json"))}
    assert PIXELS.with_suffix(".md").read_text() == pixel_page.render(found)
