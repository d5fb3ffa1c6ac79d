"""Draws the pages of how well marks survive, from the results beside them: `docs/robustness.md`, `docs/pixels.md`."""

from __future__ import annotations

from assay.jobs.robustness import pixel_page, pixels
from assay.jobs.robustness.page import render
from assay.jobs.robustness.results import read
from tests.conftest import REPO_ROOT

RESULTS = REPO_ROOT / "docs" / "robustness.json"
PIXELS = REPO_ROOT / "docs" / "pixels"


def main() -> None:
    """Rewrite the pages, where there are results."""
    if RESULTS.exists():
        RESULTS.with_suffix(".md").write_text(render(read(RESULTS)))
    if found := sorted(PIXELS.glob("*.json")):
        PIXELS.with_suffix(".md").write_text(pixel_page.render([pixels.read(path) for path in found]))


if __name__ == "__main__":
    main()
