"""One report, drawn from top to bottom: verdict, picture, evidence, history, metadata, ledger row, export."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath

import streamlit as st

from assay import catalog
from assay.jobs.marks import LEDGER_ROW, Watermark
from assay.jobs.pixel_marks import PixelMark
from assay.ledger import location, open_ledger
from assay.report.escape import visible
from assay.report.pictures import without_pictures
from assay.report.privacy import masked
from assay.report.sections import LONG
from assay.report.view import View, view
from assay.report.wording import CONTRADICTIONS
from assay.vocabulary import Basis, Measurement, Report
from dashboard import fragments
from dashboard.judging import Rulings
from dashboard.service import settings
from dashboard.viewer import Shown, viewer

MIME = {"html": "text/html", "pdf": "application/pdf", "json": "application/json"}
"""What can be taken away, by the name of its format."""

_IMAGE_ID = re.compile("[0-9a-f]{16}")


def report(whole: Report, shown: Shown | None, *, key: str, personal: bool, rulings: Rulings | None = None) -> None:
    """Draw everything.

    Args:
        whole: With personal data.
        shown: The picture; None where there are no pixels.
        key: Tells the widgets of this report from those of others on the page.
        personal: Whether personal data is shown.
        rulings: What became of the publisher's rules; None where none were applied.
    """
    told = whole if personal else masked(whole)
    words = view(told)
    left, right = st.columns([5, 6], gap="large")
    with right:
        fragments.verdict(words)
    with left:
        picture(told, shown, key=key)
    if rulings is not None:
        st.subheader("The publisher’s rules")
        fragments.rules(rulings)
    st.subheader("Evidence, strongest basis first")
    fragments.evidence(words)
    fragments.silent(words)
    _ledger_rows(told)
    _histories(words)
    _metadata(words, key=key)
    export([told], title="Take the report away", key=key)


def picture(told: Report, shown: Shown | None, *, key: str) -> None:
    """The viewer, with every map that a check drew."""
    if shown is None:
        st.info("There is no picture to show: the file could not be decoded.", icon=":material/hide_image:")
        return
    measured = [outcome for outcome in told.outcomes if isinstance(outcome, Measurement)]
    maps = [(visible(outcome.check), outcome.map) for outcome in measured if outcome.map]
    viewer(shown, alt=f"The image {visible(told.exhibit.name)}", maps=maps, key=f"viewer-{key}")


def _ledger_rows(told: Report) -> None:
    """The row of an image that is ours, where the ledger still has it."""
    place, named = location(settings()), dict.fromkeys(_named_rows(told))
    if not named or (isinstance(place, Path) and not place.exists()):
        return
    with open_ledger(place) as ledger:
        entries = [entry for image_id in named if (entry := ledger.get(image_id)) is not None]
    if entries:
        st.subheader("Its row in the ledger")
    for entry in entries:
        left, right = st.columns([1, 5])
        left.image(entry.thumbnail, width=96, alt="The thumbnail that the ledger keeps")
        with right:
            fragments.facts(f"Image {entry.image_id:016x}", fragments.of_entry(entry), level=3)


def _named_rows(told: Report) -> Iterator[int]:
    """Ids that our own readers of marks name: a note in a file can call itself anything."""
    for outcome in told.outcomes:
        if outcome.check in (Watermark.id, PixelMark.id):
            for detail in getattr(outcome, "details", ()):
                if detail.name == LEDGER_ROW and _IMAGE_ID.fullmatch(detail.value):
                    yield int(detail.value, 16)


def _histories(words: View) -> None:
    for line in words.lines:
        if line.history is not None:
            st.subheader("History, from this file back")
            fragments.history(line.history)


def _metadata(words: View, *, key: str) -> None:
    rows = list(_noted(words))
    if not rows:
        return
    st.subheader("What the file says of itself")
    st.caption("Anybody can write, change or remove these notes. ▲ marks statements that cannot all hold.")
    wanted = st.text_input("Search the metadata", key=f"metadata-{key}", placeholder="camera, software, date …")
    found = [row for row in rows if wanted.casefold() in " ".join(row.values()).casefold()]
    if found:
        st.dataframe(found, hide_index=True, key=f"table-{key}", alt="Metadata: kind, field and value")
    else:
        st.caption(f"Nothing of {len(rows)} entries holds these words.")


def _noted(words: View) -> Iterator[dict[str, str]]:
    for line in words.lines:
        if line.label != Basis.NOTED or line.cells:
            continue
        sign = "▲" if line.title == CONTRADICTIONS else ""
        for field, value in (("", line.text), *((detail.name, detail.value) for detail in line.details)):
            yield {
                "Conflict": sign,
                "Kind": line.title,
                "Field": visible(field),
                "Value": visible(value, limit=LONG, lines=True),
            }


def export(reports: Sequence[Report], *, title: str, key: str) -> None:
    """Reports to take away, drawn only when they are asked for."""
    st.subheader(title)
    stem = PurePath(reports[0].exhibit.name).stem if len(reports) == 1 else f"{len(reports)}-images"
    with st.container(horizontal=True):
        for name, mime in MIME.items():
            st.download_button(
                f"Download {name.upper()}",
                data=_drawn(name, reports),
                file_name=f"assay-{visible(stem)[:80]}.{name}",
                mime=mime,
                key=f"export-{name}-{key}",
                on_click="ignore",
                icon=":material/download:",
            )
    st.caption(
        "Personal data is in it only where it is shown here. JSON is what assay verify --decode --format json prints."
    )


def _drawn(name: str, reports: Sequence[Report]) -> Callable[[], bytes]:
    def render() -> bytes:
        drawn = catalog.format_named(name)(list(map(without_pictures, reports)) if name == "json" else reports)
        return drawn.encode() if isinstance(drawn, str) else drawn

    return render
