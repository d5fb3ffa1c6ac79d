from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from generation.declaration import Declaration
from generation.sign import sign
from tests.assay.jobs.studio import Studio, open_studio
from tests.authority import Authority
from tests.seeds import encoded


@pytest.fixture(autouse=True)
def _process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees what the process of another kept; pages may name files of this machine."""
    monkeypatch.setenv("ASSAY_DASHBOARD_FOLDERS", "1")
    monkeypatch.delenv("ASSAY_DASHBOARD_NETWORK", raising=False)
    yield
    st.cache_resource.clear()
    gc.unfreeze()


@pytest.fixture
def trusting(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of the process trusts the test authority."""
    monkeypatch.setenv("ASSAY_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def signed(authority: Authority) -> bytes:
    """A JPEG that the test authority's signer says is generated."""
    return sign(encoded("JPEG"), "image/jpeg", authority.signer(), Declaration(title="tulip.jpg"))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """One generated picture; nothing may be added to its ledger."""
    return open_studio(tmp_path_factory.mktemp("studio"))
