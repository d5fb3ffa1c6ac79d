"""The router: which pages there are. `assay dashboard` runs this file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.fragments import style
from dashboard.signing_in import require_sign_in

_HERE = Path(__file__).parent
VIEWS = _HERE / "views"

PAGES = {
    "Examine": [
        st.Page(VIEWS / "verify.py", title="Verify", icon=":material/search:", default=True),
        st.Page(VIEWS / "triage.py", title="Triage", icon=":material/inbox:"),
    ],
    "Make": [
        st.Page(VIEWS / "generate.py", title="Generate", icon=":material/draw:"),
        st.Page(VIEWS / "attack.py", title="Attack", icon=":material/science:"),
        st.Page(VIEWS / "ledger.py", title="Ledger", icon=":material/menu_book:"),
    ],
    "About": [
        st.Page(VIEWS / "benchmarks.py", title="Models and benchmarks", icon=":material/query_stats:"),
        st.Page(VIEWS / "settings.py", title="Settings", icon=":material/settings:"),
    ],
}

# A file of our own: for a symbol's name, a browser would ask somebody else for the picture.
st.set_page_config(page_title="Assay", page_icon=_HERE / "icon.svg", layout="wide")
style()
require_sign_in()
st.navigation(PAGES).run()
