"""What one process keeps for all its pages: settings, doors that are open, and an examiner with its models."""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from pathlib import Path

import streamlit as st

from assay.jobs.verify import Examiner
from assay.rules import Policy, discover, load
from assay.settings import FOLDERS, NETWORK, from_environment
from assay.vocabulary import Settings


def settings() -> Settings:
    """As the command line set them."""
    return from_environment()


def may_fetch() -> bool:
    """Whether whoever started the dashboard allowed it the network."""
    return os.environ.get(NETWORK) == "1"


def may_read_folders() -> bool:
    """Whether pages may name files of this machine: where only this machine sees them, unless it was forbidden."""
    return os.environ.get(FOLDERS) == "1"


def policy() -> Policy | None:
    """Read the rules that `assay verify` would apply now where the dashboard was started; None without any.

    Raises:
        PolicyError: They cannot be used.
    """
    path = discover(Path.cwd())
    return None if path is None else load(path)


@st.cache_resource(show_spinner=False, on_release=Examiner.close)
def examiner() -> Examiner:
    """One for all sessions: workers and models are started once, and end with the process."""
    return Examiner(replace(settings(), thumbnails=True), decode=True, previews=True)


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once, after the first verdict: what was loaded for it stays, and is no longer searched for garbage.

    To go through the modules of torch and diffusers takes half a second, in which every visitor waits.
    """
    gc.collect()
    gc.freeze()
