from __future__ import annotations

from pathlib import Path

import pytest

from detection.folders import items_of
from detection.prepare import Prepared, prepare
from tests.pictures import labelled


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def prepared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(items_of(folder), folder, tmp_path_factory.mktemp("set"), workers=2)
