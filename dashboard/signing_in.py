"""Sign-in by OpenID Connect, where whoever runs the dashboard has set it up; see docs/dashboard.md."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError


def require_sign_in() -> None:
    """Stop here for who has not signed in; open to all where no provider is configured."""
    try:
        wanted = "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return
    if not wanted:
        return
    if not st.user.is_logged_in:
        st.title("Assay")
        st.write("Sign in to examine images.")
        st.button("Sign in", type="primary", on_click=st.login)
        st.stop()
    st.sidebar.button("Sign out", on_click=st.logout)
