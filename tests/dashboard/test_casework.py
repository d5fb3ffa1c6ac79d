from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.dispositions import Disposition, Entry, open_notes
from assay.errors import ConfigurationError
from assay.jobs.scan import Row
from assay.jobs.scan.journal import Journal
from assay.jobs.scan.table import write_rows
from assay.vocabulary import Basis
from dashboard import casework
from dashboard.casework import LABELS, ORDERS, Filter, Line, cells, chosen, decide, label, opened
from tests.assay.jobs.scan.arbitrary import ROWS, plain_row, plain_rows

DIGEST = "a" * 64


def line(path: str, **changes: object) -> Line:
    values = {"row": plain_row(path), "number": 0, "label": "inconclusive", "group": 0, "alike": 1, "entry": None}
    return Line(**(values | changes))  # type: ignore[arg-type]


def entry(disposition: Disposition, note: str = "") -> Entry:
    from datetime import UTC, datetime

    return Entry(sha256=DIGEST, disposition=disposition, note=note, who=None, at=datetime.now(UTC))


# --- opening ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results.parquet"


def test_a_table_is_opened_with_what_was_decided(results: Path) -> None:
    rows = [plain_row("a.png", sha256=DIGEST), plain_row("b.png", sha256="b" * 64), plain_row("c.png", sha256=DIGEST)]
    write_rows(results, rows, {})
    decide(results, DIGEST, Disposition.ESCALATED, "to the desk", "Ana")
    lines = opened(results)
    assert [each.row for each in lines] == rows
    assert [each.number for each in lines] == [0, 1, 2]
    assert [(each.group, each.alike, each.disposition) for each in lines] == [
        (0, 2, Disposition.ESCALATED),
        (1, 1, Disposition.OPEN),
        (0, 2, Disposition.ESCALATED),
    ]
    assert lines[0].entry is not None
    assert (lines[0].entry.note, lines[0].entry.who) == ("to the desk", "Ana")


def test_a_large_case_is_held_without_reports_which_are_read_when_needed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [plain_row(f"{number}.png", report=f"[{number}]", thumbnail=b"x") for number in range(5)]
    write_rows(results, rows, {})
    monkeypatch.setattr(casework, "MANY", 4)
    lines = opened(results)
    assert [(each.row.report, each.row.thumbnail) for each in lines] == [("", None)] * 5
    assert [casework.whole(results, each) for each in lines] == rows


def test_nobodys_name_is_none(results: Path) -> None:
    decide(results, DIGEST, Disposition.CLEARED, "", "")
    with open_notes(results) as notes:
        assert [each.who for each in notes.history(DIGEST)] == [None]


def test_a_scan_that_still_runs_is_opened_by_its_journal(results: Path) -> None:
    with Journal(results) as journal:
        journal.load("conditions")
        for row in plain_rows(3):
            journal.add(row)
            assert opened(results)[-1].row == row
    assert not results.with_name("results.parquet.notes.sqlite").exists()


def test_what_changed_on_the_disk_is_read_again(results: Path) -> None:
    for count in (3, 5):
        write_rows(results, plain_rows(count), {})
        os.utime(results, ns=(count, count))
        assert len(opened(results)) == count


def test_what_is_not_there_has_no_rows_and_what_is_no_table_is_refused(results: Path) -> None:
    assert opened(results) == []
    results.write_text("no table")
    with pytest.raises(ConfigurationError, match=r"results\.parquet"):
        opened(results)


def test_notes_that_are_something_else_are_refused(results: Path) -> None:
    write_rows(results, plain_rows(1), {})
    results.with_name("results.parquet.notes.sqlite").write_text("no database, but rather a long text " * 9)
    with pytest.raises(ConfigurationError, match="notes cannot be used"):
        opened(results)


def test_words_for_what_a_row_rests_on() -> None:
    assert [label(plain_row("a", basis=basis, format="PNG")) for basis in Basis] == [basis.value for basis in Basis]
    assert label(plain_row("a", format="PNG")) == "inconclusive"
    assert label(plain_row("a", format="PNG", error="cannot be decoded")) == "inconclusive"
    assert label(plain_row("a", error="header is damaged")) == "not examined"


# --- choosing ---------------------------------------------------------------------------------------------------------

_ENTRIES = st.none() | st.builds(entry, st.sampled_from(Disposition), st.sampled_from(("", "to the desk", "Harbour")))
_LINES = st.lists(
    st.builds(
        lambda row, group, entry: line(row.path, row=row, label=label(row), group=group, entry=entry),
        ROWS,
        st.integers(0, 3),
        _ENTRIES,
    ),
    max_size=12,
)
_FILTERS = st.builds(
    Filter,
    labels=st.lists(st.sampled_from(LABELS), max_size=3).map(tuple),
    dispositions=st.lists(st.sampled_from(Disposition), max_size=3).map(tuple),
    words=st.sampled_from(("", "desk", " HARBOUR ", "a", "desk to")),
    one_each=st.booleans(),
    order=st.sampled_from(ORDERS),
)


@given(_LINES, _FILTERS)
def test_a_filter_takes_out_and_puts_in_order(lines: list[Line], wanted: Filter) -> None:
    found = chosen(lines, wanted)
    all_of = chosen(lines, replace(wanted, one_each=False, order="As scanned"))
    assert all_of == [each for each in lines if each in all_of], "the order of the scan"
    assert all(not wanted.labels or each.label in wanted.labels for each in all_of)
    assert all(not wanted.dispositions or each.disposition in wanted.dispositions for each in all_of)
    assert all(is_about(each, wanted.words) for each in all_of)
    if wanted.one_each:
        first = {each.group: each for each in reversed(all_of)}
        assert sorted(map(id, found)) == sorted(map(id, first.values()))
    else:
        assert sorted(map(id, found)) == sorted(map(id, all_of))
    assert places(found, wanted.order) == sorted(places(found, wanted.order))


def is_about(each: Line, words: str) -> bool:
    text = f"{each.row.path} {each.row.headline} {each.entry.note if each.entry else ''}".casefold()
    return all(word in text for word in words.casefold().split())


def places(lines: list[Line], order: str) -> list[object]:
    """What the lines are sorted by."""
    ratio = [-(float("-inf") if each.row.log10_lr is None else each.row.log10_lr) for each in lines]
    match order:
        case "By path":
            return [each.row.path for each in lines]
        case "Largest ratio first":
            return list(ratio)
        case "As scanned":
            return []
        case _:
            return [(LABELS.index(each.label), value) for each, value in zip(lines, ratio, strict=True)]


def test_an_empty_filter_leaves_everything() -> None:
    lines = [line("a"), line("b")]
    assert chosen(lines, Filter()) == lines


def test_one_of_each_is_the_first_and_keeps_the_order_of_the_scan() -> None:
    lines = [line("a", group=0), line("b", group=1), line("c", group=0), line("d", group=2)]
    found = chosen(lines, Filter(one_each=True, order="As scanned"))
    assert [each.row.path for each in found] == ["a", "b", "d"]


def test_a_line_of_the_table() -> None:
    row = plain_row("a.png", thumbnail=b"\xff\xd8", log10_lr=1.5, headline="Marked", error="half")
    shown = cells(line("a.png", row=row, label="marked", alike=3, entry=entry(Disposition.CLEARED, "fine")))
    assert shown == {
        "Picture": "data:image/jpeg;base64,/9g=", "Rests on": "marked", "Verdict": "Marked", "File": "a.png",
        "Stands": "cleared", "log10 ratio": 1.5, "Alike": 3, "Note": "fine", "Error": "half",
    }  # fmt: skip


@given(ROWS)
def test_any_row_is_a_line_of_the_table(row: Row) -> None:
    shown = cells(line(row.path, row=row, label=label(row)))
    assert shown["Rests on"] in LABELS
    assert (shown["Picture"] is None) == (row.thumbnail is None)
