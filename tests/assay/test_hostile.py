"""Files that were made, or found, to hurt a reader: one report each, in time, and nothing else happens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.jobs.verify import examine
from assay.vocabulary import Failed, Limits, Settings
from tests.benchmarks.endurance import Endurance, endure, in_a_fresh_process
from tests.bombs import ENDLESS, SURVIVED, TOO_LARGE
from tests.seeds import encoded

CORPUS = 1_028
REFUSAL_SECONDS = 0.5
"""Measured: 2 to 20 ms from the header. The bound leaves room for a busy machine, and is far below decoding one."""


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bombs")
    for name, build in {**TOO_LARGE, **SURVIVED}.items():
        (folder / name).write_bytes(build())
    (folder / "harmless.png").write_bytes(encoded("PNG"))
    return folder


def failures(run: Endurance, names: set[str]) -> set[str]:
    """Names of those files whose reading is a failure."""
    read = {Path(path).name: reading for path, reading in run.readings.items()}
    return {name for name in names if read[name].startswith("failed: ")}


@pytest.mark.parametrize("half", [0, 1])
def test_every_file_of_the_hostile_corpus_gets_its_report(shared: Path, settings: Settings, half: int) -> None:
    corpus = sorted(path for path in (shared / "hostile").rglob("*") if path.is_file())
    assert len(corpus) == CORPUS
    paths = corpus[half::2]
    run = in_a_fresh_process(endure, paths, settings)
    assert run.failures == ()
    assert set(run.readings) == {str(path) for path in paths}
    opened = run.census()["no credentials"]
    assert (
        opened > len(paths) // 2
    )  # most of these files are odd, yet fine; a reader that refuses them all is no reader


def test_bombs_are_survived(bombs: Path, settings: Settings) -> None:
    harmless = bombs / "harmless.png"
    run = in_a_fresh_process(endure, sorted(bombs.iterdir()), settings)
    assert run.failures == ()
    assert failures(run, set(TOO_LARGE)) == set(TOO_LARGE)
    assert run.readings[str(harmless)] == "no credentials"
    assert set(run.census()) == {"failed", "no credentials"}  # never anybody's attestation


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused_from_the_header(bombs: Path, settings: Settings, name: str) -> None:
    (report,) = examine([bombs / name], settings=settings, workers=1, decode=True)
    (failed,) = report.failures
    assert isinstance(failed, Failed)
    assert failed.check == "exhibit"
    assert str(bombs / name) in failed.error
    assert " more than " in failed.error


def test_refusing_takes_milliseconds(bombs: Path, settings: Settings) -> None:
    harmless = bombs / "harmless.png"
    paths = [harmless, harmless, *(bombs / name for name in TOO_LARGE)]  # the first of each worker waits for its start
    run = in_a_fresh_process(endure, paths, settings)
    assert {
        name: run.seconds[str(bombs / name)] for name in TOO_LARGE if run.seconds[str(bombs / name)] > REFUSAL_SECONDS
    } == {}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_million_pieces_end_with_the_clock(tmp_path: Path, settings: Settings, name: str) -> None:
    """The readers need longer than anybody wants to wait; the file costs its time, and the next one is fine."""
    bomb, harmless = tmp_path / name, tmp_path / "harmless.png"
    bomb.write_bytes(ENDLESS[name]())
    harmless.write_bytes(encoded("PNG"))
    hasty = replace(settings, limits=Limits(seconds=1.0))
    first, second = examine([bomb, harmless], settings=hasty, workers=1)
    (failed,) = first.failures
    assert isinstance(failed, Failed)
    assert str(bomb) in failed.error
    assert second.failures == ()


def test_the_counters_count(tmp_path: Path, settings: Settings) -> None:
    """A run that cannot be in time is reported as such: the bounds above are not empty."""
    path = tmp_path / "harmless.png"
    path.write_bytes(encoded("PNG"))
    run = endure([path], replace(settings, limits=Limits(seconds=0.0001)))
    assert run.slow
    assert run.failures
