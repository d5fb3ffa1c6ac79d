"""Pictures that are kept for acceptance are in no list of ours."""

from __future__ import annotations

import csv
import gzip
import hashlib
from pathlib import Path

import pytest


def _repositories(path: Path) -> set[str]:
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as lines:
        return {row["repository"] for row in csv.DictReader(lines) if row.get("repository")}


def test_no_list_names_a_repository_that_is_kept_apart(repo_root: Path, shared: Path) -> None:
    reserved = set((shared / "images" / "reserved.sha256").read_text().split())
    lists = [*repo_root.glob("detection/*.csv*"), *repo_root.glob("tests/**/*.csv")]
    named = {path: _repositories(path) for path in lists}
    assert sum(bool(names) for names in named.values()) >= 3
    for path, names in named.items():
        kept = sorted(name for name in names if hashlib.sha256(name.lower().encode()).hexdigest() in reserved)
        if kept:
            pytest.fail(f"{path}: {len(kept)} repositories are kept apart: take their rows out")
