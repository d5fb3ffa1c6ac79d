from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.commands import ledger as command
from assay.errors import ConfigurationError, LedgerError, UnreadableError
from assay.fingerprint import dhash
from assay.ledger import Entry, Event, Ledger, open_ledger, place, writing
from assay.options import Parser
from tests.assay.ledger.around import tamper
from tests.assay.ledger.entries import entry_for


def run(*arguments: str | Path) -> int:
    parser = Parser()
    command.add(parser.add_subparsers())
    return command.run(parser.parse_args(["ledger", *map(str, arguments)]))


def picture(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC)


def add(ledger: Ledger, folder: Path, seed: int) -> Entry:
    stream = BytesIO()
    picture(seed).save(stream, "PNG")
    entry = entry_for(stream.getvalue(), name=f"{seed}.png", perceptual_hash=dhash(picture(seed)))
    ledger.deliver(entry, folder / entry.name, stream.getvalue())
    return entry


@pytest.fixture
def delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """Three pictures in the ledger of the data folder."""
    monkeypatch.delenv("ASSAY_LEDGER", raising=False)
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        return [add(ledger, tmp_path, seed) for seed in range(3)]


def ids(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()]


# --- show -------------------------------------------------------------------------------------------------------------


def test_show_tells_everything_but_the_nonce(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    entry = delivered[1]
    assert run("show", f"{entry.image_id:016x}", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    for fact in (
        *(f"{entry.image_id:016x}", entry.name, entry.created, entry.model, entry.scheduler, entry.file_sha256),
        *(entry.pixel_sha256, f"{entry.perceptual_hash:016x}", f"{entry.payload:016x}", "4 x 32 x 32", "20 steps"),
    ):
        assert fact in said
    assert entry.nonce.hex() not in said


def test_show_escapes_what_a_terminal_would_obey(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_for(b"x", model="\x1b[31m", name="a\nb")
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        ledger.deliver(entry, tmp_path / "x", b"x")
    run("show", f"{entry.image_id:016x}", "--home", tmp_path)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert r"a\nb" in said


def test_a_model_of_ones_own_is_shown_without_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = "0123456789abcdef" * 4
    model = f"/home/somebody/mine#sha256={digest}&lora=/home/somebody/dots.safetensors#sha256={digest}:0.8"
    entry = entry_for(b"x", model=model, name="x")
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        ledger.deliver(entry, tmp_path / "x", b"x")
    run("show", f"{entry.image_id:016x}", "--home", tmp_path)
    run("search", "--home", tmp_path)
    said = capsys.readouterr().out
    assert said.count(f"mine (sha256 {digest[:16]}) + LoRA dots.safetensors (sha256 {digest[:16]}, at 0.8)") == 2
    assert "somebody" not in said
    run("export", "--out", tmp_path / "rows.jsonl", "--home", tmp_path)
    assert model in (tmp_path / "rows.jsonl").read_text()


def test_show_says_why_there_is_nothing(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("show", "0" * 16, "--home", tmp_path) == 1
    assert "is not in the ledger" in capsys.readouterr().err
    entry = entry_for(b"x")
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no")))
            with pytest.raises(Exception, match="cannot be written"):
                ledger.deliver(entry, tmp_path / "x", b"x")
        assert ledger.state(entry.image_id) is Event.VOID
    assert run("show", f"{entry.image_id:016x}", "--home", tmp_path) == 1
    assert "was never delivered: its last row is void" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "12"),
        ("show", "g" * 16),
        ("search", "--sha256", "12"),
        ("check", "--head", "12"),
        ("search", "--sha256", "0" * 64, "--since", "2026-01-01"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    capsys.readouterr()


# --- search -----------------------------------------------------------------------------------------------------------


def test_search_by_either_hash(tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    entry = delivered[2]
    for digest in (entry.file_sha256, entry.pixel_sha256.upper()):
        assert run("search", "--sha256", digest, "--home", tmp_path) == 0
        assert ids(capsys.readouterr().out) == [f"{entry.image_id:016x}"]
    assert run("search", "--sha256", "0" * 64, "--home", tmp_path) == 1
    assert "nothing found" in capsys.readouterr().err


def test_search_by_likeness_puts_the_nearest_first(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    picture(1).resize((48, 48)).save(tmp_path / "copy.jpg", quality=60)
    assert run("search", "--like", tmp_path / "copy.jpg", "--limit", "2", "--home", tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ids(lines[0]) == [f"{delivered[1].image_id:016x}"]
    assert len(lines) == 3
    assert lines[1] == "--- not alike: more than 16 of 64 bits of the hash differ ---"
    distances = [int(line.partition("; ")[2].split()[0]) for line in (lines[0], lines[2])]
    assert distances[0] <= 6
    assert distances[1] > 16


def test_search_by_likeness_draws_the_line_first_where_nothing_is_alike(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    picture(9).save(tmp_path / "other.png")
    assert run("search", "--like", tmp_path / "other.png", "--home", tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("--- not alike")
    assert len(lines) == 4
    assert run("search", "--like", tmp_path / "1.png", "--limit", "1", "--home", tmp_path) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_search_by_likeness_needs_an_image(tmp_path: Path, delivered: list[Entry]) -> None:
    (tmp_path / "notes.png").write_text("hello")
    with pytest.raises(UnreadableError, match=r"notes\.png"):
        run("search", "--like", tmp_path / "notes.png", "--home", tmp_path)


def test_search_by_date_and_without_a_question(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    everything = [f"{entry.image_id:016x}" for entry in delivered]
    today = datetime.now(UTC).date()
    for question in ((), ("--since", str(today - timedelta(days=1)))):
        assert run("search", *question, "--home", tmp_path) == 0
        assert ids(capsys.readouterr().out) == everything
    assert run("search", "--limit", "2", "--home", tmp_path) == 0
    assert ids(capsys.readouterr().out) == everything[:2]
    assert run("search", "--since", str(today + timedelta(days=2)), "--home", tmp_path) == 1
    with pytest.raises(ConfigurationError, match="not a date"):
        run("search", "--since", "yesterday", "--home", tmp_path)


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_of_an_untouched_ledger(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert said.startswith("as it was written: 3 images in 6 rows; head 6:")
    assert run("check", "--head", said.split()[-1], "--home", tmp_path) == 0
    assert run("check", "--head", f"4:{'0' * 64}", "--home", tmp_path) == 1
    assert "row 4 is not the one of the head that was kept" in capsys.readouterr().out


def test_check_names_what_was_changed(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(str(tmp_path / "ledger.sqlite3"), "UPDATE events SET model = 'other' WHERE seq = 3")
    assert run("check", "--home", tmp_path) == 1
    said = capsys.readouterr().out
    assert "row 3 was changed or moved" in said
    assert "1 findings: 3 images" in said


def test_check_mentions_what_is_unfinished(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, entry = tmp_path / "gone", entry_for(b"x")
    folder.mkdir()
    with monkeypatch.context() as patch, open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        patch.setattr(writing, "end", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ledger.deliver(entry, folder / "x", b"x")
    folder.rename(tmp_path / "elsewhere")
    assert run("check", "--home", tmp_path) == 0
    assert f"image {entry.image_id:016x}, begun on" in capsys.readouterr().out


def test_looking_makes_no_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_LEDGER", raising=False)
    with pytest.raises(ConfigurationError, match="there is no ledger at"):
        run("check", "--home", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_place_can_be_given(tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--ledger", tmp_path / "ledger.sqlite3", "--home", tmp_path / "nowhere") == 0
    assert "3 images" in capsys.readouterr().out


# --- export, import, merge --------------------------------------------------------------------------------------------


def test_a_ledger_moves_to_another_place(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    export, new = tmp_path / "rows.jsonl", tmp_path / "new"
    assert run("export", "--out", export, "--home", tmp_path) == 0
    head = capsys.readouterr().out.split()[-1]
    assert export.stat().st_mode & 0o777 == 0o600
    assert run("import", export, "--home", new) == 0
    assert capsys.readouterr().out == f"6 rows added, 0 were here; head {head}\n"
    assert run("import", export, "--home", new) == 0
    assert capsys.readouterr().out == f"0 rows added, 6 were here; head {head}\n"
    assert run("check", "--head", head, "--home", new) == 0
    with open_ledger(new / "ledger.sqlite3") as ledger:
        assert [each.entry for each in ledger.entries()] == delivered
        add(ledger, new, 7)
    capsys.readouterr()
    assert run("merge", new / "ledger.sqlite3", "--home", tmp_path) == 0
    assert capsys.readouterr().out.startswith("2 rows added, 6 were here; head 8:")


def test_an_export_to_standard_output(
    tmp_path: Path, delivered: list[Entry], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("export", "--home", tmp_path) == 0
    (tmp_path / "rows.jsonl").write_bytes(capfdbinary.readouterr().out)
    assert run("import", tmp_path / "rows.jsonl", "--home", tmp_path) == 0
    assert capfdbinary.readouterr().out.startswith(b"0 rows added, 6 were here")


def test_what_cannot_be_moved(tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.jsonl"):
        run("import", tmp_path / "missing.jsonl", "--home", tmp_path / "new")
    with pytest.raises(ConfigurationError, match="there is no ledger at"):
        run("merge", tmp_path / "missing.sqlite3", "--home", tmp_path)
    with pytest.raises(ConfigurationError, match="there is no ledger at"):
        run("export", "--home", tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        run("export", "--out", tmp_path / "no" / "rows.jsonl", "--home", tmp_path)
    (tmp_path / "notes").write_text("hello")
    with pytest.raises(LedgerError, match="no export of a ledger"):
        run("import", tmp_path / "notes", "--home", tmp_path)


def test_a_network_file_system_is_warned_of(
    tmp_path: Path, delivered: list[Entry], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/ {tmp_path} nfs4 rw 0 0\n")
    assert run("check", "--home", tmp_path) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(place, "MOUNTS", mounts)
    assert run("check", "--home", tmp_path) == 0
    said = capsys.readouterr().err
    assert f"the ledger {tmp_path}/ledger.sqlite3 lies on a network file system (nfs4)" in said
    assert "assay ledger merge" in said
