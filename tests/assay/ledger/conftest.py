from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from assay.ledger import Ledger, open_ledger
from tests.assay.ledger import cluster

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server; what needs it is skipped where there is none."""
    if cluster.binaries() is None:
        pytest.skip(cluster.ABSENT)
    with cluster.cluster(durable=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a ledger can be made that is not there yet, in both databases."""
    if request.param == "sqlite":
        return str(tmp_path_factory.mktemp("home") / "ledger.sqlite3")
    return cluster.fresh_schema(request.getfixturevalue("server"), f"ledger{next(_NUMBERS)}")


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    with open_ledger(place) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where files are delivered."""
    return tmp_path_factory.mktemp("pictures")
