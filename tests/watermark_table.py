"""Draws the page of how well marks survive: `python -m tests.watermark_table` rewrites `docs/robustness.md`."""

from __future__ import annotations

from assay.jobs.robustness.page import render
from assay.jobs.robustness.results import read
from tests.conftest import REPO_ROOT

RESULTS = REPO_ROOT / "docs" / "robustness.json"


def main() -> None:
    """Rewrite the page, where there are results."""
    if RESULTS.exists():
        RESULTS.with_suffix(".md").write_text(render(read(RESULTS)))


if __name__ == "__main__":
    main()
