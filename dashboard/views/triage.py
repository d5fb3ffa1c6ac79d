"""Triage: a queue over the results of a scan, or over one that is still running."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from assay.dispositions import Disposition
from assay.errors import AssayError
from assay.jobs.scan import Row, report_of
from assay.jobs.sources import expand
from dashboard import drawing
from dashboard.casework import LABELS, ORDERS, Filter, Line, cells, chosen, decide, opened, whole
from dashboard.charts import histogram
from dashboard.fragments import complain
from dashboard.scanning import Scan, scans
from dashboard.service import examiner, may_read_folders, settings
from dashboard.signing_in import account
from dashboard.viewer import Shown, encoded

_PAGE = 100
"""Lines of the table at once."""
_KEYS = {
    Disposition.IN_REVIEW: "1",
    Disposition.ESCALATED: "2",
    Disposition.CONFIRMED: "3",
    Disposition.CLEARED: "4",
}


def main() -> None:
    """Draw the page."""
    st.title("Triage")
    if not may_read_folders():
        st.info(
            "Triage reads and writes files of this machine, which is closed here: the dashboard listens beyond this "
            "machine, or was started with --no-folders.",
            icon=":material/lock:",
        )
        return
    results = _results()
    if results is None:
        _empty()
        return
    try:
        _scan(results)
        if lines := opened(results):
            _queue(results, lines)
    except AssayError as error:
        complain(error)


def _results() -> Path | None:
    text = st.text_input(
        "Results", key="results", placeholder="results.parquet", bind="query-params",
        help="The table of a scan; what you decide is kept beside it.",
    ).strip()  # fmt: skip
    return Path(text).expanduser() if text else None


def _empty() -> None:
    st.markdown(
        "Name the table that `assay scan FOLDER --out results.parquet` wrote, or one that is to be written: a folder "
        "can then be scanned from here.\n\n"
        "Each file becomes a line with its verdict. Work through them with **J** and **K**, and set where each stands "
        "with **1** (in review), **2** (escalated), **3** (confirmed) and **4** (cleared). Notes and decisions are "
        "kept, with their history, and survive a new scan."
    )


# --- scanning ---------------------------------------------------------------------------------------------------------


def _scan(results: Path) -> None:
    with st.expander("Scan a folder into this table", expanded=not results.exists()):
        folder = st.text_input("Folder, file or pattern", key="scanned")
        if st.button("Scan, or go on with a stopped scan", icon=":material/play_arrow:", disabled=not folder):
            scans().start(list(expand(folder.strip())), results, settings())
    present = scans().get(results)
    if present is not None:
        _progress(present)


@st.fragment(run_every=1.0)
def _progress(present: Scan) -> None:
    """Drawn again each second; the whole page only when the scan ends."""
    if present.is_running:
        st.session_state["was_running"] = True
        done = f"{present.done:,} of {present.total:,} files"
        st.progress(present.done / max(1, present.total), text=f"Scanning: {done}")
        with st.container(horizontal=True):
            st.button("Stop", on_click=present.stopping.set, icon=":material/stop:")
            if st.button("Show what is done", icon=":material/refresh:"):
                st.rerun()
        return
    if st.session_state.pop("was_running", False):
        st.rerun()
    if present.error is not None:
        complain(present.error)
    elif present.stopping.is_set():
        st.info(f"Stopped after {present.done:,} of {present.total:,} files; scan again to go on.")


# --- the queue --------------------------------------------------------------------------------------------------------


def _queue(results: Path, lines: list[Line]) -> None:
    wanted = _filter()
    shown = chosen(lines, wanted)
    with st.expander("How the measured ratios are spread"):
        histogram([line.row.log10_lr for line in shown if line.row.log10_lr is not None])
    st.caption(f"{len(shown):,} of {len(lines):,} files")
    if not shown:
        st.info("No file is left by this filter: take something out of it.", icon=":material/filter_alt_off:")
        return
    at = _table(shown)
    _one(results, shown, at, wanted)


def _filter() -> Filter:
    first, second, third = st.columns(3)
    labels = first.multiselect("Rests on", LABELS, placeholder="anything")
    dispositions = second.multiselect("Stands", list(Disposition), placeholder="anywhere", format_func=str)
    order = third.selectbox("Order", ORDERS)
    words = st.text_input("Words in path, verdict or note", key="words")
    one_each = st.toggle("One line for pictures that look alike", key="one_each")
    return Filter(labels=tuple(labels), dispositions=tuple(dispositions), words=words, one_each=one_each, order=order)


def _table(shown: list[Line]) -> int:
    """The page of the table on which the current line is; the number of that line."""
    at: int = min(st.session_state.get("line", 0), len(shown) - 1)
    st.session_state["line"] = at
    page = at // _PAGE
    begin = page * _PAGE
    here = shown[begin : begin + _PAGE]
    picked = st.dataframe(
        [cells(line) for line in here],
        hide_index=True,
        column_config={"Picture": st.column_config.ImageColumn(width="small")},
        on_select="rerun",
        selection_mode="single-row",
        key=f"table-{page}-{at}",
        height=min(420, 36 * (len(here) + 1) + 3),
        alt="Files with their verdicts",
    )
    if len(shown) > _PAGE:
        st.caption(f"Lines {begin + 1:,} to {begin + len(here):,}")
    if rows := picked["selection"]["rows"]:
        st.session_state["line"] = begin + rows[0]
        st.rerun()
    return at


def _one(results: Path, shown: list[Line], at: int, wanted: Filter) -> None:
    line = shown[at]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Previous", shortcut="K", on_click=_step, args=(-1, len(shown)), icon=":material/arrow_upward:")
        st.button("Next", shortcut="J", on_click=_step, args=(1, len(shown)), icon=":material/arrow_downward:")
        st.markdown(f"File {at + 1:,} of {len(shown):,}, **{line.disposition}**")
    if line.row.sha256 is not None:
        _decide(results, line, len(shown), wanted)
    row = whole(results, line)
    try:
        report = report_of(row)
    except (TypeError, ValueError, KeyError):
        st.error("This line holds no report: the table was written by something else.", icon=":material/error:")
        return
    drawing.report(report, _picture(row), key=f"line-{line.row.sha256 or at}", personal=True)


def _decide(results: Path, line: Line, count: int, wanted: Filter) -> None:
    sha256 = line.row.sha256 or ""
    left, right = st.columns([3, 1])
    left.text_area("Note", value=line.entry.note if line.entry else "", key=f"note-{sha256}", height=80)
    if account() is None:
        right.text_input("Your name", key="who", help="Kept with what you decide.")
    with st.container(horizontal=True):
        st.button("Keep the note", on_click=_keep, args=(results, line, line.disposition, 0, count))
        for disposition, key in _KEYS.items():
            stays = not wanted.dispositions or disposition in wanted.dispositions
            st.button(
                disposition.value.capitalize(), shortcut=key, on_click=_keep, key=f"set-{disposition}",
                args=(results, line, disposition, int(stays), count),
            )  # fmt: skip


def _keep(results: Path, line: Line, disposition: Disposition, step: int, count: int) -> None:
    sha256 = line.row.sha256 or ""
    try:
        who = account() or st.session_state["who"]
        decide(results, sha256, disposition, st.session_state[f"note-{sha256}"], who)
    except AssayError as error:
        complain(error)
        return
    st.toast(f"File {st.session_state['line'] + 1:,}: {disposition}")  # no name: a toast reads Markdown, pictures too
    _step(step, count)


def _step(by: int, count: int) -> None:
    st.session_state["line"] = min(max(st.session_state.get("line", 0) + by, 0), count - 1)


def _picture(row: Row) -> Shown | None:
    """The file itself, where it is still the one that was scanned; its thumbnail otherwise."""
    received = examiner().read(Path(row.path))
    if received.pixels is not None and received.sha256 == row.sha256:
        return encoded(received.pixels)
    if row.thumbnail is None:
        return None
    return Shown(row.thumbnail, "image/jpeg", "The thumbnail of the scan: the file is gone, or was changed since.")


main()
