from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.errors import ConfigurationError
from assay.jobs import robustness, robustness_null
from assay.jobs.robustness import METHODS, ROWS, Bench, measure, setup_for
from assay.jobs.robustness_results import (
    LEVELS,
    Null,
    Results,
    Row,
    Setup,
    band,
    is_forgery,
    load,
    read,
    render,
    save,
)
from generation import attacks
from generation.adapters import adapter_for
from generation.models import spec_named
from generation.toy import toy_pipeline
from watermark.estimate import level
from watermark.sealed_seed import SealedSeed

# diffusers hands tensors to NumPy 2 in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning:diffusers")

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    spec = replace(spec_named("pocket"), size=64)
    adapter = adapter_for(toy_pipeline(spec, invertible=True), spec)
    setup = setup_for(adapter, count=2, steps=4, guidance=1.0)
    return Bench(setup=setup, adapter=adapter, work=tmp_path_factory.mktemp("work"))


def lookup(results: Results, method: str, name: str) -> Row:
    row = results.row(method, name)
    assert row is not None
    return row


# --- measuring --------------------------------------------------------------------------------------------------------


def test_marks_are_found_with_the_key_and_not_with_another(bench: Bench, tmp_path: Path) -> None:
    rows = [row for row, _ in measure(bench, tmp_path / "r.json", ["sealed-seed"], ["clean", "wrong-key"])]

    assert [row.name for row in rows] == ["clean", "wrong-key"]
    assert all(value < -12 for value in rows[0].log10_p)
    assert all(value > -4 for value in rows[1].log10_p)
    assert rows[0].payload == (True, True)
    assert rows[1].payload is None
    assert rows[0].same == (True, True)


def test_an_interrupted_run_goes_on(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, methods, names = tmp_path / "r.json", ["sealed-seed", "tree-ring"], ["clean", "jpeg-50"]
    first = list(islice(measure(bench, path, methods, names), 3))
    kept = path.read_bytes()
    assert len(read(path).rows) == 3

    drawn: list[str] = []
    monkeypatch.setattr(Bench, "draw", lambda *_: drawn.append("again"))
    rest = list(measure(bench, path, methods, names))

    assert [(row.method, row.name) for row, _ in rest] == [("tree-ring", "jpeg-50")]
    assert drawn == []  # the images of the first run were kept
    assert read(path).rows[:3] == tuple(row for row, _ in first)
    assert len(path.read_bytes()) > len(kept)
    assert list(measure(bench, path, methods, names)) == []


def test_measuring_again_gives_the_same(bench: Bench, tmp_path: Path) -> None:
    once, again = ([row for row, _ in measure(bench, tmp_path / name, ["tree-ring"], ["noise-0.05"])] for name in "ab")

    assert once == again


KINDS = ("registered:scale-0.5", "vae", "regenerate-0.2", "average-1", "forge-average-1", "reprompt", "imprint")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_row_can_be_measured(bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "imprint", partial(attacks.imprint, iterations=1, steps=1))
    row = robustness.measured(replace(bench, setup=replace(bench.setup, count=1)), "sealed-seed", name)

    assert len(row.log10_p) == len(row.same) == 1
    assert all(value <= 0 for value in row.log10_p)
    assert (row.payload is None) == is_forgery(name)


def test_a_blind_row_searches(bench: Bench, tmp_path: Path) -> None:
    one = replace(bench, setup=replace(bench.setup, count=1))
    rows = [row for row, _ in measure(one, tmp_path / "r.json", ["sealed-seed", "tree-ring"], ["blind:turn-90"])]

    assert rows[0].log10_p[0] < -6
    assert len(rows[1].log10_p) == 1


def test_every_row_has_a_meaning() -> None:
    robustness._require_known(METHODS, ROWS)


def test_a_nonce_used_twice_is_found_on_other_content(bench: Bench) -> None:
    row = robustness.measured(bench, "sealed-seed", "nonce-reuse")

    assert all(value < -6 for value in row.log10_p)


def test_averages_of_more_images_than_there_are_are_left_out(bench: Bench, tmp_path: Path) -> None:
    assert list(measure(bench, tmp_path / "r.json", ["sealed-seed"], ["average-10", "forge-average-1000"])) == []


def test_methods_and_rows_have_to_exist(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such watermark"):
        list(measure(bench, tmp_path / "r.json", ["rot13"], ["clean"]))
    with pytest.raises(ConfigurationError, match="no such perturbation"):
        list(measure(bench, tmp_path / "r.json", ["sealed-seed"], ["clean", "wash-3"]))


def test_other_prompts_are_other(bench: Bench) -> None:
    assert all(bench.other_prompt(number) != bench.prompt(number) for number in range(500))


# --- false finds ------------------------------------------------------------------------------------------------------


def test_fresh_keys_count_as_the_watermark_reads_them(bench: Bench) -> None:
    noises = np.random.default_rng(0).standard_normal((3, *bench.shape)).astype(np.float32)
    values = np.stack([level(noise).ravel() for noise in noises])
    prepared = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    statistics = robustness_null._part(bench, "x y", prepared, 1)
    seal = robustness_null.fresh_seal(f"{bench.setup.seed} x y {robustness_null.KEYS + 7}")

    for number in range(3):  # part 1 begins with image 3, in a circle: 0
        assert statistics[7, number] == pytest.approx(SealedSeed().measure(noises[number], seal).statistic, abs=1e-4)


def test_fresh_keys_resume_and_stay_in_the_band(bench: Bench, tmp_path: Path) -> None:
    fresh = Bench(setup=bench.setup, adapter=bench.adapter, work=tmp_path)
    prepared = robustness_null.generated(fresh, 2)
    (tally,) = robustness_null.null(fresh, "generations", prepared, 500)
    (more,) = robustness_null.null(fresh, "generations", prepared, 1500)
    (whole,) = robustness_null.null(replace(fresh, work=tmp_path / "other"), "generations", prepared, 1500)
    result = robustness_null.as_result(whole, "generations", 2)

    assert tally.draws == 500
    assert more == whole
    assert list(robustness_null.null(fresh, "generations", prepared, 1500)) == []
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

    prepared = robustness_null.photographs(bench, tmp_path, 2)

    assert np.linalg.norm(prepared, axis=1) == pytest.approx(1)
    with pytest.raises(ConfigurationError, match="2 photographs, 3 wanted"):
        robustness_null.photographs(bench, tmp_path, 3)


# --- the file and the page --------------------------------------------------------------------------------------------

SETUP = Setup(model="pocket", weights="0" * 16, count=4, steps=20, guidance=3.0, seed=0)


def row(name: str, *values: float, method: str = "sealed-seed", payload: tuple[bool, ...] | None = None) -> Row:
    same = (False,) * len(values) if is_forgery(name) else (True,) * len(values)
    return Row(method=method, name=name, device="cpu", log10_p=values, payload=payload, same=same)


def full() -> Results:
    rows = (
        row("clean", -200.0, -13.0, -7.0, -1.0, payload=(True, True, True, False)),
        row("clean", -8.0, -8.0, -8.0, -0.5, method="tree-ring"),
        row("reprompt", -9.0, -9.0, 0.0, 0.0),
    )
    null = Null(
        images="photographs", count=10, draws=10**7, each=20, exceeding=(10**5, 10**4, 999, 101, 9), uniform_p=0.4
    )
    return Results(setup=SETUP, rows=rows, nulls=(null,))


def test_a_results_file_reads_back(tmp_path: Path) -> None:
    save(tmp_path / "r.json", full())

    assert load(tmp_path / "r.json", SETUP) == full()


def test_results_of_another_setup_are_not_added_to(tmp_path: Path) -> None:
    save(tmp_path / "r.json", full())

    with pytest.raises(ConfigurationError, match="was measured with"):
        load(tmp_path / "r.json", replace(SETUP, seed=1))


@pytest.mark.parametrize("content", ["", "[]", '{"setup": 3}', "{}"])
def test_what_is_no_results_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.json").write_text(content)

    with pytest.raises(ConfigurationError, match="not a results file"):
        read(tmp_path / "r.json")


def test_the_page_says_what_the_file_holds() -> None:
    page = render(full())

    assert "| clean | 4 | 0.750 [0.194, 0.994] | 0.750 [0.194, 0.994] |" in page  # found, by R's binom.test(3, 4)
    assert "| clean | 4 | 0.500 [0.068, 0.932] | 0.000 [0.000, 0.602] |" in page  # with a million keys
    assert "| clean | 4 | 0.750 [0.194, 0.994] | no payload |" in page
    assert "| reprompt | 4 | 1.000 [0.158, 1.000] |  |" in page  # transplanted, of the two that were found
    assert "9 [2, 22]" in page


def test_the_committed_page_is_that_of_the_committed_results() -> None:
    results = DOCS / "robustness.json"
    if not results.exists():
        pytest.skip("no results were committed yet")

    assert (DOCS / "robustness.md").read_text() == render(read(results))
