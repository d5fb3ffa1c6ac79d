from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from assay.errors import ConfigurationError
from assay.jobs.scan import read_journal, read_rows
from assay.vocabulary import Settings
from dashboard.scanning import Scan, Scans, scans
from tests.dashboard import session

FILES = 40


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(FILES):
        Image.new("RGB", (40, 30), (number * 6, 9, 9)).save(folder / f"{number:02}.png")
    return sorted(folder.iterdir())


def ended(this: Scan) -> Scan:
    assert this.thread is not None
    this.thread.join(60)
    assert not this.is_running
    return this


def test_a_scan_runs_to_its_end_behind_the_page(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "t.parquet"
    all_of = Scans()
    assert all_of.get(out) is None
    begun = all_of.start(pictures, out, settings)
    assert begun.is_running
    assert all_of.get(out) is begun
    assert (ended(begun).done, begun.total, begun.error) == (FILES, FILES, None)
    assert [row.path for row in read_rows(out)] == list(map(str, pictures))


def test_one_table_has_one_scan_at_a_time(
    pictures: list[Path], tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "t.parquet"
    all_of = Scans()
    begun = all_of.start(pictures, out, settings)
    monkeypatch.chdir(tmp_path)
    assert all_of.start(pictures[:1], Path("t.parquet"), settings) is begun
    begun.stopping.set()
    ended(begun)


def test_a_stopped_scan_goes_on_where_it_was(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "t.parquet"
    all_of = Scans()
    stopped = all_of.start(pictures, out, settings)
    session.wait(lambda: stopped.done > 2)
    stopped.stopping.set()
    ended(stopped)
    assert 2 < stopped.done < FILES
    assert not out.exists()
    before = read_journal(out)
    resumed = all_of.start(pictures, out, settings)
    assert resumed is not stopped
    assert ended(resumed).done == FILES
    rows = {row.path: row for row in read_rows(out)}
    assert len(rows) == FILES
    assert [rows[row.path] for row in before] == before, "kept, and not examined again"


def test_what_ends_a_scan_is_kept_for_the_page(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    failed = ended(Scans().start(pictures, tmp_path / "missing" / "t.parquet", settings))
    assert isinstance(failed.error, ConfigurationError)
    assert "cannot be written" in str(failed.error)


def test_whatever_it_was(tmp_path: Path, settings: Settings) -> None:
    failed = ended(Scans().start([object()], tmp_path / "t.parquet", settings))  # type: ignore[list-item]
    assert failed.error is not None
    assert str(failed.error).startswith("the scan stopped: ")
    assert failed.error.hint


def test_all_sessions_see_the_same_scans() -> None:
    assert scans() is scans()
