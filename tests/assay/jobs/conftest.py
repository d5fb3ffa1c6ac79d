from __future__ import annotations

import pytest

from tests.assay.jobs.studio import Studio, open_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """One generated picture; nothing may be added to its ledger."""
    return open_studio(tmp_path_factory.mktemp("studio"))
