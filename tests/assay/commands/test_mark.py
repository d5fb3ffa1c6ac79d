from __future__ import annotations

import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.cli import main
from assay.ledger import place
from tests.assay.jobs.studio import furnish
from tests.pictures import photograph

SIDE = 160
"""Pixels: small pictures are read as fast as marks can be."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `in` with a picture, one in a folder of its own, a damaged one and one that is not written."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return _furnished(tmp_path)


def _furnished(desk: Path) -> Path:
    furnish(desk / "home")
    folder = desk / "in"
    (folder / "deep").mkdir(parents=True)
    Image.fromarray(photograph(0)[:SIDE, :SIDE]).save(folder / "a.png")
    Image.fromarray(photograph(1)[:SIDE, :SIDE]).save(folder / "deep" / "c.png")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:3000])
    Image.new("L", (SIDE, SIDE)).save(folder / "d.gif")
    return desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What became of a command."""

    code: int
    out: str
    err: str


def marked(desk: Path) -> Said:
    """Mark the folder, for the first time or again."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(desk / "home"))
        code = main(["mark", str(desk / "in"), "--output-dir", str(desk / "new" / "out")])
    return Said(code=code, out=out.getvalue(), err=err.getvalue())


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A desk whose folder was marked once, and what was said; never written to."""
    desk = _furnished(tmp_path_factory.mktemp("begun"))
    return desk, marked(desk)


@pytest.fixture
def done(begun: tuple[Path, Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, to go on with."""
    desk = tmp_path / "desk"
    monkeypatch.setenv("ASSAY_HOME", str(desk / "home"))
    return Path(shutil.copytree(begun[0], desk))


def test_a_folder_is_marked_whatever_becomes_of_each_file(begun: tuple[Path, Said]) -> None:
    desk, first = begun
    assert first.code == 3
    written = sorted(path.relative_to(desk / "new" / "out") for path in (desk / "new").rglob("*.*"))
    assert written == [Path("a.png"), Path("deep/c.png")]
    assert first.out.count("read back") == 2
    assert "b.png" in first.err
    assert "d.gif: not a format that is written" in first.err


def test_a_folder_is_continued(done: Path) -> None:
    before = (done / "new" / "out" / "a.png").read_bytes()
    second = marked(done)
    assert second.code == 3
    assert second.out.count("left as it is") == 2
    assert "already there as image" in second.out
    assert (done / "new" / "out" / "a.png").read_bytes() == before


def test_what_carries_our_mark_is_left_as_it_is(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mark", str(done / "new" / "out" / "a.png"), "--output-dir", str(done / "other")]) == 0
    assert "already carries" in capsys.readouterr().out
    assert not (done / "other" / "a.png").exists()


def test_a_target_that_shows_something_else_is_made_again(done: Path) -> None:
    target = done / "new" / "out" / "a.png"
    before = target.read_bytes()
    Image.fromarray(np.ascontiguousarray(photograph(1)[-SIDE:, -SIDE:])).save(done / "in" / "a.png")
    again = marked(done)
    assert again.out.count("read back") == again.out.count("left as it is") == 1
    assert target.read_bytes() != before


def test_two_files_for_one_target_are_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "in" / "deep" / "c.png").rename(desk / "in" / "deep" / "a.png")
    files = [str(desk / "in" / "a.png"), str(desk / "in" / "deep" / "a.png")]
    assert main(["mark", *files, "--output-dir", str(desk / "out")]) == 2
    assert "would both become" in capsys.readouterr().err


def test_a_ledger_on_a_network_file_system_is_warned_of(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["mark", str(desk / "in" / "b.png"), "-o", str(desk / "marked.png")]
    assert main(command) != 0
    assert "lies on a network" not in capsys.readouterr().err
    mounts = desk / "mounts"
    mounts.write_text(f"server:/ {desk} nfs4 rw 0 0\n")
    monkeypatch.setattr(place, "MOUNTS", mounts)
    assert main(command) != 0
    assert "home/ledger.sqlite3 lies on a network file system (nfs4)" in capsys.readouterr().err
