from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import chain, count
from pathlib import Path

import pytest
from PIL import Image

from assay.cli import main
from assay.commands.scan import with_lines
from assay.jobs.scan import Progress, read_journal, read_rows
from assay.jobs.scan.journal import journal_of
from tests.assay.jobs.scan.arbitrary import plain_row, plain_rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.new("RGB", (40, 30), (number * 60, 9, 9)).save(tmp_path / "in" / f"{number}.png")
    return tmp_path


def test_a_folder_into_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "t.parquet"
    assert main(["scan", str(folder / "in"), "--out", str(out), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 3 files, 3 examined now, 0 unchanged, 0 with")
    (folder / "in" / "broken.gif").write_bytes(b"GIF89a")
    assert main(["scan", str(folder / "in"), "--out", str(out), "--jobs", "1"]) == 3
    assert capsys.readouterr().out.startswith(f"{out}: 4 files, 1 examined now, 3 unchanged, 1 with")
    assert main(["scan", str(folder / "in"), "--out", str(out), "--jobs", "1", "--quiet"]) == 3
    assert capsys.readouterr().out == ""


def test_what_is_left_out_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "in" / "film.mp4").write_bytes(b"")
    assert main(["scan", str(folder / "in"), "--out", str(folder / "t.parquet"), "--jobs", "1"]) == 0
    assert f"left out of folders: 1 video ({folder}/in/film.mp4)" in capsys.readouterr().err


def test_a_list_of_files(folder: Path) -> None:
    listed = folder / "list"
    listed.write_bytes(b"\0".join(os.fsencode(path) for path in sorted((folder / "in").iterdir())[::-1]))
    out = folder / "t.parquet"
    assert main(["scan", "--files-from", str(listed), "--out", str(out), "--jobs", "1"]) == 0
    assert [Path(row.path).name for row in read_rows(out)] == ["2.png", "1.png", "0.png"]


def test_no_input_and_no_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--out", str(folder / "t.parquet")]) == 2
    assert main(["scan", str(folder / "in"), "--out", str(folder / "missing" / "t.parquet")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_line_a_minute_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [plain_row("a", error="broken"), *plain_rows(5)]
    progress = [Progress(row=row, kept=False, done=at, total=6) for at, row in enumerate(rows, start=1)]
    times = chain.from_iterable((at * 25.0, at * 25.0) for at in count())  # looked at once or twice a file
    assert list(with_lines(progress, times.__next__)) == progress
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].endswith(" of 6 files done, 1 with something that could not be examined")


def test_a_table_by_its_suffix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(folder / "in"), "--out", str(folder / "t.csv"), "--jobs", "1"]) == 0
    assert len(list(read_rows(folder / "t.csv"))) == 3
    assert main(["scan", str(folder / "in"), "--out", str(folder / "t.json"), "--jobs", "1"]) == 2
    assert "End its name in .parquet or .csv" in capsys.readouterr().err


def test_interrupted_it_ends_soon_and_says_how_to_go_on(folder: Path) -> None:
    out = folder / "t.parquet"
    for number in range(600):
        Image.new("RGB", (300, 200), (number % 256, number // 256, 9)).save(folder / "in" / f"more-{number}.png")
    command = [sys.executable, "-m", "assay", "scan", folder / "in", "--out", out, "--jobs", "2"]
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    finally:
        signal.signal(signal.SIGINT, inherited)
    while not read_journal(out):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all of a scan's processes
    started = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - started < 5
    assert process.returncode == 130
    assert said.startswith("assay: stopped after ")
    assert said.endswith("the same command goes on from there\n")
    assert journal_of(out).exists()
    assert not out.exists()
