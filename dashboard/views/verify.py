"""Verify: files in; the verdict of each in words, and everything that stands behind it."""

from __future__ import annotations

import streamlit as st

from assay.errors import AssayError
from assay.report.privacy import masked
from assay.report.view import view
from assay.report.wording import summary
from dashboard import drawing, fragments
from dashboard.fragments import Listed, complain
from dashboard.intake import Item, Seen, examined, received


def main() -> None:
    """Draw the page."""
    st.title("Where does this image come from?")
    items = received()
    try:
        seen = examined(items)
    except AssayError as error:
        complain(error)
        return
    if not seen:
        _empty()
        return
    personal = st.toggle(
        "Show personal data", key="personal", help="Places, serial numbers, names and handles; masked by default."
    )
    at = _chosen(items, seen) if len(items) > 1 else 0
    drawing.report(seen[at].report, seen[at].shown, key=items[at].key, personal=personal)
    if len(items) > 1:
        reports = [each.report if personal else masked(each.report) for each in seen]
        drawing.export(reports, title=f"Take all {len(items)} reports away", key="all")


def _empty() -> None:
    left, right = st.columns(2, gap="large")
    left.markdown(
        "Drop one image, or forty. Each gets **one verdict in words**, what it rests on, and what would change it:\n"
        "- **Signed**: somebody whom the trust list vouches for says so, and nothing changed since.\n"
        "- **Marked**: a watermark was found.\n"
        "- **Measured**: the pixels look it, with a number that was calibrated.\n"
        "- **Noted**: the file says so; anybody can write that."
    )
    right.markdown(
        "**Inconclusive** is the answer where none of this carries a verdict, and it is a frequent one: most images "
        "have no credentials, and pixels seldom tell. It is never a hint that an image is false.\n\n"
        "Nothing is sent anywhere. Files are examined on this machine, by processes without a network, and "
        "forgotten with this page."
    )


def _chosen(items: list[Item], seen: list[Seen]) -> int:
    """The one that is drawn whole, of several."""
    count = len(items)
    st.session_state["at"] = min(st.session_state.get("at", 0), count - 1)
    st.markdown(summary([each.report for each in seen]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.selectbox(
            "Image", range(count), key="at", format_func=lambda number: f"{number + 1}. {items[number].name}"
        )
        st.button("Previous", shortcut="K", on_click=_step, args=(-1, count), icon=":material/arrow_upward:")
        st.button("Next", shortcut="J", on_click=_step, args=(1, count), icon=":material/arrow_downward:")
    with st.expander(f"All {count} images", expanded=True):
        fragments.index(
            [
                Listed(view=view(each.report), preview=each.report.preview, chosen=number == at)
                for number, each in enumerate(seen)
            ]
        )
    return at


def _step(by: int, count: int) -> None:
    st.session_state["at"] = (st.session_state["at"] + by) % count


main()
