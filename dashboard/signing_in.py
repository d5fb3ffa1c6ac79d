"""Sign-in by OpenID Connect, where whoever runs the dashboard has set it up; see docs/dashboard.md."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from assay.errors import ConfigurationError
from dashboard.fragments import complain


def require_sign_in() -> None:
    """Stop here for who has not signed in, and for accounts that may not enter; open to all without a provider.

    A set-up that cannot be read opens nothing.
    """
    try:
        secrets = _secrets()
    except ConfigurationError as error:
        complain(error)
        st.stop()
    if "auth" not in secrets:
        return
    if not st.user.is_logged_in:
        st.title("Assay")
        st.write("Sign in to examine images.")
        st.button("Sign in", type="primary", on_click=st.login)
        st.stop()
    st.sidebar.button("Sign out", on_click=st.logout)
    if "assay" in secrets and not _is_listed(secrets["assay"].get("allowed", [])):
        st.title("Assay")
        st.write("This account may not examine images here. Sign out, or ask whoever runs this page to let it in.")
        st.stop()


def account() -> str | None:
    """The address of whoever has signed in; None where nobody had to."""
    if "auth" not in _secrets():
        return None
    return str(st.user.get("email") or st.user.get("sub") or "") or None


def _secrets() -> Mapping[str, Any]:
    try:
        secrets = st.secrets.to_dict()
    except StreamlitSecretNotFoundError as error:
        # Streamlit says the same of a file that is missing and of one that it cannot read.
        if any(Path(path).exists() for path in st.get_option("secrets.files")):
            raise ConfigurationError(
                "the file of the sign-in cannot be read, so nobody is let in",
                hint="Whoever runs this page finds what is wrong with secrets.toml in the terminal.",
            ) from error
        return {}
    if "assay" in secrets and "auth" not in secrets:
        raise ConfigurationError(
            "there is a list of accounts and no provider to sign in at, so nobody is let in",
            hint="Whoever runs this page adds the table [auth] to secrets.toml.",
        )
    return secrets


def _is_listed(allowed: str | list[str]) -> bool:
    """Whether the list lets the account in: by its address, and only one that the provider has verified."""
    patterns = [allowed] if isinstance(allowed, str) else allowed
    address = str(st.user.get("email")).casefold()
    is_named = any(fnmatchcase(address, pattern.casefold()) for pattern in patterns)
    return is_named and st.user.get("email_verified") is True
