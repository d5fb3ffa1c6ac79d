"""Ledger: what was made or marked here, newest first; and which of it an image leads to."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from assay.errors import AssayError
from assay.files import printable
from assay.jobs.leads import How, Lead, Leads, leads
from assay.jobs.verify import Upload
from assay.ledger import Entry, Ledger, location, open_ledger
from assay.ledger.reading import Filter
from dashboard import fragments
from dashboard.fragments import complain
from dashboard.service import settings
from generation.local import shown

_PAGE = 24
_WAYS = {
    How.FILE: "the same file, byte for byte",
    How.PIXELS: "the same pixels",
    How.NOISE_MARK: "the mark in its noise",
    How.PIXEL_MARK: "the mark in its pixels",
    How.LIKENESS: "it looks alike, which proves nothing",
}


def main() -> None:
    """Draw the page."""
    st.title("Ledger")
    st.write("Every image that was made or marked by this installation, and what reading its mark back needs.")
    for draw in (_search, _browse):
        try:
            draw()
        except AssayError as error:
            complain(error)


# --- searching --------------------------------------------------------------------------------------------------------


def _search() -> None:
    upload = st.file_uploader(
        "Which row does this image lead to?",
        help="By its bytes, its pixels, its watermarks, and by what it looks like.",
    )
    if upload is None:
        st.session_state.pop("leads", None)
        return
    with st.spinner("Searching", show_time=True):
        found = _leads(upload.file_id, upload.name, upload.getvalue())
    for remark in found.remarks:
        st.info(printable(remark), icon=":material/info:")
    if not found.rows and not found.remarks:
        st.info("No row: it was not made or marked here, or what it carried was removed.", icon=":material/search_off:")
    for lead in found.rows:
        _lead(lead)


def _leads(key: str, name: str, data: bytes) -> Leads:
    """Looked up once for each file."""
    kept: tuple[str, Leads] | None = st.session_state.get("leads")
    if kept is None or kept[0] != key:
        kept = st.session_state["leads"] = (key, leads(Upload(name=name, data=data), settings=settings()))
    return kept[1]


def _lead(lead: Lead) -> None:
    with st.container(border=True):
        picture, words = st.columns([1, 4])
        _thumbnail(picture, lead.entry)
        with words:
            ways = ", ".join(_WAYS[way] for way in lead.ways)
            st.markdown(f"**Found by {ways}**")
            st.caption(
                f"Perceptual hashes differ in {lead.distance} of 64 bits; those of unrelated pictures in about 32."
            )
            if lead.transplanted:
                st.warning("The mark is there, and the picture shows something else: it was transplanted.")
            fragments.facts(f"Image {lead.entry.image_id:016x}", fragments.of_entry(lead.entry))


# --- browsing ---------------------------------------------------------------------------------------------------------


def _browse() -> None:
    place = location(settings())
    if isinstance(place, Path) and not place.exists():
        st.info(
            "The ledger is empty: nothing was made or marked here yet. Draw a picture on the Generate page, or mark "
            "one with: `assay mark`.",
            icon=":material/menu_book:",
        )
        return
    with open_ledger(place) as ledger:
        wanted = _filter(ledger)
        count = ledger.count(wanted)
        st.caption(f"{count:,} of {ledger.count():,} images, newest first")
        pages = max(1, -(-count // _PAGE))
        page = st.pagination(pages, key="ledger-page") if pages > 1 else 1
        rows = ledger.newest(wanted, limit=_PAGE * page)[_PAGE * (page - 1) :]
    for recorded in rows:
        entry = recorded.entry
        with st.container(border=True):
            picture, words = st.columns([1, 4])
            _thumbnail(picture, entry)
            with words:
                fragments.facts(f"Image {entry.image_id:016x}", fragments.of_entry(entry))


def _filter(ledger: Ledger) -> Filter:
    left, right = st.columns(2)
    models = sorted({kind.model for kind in ledger.kinds()} - {""})
    model = left.selectbox("Drawn with", ["any", *models], format_func=shown)
    name = right.text_input("Words in the file's name", key="ledger-name").strip()
    return Filter(model=None if model == "any" else model, name=name)


def _thumbnail(place: st.delta_generator.DeltaGenerator, entry: Entry) -> None:
    place.image(entry.thumbnail, width=96, alt=f"Thumbnail of image {entry.image_id:016x}")


main()
