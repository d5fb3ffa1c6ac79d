"""Files that were made, or found, to hurt a reader: one report each, in time, and nothing else happens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.jobs.verify import examine
from assay.vocabulary import Failed, Limits, Nothing, Settings, Skipped
from tests.benchmarks.endurance import Endurance, endure, in_a_fresh_process
from tests.bombs import ENDLESS, REDUCED, SURVIVED, TOO_LARGE, jpeg_9000
from tests.seeds import encoded

CORPUS = 1_028
REFUSAL_SECONDS = 0.5
"""Measured: 1 to 30 ms from the header. The bound leaves room for a busy machine, and is far below decoding one."""
READ_IN_FULL = frozenset({"tiff-500-pages.tif"})
"""What is not known from its header: the metadata of every page are read."""


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
    assert failures(run, set(TOO_LARGE)) == set()
    assert run.readings[str(harmless)] == "no credentials"
    assert set(run.census()) == {"failed", "no credentials"}  # never anybody's attestation


@pytest.mark.parametrize("name", TOO_LARGE)
def test_of_what_is_too_large_only_the_pixels_are_left_out(bombs: Path, settings: Settings, name: str) -> None:
    (report,) = examine([bombs / name], settings=settings, workers=1, decode=True, previews=True)
    said = {outcome.check: outcome for outcome in report.outcomes}
    assert report.failures == ()
    assert said["credentials"] == Nothing(check="credentials")
    assert said["metadata"] == Nothing(check="metadata")
    assert report.preview is None
    skipped = said["decode"]
    assert isinstance(skipped, Skipped)
    assert " more than " in skipped.reason
    assert ("Raise --max-frames" if "500-" in name else "Raise --max-pixels") in skipped.reason


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / REDUCED
    path.write_bytes(jpeg_9000())
    run = in_a_fresh_process(endure, [path], settings)
    assert run.failures == ()
    assert run.readings[str(path)] == "no credentials"


def test_leaving_the_pixels_out_takes_milliseconds(bombs: Path, settings: Settings) -> None:
    harmless = bombs / "harmless.png"
    paths = [bombs / name for name in TOO_LARGE if name not in READ_IN_FULL]
    run = in_a_fresh_process(endure, [harmless, harmless, *paths], settings)  # the first of each worker waits
    assert {path.name for path in paths if run.seconds[str(path)] > REFUSAL_SECONDS} == set()


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
