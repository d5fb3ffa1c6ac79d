"""Verify: files in; the verdict of each in words, and everything that stands behind it."""

from __future__ import annotations

import streamlit as st

from assay.errors import AssayError
from assay.report.privacy import masked
from assay.report.view import view
from assay.report.wording import summary
from assay.vocabulary import Report
from dashboard import drawing, fragments
from dashboard.fragments import Listed, complain
from dashboard.intake import Item, examined, received
from dashboard.judging import in_short, judged, rulings
from dashboard.service import policy


def main() -> None:
    """Draw the page."""
    st.title("Where does this image come from?")
    items = received()
    try:
        rules = policy()
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
    reports = judged(rules, [each.report for each in seen], [item.has_path for item in items])
    at = _chosen(items, reports, has_rules=rules is not None) if len(items) > 1 else 0
    ruled = None if rules is None else rulings(rules, reports[at], has_path=items[at].has_path)
    drawing.report(reports[at], seen[at].shown, key=items[at].key, personal=personal, rulings=ruled)
    if len(items) > 1:
        told = reports if personal else [masked(each) for each in reports]
        drawing.export(told, title=f"Take all {len(items)} reports away", key="all")


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


def _chosen(items: list[Item], reports: list[Report], *, has_rules: bool) -> int:
    """The one that is drawn whole, of several."""
    count = len(items)
    st.session_state["at"] = min(st.session_state.get("at", 0), count - 1)
    st.markdown(summary(reports))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.selectbox(
            "Image", range(count), key="at", format_func=lambda number: f"{number + 1}. {items[number].name}"
        )
        st.button("Previous", shortcut="K", on_click=_step, args=(-1, count), icon=":material/arrow_upward:")
        st.button("Next", shortcut="J", on_click=_step, args=(1, count), icon=":material/arrow_downward:")
    with st.expander(f"All {count} images", expanded=True):
        fragments.index(
            [
                Listed(
                    view=view(each),
                    preview=each.preview,
                    chosen=number == at,
                    rules=in_short(each) if has_rules else None,
                )
                for number, each in enumerate(reports)
            ]
        )
    return at


def _step(by: int, count: int) -> None:
    st.session_state["at"] = (st.session_state["at"] + by) % count


main()
