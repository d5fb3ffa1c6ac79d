"""The router: which pages there are. `assay dashboard` runs this file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from dashboard.fragments import style
from dashboard.signing_in import require_sign_in

_HERE = Path(__file__).parent
VIEWS = _HERE / "views"


def _page(name: str, title: str, icon: str) -> st.Page:
    return st.Page(VIEWS / f"{name}.py", title=title, icon=f":material/{icon}:", default=name == "verify")


def pages() -> dict[str, list[st.Page]]:
    """By heading; those that draw or measure only where models are installed."""
    has_models = find_spec("torch") is not None
    drawing = [_page("generate", "Generate", "draw"), _page("attack", "Attack", "science")]
    measuring = [_page("benchmarks", "Models and benchmarks", "query_stats")]
    return {
        "Examine": [_page("verify", "Verify", "search"), _page("triage", "Triage", "inbox")],
        "Make": [*(drawing if has_models else ()), _page("ledger", "Ledger", "menu_book")],
        "About": [*(measuring if has_models else ()), _page("settings", "Settings", "settings")],
    }


st.set_page_config(page_title="Assay", page_icon=_HERE / "icon.svg", layout="wide")
style()
require_sign_in()
st.navigation(pages()).run()
