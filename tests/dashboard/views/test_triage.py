from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from assay.dispositions import Disposition, open_notes
from assay.jobs.scan import Row, read_journal, read_rows
from assay.jobs.scan.table import write_rows
from dashboard.scanning import scans
from tests.assay.jobs.scan.arbitrary import plain_row
from tests.dashboard import session
from tests.seeds import encoded


def opened(results: Path) -> AppTest:
    return session.opened("triage", results=str(results))


def queue(page: AppTest) -> list[str]:
    """The files of the table, by name."""
    return [Path(path).name for path in page.dataframe[0].value["File"]]


def current(page: AppTest) -> str:
    """The file that is drawn."""
    (section,) = [each.value for each in page.html if 'aria-label="Verdict"' in each.value]
    return Path(section[section.index('soft">') + 6 : section.index("</p>")]).name


# --- the queue --------------------------------------------------------------------------------------------------------


def test_fifty_rows_by_the_strength_of_their_basis(results: Path) -> None:
    page = opened(results)
    assert "50 of 50 files" in session.words(page)
    rests = page.dataframe[0].value["Rests on"].tolist()
    assert rests == ["signed", "noted", *["inconclusive"] * 47, "not examined"]
    assert queue(page)[:2] == ["signed.jpg", "declared.png"]
    assert queue(page)[-1] == "header.gif"
    assert current(page) == "signed.jpg"
    assert session.verdict(page) == "Made with generative AI, says a trusted signer"


def test_filtered_by_what_it_rests_on_by_words_and_by_where_it_stands(results: Path) -> None:
    page = opened(results)
    session.sound(page.multiselect[0].set_value(["noted", "not examined"]).run())
    assert queue(page) == ["declared.png", "header.gif"]
    session.sound(page.text_input(key="words").input("GIF header").run())
    assert queue(page) == ["header.gif"]
    session.sound(page.multiselect[1].set_value([Disposition.CLEARED]).run())
    assert "No file is left by this filter" in session.words(page)
    session.sound(page.multiselect[1].set_value([]).run())
    assert queue(page) == ["header.gif"]


def test_in_other_orders(results: Path) -> None:
    page = opened(results)
    scanned = [Path(row.path).name for row in read_rows(results)]
    for order, expected in (("By path", sorted(scanned)), ("As scanned", scanned)):
        session.sound(page.selectbox[0].set_value(order).run())
        assert queue(page) == expected


def test_one_line_for_those_that_look_alike(results: Path) -> None:
    page = opened(results)
    alike = dict(zip(queue(page), page.dataframe[0].value["Alike"], strict=True))
    assert alike["copy.png"] == alike["00.png"] >= 2
    session.sound(page.toggle(key="one_each").set_value(True).run())
    left = queue(page)
    assert "00.png" in left
    assert "copy.png" not in left
    assert len(left) < 50


def test_with_keys_through_the_queue(results: Path) -> None:
    page = opened(results)
    assert {button.label: button.proto.shortcut for button in page.button if button.proto.shortcut} == {
        "Previous": "k", "Next": "j", "In review": "1", "Escalated": "2", "Confirmed": "3", "Cleared": "4",
    }  # fmt: skip
    session.press(page, "Previous")
    assert current(page) == "signed.jpg", "the first has none before it"
    session.press(page, "Next")
    assert current(page) == "declared.png"
    session.press(page, "Previous")
    assert current(page) == "signed.jpg"


def test_a_line_of_the_table_is_picked(results: Path) -> None:
    page = opened(results)
    page.session_state[page.dataframe[0].key] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    session.sound(page.run())
    assert current(page) == "declared.png"


def test_hundreds_of_lines_are_paged(tmp_path: Path) -> None:
    write_rows(tmp_path / "t.parquet", [plain_row(f"{at:03}.png", report="[]") for at in range(230)], {})
    page = opened(tmp_path / "t.parquet")
    session.sound(page.selectbox[0].set_value("As scanned").run())
    assert (len(queue(page)), "Lines 1 to 100" in session.words(page)) == (100, True)
    page.session_state["line"] = 99
    session.press(page, "Next")
    assert queue(page)[0] == "100.png"
    page.session_state["line"] = 229
    session.press(page, "Next")
    assert (len(queue(page)), "Lines 201 to 230" in session.words(page)) == (30, True)


# --- deciding ---------------------------------------------------------------------------------------------------------


def test_what_is_decided_is_kept_and_seen_by_the_next_session(results: Path) -> None:
    page = opened(results)
    sha256 = next(row.sha256 for row in read_rows(results) if row.path.endswith("signed.jpg"))
    assert sha256 is not None
    page.text_input(key="who").input("Ana")
    page.text_area(key=f"note-{sha256}").input("to the desk")
    session.sound(page.button(key="set-escalated").click().run())
    assert [toast.value for toast in page.toast] == ["File 1: escalated"]
    assert current(page) == "declared.png", "the next file"
    with open_notes(results) as notes:
        (entry,) = notes.history(sha256)
    assert (entry.disposition, entry.note, entry.who) == (Disposition.ESCALATED, "to the desk", "Ana")
    fresh = opened(results)
    first = fresh.dataframe[0].value.iloc[0]
    assert (first["Stands"], first["Note"]) == ("escalated", "to the desk")
    assert fresh.text_area(key=f"note-{sha256}").value == "to the desk"
    session.sound(fresh.multiselect[1].set_value([Disposition.ESCALATED]).run())
    assert queue(fresh) == ["signed.jpg"]
    session.press(fresh, "Keep the note")
    with open_notes(results) as notes:
        assert [entry.disposition for entry in notes.history(sha256)] == [Disposition.ESCALATED] * 2


def test_a_decision_carries_the_account_that_made_it(results: Path) -> None:
    page = opened(results)
    page.secrets["auth"] = {"client_id": "id"}
    page.user = {"is_logged_in": True, "email": "ana@example.org"}
    session.sound(page.run())
    assert "who" not in [each.key for each in page.text_input]
    session.sound(page.button(key="set-cleared").click().run())
    with open_notes(results) as notes:
        (entry,) = notes.all().values()
    assert (entry.disposition, entry.who) == (Disposition.CLEARED, "ana@example.org")


def test_a_file_that_leaves_the_filter_makes_room_for_the_next(results: Path) -> None:
    page = opened(results)
    session.sound(page.multiselect[1].set_value([Disposition.OPEN]).run())
    session.sound(page.button(key="set-cleared").click().run())
    assert queue(page)[0] == current(page) == "declared.png"
    assert "49 of 50 files" in session.words(page)


def test_notes_that_cannot_be_written_are_said_with_a_remedy(results: Path) -> None:
    page = opened(results)
    results.with_name("results.parquet.notes.sqlite").mkdir()
    page.button(key="set-cleared").click().run()
    session.sound(page)
    assert "the notes cannot be used" in session.words(page)


# --- what a line shows ------------------------------------------------------------------------------------------------


def test_the_picture_is_the_file_or_its_thumbnail_where_it_is_gone(tmp_path: Path, case: Path, trusting: Path) -> None:
    (row,) = [row for row in read_rows(case / "results.parquet") if row.path.endswith("signed.jpg")]
    assert captions([row], tmp_path) == ["Encoded without loss."]
    gone = Row(**{name: getattr(row, name) for name in Row.__dataclass_fields__} | {"path": str(tmp_path / "gone")})
    assert captions([gone], tmp_path) == ["The thumbnail of the scan: the file is gone, or was changed since."]


def captions(rows: list[Row], folder: Path) -> list[object]:
    write_rows(folder / "t.parquet", rows, {})
    return [data["caption"] for data in session.pictures(opened(folder / "t.parquet"))]


def test_a_file_that_changed_since_shows_its_thumbnail(tmp_path: Path, case: Path, trusting: Path) -> None:
    path = tmp_path / "changed.jpg"
    (row,) = [row for row in read_rows(case / "results.parquet") if row.path.endswith("signed.jpg")]
    values = {name: getattr(row, name) for name in Row.__dataclass_fields__}
    path.write_bytes(encoded("PNG", "flower"))
    assert "was changed since" in str(captions([Row(**values | {"path": str(path)})], tmp_path))


@pytest.mark.parametrize("report", ["", "no JSON", "[]", "{}", '{"verdict": 1}', "\\ud800"])
def test_a_row_that_something_else_wrote(tmp_path: Path, report: str) -> None:
    write_rows(tmp_path / "t.parquet", [plain_row("a.png", sha256="a" * 64, report=report)], {})
    page = opened(tmp_path / "t.parquet")
    assert "This line holds no report" in session.words(page)


# --- what is no table -------------------------------------------------------------------------------------------------


def test_without_a_table_it_says_what_to_do() -> None:
    assert "assay scan FOLDER --out results.parquet" in session.words(session.opened("triage"))


def test_a_table_that_is_not_there_can_be_scanned(tmp_path: Path) -> None:
    page = opened(tmp_path / "results.parquet")
    (button,) = page.button
    assert button.label == "Scan, or go on with a stopped scan"
    assert button.disabled
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["text", "folder"])
def test_what_is_no_table_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("no table")
    (tmp_path / "folder").mkdir()
    assert "This did not work" in session.words(opened(tmp_path / name))


def test_settings_that_cannot_be_used_leave_the_queue(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_TRUST", "misspelt")
    page = opened(results)
    assert len(queue(page)) == 50
    assert "misspelt" in session.words(page)


def test_a_closed_machine_has_no_triage(monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    monkeypatch.setenv("ASSAY_DASHBOARD_FOLDERS", "0")
    page = opened(results)
    assert "closed here" in session.words(page)
    assert len(page.text_input) == len(page.button) == len(page.dataframe) == 0


# --- scanning ---------------------------------------------------------------------------------------------------------


def is_idle(results: Path) -> bool:
    present = scans().get(results)
    return present is not None and not present.is_running


def test_a_scan_that_was_stopped_goes_on_from_the_page(tmp_path: Path) -> None:
    folder, results, count = tmp_path / "in", tmp_path / "results.parquet", 1000  # some seconds on a fast machine
    folder.mkdir()
    for at in range(count):
        Image.new("RGB", (24, 24), (at % 256, at // 4, 9)).save(folder / f"{at:04}.png")
    page = opened(results)
    session.sound(page.text_input(key="scanned").input(str(folder)).run())
    session.press(page, "Scan, or go on with a stopped scan")
    session.wait(lambda: len(read_journal(results)) > 3)
    session.sound(page.run())
    assert "Scanning: " in page.get("progress")[0].proto.text
    assert 0 < len(queue(page)) <= count, "what is done so far is there to work on"
    session.press(page, "Stop")
    session.wait(lambda: is_idle(results))
    session.sound(page.run())
    assert "scan again to go on" in session.words(page)
    assert not results.exists()
    before = {row.path: row for row in read_journal(results)}
    assert 0 < len(before) < count
    other = opened(results)
    session.sound(other.text_input(key="scanned").input(str(folder)).run())
    session.press(other, "Scan, or go on with a stopped scan")
    session.wait(lambda: is_idle(results))
    session.sound(other.run())
    assert "1,000 of 1,000 files" in session.words(other)
    rows = {row.path: row for row in read_rows(results)}
    assert len(rows) == count
    assert all(rows[path] == row for path, row in before.items()), "kept, and not examined again"


@pytest.mark.parametrize("name", ["nowhere/*.png", "empty"])
def test_a_folder_without_images_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    page = opened(tmp_path / "results.parquet")
    session.sound(page.text_input(key="scanned").input(str(tmp_path / name)).run())
    session.press(page, "Scan, or go on with a stopped scan")
    assert "This did not work" in session.words(page)


def test_what_ended_a_scan_is_said(tmp_path: Path, case: Path) -> None:
    results = tmp_path / "missing" / "results.parquet"
    page = opened(results)
    session.sound(page.text_input(key="scanned").input(str(case / "in")).run())
    session.press(page, "Scan, or go on with a stopped scan")
    session.wait(lambda: is_idle(results))
    session.sound(page.run())
    assert "cannot be written" in session.words(page)
