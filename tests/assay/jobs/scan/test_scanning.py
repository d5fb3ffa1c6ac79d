from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from assay import codec
from assay.errors import ConfigurationError
from assay.jobs.scan import Row, lanes, read_journal, read_rows, report_of, scan
from assay.jobs.scan.journal import journal_of
from assay.jobs.scan.rows import renamed
from assay.jobs.verify import examine
from assay.report.as_json import render_lines
from assay.report.privacy import masked
from assay.vocabulary import Claim, Settings
from generation.sign import sign_sidecar
from tests.assay.jobs.scan.conftest import FILES
from tests.authority import Authority
from tests.seeds import encoded

UNTIL = """
import json, os, signal, sys
from pathlib import Path
from assay import codec
from assay.jobs.scan import scan
from assay.vocabulary import Settings
out, settings, examined = Path(sys.argv[1]), codec.decode(Settings, json.loads(sys.argv[2])), int(sys.argv[3])
for progress in scan(sys.argv[4:], out, settings=settings, jobs=2):
    examined -= not progress.kept
    if not examined:
        os.kill(os.getpid(), signal.SIGKILL)
"""
"""A scan that is killed when so many files are examined."""


def timeless(rows: Iterable[Row]) -> list[Row]:
    return [replace(row, seconds=0.0) for row in rows]


def run(sources: Sequence[str | Path], out: Path, settings: Settings, *, jobs: int = 1) -> tuple[list[Row], int]:
    """The rows of a whole scan, and how many files it examined."""
    progress = list(scan(sources, out, settings=settings, jobs=jobs))
    assert [each.done for each in progress] == list(range(1, len(sources) + 1))
    return list(read_rows(out)), sum(not each.kept for each in progress)


def test_killed_twice_and_continued(many: tuple[Path, ...], tmp_path: Path, settings: Settings) -> None:
    whole, examined = run(many, tmp_path / "whole.parquet", settings, jobs=2)
    assert examined == FILES
    out = tmp_path / "killed.parquet"
    for lines in (15, 35):
        examine_until = [str(out), json.dumps(codec.encode(settings)), str(lines - len(read_journal(out)))]
        killed = subprocess.run([sys.executable, "-c", UNTIL, *examine_until, *map(str, many)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert len(read_journal(out)) == lines
        assert not out.exists()
    rows, examined = run(many, out, settings, jobs=2)
    assert examined == FILES - 35
    assert timeless(rows) == timeless(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.parquet", "whole.parquet"]


def test_nobody_is_left_behind_by_a_killed_scan(many: tuple[Path, ...], tmp_path: Path, settings: Settings) -> None:
    mark = str(tmp_path / "marked")
    arguments = [str(tmp_path / "t.parquet"), json.dumps(codec.encode(settings)), "5", *map(str, many)]
    environment = {**os.environ, "ASSAY_HOME": mark}
    subprocess.run([sys.executable, "-c", UNTIL, *arguments], check=False, env=environment)
    deadline = time.monotonic() + 20
    while left := [process for process in Path("/proc").glob("[0-9]*") if _has(process, mark)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _has(process: Path, mark: str) -> bool:
    try:
        return mark.encode() in (process / "environ").read_bytes()
    except OSError:
        return False


def test_rows_say_what_verify_says(many: tuple[Path, ...], tmp_path: Path, settings: Settings) -> None:
    sources = [*many[:3], *many[-3:]]
    rows, _ = run(sources, tmp_path / "t.parquet", settings)
    reports = [masked(each) for each in examine(sources, settings=settings, workers=1, decode=True)]
    assert [row.report + "\n" for row in rows] == [render_lines([each]) for each in reports]
    assert [report_of(row) for row in rows] == reports
    by_name = {Path(row.path).name: row for row in rows}
    assert by_name["signed.jpg"].claim is Claim.GENERATED


def test_a_bad_file_is_a_row_with_its_error(many: tuple[Path, ...], tmp_path: Path, settings: Settings) -> None:
    bad = [path for path in many if path.stem in ("broken", "torn")]
    rows, _ = run([*bad, tmp_path / "missing.png", ".", many[0]], tmp_path / "t.parquet", settings)
    reasons = ("header is damaged", "cannot be decoded", "No such file", "Is a directory")
    for row, reason in zip(rows, reasons, strict=False):
        assert row.error is not None
        assert reason in row.error
        assert row.perceptual_hash is None
        assert row.thumbnail is None
    assert rows[4].error is None


def test_only_what_has_changed_is_examined(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "t.parquet"
    first, examined = run(pictures, out, settings)
    assert examined == 4
    Image.new("RGB", (50, 50), "red").save(pictures[2])
    second, examined = run(pictures, out, settings)
    assert examined == 1
    assert second[2].sha256 != first[2].sha256
    assert [second[at] for at in (0, 1, 3)] == [first[at] for at in (0, 1, 3)]
    pictures[1].rename(tmp_path / "renamed.png")
    third, examined = run([tmp_path / "renamed.png", *pictures[1:]], out, settings)
    assert examined == 1
    assert third[0] == renamed(second[1], str(tmp_path / "renamed.png"))
    assert third[1].error is not None
    assert third[2:] == second[2:]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_rows_are_found_again_by_their_bytes(
    many: tuple[Path, ...], tmp_path: Path, settings: Settings, suffix: str
) -> None:
    out, place = tmp_path / f"t{suffix}", tmp_path / "moved"
    place.mkdir()
    sources = [path for path in many if path.stem in ("00", "01", "02", "signed", "torn")]
    first, examined = run(sources, out, settings)
    assert examined == 5
    moved = [Path(shutil.copy(path, place / os.fsdecode(b"\xff" + path.name.encode()))) for path in sources]
    moved[0] = moved[0].rename(moved[0].with_suffix(".jpg"))  # an extension that does not fit is a finding
    second, examined = run(moved, out, settings)
    assert examined == 2  # that one, and the torn one, whose failure names its file
    assert [row.error is None for row in second] == [row.error is None for row in first]
    for path, row in zip(moved, second, strict=True):
        (fresh,) = examine([path], settings=settings, workers=1, decode=True)
        assert row.report + "\n" == render_lines([masked(fresh)])
    assert run(moved, out, settings)[1] == 0


def test_a_manifest_belongs_to_what_bytes_are_found_by(
    tmp_path: Path, settings: Settings, authority: Authority
) -> None:
    from generation.declaration import Declaration

    path, moved = tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(encoded("PNG"))
    run([path], tmp_path / "t.parquet", settings)
    path.rename(moved)
    store = sign_sidecar(encoded("PNG"), "image/png", authority.signer(), Declaration(title="x"))
    moved.with_suffix(".c2pa").write_bytes(store)
    assert run([moved], tmp_path / "t.parquet", settings)[1] == 1


@pytest.mark.parametrize(("done", "room"), [(1, 0), (1, 500), (4, 0)])
def test_a_full_disk_is_said_and_loses_nothing(
    pictures: list[Path], tmp_path: Path, settings: Settings, done: int, room: int
) -> None:
    out, before = tmp_path / "t.parquet", resource.getrlimit(resource.RLIMIT_FSIZE)
    progress = scan(pictures, out, settings=settings, jobs=1)
    for _ in range(done):
        next(progress)
    most = room if done == len(pictures) else journal_of(out).stat().st_size + room
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(ConfigurationError, match=r"t\.parquet: cannot be written") as caught:
            list(progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "rows in the journal stay" in caught.value.hint
    assert len(read_journal(out)) == done
    assert not out.exists()
    rows, examined = run(pictures, out, settings)
    assert examined == len(pictures) - done
    assert [row.error for row in rows] == [None] * 4


def test_a_file_that_changed_after_the_stop(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "t.parquet"
    stopped = scan(pictures, out, settings=settings, jobs=1)
    next(stopped)
    stopped.close()
    (row,) = read_journal(out)
    Image.new("RGB", (50, 50), "red").save(row.path)
    rows, examined = run(pictures, out, settings)
    assert examined == 4
    assert rows[0].width == 50


def test_a_manifest_that_appears_beside_the_file(tmp_path: Path, settings: Settings, authority: Authority) -> None:
    from generation.declaration import Declaration

    path, out = tmp_path / "a.png", tmp_path / "t.parquet"
    path.write_bytes(encoded("PNG"))
    (before,), _ = run([path], out, settings)
    store = sign_sidecar(encoded("PNG"), "image/png", authority.signer(), Declaration(title="x"))
    path.with_suffix(".c2pa").write_bytes(store)
    (after,), examined = run([path], out, settings)
    assert examined == 1
    assert before.basis is None
    assert after.basis is not None
    assert run([path], out, settings)[1] == 0


def test_other_settings_examine_anew(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "t.parquet"
    run(pictures, out, settings)
    other = replace(settings, skip=(*settings.skip, "metadata"))
    assert run(pictures, out, other)[1] == 4
    assert run(pictures, out, replace(other, skip=other.skip[::-1]))[1] == 0
    assert len(list(scan(pictures, out, settings=other, jobs=1, include_personal=True))) == 4


def test_a_file_named_twice_is_two_rows(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    rows, _ = run([pictures[0], pictures[1], pictures[0]], tmp_path / "t.parquet", settings, jobs=2)
    assert [row.path for row in rows] == [str(pictures[at]) for at in (0, 1, 0)]
    assert run([], tmp_path / "none.parquet", settings) == ([], 0)


def test_concurrent_scans_into_one_table_are_refused(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "t.parquet"
    first = scan(pictures, out, settings=settings, jobs=1)
    next(first)
    with pytest.raises(ConfigurationError, match="another scan writes there"):
        next(scan(pictures, out, settings=settings, jobs=1))
    assert len(list(first)) == 3
    assert run(pictures, out, settings)[1] == 0


def test_nothing_else_is_written_over(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    for name in ("other.parquet", "other.csv", "0.png"):
        other = pictures[0].rename(tmp_path / name)
        before = other.read_bytes()
        with pytest.raises(ConfigurationError, match="not a table"):
            next(scan(pictures, other, settings=settings))
        assert other.read_bytes() == before
        assert not journal_of(other).exists()
        pictures[0] = other


def test_hostile_names(tmp_path: Path, settings: Settings) -> None:
    names = [b"a\xff.png", b"line\nbreak.png", b"\x1b[2J.png", "\u202egnp.exe.png".encode(), b"-o.png"]
    paths = [tmp_path / os.fsdecode(name) for name in names]
    for path in paths:
        path.write_bytes(encoded("PNG"))
    out = tmp_path / "t.parquet"
    rows, _ = run([*paths, tmp_path / os.fsdecode(b"gone\xff.png")], out, settings)
    assert [row.error is None for row in rows] == [True] * 5 + [False]
    assert rows[0].path.endswith("a\\xff.png")
    assert rows[1].path == str(paths[1])
    assert run(paths, out, settings)[1] == 0


def test_a_lane_that_dies(pictures: list[Path], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LANE", "tests.assay.jobs.scan.dying_lane")
    folder = pictures[0].parent
    kills, stumbles = pictures[1].rename(folder / "kills.png"), pictures[2].rename(folder / "stumbles.png")
    sources = [pictures[0], kills, stumbles, pictures[3]]
    rows, examined = run(sources, folder / "t.parquet", settings, jobs=2)
    assert [row.error is None for row in rows] == [True, False, True, True]
    assert rows[1].error == f"{kills}: the process that examined it died, 2 times"
    assert rows[1].path == str(kills)
    assert report_of(rows[1]).failures
    monkeypatch.undo()
    rows, examined = run(sources, folder / "t.parquet", settings)
    assert examined == 1
    assert rows[1].error is None


def test_settings_that_cannot_be_used(pictures: list[Path], tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="nobody"):
        next(scan(pictures, tmp_path / "t.parquet", settings=replace(settings, trust="nobody"), jobs=1))
    assert not journal_of(tmp_path / "t.parquet").exists()
