"""Draws the pages of how well marks survive, from the results beside them: `docs/robustness.md`, `docs/pixels.md`."""

from __future__ import annotations

from assay.jobs.robustness import curves, pixel_page
from assay.jobs.robustness.kept import read
from assay.jobs.robustness.page import render
from assay.jobs.robustness.pixels import PixelResults
from assay.jobs.robustness.results import Results
from tests.conftest import REPO_ROOT

RESULTS = REPO_ROOT / "docs" / "robustness.json"
PIXELS = REPO_ROOT / "docs" / "pixels"


def main() -> None:
    """Rewrite the pages, where there are results."""
    if RESULTS.exists():
        RESULTS.with_suffix(".md").write_text(render(read(RESULTS, Results)))
    found = {path: read(path, PixelResults) for path in sorted(PIXELS.glob("*.json"))}
    for path, results in found.items():
        if curves.kinds(results):
            path.with_suffix(".png").write_bytes(curves.drawn(results))
    if found:
        page = pixel_page.render({f"{PIXELS.name}/{path.stem}.png": results for path, results in found.items()})
        PIXELS.with_suffix(".md").write_text(page)


if __name__ == "__main__":
    main()
