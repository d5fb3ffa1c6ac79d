"""Golden files, and the reports that they show."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.vocabulary import Report
from tests.assay.report import samples

BLESS = "ASSAY_BLESS"
"""Set to 1, the golden files are rewritten: `make bless`, after an intended change."""


@pytest.fixture
def reports() -> list[Report]:
    return samples.all_kinds()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one: SARIF writes paths relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def golden(repo_root: Path) -> Callable[[str, str], None]:
    """Compare a text with a file in `tests/golden`, or rewrite the file."""

    def compare(name: str, text: str) -> None:
        path = repo_root / "tests" / "golden" / name
        if os.environ.get(BLESS) == "1":
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} changed; if that is intended, run: make bless"

    return compare
